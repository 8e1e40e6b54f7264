#!/usr/bin/env python3
"""Groups of many: lineitem by l_orderkey, which it is clustered by, and by l_comment, in little
memory, beside DuckDB with twice as much.

    bench/group_by.py [--scale 10] [--rounds 3] [--threads 2] [--memory MIB] [--data FILE]
"""
import argparse
import os
import sys

import bench
from bench import harness

QUERIES = {
    "l_orderkey": "SELECT l_orderkey, count(*) AS n, sum(l_quantity) AS quantity FROM '{}' "
                  "GROUP BY l_orderkey",
    "l_comment": "SELECT l_comment, count(*) AS n FROM '{}' GROUP BY l_comment",
}

DUCKDB = r'''
import duckdb
def work(argv):
    query, target, threads, memory = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"SET memory_limit = '{memory}MB'")
    c.execute(f"SET temp_directory = '{target}.tmp'")
    c.execute("SET preserve_insertion_order = false")
    c.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--data")
    args = parser.parse_args()
    source, wanted = args.data or bench.lineitem(args.scale), []
    mine, theirs = (os.path.join(bench.folder(), f"group_by-{n}.parquet") for n in (1, 2))

    def clear(_):
        bench.remove(mine)
        bench.remove(theirs)

    for name, text in QUERIES.items():
        query = text.format(source)
        results = bench.run(
            f"groups by {name} of lineitem, scale {args.scale}, {args.threads} threads",
            [bench.ours("narrows", "sql", query, "-o", mine, "--memory", f"{args.memory}MiB",
                        "--threads", args.threads, timeout=1800),
             bench.peer("DuckDB", DUCKDB, query, theirs, args.threads, str(2 * args.memory),
                        timeout=1800)], args.rounds, before=clear)
        peak = results["narrows"][1]
        wanted += [(f"{name}: 1.5 x faster than DuckDB: {results['DuckDB'][2]:.2f} x",
                    results["DuckDB"][2] >= 1.5),
                   (f"{name}: {args.memory} MiB at most: {harness.mib(peak)}",
                    peak <= args.memory * harness.MIB)]
    clear(None)
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
