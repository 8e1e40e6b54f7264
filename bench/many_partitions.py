#!/usr/bin/env python3
"""Rows in random order into a partition for every few of them, with 256 descriptors: one file of
one row group each, and no row lost.

    bench/many_partitions.py [--partitions 50000] [--rows 2000] [--memory MIB]
"""
import argparse
import os
import resource
import shutil
import sys

import bench
from bench import harness

DESCRIPTORS = 256

# Of every file: a row group, the rows, each row number once, the value that gen made for it.
FILES = r'''
import sys, duckdb
source, target = sys.argv[1:]
c = duckdb.connect()
c.execute("SET threads = 2; SET memory_limit = '4GB'; SET enable_progress_bar = false")
files, groups, least, most = c.execute(f"""
    SELECT count(*), sum(num_row_groups)::BIGINT, min(num_rows), max(num_rows)
    FROM parquet_file_metadata('{target}/*/*.parquet')""").fetchone()
folders = c.execute(f"SELECT count(DISTINCT p) FROM read_parquet('{target}/*/*.parquet', "
                    "hive_partitioning = true)").fetchone()[0]
facts = [c.execute(f"SELECT count(*), sum(hash(p::INTEGER, n, x)::HUGEINT) FROM "
                   f"read_parquet('{p}', hive_partitioning = true)").fetchone()
         for p in (source, target + "/*/*.parquet")]
if facts[0] != facts[1]:
    sys.exit(f"rows differ: {facts}")
print(files, groups, least, most, folders)
'''


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--partitions", type=int, default=50_000)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--memory", type=int, default=128)
    args = parser.parse_args()
    source, target = (os.path.join(bench.folder(), f"many-{n}") for n in ("in.parquet", "out"))
    bench.remove(source)
    shutil.rmtree(target, ignore_errors=True)
    harness.ok("gen", source, "--range", f"p={args.partitions}:int32", "--range",
               f"n={args.rows}:int32", "--column", "x=int64", "--shuffle", "-q", timeout=3600)
    ran = harness.ok("copy", source, target + "/", "--partition-by", "p", "--memory",
                     f"{args.memory}MiB", "-q", timeout=7200, preexec=few_descriptors)
    print(f"many_partitions: {args.partitions:,} of {args.rows:,} rows, {DESCRIPTORS} descriptors: "
          f"{harness.human_seconds(ran.seconds)}, {harness.human_seconds(ran.cpu)} of processor, "
          f"{harness.mib(ran.peak)}")
    looked = harness.measure([bench.PYTHON, "-c", FILES, source, target], 3600)
    if looked.code:
        raise SystemExit(looked.err.strip()[-300:])
    files, groups, least, most, folders = map(int, looked.out.split())
    bench.remove(source)
    shutil.rmtree(target)
    wanted = args.partitions
    return bench.verdict([
        (f"a file each: {files:,} in {folders:,} folders", files == folders == wanted),
        (f"of one row group: {groups:,}", groups == wanted),
        (f"with all its rows: {least:,} to {most:,}", least == most == args.rows),
        (f"{args.memory} MiB at most: {harness.mib(ran.peak)}",
         ran.peak <= args.memory * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
