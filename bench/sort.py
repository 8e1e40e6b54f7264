#!/usr/bin/env python3
"""Lineitem sorted by l_shipdate and l_orderkey into a Parquet file, in little memory, beside DuckDB
with twice as much; both write snappy.

    bench/sort.py [--scale 10] [--rounds 3] [--threads 2] [--memory MIB] [--data FILE]
"""
import argparse
import os
import sys

import bench
import copy_lineitem
from bench import harness

QUERY = "SELECT * FROM '{}' ORDER BY l_shipdate, l_orderkey"

DUCKDB = r'''
import duckdb
def work(argv):
    query, target, threads, memory = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"SET memory_limit = '{memory}MB'")
    c.execute(f"SET temp_directory = '{target}.tmp'")
    c.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")
'''

SORTED = r'''
import sys
import polars as pl
t = pl.read_parquet(sys.argv[1], columns=["l_shipdate", "l_orderkey"])
day, key = t["l_shipdate"], t["l_orderkey"]
rises = (day > day.shift(1)) | ((day == day.shift(1)) & (key >= key.shift(1)))
if rises.drop_nulls().len() != len(t) - 1 or not rises.drop_nulls().all():
    sys.exit("the rows are not sorted")
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--data")
    args = parser.parse_args()
    source = args.data or bench.lineitem(args.scale)
    query, target = QUERY.format(source), os.path.join(bench.folder(), "sorted.parquet")
    checked = set()

    def check(program):
        if program.name not in checked:
            checked.add(program.name)
            for script, files in ((SORTED, (target,)), (copy_lineitem.SAME, (source, target))):
                ran = harness.measure([bench.PYTHON, "-c", script, *files], 900)
                if ran.code:
                    raise SystemExit(f"{program.name}: {ran.err.strip()[-300:]}")
        return f"{os.path.getsize(target):,} bytes"

    results = bench.run(
        f"lineitem sorted, scale {args.scale}, {args.threads} threads",
        [bench.ours("narrows", "sql", query, "-o", target, "--compression", "snappy", "-q",
                    "--memory", f"{args.memory}MiB", "--threads", args.threads, timeout=1800),
         bench.peer("DuckDB", DUCKDB, query, target, args.threads, str(2 * args.memory),
                    timeout=1800)],
        args.rounds, before=lambda _: bench.remove(target), after=check, source=source)
    bench.remove(target)
    peak = results["narrows"][1]
    return bench.verdict([
        (f"faster than DuckDB: {results['DuckDB'][2]:.2f} x", results["DuckDB"][2] > 1),
        (f"{args.memory} MiB at most: {harness.mib(peak)}", peak <= args.memory * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
