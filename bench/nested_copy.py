#!/usr/bin/env python3
"""Records with lists of structs, rewritten with zstd: beside Polars, DuckDB and pyarrow; and the
memory of a tenth of them beside that of all.

    bench/nested_copy.py [--records 10000000] [--rounds 3] [--level 3]
"""
import argparse
import os
import sys

import bench
import copy_peers
from bench import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "limits"))
import files  # noqa: E402

SAME = r'''
import sys, duckdb
a, b = sys.argv[1:]
c = duckdb.connect()
c.execute("SET threads = 2")
def facts(p):
    return c.execute(f"SELECT count(*), sum(hash(id, items)) FROM '{p}'").fetchone()
x, y = facts(a), facts(b)
if x != y:
    sys.exit(f"records differ: {x} {y}")
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--level", default="3")
    args = parser.parse_args()
    source, part = files.nested(args.records), files.nested(args.records // 10)
    target = os.path.join(bench.folder(), "nested-out.parquet")
    threads = str(len(os.sched_getaffinity(0)))
    options = ("--memory", "64MiB", "--compression", f"zstd:{args.level}", "-q")
    peers = (("Polars", copy_peers.POLARS), ("DuckDB", copy_peers.DUCKDB),
             ("pyarrow", copy_peers.PYARROW))
    programs = [bench.ours("narrows", "copy", source, target, *options, timeout=900)]
    programs += [bench.peer(name, script, source, target, threads, args.level)
                 for name, script in peers]
    checked = set()

    def check(program):
        if program.name == "narrows" and not checked:
            checked.add(program.name)
            ran = harness.measure([bench.PYTHON, "-c", SAME, source, target], 900)
            if ran.code:
                raise SystemExit(ran.err.strip()[-300:])
        return f"{os.path.getsize(target):,} B"
    results = bench.run(f"nested_copy: {args.records:,} records, {os.path.getsize(source):,} B to "
                        f"zstd:{args.level}", programs, args.rounds,
                        before=lambda p: bench.remove(target), after=check, source=source)
    bench.remove(target)
    tenth = harness.ok("copy", part, target, *options, timeout=900).peak
    bench.remove(target)
    mine = results["narrows"]
    fastest = min(r[2] for name, r in results.items() if name != "narrows")
    grown = mine[1] - tenth
    return bench.verdict([
        (f"faster than the fastest peer: {fastest:.2f} x", fastest > 1),
        (f"64 MiB at most: {harness.mib(mine[1])}", mine[1] <= 64 * harness.MIB),
        (f"a tenth of the records takes as much: {harness.mib(tenth)}",
         grown <= max(tenth / 20, 2 * harness.MIB))])


if __name__ == "__main__":
    sys.exit(main())
