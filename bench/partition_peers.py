"""The peers' ways to filter lineitem, derive a column and write it by year and month, with zstd."""

POLARS = r'''
import polars as pl
from datetime import date
def work(argv):
    source, target, threads, level = argv
    day = pl.col("l_shipdate")
    price, discount = (pl.col(n).cast(pl.Decimal(18, 4)) for n in ("l_extendedprice", "l_discount"))
    rows = pl.scan_parquet(source).filter(day >= date(1995, 1, 1)).select(
        "l_orderkey", "l_partkey", "l_quantity", "l_shipdate",
        (price * (1 - discount)).alias("revenue"),
        day.dt.year().alias("year"), day.dt.month().alias("month"))
    rows.sink_parquet(pl.PartitionBy(target, key=["year", "month"], include_key=False),
                      compression="zstd", compression_level=int(level), mkdir=True,
                      engine="streaming")
'''

DUCKDB = r'''
import duckdb
def work(argv):
    source, target, threads, level, version = argv
    c = duckdb.connect()
    c.execute("SET enable_progress_bar = false")
    c.execute(f"SET threads = {threads}")
    c.execute(f"""COPY (SELECT l_orderkey, l_partkey, l_quantity, l_shipdate,
            l_extendedprice * (1 - l_discount) AS revenue, year(l_shipdate) AS year,
            month(l_shipdate) AS month
        FROM '{source}' WHERE l_shipdate >= DATE '1995-01-01') TO '{target}'
        (FORMAT parquet, PARTITION_BY (year, month), COMPRESSION zstd, COMPRESSION_LEVEL {level},
         PARQUET_VERSION {version})""")
'''

PYARROW = r'''
import datetime
import pyarrow as pa, pyarrow.compute as pc, pyarrow.dataset as ds
def work(argv):
    source, target, threads, level = argv
    pa.set_cpu_count(int(threads))
    day = ds.field("l_shipdate")
    one = pc.scalar(pa.scalar(1, pa.decimal128(15, 2)))
    rows = ds.dataset(source).scanner(
        columns={"l_orderkey": ds.field("l_orderkey"), "l_partkey": ds.field("l_partkey"),
                 "l_quantity": ds.field("l_quantity"), "l_shipdate": day,
                 "revenue": pc.multiply(ds.field("l_extendedprice"),
                                        pc.subtract(one, ds.field("l_discount"))),
                 "year": pc.year(day), "month": pc.month(day)},
        filter=day >= datetime.date(1995, 1, 1))
    form = ds.ParquetFileFormat()
    ds.write_dataset(rows, target, format=form, partitioning=["year", "month"],
                     partitioning_flavor="hive",
                     file_options=form.make_write_options(compression="zstd",
                                                          compression_level=int(level)))
'''
