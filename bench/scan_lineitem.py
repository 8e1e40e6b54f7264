#!/usr/bin/env python3
"""The lineitem table of TPC-H, snappy, read to its last value and hashed, by two threads: beside
DuckDB, Polars and pyarrow.

    bench/scan_lineitem.py [--scale 10] [--rounds 3] [--threads 2] [--data FILE]

Narrows (bench/micro/scan.c) and DuckDB sum up the same hash of each column; the sums must be equal.
Polars sums up a hash of its own, and pyarrow, which has none, reads batches and throws them away.
"""
import argparse
import os
import subprocess
import sys

import bench
from bench import harness

SCAN = os.path.join(harness.ROOT, "build", "bench_scan")

DUCKDB = r'''
import duckdb
def work(argv):
    source, threads = argv
    c = duckdb.connect()
    c.execute("SET enable_progress_bar = false")
    c.execute(f"SET threads = {threads}")
    names = [r[0] for r in c.execute(f"DESCRIBE FROM '{source}'").fetchall()]
    sums = ", ".join(f'sum(hash("{n}"))' for n in names)
    row = c.execute(f"SELECT {sums} FROM '{source}'").fetchone()
    for name, x in zip(names, row):
        print(f"{name} {int(x):032x}")
'''

POLARS = r'''
import os, sys
os.environ["POLARS_MAX_THREADS"] = sys.argv[2]
import polars as pl
def work(argv):
    pl.scan_parquet(argv[0]).select(pl.all().hash().sum()).collect(engine="streaming")
'''

PYARROW = r'''
import pyarrow as pa, pyarrow.parquet as pq
def work(argv):
    pa.set_cpu_count(int(argv[1]))
    for _ in pq.ParquetFile(argv[0]).iter_batches(batch_size=1 << 16):
        pass
'''


def ours(source, threads, sums):
    def run():
        ran = harness.measure([SCAN, f"-t{threads}", "-m64", "-h", source], 900)
        if ran.code:
            raise SystemExit(ran.err.strip())
        sums["narrows"] = sorted(ran.out.decode().splitlines()[1:])
        return ran.seconds, ran.peak
    return bench.Program("narrows", run)


def duckdb(source, threads, sums):
    """As bench.peer, and what it printed before its time is kept."""
    text = ("import sys, time\n" + DUCKDB + "\nt = time.monotonic()\nwork(sys.argv[1:])\n"
            "print(time.monotonic() - t)\n")

    def run():
        ran = harness.measure([bench.PYTHON, "-c", text, source, threads], 900)
        if ran.code:
            raise SystemExit(ran.err.strip())
        lines = ran.out.decode().splitlines()
        sums["DuckDB"] = sorted(lines[:-1])
        return float(lines[-1]), ran.peak
    return bench.Program("DuckDB", run)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--data")
    args = parser.parse_args()
    subprocess.run(["cmake", "--build", os.path.join(harness.ROOT, "build"), "--target",
                    "bench_scan"], check=True, stdout=subprocess.DEVNULL)
    source, sums = args.data or bench.lineitem(args.scale), {}
    results = bench.run(
        f"scan_lineitem: scale {args.scale}, {os.path.getsize(source):,} B, every value hashed by "
        f"{args.threads} threads",
        [ours(source, args.threads, sums), duckdb(source, args.threads, sums),
         bench.peer("Polars", POLARS, source, args.threads),
         bench.peer("pyarrow, no hash", PYARROW, source, args.threads)], args.rounds, source=source)
    mine = results["narrows"]
    fastest = min(r[2] for name, r in results.items() if name != "narrows")
    return bench.verdict([
        ("the hashes equal DuckDB's", sums["narrows"] == sums["DuckDB"]),
        (f"1.5 x faster than the fastest peer: {fastest:.2f} x", fastest >= 1.5),
        (f"64 MiB at most: {harness.mib(mine[1])}", mine[1] <= 64 * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
