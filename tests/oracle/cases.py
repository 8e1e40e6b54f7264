"""What we write, the peers read; what the peers write, we read; and the plain reference of sample.

A file "reads equal" when pyarrow, DuckDB and Polars each see the same in it as in the source.
"""
import json
import os
import random

import arrow_files
import arrow_inspect
import avro_append
import avro_damage
import avro_edges
import avro_files
import avro_passed
import avro_resolution
import avro_writing
import c_streams
import compare
import compacting
import copying
import datasets_of_formats
import datasets_written
import harness
import kept
import matrix
import metadata_files
import nested_files
import nested_tables
import reading_datasets
import reference
import sampled
import tables
import tpch
import sql_clustered
import sql_footers
import sql_corpus
import sql_dictionaries
import sql_language
import sql_random
import sql_shared
import sql_sides
import sql_sorts
import sql_spilled
import sql_subqueries
import where
import where_parts
import writing
from harness import Scratch

ROWS = 3000
BIG = 45000  # more than two pages of 20,000 rows
# Types that a reader does not know.
UNKNOWN = {"duckdb": {"decimal76"}, "polars": {"decimal76"}, "pyarrow": set()}
# Encodings that a reader does not know for some types.
CANNOT = {("duckdb", "byte-stream-split"): {"float16", "fixed5", "fixed16"},
          ("duckdb", "int96"): {"ts_ns", "tz_ns"},  # microseconds to DuckDB
          ("polars", "int96"): {"tz_ns"},  # INT96 has no zone
          ("polars", "byte-stream-split"): {"float16", "fixed5", "fixed16"},
          ("polars", "delta-byte-array"): {"float16", "fixed5", "fixed16"}}


def write(path, table, **options):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    defaults = {"compression": "snappy", "row_group_size": 20000, "data_page_size": 8192}
    pq.write_table(table, path, **{**defaults, **options})


def rewritten(table, arguments=(), encoding=None, **options):
    """Source by pyarrow, copy by us, compared by all three."""
    with Scratch("oracle") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, table, **options)
        harness.ok("copy", source, target, "--memory", "128MiB", *arguments)
        compare.same_files(source, target, ["pyarrow"])
        check_parts(source, target, table.schema.names, encoding)


def check_parts(source, target, names, encoding):
    """DuckDB and Polars see those columns that they can read."""
    for reader in ("duckdb", "polars"):
        fine = [n for n in names
                if n not in UNKNOWN[reader] | CANNOT.get((reader, encoding), set())]
        if reader == "polars":
            from polars.testing import assert_frame_equal
            import polars
            a = polars.read_parquet(source, columns=fine)
            b = polars.read_parquet(target, columns=fine)
            try:
                assert_frame_equal(a, b, check_exact=True)
            except AssertionError as e:
                raise AssertionError(f"polars: {e}") from None
        else:
            import duckdb
            listed = ", ".join(f'"{n}"' for n in fine)
            with duckdb.connect() as c:
                c.execute("SET threads = 1; SET TimeZone = 'UTC'")
                a, b = (c.execute(f"SELECT {listed} FROM '{p}'").to_arrow_table()
                        for p in (source, target))
            compare.same_tables(a, b, "duckdb")


def footer(path):
    import pyarrow.parquet as pq
    return pq.ParquetFile(path).metadata


# ---- writing ----

def codec_case(codec):
    rewritten(tables.table(rows=ROWS), ["--compression", codec])
    with Scratch("codec") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, tables.table(["int64", "few"], rows=ROWS))
        harness.ok("copy", source, target, "--compression", codec)
        name = codec.split(":")[0].upper()
        wanted = {"NONE": {"UNCOMPRESSED"}, "LZ4": {"LZ4", "LZ4_RAW"}}.get(name, {name})
        got = footer(target).row_group(0).column(0).compression
        if got not in wanted:
            raise AssertionError(f"the footer says {got}")


def encoding_case(encoding, version):
    names = tables.BY_ENCODING[encoding]
    arguments = ["--parquet-version", version]
    for n in names:
        arguments += ["--encoding", f"{n}={encoding}"]
    for nulls in ("none", "some", "runs"):
        rewritten(tables.table(names, BIG if nulls == "some" and len(names) < 12 else ROWS, nulls),
                  arguments, encoding)
    with Scratch("encoding") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, tables.table(names, ROWS, "none"))
        harness.ok("copy", source, target, *arguments)
        group = footer(target).row_group(0)
        for i, n in enumerate(names):
            if encoding.upper().replace("-", "_") not in group.column(i).encodings:
                raise AssertionError(f"column {n} has encodings {group.column(i).encodings}")


def nulls_case(nulls, version):
    rewritten(tables.table(rows=ROWS, nulls=nulls), ["--parquet-version", version])
    rewritten(tables.table(["int64", "few", "utf8", "bool", "runs"], BIG, nulls),
              ["--parquet-version", version])


def dictionary_case(switch):
    rewritten(tables.table(rows=ROWS), [switch])
    rewritten(tables.table(["few", "few_int", "runs", "utf8", "int64"], BIG), [switch])


def groups_case(rows):
    with Scratch("groups") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, tables.table(["int64", "utf8", "few", "runs", "bool"], BIG))
        harness.ok("copy", source, target, "--row-group-size", str(rows))
        compare.same_files(source, target)
        meta = footer(target)
        sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        if any(s != rows for s in sizes[:-1]) or sum(sizes) != BIG:
            raise AssertionError(f"row groups of {sizes} rows, wanted {rows}")


def group_bytes_case():
    with Scratch("groups") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, tables.table(["int64", "utf8", "float64"], BIG))
        harness.ok("copy", source, target, "--row-group-size-bytes", "256KiB")
        compare.same_files(source, target)
        meta = footer(target)
        sizes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
        if len(sizes) < 2 or max(sizes) > 512 << 10:
            raise AssertionError(f"row groups of {sizes} bytes")


def fallback_case():
    """Few distinct values first, then only distinct ones: the dictionary is given up."""
    import pyarrow as pa
    values = [f"same {i % 5}" for i in range(60000)] + [f"other {i:020}" for i in range(90000)]
    rewritten(pa.table({"s": values, "i": pa.array(range(150000), pa.int64())}))


def wide_case():
    import pyarrow as pa
    rewritten(pa.table({f"column {i}": pa.array([i, None, -i], pa.int32()) for i in range(400)}))


def empty_case():
    rewritten(tables.table(rows=0))


def metadata_case():
    with Scratch("metadata") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        table = tables.table(["int64"], 10).replace_schema_metadata({"who": "me", "note": "é"})
        write(source, table)
        harness.ok("copy", source, target, "--kv-metadata", "added=yes")
        kept = footer(target).metadata or {}
        for k, v in ((b"who", b"me"), (b"note", "é".encode()), (b"added", b"yes")):
            if kept.get(k) != v:
                raise AssertionError(f"key-value metadata are {sorted(kept)}")


def statistics_case():
    """Footer statistics against the values, of every type that has them."""
    import pyarrow.compute as pc
    names = [n for n in tables.TYPES
             if n not in ("float16", "float32", "float64") and not n.startswith(("t", "ts_"))]
    table = tables.table(names, ROWS)
    with Scratch("statistics") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, table)
        harness.ok("copy", source, target)
        group = footer(target).row_group(0)
        for i, name in enumerate(names):
            column = table.column(i).slice(0, group.num_rows)
            found = group.column(i).statistics
            if found is None or found.null_count != column.null_count:
                raise AssertionError(f"column {name}: statistics {found}")
            if not found.has_min_max or name in ("decimal76",):
                continue
            if name in ("bool", "fixed1", "fixed5", "fixed16", "binary", "utf8", "few"):
                there = [v for v in column.to_pylist() if v is not None]
                asbytes = [v.encode() if isinstance(v, str) else v for v in there]
                low, high = min(asbytes), max(asbytes)
                got_low, got_high = (v.encode() if isinstance(v, str) else v
                                     for v in (found.min, found.max))
            else:
                low, high = (v.as_py() for v in pc.min_max(column).values())
                got_low, got_high = found.min, found.max
            exact = name not in ("binary", "utf8", "few")
            if exact and (got_low, got_high) != (low, high):
                raise AssertionError(f"column {name}: {got_low!r} to {got_high!r}, "
                                     f"wanted {low!r} to {high!r}")
            if not exact and (got_low > low or got_high < high):
                raise AssertionError(f"column {name}: the bounds cut values off")


def float_statistics_case():
    """NaN is in no bound; a zero bound is -0 below and +0 above."""
    import pyarrow as pa
    nan = float("nan")
    rows = {"a": [nan, 1.0, 2.0], "b": [0.0, 0.0, 0.0], "c": [-0.0, -0.0, -0.0],
            "d": [nan, nan, nan], "e": [-1.0, nan, None], "f": [0.0, 5.0, None]}
    with Scratch("statistics") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, pa.table({k: pa.array(v, pa.float64()) for k, v in rows.items()}))
        harness.ok("copy", source, target)
        group = footer(target).row_group(0)
        wanted = {"a": "1.0 2.0", "b": "-0.0 0.0", "c": "-0.0 0.0", "e": "-1.0 -1.0",
                  "f": "-0.0 5.0"}
        for i, name in enumerate(rows):
            s = group.column(i).statistics
            got = f"{s.min} {s.max}" if s and s.has_min_max else None
            if got != wanted.get(name):
                raise AssertionError(f"column {name}: bounds {got}, wanted {wanted.get(name)}")


# ---- reading ----

def by_pyarrow(**options):
    names = list(tables.TYPES)
    if options.get("use_deprecated_int96_timestamps"):
        names = [n for n in names if not n.startswith(("tz_", "ts_"))] + ["ts_ns", "tz_ns"]
    encoding = "int96" if options.get("use_deprecated_int96_timestamps") else None
    rewritten(tables.table(names, ROWS), (), encoding, **options)
    rewritten(tables.table(["int64", "utf8", "few", "runs", "bool", "few_int"], BIG, "runs"),
              **options)


def by_encoding(encoding, version):
    names = [n for n in tables.BY_ENCODING[encoding]]
    if encoding == "plain":
        encodings = False
    else:
        encodings = {n: encoding.upper().replace("-", "_") for n in names}
    for nulls in ("none", "some", "runs"):
        table = tables.table(names, ROWS, nulls)
        rewritten(table, (), encoding, use_dictionary=False, data_page_version=version,
                  column_encoding=encodings or None)


DUCKDB_TABLE = """
    SELECT i AS id, i % 7 = 0 AS b, (i % 200 - 100)::TINYINT AS i8,
           (i * 31 % 30000)::SMALLINT AS i16,
           i::INTEGER AS i32, (i % 250)::UTINYINT AS u8, (i * 5)::UBIGINT AS u64, i::HUGEINT AS h,
           i / 7 AS f64, (i / 3)::FLOAT AS f32, (i / 100)::DECIMAL(9, 2) AS d9,
           (i * 1234567.89)::DECIMAL(30, 4) AS d30, DATE '1970-01-01' + i::INTEGER AS dt,
           TIMESTAMP '2000-01-01' + to_seconds(i) AS ts,
           (TIMESTAMP '2000-01-01' + to_seconds(i))::TIMESTAMP_NS AS tn,
           (TIMESTAMP '2000-01-01' + to_seconds(i))::TIMESTAMPTZ AS tz,
           TIME '00:00:00' + to_seconds(i % 86400) AS t, 'text ' || (i % 1000) AS s,
           repeat('long ', (i % 50)::INTEGER) || i AS l, ('bytes ' || i)::BLOB AS x,
           ('00000000-0000-0000-0000-' || lpad(i::VARCHAR, 12, '0'))::UUID AS u,
           CASE WHEN i % 3 = 0 THEN i END AS n, NULL::INTEGER AS nothing
    FROM range(30000) r(i)"""


def by_duckdb(options):
    """Files of DuckDB, read by us: pyarrow and DuckDB see the same in the copy."""
    duckdb = harness.library("duckdb")
    with Scratch("duckdb") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        with duckdb.connect() as c:
            c.execute("SET threads = 1; SET TimeZone = 'UTC'")
            c.execute(f"COPY ({DUCKDB_TABLE}) TO '{source}' (FORMAT parquet, {options})")
        harness.ok("copy", source, target, "--memory", "128MiB")
        compare.same_files(source, target)


def by_polars(options):
    polars = harness.library("polars")
    with Scratch("polars") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        names = [n for n in tables.TYPES if n not in UNKNOWN["polars"] | {"fixed1", "fixed5",
                                                                          "fixed16"}]
        frame = polars.from_arrow(tables.table(names, ROWS))
        frame.write_parquet(source, **options)
        harness.ok("copy", source, target, "--memory", "128MiB")
        compare.same_files(source, target, ["pyarrow", "polars"])


# ---- texts ----

TEXT_TYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
              "float32", "float64", "decimal9", "decimal18", "date", "time_us", "ts_us", "tz_us",
              "utf8", "binary", "few"]


def duckdb_text(source, target, form):
    import duckdb
    with duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        c.execute(f"COPY (FROM '{source}') TO '{target}' (FORMAT {form})")
    with open(target, encoding="utf-8") as f:
        return f.read()


def json_case():
    """Every value as DuckDB's COPY (FORMAT json) writes it; decimals with all their digits."""
    harness.library("duckdb")
    with Scratch("json") as scratch:
        source = scratch("in.parquet")
        write(source, tables.table(TEXT_TYPES, ROWS))
        ours = harness.ok("copy", source, "-", "-f", "json").out.decode().splitlines()
        theirs = duckdb_text(source, scratch("out.json"), "json").splitlines()
        if len(ours) != len(theirs):
            raise AssertionError(f"{len(ours)} lines, DuckDB writes {len(theirs)}")
        for n, (a, b) in enumerate(zip(ours, theirs)):
            for (k, v), (name, w) in zip(json.loads(a, object_pairs_hook=list),
                                         json.loads(b, object_pairs_hook=list), strict=True):
                alike = v == w or v != v and w != w
                if k == "float32" and isinstance(v, float) and isinstance(w, float):
                    alike = alike or abs(v - w) <= 1e-6 * abs(w)
                if k != name or not alike:
                    raise AssertionError(f"row {n}, {k}: {v!r}, DuckDB writes {name}: {w!r}")


def csv_case():
    harness.library("duckdb")
    names = [n for n in TEXT_TYPES if n not in ("float32", "float64", "tz_us")]
    with Scratch("csv") as scratch:
        source = scratch("in.parquet")
        write(source, tables.table(names, ROWS))
        ours = harness.ok("copy", source, "-", "-f", "csv").out.decode()
        theirs = duckdb_text(source, scratch("out.csv"), "csv")
        if ours != theirs:
            a, b = ours.splitlines(), theirs.splitlines()
            n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            raise AssertionError(f"line {n + 1} differs:\n{''.join(a[n:n + 1])}\n"
                                 f"DuckDB: {''.join(b[n:n + 1])}")


# ---- sample ----

def keywords_case():
    """schema's SQL makes the table in DuckDB whatever words its columns are called."""
    duckdb = harness.library("duckdb")
    import pyarrow
    with duckdb.connect() as c, Scratch("keywords") as scratch:
        words = [w for w, in c.execute("SELECT DISTINCT keyword_name FROM duckdb_keywords() "
                                       "ORDER BY 1").fetchall()]
        source = scratch("words.parquet")
        write(source, pyarrow.table({w: [1] for w in words}))
        c.execute(harness.ok("schema", source, "-f", "sql").out.decode())
        made = [w for w, in c.execute("SELECT column_name FROM (DESCRIBE words)").fetchall()]
        if made != words:
            raise AssertionError(f"columns {made}, not {words}")


def sample_table(names, rows, seed):
    """Keys of few values with nulls, in random order, and a row number."""
    import pyarrow as pa
    r = random.Random(seed)
    columns = {}
    for name in names:
        kind, make = tables.TYPES[name]
        pool = [make(i, r) for i in range(40)] + [None] * 3
        if kind == pa.float16():
            import numpy
            pool = [None if v is None else numpy.float16(v) for v in pool]
        columns[name] = pa.array([r.choice(pool) for _ in range(rows)], kind)
    columns["n"] = pa.array(range(rows), pa.int64())
    return pa.table(columns)


def sample_case(names, of, per, first, rows=20000, seed=3, options=(), write_options=None):
    import pyarrow as pa
    harness.library("pyarrow")
    table = sample_table(names, rows, seed)
    columns = {n: compare.values(table.column(n)) for n in set((of or []) + (per or []))}
    kept = reference.sample(columns, rows, first, of, per)
    with Scratch("sample") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, table, **(write_options or {}))
        arguments = ["sample", source, target, "--first", str(first), "--memory", "64MiB"]
        arguments += ["--of", ",".join(of)] if of else []
        arguments += ["--per", ",".join(per)] if per else []
        harness.ok(*arguments, *options)
        got = compare.by_pyarrow(target)
        compare.same_tables(table.take(pa.array(kept)), got, f"sample of {len(kept)} rows")


def sorted_sample_case(threads):
    """Groups and ids in order, as runs: what the fast path sees."""
    import pyarrow as pa
    harness.library("pyarrow")
    rows = 30 * 40 * 50
    table = pa.table({"group": pa.array([i // 2000 for i in range(rows)], pa.int64()),
                      "id": pa.array([i // 50 % 40 for i in range(rows)], pa.int64()),
                      "row": pa.array([i % 50 for i in range(rows)], pa.int64())})
    kept = [i for i in range(rows) if i // 50 % 40 < 10]
    with Scratch("sample") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, table, row_group_size=7000)
        harness.ok("sample", source, target, "--first", "10", "--of", "id", "--per", "group",
                   "--threads", threads)
        compare.same_tables(table.take(pa.array(kept)), compare.by_pyarrow(target), "sample")


# ---- gen ----

def gen_case():
    with Scratch("gen") as scratch:
        target = scratch("out.parquet")
        harness.ok("gen", target, "--range", "a=3", "--range", "b=4", "--range", "c=5")
        got = compare.by_pyarrow(target)
        wanted = [(a, b, c) for a in range(3) for b in range(4) for c in range(5)]
        if list(zip(*(got.column(i).to_pylist() for i in range(3)))) != wanted:
            raise AssertionError("rows are not the cross join, last range fastest")
        if {str(t) for t in got.schema.types} != {"int64"}:
            raise AssertionError(f"types are {got.schema.types}")


def gen_shuffle_case():
    with Scratch("gen") as scratch:
        files = [scratch(f"{i}.parquet") for i in range(3)]
        ranges = ["--range", "a=20", "--range", "b=50", "--range", "c=30"]
        for i, seed in enumerate(("1", "1", "2")):
            harness.ok("gen", files[i], *ranges, "--shuffle", "--seed", seed,
                       "--threads", str(i + 1))
        first, again, other = (list(zip(*(compare.by_pyarrow(f).column(i).to_pylist()
                                          for i in range(3)))) for f in files)
        wanted = [(a, b, c) for a in range(20) for b in range(50) for c in range(30)]
        if first == wanted:
            raise AssertionError("the order is not shuffled")
        if sorted(first) != wanted or sorted(other) != wanted:
            raise AssertionError("a shuffle loses or repeats rows")
        if first != again or first == other:
            raise AssertionError("the order is not a function of the seed")


def gen_types_case():
    columns = {"i": "integer", "p": "decimal(12,2)", "s": "string:8..40", "d": "date",
               "b": "boolean", "f": "double", "t": "timestamp"}
    with Scratch("gen") as scratch:
        target, again = scratch("out.parquet"), scratch("again.parquet")
        arguments = ["--range", "id=10000:string", "--nulls", "s=0.25", "--seed", "7"]
        for name, kind in columns.items():
            arguments += ["--column", f"{name}={kind}"]
        harness.ok("gen", target, *arguments, "--threads", "1")
        harness.ok("gen", again, *arguments, "--threads", "2", "--memory", "64MiB")
        with open(target, "rb") as a, open(again, "rb") as b:
            if a.read() != b.read():
                raise AssertionError("bytes differ between two runs of one seed")
        got = compare.by_pyarrow(target)
        types = {f.name: str(f.type) for f in got.schema}
        wanted = {"id": "string", "i": "int32", "p": "decimal128(12, 2)", "s": "string",
                  "d": "date32[day]", "b": "bool", "f": "double", "t": "timestamp[us]"}
        if types != wanted:
            raise AssertionError(f"types are {types}")
        strings = got.column("s").to_pylist()
        nulls = sum(s is None for s in strings)
        lengths = [len(s) for s in strings if s is not None]
        if not 2200 <= nulls <= 2800:
            raise AssertionError(f"{nulls} of 10,000 are null, wanted a quarter")
        if min(lengths) < 8 or max(lengths) > 40 or len(set(lengths)) < 20:
            raise AssertionError(f"lengths {min(lengths)} to {max(lengths)}, wanted 8 to 40")


def several_case():
    """Inputs come in order of name; a schema that differs is an error that names both files."""
    import pyarrow as pa
    with Scratch("several") as scratch:
        for i, name in enumerate(("b", "c", "a")):
            write(scratch(f"{name}.parquet"), pa.table({"x": pa.array([i, i + 10], pa.int32())}))
        harness.ok("copy", scratch("*.parquet"), scratch("out.pq.parquet"))
        got = compare.by_pyarrow(scratch("out.pq.parquet")).column(0).to_pylist()
        if got != [2, 12, 0, 10, 1, 11]:
            raise AssertionError(f"rows {got}")
        write(scratch("d.parquet"), pa.table({"x": pa.array(["text"])}))
        line = harness.refused(harness.narrows("copy", scratch("[a-d].parquet"),
                                               scratch("o.parquet")))
        if "a.parquet" not in line or "d.parquet" not in line:
            raise AssertionError(f"does not name both files: {line}")
        if os.path.exists(scratch("o.parquet")):
            raise AssertionError("a refused copy left a target")


def cases(tier):
    yield from arrow_files.cases(tier)
    yield from arrow_inspect.cases(tier)
    yield from avro_append.cases(tier)
    yield from c_streams.cases(tier)
    yield from avro_damage.cases(tier)
    yield from avro_edges.cases(tier)
    yield from avro_passed.cases(tier)
    yield from avro_files.cases(tier)
    yield from avro_resolution.cases(tier)
    yield from avro_writing.cases(tier)
    for codec in ("none", "snappy", "gzip", "lz4", "brotli", "zstd", "zstd:1", "zstd:9", "gzip:1"):
        yield f"written with {codec} reads equal", lambda c=codec: codec_case(c), 120
    for encoding in tables.BY_ENCODING:
        for version in ("1", "2"):
            if encoding == "plain" and version == "2" and tier != "all":
                continue
            yield (f"written as {encoding}, version {version}, reads equal",
                   lambda e=encoding, v=version: encoding_case(e, v), 120)
    for nulls in tables.NULLS:
        for version in ("1", "2"):
            yield (f"written with nulls: {nulls}, version {version}, reads equal",
                   lambda n=nulls, v=version: nulls_case(n, v), 120)
    for switch in ("--dictionary", "--no-dictionary", "--no-statistics", "--no-page-index",
                   "--no-page-checksum"):
        yield f"written with {switch} reads equal", lambda s=switch: dictionary_case(s), 120
    for rows in (1, 1000, 20000, 44999, 45000):
        if rows > 1:
            yield f"row groups of {rows} rows", lambda n=rows: groups_case(n)
    yield "row groups by bytes", group_bytes_case
    yield "a dictionary is given up in mid-chunk", fallback_case
    yield "400 columns", wide_case
    yield "no rows", empty_case
    yield from nested_tables.cases(tier)
    yield from kept.cases(tier)
    yield "key-value metadata are kept and added", metadata_case
    yield "statistics agree with the values", statistics_case
    yield "statistics of floats", float_statistics_case

    for version in ("1.0", "2.0"):
        for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
            yield (f"pyarrow's files: {codec}, data pages {version}", lambda v=version, c=codec:
                   by_pyarrow(data_page_version=v, compression=c), 120)
        for encoding in tables.BY_ENCODING:
            yield (f"pyarrow's files: {encoding}, data pages {version}",
                   lambda e=encoding, v=version: by_encoding(e, v), 120)
    yield "pyarrow's files: INT96", lambda: by_pyarrow(use_deprecated_int96_timestamps=True), 120
    yield "pyarrow's files: decimals as integers", lambda: by_pyarrow(
        store_decimal_as_integer=True), 120
    yield "pyarrow's files: checksums, page index", lambda: by_pyarrow(
        write_page_checksum=True, write_page_index=True), 120
    yield "pyarrow's files: no dictionary, no statistics", lambda: by_pyarrow(
        use_dictionary=False, write_statistics=False), 120
    yield "pyarrow's files: small dictionaries", lambda: by_pyarrow(
        dictionary_pagesize_limit=1000), 120
    for options in ("COMPRESSION uncompressed", "COMPRESSION snappy", "COMPRESSION gzip",
                    "COMPRESSION zstd", "COMPRESSION brotli", "COMPRESSION lz4_raw",
                    "PARQUET_VERSION v2", "ROW_GROUP_SIZE 5000, PARQUET_VERSION v2"):
        yield f"DuckDB's files: {options}", lambda o=options: by_duckdb(o)
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4"):
        yield f"Polars' files: {codec}", lambda c=codec: by_polars({"compression": c,
                                                                    "row_group_size": 1000})
    yield from nested_files.cases(tier)
    yield from matrix.cases(tier)
    yield "JSON as DuckDB writes it", json_case
    yield "CSV as DuckDB writes it", csv_case
    yield "keywords as columns in schema's SQL", keywords_case

    for name in tables.TYPES:
        if name in ("constant", "rising"):
            continue
        yield (f"sample: ids of {name} per group of {name}", lambda n=name:
               sample_case([n, "few_int"], [n], ["few_int"], 10))
        yield f"sample: per {name}", lambda n=name: sample_case([n, "int8"], ["int8"], [n], 3)
    two = ["few", "few_int", "date", "utf8"]
    yield "sample: two columns each", lambda: sample_case(two, two[:2], two[2:], 2)
    yield "sample: rows per group", lambda: sample_case(two, None, ["few"], 5)
    yield "sample: ids, one group", lambda: sample_case(two, ["utf8"], None, 7)
    yield "sample: the first rows", lambda: sample_case(two, None, None, 100)
    yield "sample: more than there are", lambda: sample_case(two, ["few"], ["date"], 10**6)
    for options in (["--threads", "1"], ["--threads", "8"], ["--memory", "32MiB"]):
        yield (f"sample: {' '.join(options)}", lambda o=options:
               sample_case(two, ["few"], ["date"], 3, 60000, options=o,
                           write_options={"row_group_size": 1234}))
    yield "sample: dictionaries that change", lambda: sample_case(
        two, ["utf8"], ["few"], 4, 60000, write_options={"row_group_size": 500})
    for threads in ("1", "2", "8"):
        yield f"sample: sorted, {threads} threads", lambda t=threads: sorted_sample_case(t)

    yield "gen: cross join", gen_case
    yield "gen: shuffle", gen_shuffle_case
    yield "gen: types, nulls, seed", gen_types_case
    yield "several inputs", several_case

    yield from where.cases(tier)
    yield from where_parts.cases(tier)
    yield from writing.cases(tier)
    yield from compacting.cases(tier)
    yield from copying.cases(tier)
    yield from datasets_written.cases(tier)
    yield from reading_datasets.cases()
    yield from metadata_files.cases()
    yield from datasets_of_formats.cases()
    yield from sql_corpus.cases(tier)
    yield from sql_random.cases(tier)
    yield from sampled.cases()
    yield from sql_spilled.cases()
    yield from sql_clustered.cases(tier)
    yield from sql_footers.cases()
    yield from sql_shared.cases()
    yield from sql_sorts.cases()
    yield from sql_sides.cases()
    yield from sql_dictionaries.cases()
    yield from sql_subqueries.cases(tier)
    yield from tpch.cases(tier)
    yield from sql_language.cases()
