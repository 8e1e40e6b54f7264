#!/bin/sh
# Makes the virtual environment with the peers that tests and benches compare with. Does nothing
# when it is there and complete. NARROWS_VENV says where (default .venv).
set -eu
cd "$(dirname "$0")/.."

venv=${NARROWS_VENV:-.venv}
wanted=tools/requirements.txt

if [ -x "$venv/bin/python" ] && cmp -s "$wanted" "$venv/narrows-requirements.txt"; then
    exit 0
fi
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if ! "$venv/bin/python" -m pip install -q -r "$wanted"; then
    echo "tools/venv.sh: the peers could not be installed; what needs them will be skipped" >&2
    exit 0
fi
cp "$wanted" "$venv/narrows-requirements.txt"
