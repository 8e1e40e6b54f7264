"""The peers' best programs for "the first ten ids of every group, and all of their rows"."""

# The ids of the ordered file rise with their first appearance, so DuckDB may order by them.
DUCKDB_ORDERED = r'''
import duckdb
def work(argv):
    source, target, threads = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"""
        COPY (
            SELECT * FROM '{source}' SEMI JOIN (
                SELECT "group", id FROM (
                    SELECT "group", id,
                           row_number() OVER (PARTITION BY "group" ORDER BY id) AS n
                    FROM (SELECT DISTINCT "group", id FROM '{source}'))
                WHERE n <= 10) USING ("group", id)
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd)""")
'''

# In any order: the first appearance is the least row number. Nulls are values.
DUCKDB = r'''
import duckdb
def work(argv):
    source, target, threads = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"""
        COPY (
            SELECT s."group", s.id, s.row FROM '{source}' s SEMI JOIN (
                SELECT "group" AS g, id AS i FROM (
                    SELECT "group", id, row_number() OVER (PARTITION BY "group" ORDER BY seen) AS n
                    FROM (SELECT "group", id, min(file_row_number) AS seen
                          FROM read_parquet('{source}', file_row_number = true)
                          GROUP BY "group", id))
                WHERE n <= 10) k
            ON s."group" IS NOT DISTINCT FROM k.g AND s.id IS NOT DISTINCT FROM k.i
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd)""")
'''

POLARS_ORDERED = r'''
import polars as pl
def work(argv):
    source, target, threads = argv
    rows = pl.scan_parquet(source)
    keys = (rows.select("group", "id").unique()
            .sort("group", "id").group_by("group").head(10).select("group", "id"))
    (rows.join(keys, on=["group", "id"], how="semi", maintain_order="left")
     .sink_parquet(target, compression="zstd", engine="streaming"))
'''

POLARS = r'''
import polars as pl
def work(argv):
    source, target, threads = argv
    rows = pl.scan_parquet(source)
    keys = (pl.scan_parquet(source).select("group", "id").with_row_index("seen")
            .group_by("group", "id").agg(pl.col("seen").min())
            .sort("seen").group_by("group").head(10).select("group", "id"))
    (rows.join(keys, on=["group", "id"], how="semi", nulls_equal=True, maintain_order="left")
     .sink_parquet(target, compression="zstd", engine="streaming"))
'''
