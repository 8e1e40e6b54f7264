#!/usr/bin/env python3
"""A billion rows of (group, id, row), written: beside Polars writing the same file.

    bench/gen.py [--groups 1000] [--rounds 3]
"""
import argparse
import os
import sys

import bench
import gen_peers
from bench import harness


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    target = os.path.join(bench.folder(), "gen.parquet")
    rows = args.groups * 10 ** 6
    ours = bench.ours("narrows", "gen", target, "--range", f"group={args.groups}", "--range",
                      "id=1000", "--range", "row=1000", "--memory", "32MiB", "-q", timeout=900)
    polars = bench.peer("Polars", gen_peers.POLARS, target, str(args.groups), "1000", "1000")

    def size(_program):
        n, groups = bench.parquet_rows(target)
        if n != rows:
            raise SystemExit(f"{n} rows, wanted {rows}")
        return f"{os.path.getsize(target):,} B, {groups} row groups"
    results = bench.run(f"gen: {rows:,} rows", [ours, polars], args.rounds,
                        before=lambda p: bench.remove(target), after=size)
    bench.remove(target)
    return bench.verdict([
        (f"5 x faster than Polars: {results['Polars'][2]:.1f} x", results["Polars"][2] >= 5),
        (f"32 MiB at most: {harness.mib(results['narrows'][1])}",
         results["narrows"][1] <= 32 * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
