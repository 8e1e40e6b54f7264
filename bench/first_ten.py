#!/usr/bin/env python3
"""The first ten ids of every group of a billion rows, and all of their rows: beside DuckDB's best
SQL for it (distinct, row_number, semi join) and Polars' best.

    bench/first_ten.py [--groups 1000] [--rounds 5] [--data FILE]

Without --data the input is what `narrows gen` makes; a file by DuckDB or Polars gives the same
answer.
"""
import argparse
import os
import sys

import bench
import first_ten_peers
from bench import harness


CHECK = r'''
import sys, numpy as np, pyarrow.parquet as pq
path, groups = sys.argv[1], int(sys.argv[2])
file, at, ordered = pq.ParquetFile(path), 0, True
total = np.zeros(3, dtype="int64")
for batch in file.iter_batches(1 << 20):
    i = np.arange(at, at + batch.num_rows)
    for n, wanted in enumerate((i // 10000, i // 1000 % 10, i % 1000)):
        got = batch.column(n).to_numpy()
        ordered = ordered and np.array_equal(got, wanted)
        total[n] += got.sum()
    at += batch.num_rows
i = np.arange(at)
right = [int((i // 10000).sum()), int((i // 1000 % 10).sum()), int((i % 1000).sum())]
if at != groups * 10000 or total.tolist() != right:
    sys.exit(f"{at} rows, sums {total}, wanted {right}")
print("in order" if ordered else "not in order")
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data")
    args = parser.parse_args()
    folder = bench.folder()
    source = args.data or os.path.join(folder, f"first_ten-{args.groups}.parquet")
    if not os.path.exists(source):
        harness.ok("gen", source, "--range", f"group={args.groups}", "--range", "id=1000",
                   "--range", "row=1000", "-q", timeout=900)
    target = os.path.join(folder, "first_ten-out.parquet")
    report = os.path.join(folder, "first_ten.json")
    threads = str(len(os.sched_getaffinity(0)))
    programs = [
        bench.ours("narrows", "sample", source, target, "--first", "10", "--of", "id", "--per",
                   "group", "--memory", "32MiB", "--report", report, "-q", timeout=900),
        bench.peer("DuckDB", first_ten_peers.DUCKDB_ORDERED, source, target, threads),
        bench.peer("Polars", first_ten_peers.POLARS_ORDERED, source, target, threads),
    ]
    sizes, row_groups = {}, {}

    def check(program):
        out = harness.measure([bench.PYTHON, "-c", CHECK, target, str(args.groups)], 300)
        if out.code:
            raise SystemExit(f"{program.name}: wrong answer: {out.err.strip()[-300:]}")
        rows, groups = bench.parquet_rows(target)
        sizes[program.name], row_groups[program.name] = os.path.getsize(target), groups
        order = out.out.decode().strip()
        return f"{rows:,} rows {order}, {groups} row groups, {sizes[program.name]:,} B"
    results = bench.run(f"first_ten: {args.groups * 10 ** 6:,} rows, {os.path.getsize(source):,} B",
                        programs, args.rounds,
                        before=lambda p: bench.remove(target), after=check, source=source)
    fastest = min(results["DuckDB"][2], results["Polars"][2])
    ours = results["narrows"]
    done, all_pages = harness.pages_of(report, source, "row")
    bench.remove(target)
    return bench.verdict([
        (f"20 x faster than the faster peer: {fastest:.1f} x", fastest >= 20),
        (f"32 MiB at most: {harness.mib(ours[1])}", ours[1] <= 32 * harness.MIB),
        (f"at most 11 % of the pages of row decompressed: {done} of {all_pages}",
         done <= 0.11 * all_pages),
        (f"at most 10 row groups: {row_groups['narrows']}", row_groups["narrows"] <= 10),
        (f"smaller than DuckDB's: {sizes['narrows']:,} B to {sizes['DuckDB']:,} B",
         sizes["narrows"] < sizes["DuckDB"])])


if __name__ == "__main__":
    sys.exit(main())
