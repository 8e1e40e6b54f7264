"""The peers' best ways to rewrite a Parquet file with zstd at one level."""

POLARS = r'''
import polars as pl
def work(argv):
    source, target, threads, level = argv
    pl.scan_parquet(source).sink_parquet(target, compression="zstd", compression_level=int(level),
                                         engine="streaming")
'''

DUCKDB = r'''
import duckdb
def work(argv):
    source, target, threads, level = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"COPY (FROM '{source}') TO '{target}' "
              f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level})")
'''

DUCKDB_V2 = r'''
import duckdb
def work(argv):
    source, target, threads, level = argv
    c = duckdb.connect()
    c.execute(f"SET threads = {threads}")
    c.execute(f"COPY (FROM '{source}') TO '{target}' (FORMAT parquet, PARQUET_VERSION v2, "
              f"COMPRESSION zstd, COMPRESSION_LEVEL {level})")
'''

PYARROW = r'''
import pyarrow as pa, pyarrow.parquet as pq
def work(argv):
    source, target, threads, level = argv
    pa.set_cpu_count(int(threads))
    reader = pq.ParquetFile(source)
    with pq.ParquetWriter(target, reader.schema_arrow, compression="zstd",
                          compression_level=int(level)) as writer:
        for batch in reader.iter_batches(batch_size=1 << 18):
            writer.write_batch(batch, row_group_size=1 << 20)
'''
