#!/usr/bin/env python3
"""How fast columns are decoded, by physical type and encoding, beside pyarrow and DuckDB.

    bench/parquet_decode.py [--rounds 5] [--only TEXT]

One thread, uncompressed files of one column, written by pyarrow; time is the CPU time from opening
the file to its last value, without starts and imports; the best of the rounds, in which all run in
turn. Narrows (bench/micro/scan.c) puts every value flat in memory and touches every cache line of
it; pyarrow reads a table; DuckDB counts the column's values, which decodes it and keeps strings of
dictionaries as dictionaries (without the optimizer that would count by the footer alone). Before,
each file is hashed by Narrows and by DuckDB: the sums must be equal.
"""
import argparse
import math
import os
import subprocess
import sys
import time

import bench
import decode_files
from bench import harness

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

SCAN = os.path.join(harness.ROOT, "build", "bench_scan")


def narrows(path):
    out = subprocess.run([SCAN, path], capture_output=True, text=True, check=True).stdout
    return float(out.split()[1])


def pyarrow_reads(path):
    began = time.process_time()
    table = pq.read_table(path, use_threads=False, pre_buffer=False)
    took = time.process_time() - began
    del table
    return took


def database():
    c = duckdb.connect()
    c.execute("SET threads = 1")
    c.execute("SET disabled_optimizers = 'statistics_propagation'")
    return c


def duckdb_counts(c, path):
    began = time.process_time()
    c.execute(f"SELECT count(c) FROM '{path}'").fetchone()
    return time.process_time() - began


def hash_query(path, kind):
    if kind.startswith("list"):
        return (f"SELECT sum(hash(len(c))) + (SELECT sum(hash(x)) FROM "
                f"(SELECT unnest(c) AS x FROM '{path}')) FROM '{path}'")
    if kind == "struct":
        return f"SELECT sum(hash(c.a)) + sum(hash(c.b)) + sum(hash(c.c)) FROM '{path}'"
    return f"SELECT sum(hash(c)) FROM '{path}'"


def check(c, path, kind):
    """Both must see the same values; False: DuckDB cannot read the file."""
    ours = subprocess.run([SCAN, "-h", path], capture_output=True, text=True, check=True).stdout
    ours = int(ours.split()[-1], 16)
    try:
        theirs = c.execute(hash_query(path, kind)).fetchone()[0]
    except duckdb.Error:
        return False
    if int(theirs) != ours:
        raise SystemExit(f"{path}: hashes differ: {ours} here, {theirs} by DuckDB")
    return True


def measure(c, path, readable, rounds):
    best = {"narrows": math.inf, "pyarrow": math.inf}
    if readable:
        best["duckdb"] = math.inf
    for _ in range(rounds):
        best["narrows"] = min(best["narrows"], narrows(path))
        best["pyarrow"] = min(best["pyarrow"], pyarrow_reads(path))
        if readable:
            best["duckdb"] = min(best["duckdb"], duckdb_counts(c, path))
    return best


def line(name, best):
    rest = [best[p] for p in ("pyarrow", "duckdb") if p in best]
    ratio = min(rest) / best["narrows"]
    cells = [f"{best[p] * 1e3:8.1f}" if p in best else f"{'-':>8}"
             for p in ("narrows", "pyarrow", "duckdb")]
    print(f"{name:48}{''.join(cells)}{ratio:8.2f}x", flush=True)
    return ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="lines whose name holds this text")
    args = parser.parse_args()
    subprocess.run(["cmake", "--build", os.path.join(harness.ROOT, "build"), "--target",
                    "bench_scan"], check=True, stdout=subprocess.DEVNULL)
    folder = os.path.join(bench.folder(), "decode")
    os.makedirs(folder, exist_ok=True)
    pa.set_cpu_count(1)
    c = database()
    print(f"parquet_decode: {decode_files.ROWS:,} values and fewer of wide types; "
          f"CPU milliseconds, best of {args.rounds}")
    print(f"{bench.versions()}; {bench.machine()}")
    print(f"{'':48}{'narrows':>8}{'pyarrow':>8}{'DuckDB':>8}{'ratio':>9}")
    ratios = {}
    for kind, encoding in decode_files.LINES:
        for nulls in (False, True):
            name = f"{kind}, {encoding}{', nulls' if nulls else ''}"
            if args.only not in name:
                continue
            path = decode_files.make(folder, kind, encoding, nulls)
            readable = check(c, path, kind)
            ratios[name] = line(name, measure(c, path, readable, args.rounds))
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    slow = [n for n, r in ratios.items() if r <= 1]
    return bench.verdict([
        (f"faster than both on each of {len(ratios)} lines{': not ' if slow else ''}"
         f"{'; '.join(slow)}", not slow),
        (f"1.5 x faster than the faster one, geometric mean: {mean:.2f} x", mean >= 1.5)])


if __name__ == "__main__":
    sys.exit(main())
