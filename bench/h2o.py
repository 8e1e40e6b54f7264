#!/usr/bin/env python3
"""The ten questions on groups of the h2o.ai database benchmark, beside DuckDB and Polars at their
defaults. The table is made by DuckDB from hashes of row numbers: its shape is the benchmark's
(G1_1e8_1e2_0_0: 100 values in id1, id2, id4, id5, a hundredth of the rows in id3, id6).

    bench/h2o.py [--rows 100000000] [--rounds 1] [--memory MIB] [--questions 1,2,...]
"""
import argparse
import math
import os
import sys

import bench
from bench import harness

MAKE = r'''
import os, sys, duckdb
path, n = sys.argv[1], int(sys.argv[2])
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")
def pick(column, values):
    return f"(hash(i * 9 + {column}) % {values} + 1)"
c.execute(f"""COPY (SELECT format('id{{:03d}}', {pick(0, 100)}) AS id1,
    format('id{{:03d}}', {pick(1, 100)}) AS id2, format('id{{:010d}}', {pick(2, n // 100)}) AS id3,
    {pick(3, 100)}::INTEGER AS id4, {pick(4, 100)}::INTEGER AS id5,
    {pick(5, n // 100)}::INTEGER AS id6, {pick(6, 5)}::INTEGER AS v1, {pick(7, 15)}::INTEGER AS v2,
    {pick(8, 100000000)} / 1e6 AS v3 FROM range({n}) t(i))
    TO '{path}.making' (FORMAT parquet, COMPRESSION snappy)""")
os.rename(path + ".making", path)
'''

QUESTIONS = [
    "SELECT id1, sum(v1) AS v1 FROM {} GROUP BY id1",
    "SELECT id1, id2, sum(v1) AS v1 FROM {} GROUP BY id1, id2",
    "SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM {} GROUP BY id3",
    "SELECT id4, avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3 FROM {} GROUP BY id4",
    "SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM {} GROUP BY id6",
    "SELECT id4, id5, quantile_cont(v3, 0.5) AS median_v3, stddev(v3) AS sd_v3 FROM {} "
    "GROUP BY id4, id5",
    "SELECT id3, max(v1) - min(v2) AS range_v1_v2 FROM {} GROUP BY id3",
    "SELECT id6, v3 AS largest2_v3 FROM (SELECT id6, v3, row_number() OVER (PARTITION BY id6 "
    "ORDER BY v3 DESC) AS n FROM {}) AS t WHERE n <= 2",
    "SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM {} GROUP BY id2, id4",
    "SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS n FROM {} "
    "GROUP BY id1, id2, id3, id4, id5, id6",
]

DUCKDB = r'''
import duckdb
def work(argv):
    query, target = argv
    c = duckdb.connect()
    c.execute("SET enable_progress_bar = false")
    c.execute(f"SET temp_directory = '{target}.tmp'")
    c.execute("SET preserve_insertion_order = false")
    c.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
'''

POLARS = r'''
import polars as pl
from polars import col
def work(argv):
    source, target, question = argv[0], argv[1], int(argv[2])
    t = pl.scan_parquet(source)
    q = [
        lambda: t.group_by("id1").agg(col("v1").sum()),
        lambda: t.group_by("id1", "id2").agg(col("v1").sum()),
        lambda: t.group_by("id3").agg(col("v1").sum(), col("v3").mean()),
        lambda: t.group_by("id4").agg(col("v1").mean(), col("v2").mean(), col("v3").mean()),
        lambda: t.group_by("id6").agg(col("v1").sum(), col("v2").sum(), col("v3").sum()),
        lambda: t.group_by("id4", "id5").agg(col("v3").median().alias("median_v3"),
                                             col("v3").std().alias("sd_v3")),
        lambda: t.group_by("id3").agg((col("v1").max() - col("v2").min()).alias("range_v1_v2")),
        lambda: t.group_by("id6").agg(col("v3").top_k(2).alias("largest2_v3"))
                 .explode("largest2_v3"),
        lambda: t.group_by("id2", "id4").agg((pl.corr("v1", "v2") ** 2).alias("r2")),
        lambda: t.group_by("id1", "id2", "id3", "id4", "id5", "id6").agg(col("v3").sum(),
                                                                        pl.len().alias("n")),
    ][question]()
    q.collect(engine="streaming").write_parquet(target)
'''

# The answers compared: how many rows, and the sum of every number.
FACTS = r'''
import sys, json, duckdb
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")
f = sys.argv[1]
names = [r[0] for r in c.execute(f"DESCRIBE SELECT * FROM '{f}'").fetchall() if r[1] != "VARCHAR"]
sums = ", ".join(f"sum({n}::DOUBLE)" for n in names)
print(json.dumps([float(x) for x in
                  c.execute(f"SELECT count(*), {sums} FROM '{f}'").fetchone()]))
'''


def data(rows):
    path = os.path.join(bench.folder(), f"h2o-{rows}.parquet")
    if not os.path.exists(path):
        harness.log(f"making {path}")
        ran = harness.measure([bench.PYTHON, "-c", MAKE, path, str(rows)], 3000)
        if ran.code:
            raise SystemExit(ran.err.strip()[-300:])
    return path


def facts(path):
    ran = harness.measure([bench.PYTHON, "-c", FACTS, path], 900)
    if ran.code:
        raise SystemExit(ran.err.strip()[-300:])
    return [float(x) for x in ran.out.decode().strip("[]\n").split(",")]


def ask(source, number, args):
    query = QUESTIONS[number].format(f"'{source}'")
    target, wanted = os.path.join(bench.folder(), "h2o-answer.parquet"), []

    def check(program):
        found = facts(target)
        if not wanted:
            wanted.extend(found)
        if len(found) != len(wanted) or not all(math.isclose(a, b, rel_tol=1e-9)
                                                for a, b in zip(found, wanted)):
            raise SystemExit(f"{program.name}: {found} instead of {wanted}")
        return f"{found[0]:,.0f} rows"

    results = bench.run(
        f"question {number + 1}, {args.rows:,} rows",
        [bench.ours("narrows", "sql", query, "-o", target, "-q", "--memory",
                    f"{args.memory}MiB", timeout=3000),
         bench.peer("DuckDB", DUCKDB, query, target, timeout=3000),
         bench.peer("Polars", POLARS, source, target, str(number), timeout=3000)],
        args.rounds, before=lambda _: bench.remove(target), after=check, source=source)
    bench.remove(target)
    return min(results["DuckDB"][2], results["Polars"][2]), results["narrows"][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--questions", default=",".join(str(q + 1) for q in range(10)))
    args = parser.parse_args()
    source, ratios, peaks = data(args.rows), [], []
    for number in (int(q) - 1 for q in args.questions.split(",")):
        ratio, peak = ask(source, number, args)
        ratios.append(ratio)
        peaks.append(peak)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return bench.verdict([
        (f"geometric mean faster than the faster peer: {mean:.2f} x "
         f"({', '.join(f'{r:.2f}' for r in ratios)})", mean > 1),
        (f"{args.memory} MiB at most: {harness.mib(max(peaks))}",
         max(peaks) <= args.memory * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
