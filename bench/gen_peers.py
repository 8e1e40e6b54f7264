"""How Polars writes the file that `narrows gen --range group --range id --range row` makes."""

# The faster of the ways tried: cross joins of ranges, streamed.
POLARS = r'''
import polars as pl
def work(argv):
    target, groups, ids, rows = argv
    def column(name, n):
        return pl.LazyFrame({name: pl.int_range(int(n), eager=True)})
    frame = column("group", groups).join(column("id", ids), how="cross")
    frame = frame.join(column("row", rows), how="cross")
    frame.sink_parquet(target, compression="zstd", engine="streaming")
'''

POLARS_DIVIDE = r'''
import polars as pl
def work(argv):
    target, groups, ids, rows = map(lambda x: int(x) if x.isdigit() else x, argv)
    n = groups * ids * rows
    frame = pl.LazyFrame().select(pl.int_range(n).alias("i"))
    frame = frame.select((pl.col("i") // (ids * rows)).alias("group"),
                         (pl.col("i") // rows % ids).alias("id"), (pl.col("i") % rows).alias("row"))
    frame.sink_parquet(target, compression="zstd", engine="streaming")
'''
