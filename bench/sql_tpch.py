#!/usr/bin/env python3
"""TPC-H Q1, Q6 and five aggregates over lineitem, beside DuckDB and Polars in one run.

    bench/sql_tpch.py [--scale 10] [--rounds 3] [--threads 2] [--memory MIB] [--data FILE]
"""
import argparse
import sys

import bench
from bench import harness

Q1 = """SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty,
 sum(l_extendedprice) AS sum_base_price, sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
 sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, avg(l_quantity) AS avg_qty,
 avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order
 FROM '{}' WHERE l_shipdate <= DATE '1998-09-02' GROUP BY l_returnflag, l_linestatus
 ORDER BY l_returnflag, l_linestatus"""
Q6 = """SELECT sum(l_extendedprice * l_discount) AS revenue FROM '{}'
 WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
 AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"""
FIVE = """SELECT count(*) AS n, sum(l_quantity) AS quantity, avg(l_extendedprice) AS price,
 min(l_shipdate) AS shipped, max(l_discount) AS discount FROM '{}'"""

DUCKDB = r'''
import duckdb
def work(argv):
    query, threads = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(query).fetchall()
'''

POLARS = r'''
import os, sys
os.environ["POLARS_MAX_THREADS"] = sys.argv[3]
import datetime
import polars as pl
from polars import col
def q1(t):
    price = col("l_extendedprice") * (1 - col("l_discount"))
    return (t.filter(col("l_shipdate") <= datetime.date(1998, 9, 2))
            .group_by("l_returnflag", "l_linestatus")
            .agg(col("l_quantity").sum().alias("sum_qty"),
                 col("l_extendedprice").sum().alias("sum_base_price"),
                 price.sum().alias("sum_disc_price"),
                 (price * (1 + col("l_tax"))).sum().alias("sum_charge"),
                 col("l_quantity").mean().alias("avg_qty"),
                 col("l_extendedprice").mean().alias("avg_price"),
                 col("l_discount").mean().alias("avg_disc"), pl.len())
            .sort("l_returnflag", "l_linestatus"))
def q6(t):
    day = datetime.date
    return (t.filter(col("l_shipdate").is_between(day(1994, 1, 1), day(1994, 12, 31))
                     & col("l_discount").is_between(0.05, 0.07) & (col("l_quantity") < 24))
            .select((col("l_extendedprice") * col("l_discount")).sum()))
def five(t):
    return t.select(pl.len(), col("l_quantity").sum(), col("l_extendedprice").mean(),
                    col("l_shipdate").min(), col("l_discount").max())
def work(argv):
    t = pl.scan_parquet(argv[1])
    {"Q1": q1, "Q6": q6, "five": five}[argv[0]](t).collect(engine="streaming")
'''

QUERIES = {"Q1": Q1, "Q6": Q6, "five": FIVE}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", default="10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--memory", type=int, default=64)
    parser.add_argument("--data")
    args = parser.parse_args()
    source, wanted = args.data or bench.lineitem(args.scale), []
    for name, text in QUERIES.items():
        query = text.format(source)
        results = bench.run(
            f"{name} over lineitem, scale {args.scale}, {args.threads} threads",
            [bench.ours("narrows", "sql", query, "-f", "csv", "--memory", f"{args.memory}MiB",
                        "--threads", args.threads, timeout=900),
             bench.peer("DuckDB", DUCKDB, query, args.threads),
             bench.peer("Polars", POLARS, name, source, args.threads)], args.rounds, source=source)
        fastest = min(r[2] for program, r in results.items() if program != "narrows")
        peak = results["narrows"][1]
        wanted += [(f"{name}: 0.6 x the time of the faster peer: {1 / fastest:.2f} x",
                    1 / fastest <= 0.6),
                   (f"{name}: {args.memory} MiB at most: {harness.mib(peak)}",
                    peak <= args.memory * harness.MIB)]
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
