#!/bin/sh
# Installs the Debian packages that the build and the tests need, if any is missing.
set -eu

packages="gcc libc6-dev make clang clang-format libclang-rt-14-dev cmake ninja-build pkg-config
python3 python3-venv libzstd-dev liblz4-dev libsnappy-dev libbrotli-dev libdeflate-dev zlib1g-dev
libbz2-dev liblzma-dev libxxhash-dev libpcre2-dev libutf8proc-dev libssl3 libcmocka-dev"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "tools/deps.sh: not a Debian system; install what stands for: $packages" >&2
    exit 0
fi

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
# A compiler or Python that did not come as a package is as good.
for pair in gcc:gcc clang:clang cmake:cmake ninja-build:ninja pkg-config:pkg-config python3:python3; do
    command -v "${pair#*:}" >/dev/null 2>&1 &&
        missing=$(printf '%s\n' $missing | grep -vx "${pair%%:*}" | tr '\n' ' ' || true)
done
python3 -c 'import ensurepip, venv' 2>/dev/null &&
    missing=$(printf '%s\n' $missing | grep -vx python3-venv | tr '\n' ' ' || true)
missing=$(echo $missing)
[ -n "$missing" ] || exit 0

echo "installing: $missing" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -qq update
# shellcheck disable=SC2086  # a list of words
$as_root apt-get -qq install -y --no-install-recommends $missing >/dev/null
