#!/usr/bin/env python3
"""The lineitem table of TPC-H, snappy, rewritten with zstd: beside Polars, DuckDB and pyarrow.

    bench/copy_lineitem.py [--scale 10] [--rounds 3] [--level 3] [--data FILE]
"""
import argparse
import os
import sys

import bench
import copy_peers
from bench import harness

SAME = r'''
import sys, duckdb
a, b = sys.argv[1:]
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")
c.execute("SET threads = 2")
def facts(p):
    return c.execute(f"""SELECT count(*), sum(hash(l_orderkey, l_partkey, l_suppkey, l_linenumber,
        l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, l_shipdate,
        l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment)::HUGEINT)
        FROM '{p}'""").fetchone()
x, y = facts(a), facts(b)
if x != y:
    sys.exit(f"rows differ: {x} {y}")
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--level", default="3")
    parser.add_argument("--data")
    parser.add_argument("--without", action="append", default=[], help="leave a program out")
    args = parser.parse_args()
    source = args.data or bench.lineitem(args.scale)
    target = os.path.join(bench.folder(), "lineitem-out.parquet")
    threads = str(len(os.sched_getaffinity(0)))
    common = ("copy", source, target, "--memory", "128MiB", "--compression", f"zstd:{args.level}",
              "-q")
    programs = [
        bench.ours("narrows", *common, timeout=900),
        bench.ours("narrows, v2", *common, "--parquet-version", "2", timeout=900),
        bench.peer("Polars", copy_peers.POLARS, source, target, threads, args.level),
        bench.peer("DuckDB", copy_peers.DUCKDB, source, target, threads, args.level),
        bench.peer("DuckDB, v2", copy_peers.DUCKDB_V2, source, target, threads, args.level),
        bench.peer("pyarrow", copy_peers.PYARROW, source, target, threads, args.level),
    ]
    programs = [p for p in programs if p.name not in args.without]
    sizes, checked = {}, set()

    def check(program):
        sizes[program.name] = os.path.getsize(target)
        if program.name.startswith("narrows") and program.name not in checked:
            checked.add(program.name)
            ran = harness.measure([bench.PYTHON, "-c", SAME, source, target], 900)
            if ran.code:
                raise SystemExit(f"{program.name}: {ran.err.strip()[-300:]}")
        return f"{sizes[program.name]:,} B"
    results = bench.run(f"copy_lineitem: scale {args.scale}, {os.path.getsize(source):,} B to "
                        f"zstd:{args.level}", programs, args.rounds,
                        before=lambda p: bench.remove(target), after=check, source=source)
    bench.remove(target)
    peers = [n for n in results if not n.startswith("narrows")]
    ours, second = results["narrows"], results["narrows, v2"]
    fastest = min(results[n][0] for n in peers)
    smallest = min(sizes[n] for n in peers)
    return bench.verdict([
        (f"2 x faster than the fastest peer: {fastest / ours[0]:.2f} x", fastest >= 2 * ours[0]),
        (f"version 2: 3 x faster: {fastest / second[0]:.2f} x", fastest >= 3 * second[0]),
        (f"version 2: no larger than the smallest: {sizes['narrows, v2']:,} B to {smallest:,} B",
         sizes["narrows, v2"] <= smallest),
        (f"128 MiB at most: {harness.mib(max(ours[1], second[1]))}",
         max(ours[1], second[1]) <= 128 * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
