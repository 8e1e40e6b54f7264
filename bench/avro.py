#!/usr/bin/env python3
"""The lineitem table of TPC-H as Avro, written by fastavro: to Parquet with zstd, and the sum of a
column, beside jetliner with Polars, and Polars' own reader.

    bench/avro.py [--scale 1] [--codec snappy,deflate] [--rounds 3] [--threads 2]

The Avro files are made once from the table that tools/testdata.sh makes, with blocks of 64 KiB.
jetliner is measured where it is installed (python -m pip install jetliner==0.2.0).
"""
import argparse
import importlib.util
import os
import subprocess
import sys

import bench
from bench import harness

MAKE = r'''
import sys, fastavro, pyarrow as pa, pyarrow.parquet as pq
source, target, codec = sys.argv[1:]
def avro(t):
    if pa.types.is_decimal(t):
        return {"type": "bytes", "logicalType": "decimal", "precision": t.precision,
                "scale": t.scale}
    if pa.types.is_date(t):
        return {"type": "int", "logicalType": "date"}
    return {pa.int32(): "int", pa.int64(): "long", pa.float64(): "double"}.get(t, "string")
file = pq.ParquetFile(source)
schema = {"type": "record", "name": "lineitem", "fields": [
    {"name": f.name, "type": avro(f.type)} for f in file.schema_arrow]}
def rows():
    for batch in file.iter_batches(batch_size=20000):
        yield from batch.to_pylist()
with open(target, "wb") as f:
    fastavro.writer(f, fastavro.parse_schema(schema), rows(), codec=codec, sync_interval=65536)
'''

THREADS = r'''
import os, sys
os.environ["POLARS_MAX_THREADS"] = sys.argv[3]
import polars as pl
'''

JETLINER = THREADS + r'''
import jetliner
def work(argv):
    source, target, _ = argv
    frame = jetliner.scan_avro(source)
    if target == "-":
        print(frame.select(pl.col("l_quantity").sum()).collect().item())
    else:
        frame.sink_parquet(target, compression="zstd", compression_level=3)
'''

POLARS = THREADS + r'''
def work(argv):
    source, target, _ = argv
    if target == "-":
        print(pl.read_avro(source, columns=["l_quantity"])["l_quantity"].sum())
    else:
        pl.read_avro(source).write_parquet(target, compression="zstd", compression_level=3)
'''


def source_of(scale, codec):
    path = os.path.join(bench.folder(), f"lineitem-{scale}-{codec}.avro")
    if not os.path.exists(path):
        table = bench.lineitem(scale)
        harness.log(f"  making {path}")
        subprocess.run([bench.PYTHON, "-c", MAKE, table, f"{path}.part", codec], check=True)
        bench.take_name(f"{path}.part", path)
    return path


def peers(source, target, threads):
    if importlib.util.find_spec("jetliner"):
        yield bench.peer("jetliner", JETLINER, source, target, threads)
    else:
        print("jetliner is not installed: it is left out")
    yield bench.peer("Polars", POLARS, source, target, threads)


def measure(codec, args):
    """[(what, holds)]"""
    source, target = source_of(args.scale, codec), os.path.join(bench.folder(), "avro.parquet")
    size = f"{os.path.getsize(source):,} B, {codec}"
    common = ("--threads", args.threads, "-q")
    to_parquet = [bench.ours("narrows", "copy", source, target, "--memory", "64MiB",
                             "--compression", "zstd:3", *common, timeout=900)]
    to_parquet += peers(source, target, args.threads)
    sums = [bench.ours("narrows", "sql", f"SELECT sum(l_quantity) FROM '{source}'", "--memory",
                       "32MiB", *common, timeout=900)]
    sums += peers(source, "-", args.threads)
    copied = bench.run(f"avro to Parquet zstd: {size}", to_parquet, args.rounds,
                       before=lambda p: bench.remove(target),
                       after=lambda p: f"{os.path.getsize(target):,} B", source=source)
    bench.remove(target)
    summed = bench.run(f"avro, sum of a column: {size}", sums, args.rounds, source=source)
    wanted = [(f"{codec}: copy within 64 MiB", copied["narrows"][1] <= 64 * harness.MIB),
              (f"{codec}: sum within 32 MiB", summed["narrows"][1] <= 32 * harness.MIB)]
    if "jetliner" in copied:
        wanted += [(f"{codec}: copy at least 3 times as fast as jetliner",
                    copied["jetliner"][2] >= 3),
                   (f"{codec}: sum at least 3 times as fast as jetliner",
                    summed["jetliner"][2] >= 3)]
    return wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="1")
    parser.add_argument("--codec", default="snappy,deflate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    args = parser.parse_args()
    wanted = [x for codec in args.codec.split(",") for x in measure(codec, args)]
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
