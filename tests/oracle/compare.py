"""Whether two files hold the same: read by pyarrow, DuckDB and Polars, each with itself."""
import harness


def bits(array):
    """Floats as whole numbers, so that NaN equals NaN and -0 does not equal 0."""
    import pyarrow as pa
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    size = {pa.float16(): pa.int16(), pa.float32(): pa.int32(), pa.float64(): pa.int64()}
    if array.type not in size:
        return array
    import pyarrow.compute as pc
    nan = array if array.type == pa.float16() else pc.if_else(
        pc.is_nan(array), pa.scalar(float("nan"), array.type), array)
    return nan.view(size[array.type])


def values(column):
    """Python's values; whole numbers for nanoseconds, which Python's times cannot hold."""
    import pyarrow as pa
    if pa.types.is_temporal(column.type) and "[ns" in str(column.type):
        column = column.cast(pa.int64())
    return column.to_pylist()


def plain(table):
    """Without what is only a matter of Arrow's layout: large and view types."""
    import pyarrow as pa
    other = {pa.large_string(): pa.string(), pa.string_view(): pa.string(),
             pa.large_binary(): pa.binary(), pa.binary_view(): pa.binary()}
    fields = [f.with_type(other.get(f.type, f.type)) for f in table.schema]
    return table.cast(pa.schema(fields))


def same_tables(want, got, what):
    """Arrow tables: names, types, order, values, nulls."""
    want, got = plain(want), plain(got)
    if want.schema.names != got.schema.names:
        raise AssertionError(f"{what}: columns {got.schema.names}, wanted {want.schema.names}")
    if want.num_rows != got.num_rows:
        raise AssertionError(f"{what}: {got.num_rows} rows, wanted {want.num_rows}")
    for i, field in enumerate(want.schema):
        other = got.schema.field(i)
        if field.type != other.type:
            raise AssertionError(f"{what}: column {field.name} is {other.type}, "
                                 f"wanted {field.type}")
        a, b = bits(want.column(i)), bits(got.column(i))
        if not a.equals(b):
            x, y = values(want.column(i)), values(got.column(i))
            for row, (v, w) in enumerate(zip(x, y)):
                if v != w and (v == v or w == w) or str(v) != str(w):
                    raise AssertionError(f"{what}: column {field.name}, row {row}: {w!r}, "
                                         f"wanted {v!r}")
            raise AssertionError(f"{what}: column {field.name} differs")


def by_pyarrow(path, **options):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    return pq.ParquetFile(path, page_checksum_verification=True, **options).read()


def by_duckdb(path):
    duckdb = harness.library("duckdb")
    with duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        return c.execute(f"FROM '{path}'").to_arrow_table()


def by_polars(path):
    polars = harness.library("polars")
    return polars.read_parquet(path)


def same_files(want, got, readers=("pyarrow", "duckdb", "polars")):
    """Each reader must see in `got` what it sees in `want`."""
    for reader in readers:
        if reader == "polars":
            from polars.testing import assert_frame_equal
            a, b = by_polars(want), by_polars(got)
            try:
                assert_frame_equal(a, b, check_exact=True)
            except AssertionError as e:
                raise AssertionError(f"polars: {e}") from None
        else:
            read = by_pyarrow if reader == "pyarrow" else by_duckdb
            same_tables(read(want).replace_schema_metadata(), read(got).replace_schema_metadata(),
                        reader)
