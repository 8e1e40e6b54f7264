#!/bin/sh
# Makes the data of the benches: the lineitem table of TPC-H at a scale factor (default 10: 2.5 GB),
# snappy, by tpchgen-cli. Prints the path. NARROWS_DATA says where (default .data).
#
#     tools/testdata.sh [SCALE_FACTOR]
set -eu
cd "$(dirname "$0")/.."

scale=${1:-10}
folder=${NARROWS_DATA:-.data}/bench
venv=${NARROWS_VENV:-.venv}
file=$folder/lineitem-$scale.parquet

if [ ! -e "$file" ]; then
    tools/venv.sh
    mkdir -p "$folder/making"
    echo "making $file" >&2
    "$venv/bin/tpchgen-cli" parquet -q -s "$scale" --tables=lineitem --compression=SNAPPY \
        --output-dir="$folder/making" >&2
    mv "$folder/making/lineitem.parquet" "$file"
    rmdir "$folder/making"
fi
echo "$file"
