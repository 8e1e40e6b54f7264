#!/usr/bin/env python3
"""The rows of lineitem from 1995 on, four of its columns and one derived, zstd, into a folder for
every year and month: beside Polars, DuckDB and pyarrow.

    bench/partition.py [--scale 10] [--rounds 3] [--level 3] [--threads N] [--data FILE]
"""
import argparse
import glob
import os
import shutil
import sys

import bench
import partition_peers
from bench import harness

QUERY = """COPY (SELECT l_orderkey, l_partkey, l_quantity, l_shipdate,
        l_extendedprice * (1 - l_discount) AS revenue, year(l_shipdate) AS year,
        month(l_shipdate) AS month
    FROM '{}' WHERE l_shipdate >= DATE '1995-01-01')
    TO '{}' (FORMAT parquet, PARTITION_BY (year, month))"""
PARTITIONS = 48

# Rows of source and target are the same, and stand where they belong.
SAME = r'''
import sys, duckdb
source, target = sys.argv[1:]
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")
c.execute("SET threads = 2")
def facts(rows):
    return c.execute(f"""SELECT count(*), sum(revenue), sum(hash(l_orderkey, l_partkey, l_quantity,
        l_shipdate, revenue, year::BIGINT, month::BIGINT)::HUGEINT) FROM ({rows})""").fetchone()
x = facts(f"""SELECT *, l_extendedprice * (1 - l_discount) AS revenue, year(l_shipdate) AS year,
    month(l_shipdate) AS month FROM '{source}' WHERE l_shipdate >= DATE '1995-01-01'""")
y = facts(f"FROM read_parquet('{target}/**/*.parquet', hive_partitioning = true)")
if x != y:
    sys.exit(f"rows differ: {x} {y}")
print(x[0])
'''


def files(target):
    return glob.glob(os.path.join(target, "*", "*", "*.parquet"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--level", default="3")
    parser.add_argument("--threads", default=str(len(os.sched_getaffinity(0))))
    parser.add_argument("--data")
    parser.add_argument("--without", action="append", default=[], help="leave a program out")
    args = parser.parse_args()
    source = args.data or bench.lineitem(args.scale)
    target = os.path.join(bench.folder(), "partition-out")
    common = ("sql", QUERY.format(source, target), "--memory", "128MiB", "--compression",
              f"zstd:{args.level}", "--threads", args.threads, "-q")
    theirs = (source, target, args.threads, args.level)
    programs = [
        bench.ours("narrows", *common, timeout=900),
        bench.ours("narrows, v2", *common, "--parquet-version", "2", timeout=900),
        bench.peer("Polars", partition_peers.POLARS, *theirs),
        bench.peer("DuckDB", partition_peers.DUCKDB, *theirs, "v1"),
        bench.peer("DuckDB, v2", partition_peers.DUCKDB, *theirs, "v2"),
        bench.peer("pyarrow", partition_peers.PYARROW, *theirs),
    ]
    programs = [p for p in programs if p.name not in args.without]
    sizes, counts, rows = {}, {}, {}

    def check(program):
        found = files(target)
        sizes[program.name] = sum(map(os.path.getsize, found))
        counts[program.name] = len(found)
        if program.name not in rows:
            ran = harness.measure([bench.PYTHON, "-c", SAME, source, target], 900)
            if ran.code:
                raise SystemExit(f"{program.name}: {ran.err.strip()[-300:]}")
            rows[program.name] = int(ran.out)
        return f"{sizes[program.name]:,} B in {len(found)} files"
    results = bench.run(f"partition: scale {args.scale}, {os.path.getsize(source):,} B to "
                        f"zstd:{args.level}", programs, args.rounds,
                        before=lambda p: shutil.rmtree(target, ignore_errors=True),
                        after=check, source=source)
    shutil.rmtree(target)
    peers = [n for n in results if not n.startswith("narrows")]
    ours, second = results["narrows"], results["narrows, v2"]
    fastest = min(results[n][0] for n in peers)
    smallest = min(sizes[n] for n in peers)
    return bench.verdict([
        (f"1.7 x faster than the fastest peer: {fastest / ours[0]:.2f} x",
         fastest >= 1.7 * ours[0]),
        (f"version 2: 2 x faster: {fastest / second[0]:.2f} x", fastest >= 2 * second[0]),
        (f"no larger than the smallest: {sizes['narrows']:,} B to {smallest:,} B",
         sizes["narrows"] <= smallest),
        (f"version 2, too: {sizes['narrows, v2']:,} B", sizes["narrows, v2"] <= smallest),
        (f"128 MiB at most: {harness.mib(max(ours[1], second[1]))}",
         max(ours[1], second[1]) <= 128 * harness.MIB),
        (f"a file for each of {PARTITIONS} partitions, {rows['narrows']:,} rows",
         counts["narrows"] == counts["narrows, v2"] == PARTITIONS)])


if __name__ == "__main__":
    sys.exit(main())
