#!/usr/bin/env python3
"""The same job where rows stand in random order, and where ids are text and 5 % are null: beside
DuckDB and Polars, which take the first appearance from row numbers.

    bench/shuffle.py [--groups 100] [--rounds 3]
"""
import argparse
import os
import sys

import bench
import first_ten_peers
from bench import harness

SAME = r'''
import sys, duckdb
a, b = sys.argv[1:]
c = duckdb.connect()
n = c.execute(f"SELECT count(*) FROM '{a}'").fetchone()[0]
h = [c.execute(f"""SELECT count(*), sum(hash("group", id, row)::HUGEINT) FROM '{p}'""").fetchone()
     for p in (a, b)]
if h[0] != h[1]:
    sys.exit(f"the answers differ: {h}")
'''


def contest(title, options, args, limit):
    folder = bench.folder()
    source = os.path.join(folder, "shuffle-in.parquet")
    bench.remove(source)
    harness.ok("gen", source, *options, "--shuffle", "-q", timeout=900)
    threads = str(len(os.sched_getaffinity(0)))
    out = {name: os.path.join(folder, f"shuffle-{name}.parquet")
           for name in ("narrows", "DuckDB", "Polars")}
    programs = [
        bench.ours("narrows", "sample", source, out["narrows"], "--first", "10", "--of", "id",
                   "--per", "group", "--memory", "64MiB", "-q", timeout=900),
        bench.peer("DuckDB", first_ten_peers.DUCKDB, source, out["DuckDB"], threads),
        bench.peer("Polars", first_ten_peers.POLARS, source, out["Polars"], threads),
    ]

    def check(program):
        if program.name != "narrows":
            ran = harness.measure([bench.PYTHON, "-c", SAME, out["narrows"], out[program.name]],
                                  300)
            if ran.code:
                raise SystemExit(f"{program.name}: {ran.err.strip()[-300:]}")
        return f"{bench.parquet_rows(out[program.name])[0]:,} rows"
    results = bench.run(f"shuffle: {title}, {args.groups * 10 ** 6:,} rows, "
                        f"{os.path.getsize(source):,} B", programs, args.rounds,
                        before=lambda p: bench.remove(out[p.name]), after=check, source=source)
    for path in (source, *out.values()):
        bench.remove(path)
    fastest = min(results["DuckDB"][2], results["Polars"][2])
    peak = results["narrows"][1]
    return [(f"{title}: faster than the faster peer: {fastest:.1f} x", fastest > 1),
            (f"{title}: {limit} MiB at most: {harness.mib(peak)}", peak <= limit * harness.MIB)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ranges = ["--range", f"group={args.groups}"]
    rest = ["--range", "row=1000"]
    wanted = contest("random order", ranges + ["--range", "id=1000"] + rest, args, 64)
    wanted += contest("text ids, 5 % null", ranges + ["--range", "id=1000:string", "--nulls",
                                                      "id=0.05"] + rest, args, 64)
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
