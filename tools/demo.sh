#!/bin/sh
# The first job, end to end, in a temporary folder: a billion rows made, the first ten ids of every
# group extracted with all of their rows, both files looked at; then what the peers need for it.
set -eu
cd "$(dirname "$0")/.."

narrows=$PWD/build/narrows
venv=${NARROWS_VENV:-.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"

run() {
    echo "\$ narrows $*"
    "$narrows" "$@"
    echo
}

run gen data.parquet --range group=1000 --range id=1000 --range row=1000 --memory 32MiB
run plan sample data.parquet output.parquet --first 10 --of id --per group --memory 32MiB
run sample data.parquet output.parquet --first 10 --of id --per group --memory 32MiB \
    --report report.json
run inspect data.parquet output.parquet
run inspect output.parquet
run head output.parquet -n 3

if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import duckdb, polars' 2>/dev/null; then
    echo "The same job beside its peers, one round:"
    "$venv/bin/python" "$root/bench/first_ten.py" --rounds 1 --data "$folder/data.parquet" ||
        echo "One round on a busy machine says little: bench/first_ten.py takes more."
else
    echo "The peers are not here (tools/venv.sh installs them), so nothing to compare with."
fi
