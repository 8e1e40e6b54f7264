#!/usr/bin/env python3
"""Pages kept: columns of lineitem taken over, and files merged, beside decoding and the peers.

    bench/keep.py [--scale 10] [--rounds 3] [--parts 20]

The source is lineitem as zstd, written by us from the file of tools/testdata.sh; the parts hold its
rows in order. `cat` of the file bounds what is possible here: read once, written once, synced.
"""
import argparse
import glob
import os
import sys

import bench
from bench import harness

COLUMNS = ["l_orderkey", "l_partkey", "l_extendedprice", "l_shipdate", "l_shipmode", "l_comment"]

PYARROW = r'''
import glob, pyarrow as pa, pyarrow.parquet as pq
def work(argv):
    source, target, threads, columns = argv
    pa.set_cpu_count(int(threads))
    columns = columns.split(",") if columns else None
    writer = None
    for path in sorted(glob.glob(source)):
        reader = pq.ParquetFile(path)
        for batch in reader.iter_batches(batch_size=1 << 18, columns=columns):
            writer = writer or pq.ParquetWriter(target, batch.schema, compression="zstd",
                                                compression_level=3)
            writer.write_batch(batch, row_group_size=1 << 20)
    writer.close()
'''

DUCKDB = r'''
import duckdb
def work(argv):
    source, target, threads, columns = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"COPY (SELECT {columns or '*'} FROM '{source}') TO '{target}' "
              "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)")
'''

CAT = r'''
import glob, os
def work(argv):
    source, target = argv
    with open(target, "wb") as to:
        for path in sorted(glob.glob(source)):
            with open(path, "rb") as f:
                while piece := f.read(1 << 20):
                    to.write(piece)
        to.flush()
        os.fsync(to.fileno())
'''

FACTS = r'''
import sys, duckdb
c = duckdb.connect()
c.execute("SET threads = 2")
path, columns = sys.argv[1:]
print(c.execute(f"SELECT count(*), sum(hash({columns})::HUGEINT) FROM '{path}'").fetchone())
'''


def facts(path, columns):
    ran = harness.measure([bench.PYTHON, "-c", FACTS, path, ", ".join(columns)], 900)
    if ran.code:
        raise SystemExit(ran.err.strip()[-300:])
    return ran.out


def prepare(scale, parts):
    """The zstd file and the folder of its parts, made when they are not there."""
    snappy = bench.lineitem(scale)
    source = os.path.join(bench.folder(), f"lineitem-{scale}-zstd.parquet")
    if not os.path.exists(source):
        harness.ok("copy", snappy, source, "--memory", "512MiB", "-q", timeout=1800)
    folder = os.path.join(bench.folder(), f"lineitem-{scale}-in-{parts}")
    if not os.path.isdir(folder):
        os.makedirs(folder + ".new", exist_ok=True)
        split(source, folder + ".new", parts)
        os.rename(folder + ".new", folder)
    return source, os.path.join(folder, "*.parquet")


def split(source, folder, parts):
    """By ranges of the order key, which lineitem is sorted by."""
    import pyarrow.parquet as pq
    meta = pq.read_metadata(source)
    top = max(meta.row_group(g).column(0).statistics.max for g in range(meta.num_row_groups))
    for n in range(parts):
        low, high = top * n // parts, top * (n + 1) // parts
        harness.ok("copy", source, os.path.join(folder, f"{n:04}.parquet"), "--where",
                   f"l_orderkey > {low} and l_orderkey <= {high}", "--memory", "512MiB",
                   "--on-exists", "replace", "-q", timeout=1800)


def contest(title, source, target, columns, rounds):
    threads = str(len(os.sched_getaffinity(0)))
    select = ["--select", ",".join(columns)] if columns else []
    common = ["copy", source, target, *select, "--memory", "64MiB", "-q"]
    listed = ",".join(columns)
    every = columns or COLUMNS
    want = facts(source, every)
    programs = [
        bench.ours("narrows", *common, "--keep-pages", timeout=900),
        bench.ours("narrows, decoding", *common, "--no-keep-pages", timeout=1800),
        bench.peer("pyarrow", PYARROW, source, target, threads, listed, timeout=1800),
        bench.peer("DuckDB", DUCKDB, source, target, threads, listed, timeout=1800),
    ]
    if not columns:
        programs.append(bench.peer("cat", CAT, source, target))
    checked = set()

    def check(program):
        if program.name not in checked and program.name != "cat":
            checked.add(program.name)
            if facts(target, every) != want:
                raise SystemExit(f"{program.name}: rows differ")
        return f"{os.path.getsize(target):,} B"
    results = bench.run(title, programs, rounds, before=lambda p: bench.remove(target),
                        after=check)
    bench.remove(target)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", type=int, default=20)
    args = parser.parse_args()
    source, parts = prepare(args.scale, args.parts)
    target = os.path.join(bench.folder(), "kept-out.parquet")
    size = sum(os.path.getsize(p) for p in glob.glob(parts))
    some = contest(f"keep: {len(COLUMNS)} columns of lineitem, {os.path.getsize(source):,} B",
                   source, target, COLUMNS, args.rounds)
    all_of = contest(f"keep: {args.parts} files merged, {size:,} B", parts, target, [],
                     args.rounds)
    wanted = []
    for name, results in (("columns", some), ("merge", all_of)):
        fastest = min(results[n][2] for n in ("pyarrow", "DuckDB"))
        wanted.append((f"{name}: 10 x faster than the fastest peer: {fastest:.1f} x",
                       fastest >= 10))
        wanted.append((f"{name}: 64 MiB at most: {harness.mib(results['narrows'][1])}",
                       results["narrows"][1] <= 64 * harness.MIB))
    wanted.append((f"merge: within twice the time of cat: {1 / all_of['cat'][2]:.2f} x",
                   all_of["cat"][2] >= 0.5))
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
