#!/usr/bin/env python3
"""Groups of many: lineitem by l_orderkey, which it is clustered by, and by l_comment, in little
memory, beside DuckDB with twice as much. Where DuckDB ends out of memory, that is said, and it is
run with the least of 1, 2 and 4 GB that does.

    bench/group_by.py [--scale 10] [--rounds 3] [--threads 2] [--memory MIB] [--data FILE]
                      [--only KEY]
"""
import argparse
import os
import shutil
import sys

import bench
from bench import harness

QUERIES = {
    "l_orderkey": "SELECT l_orderkey, count(*) AS n, sum(l_quantity) AS quantity FROM '{}' "
                  "GROUP BY l_orderkey",
    "l_comment": "SELECT l_comment, count(*) AS n FROM '{}' GROUP BY l_comment",
}
MORE_MEMORY = (1000, 2000, 4000)  # MB

DUCKDB = r'''
import duckdb
def work(argv):
    query, target, threads, memory = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"SET memory_limit = '{memory}MB'")
    c.execute(f"SET temp_directory = '{target}.tmp'")
    c.execute("SET preserve_insertion_order = false")
    started = time.monotonic()
    try:
        c.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
    except duckdb.OutOfMemoryException:
        print(time.monotonic() - started)
        sys.exit(7)
'''
OUT_OF_MEMORY = 7


def duckdb(query, target, threads, memory):
    return bench.peer("DuckDB", DUCKDB, query, target, threads, str(memory), timeout=1800,
                      gives_up=OUT_OF_MEMORY)


def with_enough(query, target, threads, memory, clear):
    """DuckDB with as little memory as it finishes in, that memory, and what is to be said of
    less."""
    remarks = []
    for limit in (memory, *(m for m in MORE_MEMORY if m > memory)):
        program = duckdb(query, target, threads, limit)
        clear(program)
        try:
            program.run()
            return program, limit, remarks
        except bench.GaveUp as e:
            remarks.append(f"DuckDB, {limit} MB: out of memory after "
                           f"{harness.human_seconds(e.seconds)}")
            print(remarks[-1], flush=True)
    return None, 0, remarks


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--data")
    parser.add_argument("--only", choices=sorted(QUERIES))
    args = parser.parse_args()
    source, wanted = args.data or bench.lineitem(args.scale), []
    mine, theirs = (os.path.join(bench.folder(), f"group_by-{n}.parquet") for n in (1, 2))

    def clear(_):
        bench.remove(mine)
        bench.remove(theirs)
        shutil.rmtree(theirs + ".tmp", ignore_errors=True)

    for name, text in QUERIES.items():
        if args.only not in (None, name):
            continue
        query = text.format(source)
        least = 2 * args.memory
        peer, limit, remarks = with_enough(query, theirs, args.threads, least, clear)
        results = bench.run(
            f"groups by {name} of lineitem, scale {args.scale}, {args.threads} threads; DuckDB "
            f"with {limit} MB",
            [bench.ours("narrows", "sql", query, "-o", mine, "--memory", f"{args.memory}MiB",
                        "--threads", args.threads, timeout=1800)] + ([peer] if peer else []),
            args.rounds, before=clear, source=source)
        peak = results["narrows"][1]
        if remarks:
            ratio = f", {limit} MB: {results['DuckDB'][2]:.2f} x" if peer else ""
            wanted.append((f"{name}: finishes where DuckDB does not ({'; '.join(remarks)}{ratio})",
                           True))
        else:
            wanted.append((f"{name}: 1.5 x faster than DuckDB: {results['DuckDB'][2]:.2f} x",
                           results["DuckDB"][2] >= 1.5))
        wanted.append((f"{name}: {args.memory} MiB at most: {harness.mib(peak)}",
                       peak <= args.memory * harness.MIB))
    clear(None)
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
