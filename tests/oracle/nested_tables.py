"""Nested columns: random types and values, through a copy, seen by pyarrow, DuckDB and Polars; and
the shape of what is written."""
import datetime
import decimal
import glob
import os
import random

import compare
import harness
from harness import Scratch

MOMENT = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


# ---- random tables ----

def leaf_type(r):
    import pyarrow as pa
    return r.choice([pa.bool_(), pa.int16(), pa.int64(), pa.float64(), pa.decimal128(30, 5),
                     pa.string(), pa.string(), pa.timestamp("us", "UTC"), pa.date32(),
                     pa.binary(5), pa.binary()])


NAMES = ("a", "b.c", "d e", "f")


def any_type(r, depth, names=NAMES):
    import pyarrow as pa
    kind = r.randrange(6) if depth else 0
    child = lambda name: pa.field(name, any_type(r, depth - 1, names), nullable=r.random() < .75)
    if kind < 2:
        return leaf_type(r)
    if kind == 2:
        return pa.list_(child("element"))
    if kind == 3:
        return pa.map_(leaf_type(r), child("value"))
    return pa.struct([child(n) for n in names[:r.randrange(1, 5)]])


def leaf(t, x):
    import pyarrow as pa
    of = pa.types
    if of.is_boolean(t):
        return x % 2 == 0
    if of.is_int16(t):
        return x % 30000 - 15000
    if of.is_integer(t):
        return x - 5
    if of.is_floating(t):
        return x / 8
    if of.is_decimal(t):
        return decimal.Decimal(x) / 1000
    if of.is_timestamp(t):
        return MOMENT + datetime.timedelta(microseconds=x)
    if of.is_date(t):
        return datetime.date(2000, 1, 1) + datetime.timedelta(days=x % 10000)
    if of.is_fixed_size_binary(t):
        return b"%05d" % (x % 100000)
    return b"\xff%d" % x if of.is_binary(t) else f"v{x}" * (x % 5)


def value(r, field, span, nulls, longest):
    """One value: numbers below `span`, lists up to `longest` and now and then far longer."""
    import pyarrow as pa
    t = field.type
    again = lambda f: value(r, f, span, nulls, longest)
    if field.nullable and r.random() < nulls:
        return None
    if pa.types.is_list(t):
        n = longest * 30 if r.random() < .01 else r.randrange(longest + 1)
        return [again(t.value_field) for _ in range(n)]
    if pa.types.is_map(t):
        keys = {leaf(t.key_type, r.randrange(span)) for _ in range(r.randrange(longest + 1))}
        return [(k, again(t.item_field)) for k in keys]
    if pa.types.is_struct(t):
        return {t.field(i).name: again(t.field(i)) for i in range(t.num_fields)}
    return leaf(t, r.randrange(span))


def table(seed, rows, longest=4, columns=4, names=NAMES):
    import pyarrow as pa
    r = random.Random(seed)
    fields = [pa.field(f"c{i}", any_type(r, 3 if i else 0, names), nullable=r.random() < .8)
              for i in range(columns)]
    arrays = []
    for f in fields:
        span, nulls = r.choice([20, 1 << 40]), r.choice([0, .1, .4])
        arrays.append(pa.array([value(r, f, span, nulls, longest) for _ in range(rows)], f.type))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


# ---- comparing ----

def no_maps(t):
    """Polars has no maps, and reads them as it likes."""
    import pyarrow as pa
    if pa.types.is_map(t):
        return False
    return all(no_maps(t.field(i).type) for i in range(t.num_fields)) if pa.types.is_nested(
        t) else True


def check(source, target, names, polars=True, types=True):
    """pyarrow: types and values; DuckDB: every value as its text; Polars: its own frames."""
    a, b = compare.by_pyarrow(source), compare.by_pyarrow(target)
    b.validate(full=True)
    if types and a.schema.remove_metadata() != b.schema.remove_metadata():
        raise AssertionError(f"pyarrow: {b.schema}, wanted {a.schema}")
    for n in names:
        if not a[n].equals(b[n]):
            x, y = a[n].to_pylist(), b[n].to_pylist()
            row = next((i for i in range(len(x)) if x[i] != y[i]), None)
            if row is not None:
                raise AssertionError(f"pyarrow: {n}, row {row}: {y[row]!r}, wanted {x[row]!r}")
    duckdb = harness.library("duckdb")
    with duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        listed = ", ".join(f'typeof("{n}"), "{n}"::VARCHAR' for n in names)
        x, y = (c.execute(f"SELECT {listed} FROM '{p}'").fetchall() for p in (source, target))
        for row, (v, w) in enumerate(zip(x, y, strict=True)):
            if v != w:
                raise AssertionError(f"duckdb: row {row}: {w!r}, wanted {v!r}")
    fine = [n for n in names if no_maps(a.schema.field(n).type)]
    if polars and fine:
        import polars as pl
        from polars.testing import assert_frame_equal
        assert_frame_equal(pl.read_parquet(source, columns=fine),
                           pl.read_parquet(target, columns=fine), check_exact=True)


def write(path, t, rows, **options):
    import pyarrow.parquet as pq
    pq.write_table(t, path, **{"compression": "snappy", "data_page_size": 4096,
                               "row_group_size": max(1, rows // 3), "store_schema": False,
                               **options})


def random_case(version, *options, seeds, rows=1500):
    harness.library("pyarrow")
    for seed in seeds:
        t = table(seed, rows)
        with Scratch("nested") as s:
            source, target = s("in.parquet"), s("out.parquet")
            write(source, t, rows, data_page_version=("1.0", "2.0")[seed % 2])
            harness.ok("copy", source, target, "--memory", "64MiB", "--parquet-version", version,
                       *options)
            # Polars 2.1 fails on delta-packed pages that end with nulls of a struct, whoever
            # wrote them.
            check(source, target, t.schema.names, polars=version == "1")


def peers_case():
    """What DuckDB and Polars write, read and written again."""
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    import polars as pl
    duckdb = harness.library("duckdb")
    for seed in range(4):
        t = table(seed + 50, 2000)
        with Scratch("nested") as s, duckdb.connect() as c:
            first, source, target = s("first.parquet"), s("in.parquet"), s("out.parquet")
            write(first, t, 2000)
            for version in ("v1", "v2"):
                c.execute(f"COPY (FROM '{first}') TO '{source}' (PARQUET_VERSION {version})")
                harness.ok("copy", source, target, "--on-exists", "replace")
                check(source, target, t.schema.names)
            fine = [n for n in t.schema.names if no_maps(t.schema.field(n).type)]
            pl.read_parquet(first, columns=fine).write_parquet(source)
            harness.ok("copy", source, target, "--on-exists", "replace")
            check(source, target, fine, types=False)  # Polars says large_list in its metadata


# ---- shape ----

def shape_case():
    """The schema as LogicalTypes.md asks: three levels a list, key_value a map; ids stay."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    numbered = lambda f, n: f.with_metadata({"PARQUET:field_id": str(n)})
    t = pa.table([pa.array([[1, None], None, []]), pa.array([[("k", 1)], None, []],
                 pa.map_(pa.string(), pa.int32())), pa.array([{"x": [["a"]]}, None, {"x": None}])],
                 schema=pa.schema([
                     numbered(pa.field("l", pa.list_(numbered(pa.field("item", pa.int64()), 11))),
                              1),
                     numbered(pa.field("m", pa.map_(pa.string(), pa.int32())), 2),
                     numbered(pa.field("s", pa.struct([numbered(
                         pa.field("x", pa.list_(pa.list_(pa.string()))), 31)])), 3)]))
    with Scratch("nested") as s:
        source, target = s("in.parquet"), s("out.parquet")
        pq.write_table(t, source)
        harness.ok("copy", source, target)
        schema = str(pq.ParquetFile(target).schema)
        for line in ("optional group field_id=1 l (List) {", "repeated group field_id=-1 list {",
                     "optional int64 field_id=11 element;", "optional group field_id=2 m (Map) {",
                     "repeated group field_id=-1 key_value {",
                     "required binary field_id=-1 key (String);",
                     "optional int32 field_id=-1 value;", "optional group field_id=3 s {",
                     "optional group field_id=31 x (List) {",
                     "optional binary field_id=-1 element (String);"):
            if line not in schema:
                raise AssertionError(f"no {line!r} in {schema}")
        group = pq.ParquetFile(target).metadata.row_group(0)
        stats = group.column(0).statistics
        got = (group.column(0).num_values, stats.null_count, stats.min, stats.max,
               group.column(3).path_in_schema)
        if got != (4, 3, 1, 1, "s.x.list.element.list.element"):
            raise AssertionError(f"the footer says {got}")


def options_case():
    """Options of a nested column are for all of its leaves, those of a path for what is below."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    t = pa.table({"l": pa.array([[{"i": 1, "s": "x"}, None], []]),
                  "m": pa.array([[("k", 1.5)]] * 2, pa.map_(pa.string(), pa.float64()))})
    with Scratch("nested") as s:
        source, target = s("in.parquet"), s("out.parquet")
        write(source, t, 2)
        harness.ok("copy", source, target, "--compression", "snappy", "--compression", "l=gzip",
                   "--compression", "l.s=none", "--encoding", "m.value=byte-stream-split")
        group = pq.ParquetFile(target).metadata.row_group(0)
        got = [group.column(i).compression for i in range(4)]
        if got != ["GZIP", "UNCOMPRESSED", "SNAPPY", "SNAPPY"]:
            raise AssertionError(f"compression: {got}")
        if "BYTE_STREAM_SPLIT" not in group.column(3).encodings:
            raise AssertionError(f"encodings: {group.column(3).encodings}")
        check(source, target, ["l", "m"])
        ran = harness.narrows("copy", source, s("o.parquet"), "--encoding", "l=delta-binary-packed")
        if "column l.s, which is VARCHAR" not in harness.refused(ran, 2):
            raise AssertionError(ran.err)


def long_case():
    """A list that is longer than any page, batch or dictionary."""
    harness.library("pyarrow")
    import pyarrow as pa
    r = random.Random(1)
    rows = [[r.randrange(1 << 40) for _ in range(n)] for n in (3, 300_000, 0, 1, 150_000)]
    t = pa.table({"l": pa.array(rows), "i": pa.array(range(5))})
    with Scratch("nested") as s:
        source, target = s("in.parquet"), s("out.parquet")
        write(source, t, 5)
        for version in ("1", "2"):
            harness.ok("copy", source, target, "--memory", "64MiB", "--on-exists", "replace",
                       "--parquet-version", version)
            check(source, target, ["l", "i"])


def corpus_case():
    """Other writers' nested files that pyarrow reads: it reads the same in our copies."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    found, data = 0, os.path.join(harness.SHARED, "data")
    if not os.path.isdir(data):
        raise harness.Skip(f"{data} is not there")
    for path in sorted(glob.glob(os.path.join(data, "parquet-*", "**", "*.parquet"),
                                 recursive=True)):
        if "malformed" in path or not os.path.isfile(path):
            continue
        try:
            want = pq.ParquetFile(path).read()
            rows = want.to_pydict()
        except (OSError, ValueError, OverflowError, pa.ArrowException):
            continue
        if not any(pa.types.is_nested(f.type) for f in want.schema):
            continue
        found += 1
        with Scratch("nested") as s:
            target = s("out.parquet")
            harness.ok("copy", path, target, "--memory", "256MiB")
            harness.ok("verify", target)
            got = pq.ParquetFile(target).read().to_pydict()
            for name in rows:
                if str(rows[name]) != str(got[name]):
                    raise AssertionError(f"{path}: column {name} differs")
    if found < 30:
        raise AssertionError(f"only {found} nested files")


def cases(tier):
    some = range(24) if tier == "all" else range(6)
    for version in ("1", "2"):
        yield f"nested, version {version}, reads equal", lambda v=version: random_case(
            v, seeds=some), 300
        yield (f"nested, version {version}, small pages and dictionaries, reads equal",
               lambda v=version: random_case(v, "--data-page-size-limit", "1KiB",
                                             "--dictionary-size-limit", "500",
                                             "--row-group-size-bytes", "64KiB",
                                             seeds=[100 + n for n in some]), 300)
    yield "nested, without dictionaries, reads equal", lambda: random_case(
        "1", "--no-dictionary", "--compression", "none", seeds=[200, 201, 202]), 300
    yield "nested, at 24 MiB, reads equal", lambda: random_case(
        "1", "--memory", "24MiB", seeds=[300, 301, 302]), 300
    yield "nested files of DuckDB and Polars", peers_case, 300
    yield "nested files of the corpus, copied", corpus_case, 300
    yield "nested: the shape of lists and maps", shape_case
    yield "nested: options of columns and parts", options_case
    yield "nested: lists longer than a batch", long_case
