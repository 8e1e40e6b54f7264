"""Options of writing, each with its effect in the file, as others see it: bloom filters, sizes,
bounds, versions; and what stands beside the values: Arrow's schema, logical types."""
import base64
import decimal
import json
import os
import random

import compare
import harness
import thrift
from harness import Scratch

ROWS = 50000


def expect(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, wanted {wanted!r}")


def write(path, table, **options):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    pq.write_table(table, path, **options)


def simple():
    import pyarrow as pa
    r = random.Random(1)
    return pa.table({
        "id": pa.array(range(0, 3 * ROWS, 3), pa.int64()),
        "grows": pa.array([i % 100 if i < 25000 else i for i in range(ROWS)], pa.int64()),
        "few": pa.array([r.randrange(40) for _ in range(ROWS)], pa.int32()),
        "text": pa.array([None if r.random() < 0.1 else f"key {r.randrange(10**9)}"
                          for _ in range(ROWS)]),
        "real": pa.array([r.random() for _ in range(ROWS)]),
        "day": pa.array([r.randrange(20000) for _ in range(ROWS)], pa.int32()).cast(pa.date32()),
        "price": pa.array([decimal.Decimal(r.randrange(10**25)).scaleb(-2) for _ in range(ROWS)],
                          pa.decimal128(30, 2)),
        "flag": pa.array([r.random() < 0.5 for _ in range(ROWS)]),
        "tags": pa.array([[f"t{r.randrange(500)}" for _ in range(r.randrange(3))]
                          for _ in range(ROWS)])})


def copied(table, *arguments, **options):
    """(scratch folder, source, target) of a copy."""
    scratch = Scratch("writing")
    source, target = scratch("in.parquet"), scratch("out.parquet")
    write(source, table, **options)
    harness.ok("copy", source, target, *arguments)
    return scratch, source, target


# ---- bloom filters ----

def excluded(path, column, literals):
    """Of how many values DuckDB finds all filters of the column to say no."""
    duckdb = harness.library("duckdb")
    with duckdb.connect() as c:
        return sum(all(row[-1] for row in c.execute(
            f"FROM parquet_bloom_probe('{path}', '{column}', {x})").fetchall()) for x in literals)


def bloom_case(*arguments):
    columns = {"id": (lambda v: str(v), [3 * i + 1 for i in range(300)]),
               "text": (lambda v: f"'{v}'", [f"key -{i}" for i in range(300)]),
               "real": (lambda v: f"{v!r}::DOUBLE", [2.0 + i for i in range(300)]),
               "few": (lambda v: f"{v}::INTEGER", list(range(40, 340)))}
    table = simple()
    scratch, source, target = copied(table, "--bloom-filter", "id,text,real", "--bloom-filter",
                                     "few", *arguments)
    with scratch:
        compare.same_files(source, target)
        for name, (literal, absent) in columns.items():
            there = [v for v in table.column(name).to_pylist()[::167] if v is not None]
            expect(excluded(target, name, map(literal, there)), 0, f"{name}: values denied")
            if excluded(target, name, map(literal, absent)) < 285:  # 1 % may be thought there
                raise AssertionError(f"{name}: too many values that are not there are not denied")
        filters = {name: (c[3].get(14), c[3].get(15)) for name, c in thrift.chunks(target)}
        for name in ("day", "flag", "price", "tags.list.element"):
            expect(filters[name], (None, None), f"filter of {name}")
        first_index = min(c[6] for _, c in thrift.chunks(target))
        if any(at and at + n > first_index for at, n in filters.values()):
            raise AssertionError("filters do not lie before the page index")
        expect(filters["few"][1] <= 128, True, "a filter of forty values is small")


def bloom_same_bytes_case():
    """The filter is a function of rows and options, whatever memory and threads."""
    with Scratch("bloom") as scratch:
        source, written = scratch("in.parquet"), set()
        write(source, simple())
        for i, how in enumerate((("24MiB", "1"), ("40MiB", "4"), ("400MiB", "2"))):
            target = scratch(f"{i}.parquet")
            harness.ok("copy", source, target, "--bloom-filter", "*", "--row-group-size", "20000",
                       "--memory", how[0], "--threads", how[1])
            with open(target, "rb") as f:
                written.add(f.read())
        expect(len(written), 1, "different files")
        for name, chunk in thrift.chunks(target):
            expect(14 in chunk[3], name != "flag", f"{name} has a filter")


def bloom_pruned_case():
    """A value that is not there, asked for in its range: no data page is read."""
    with Scratch("bloom") as scratch:
        source, target, report = scratch("in.parquet"), scratch("out.parquet"), scratch("r.json")
        write(source, simple())
        harness.ok("copy", source, target, "--bloom-filter", "id,text,tags", "--row-group-size",
                   "10000")
        for where, rows in (("id = 3001", 0), ("id = 3000", 1), ("text = 'key 5'", 0),
                            ("id in (1, 2, 4, 148000)", 0)):
            harness.ok("copy", target, scratch("few.parquet"), "--on-exists", "replace",
                       "--where", where, "--report", report)
            with open(report, encoding="utf-8") as f:
                told = json.load(f)
            expect(told["rows"]["out"], rows, where)
            if not rows:
                expect(told["pruned"]["row_groups"], 5, f"{where}: row groups left out")
                expect(sum(c["pages_decompressed"] for c in told["columns"]), 0,
                       f"{where}: pages read")


def bloom_ratio_case():
    """Fewer false positives take more bytes; peers' filters of the same values are as large."""
    sizes = {}
    for ratio in ("0.2", "0.01", "0.1%"):
        scratch, _, target = copied(simple(), "--bloom-filter", "id",
                                    "--bloom-filter-false-positive-ratio", ratio)
        with scratch:
            sizes[ratio] = dict(thrift.chunks(target))["id"][3][15]
    if not sizes["0.2"] < sizes["0.01"] < sizes["0.1%"]:
        raise AssertionError(f"filters of {sizes} bytes")
    expect(sizes["0.01"] < 70000, True, "50,000 values at 1 % fit 64 KiB and a header")


# ---- Arrow's schema ----

def arrow_table():
    harness.library("pyarrow")
    import numpy
    import pyarrow as pa
    wide = pa.decimal256(20, 2)
    table = pa.table({
        "large": pa.array(["a", None], pa.large_string()),
        "view": pa.array(["a", "b"], pa.string_view()),
        "bytes": pa.array([b"a", b"b"], pa.large_binary()),
        "dict": pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), ["x", "y"],
                                               ordered=True),
        **{f"lasts {u}": pa.array([-5, None], pa.duration(u)) for u in ("s", "ms", "us", "ns")},
        "zone": pa.array([1, 2], pa.timestamp("us", "Europe/Berlin")),
        "offset": pa.array([1, None], pa.timestamp("ns", "+03:00")),
        "utc": pa.array([1, None], pa.timestamp("ms", "UTC")),
        "local": pa.array([1, None], pa.timestamp("ms")),
        "half": pa.array(numpy.array([1, 2], numpy.float16)),
        "four": pa.array([[1, 2, 3, 4], [5, 6, None, 8]], pa.list_(pa.int32(), 4)),
        "long": pa.array([[1], None], pa.large_list(pa.int8())),
        "wide": pa.array([decimal.Decimal("1.00"), None], wide),
        "narrow": pa.array([decimal.Decimal("1.00"), None], pa.decimal32(5, 2)),
        "uuid": pa.array([b"0" * 16, None], pa.uuid()),
        "json": pa.array(['{"a":1}', None], pa.json_()),
        "nothing": pa.nulls(2),
        "in list": pa.array([["a"], []], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.duration("us"))),
        "struct": pa.array([{"x": 1, "y": "z"}, None], pa.struct(
            [pa.field("x", pa.duration("ms"), metadata={"unit": "s"}),
             pa.field("y", pa.large_string())]))})
    fields = [f.with_metadata({"note": f.name}) if f.name in ("large", "local") else f
              for f in table.schema]
    return table.cast(pa.schema(fields, metadata={"own": "kept"}))


def arrow_case():
    """All that Arrow's reader restores of its own file, it restores of our copy; what others see
    does not change."""
    import pyarrow.parquet as pq
    scratch, source, target = copied(arrow_table())
    with scratch:
        a, b = pq.read_table(source), pq.read_table(target)
        for x, y in zip(a.schema, b.schema, strict=True):
            if not x.equals(y, check_metadata=True):
                raise AssertionError(f"{x.name}: {y} {y.metadata}, wanted {x} {x.metadata}")
            if not a.column(x.name).equals(b.column(x.name)):
                raise AssertionError(f"{x.name}: other values")
        expect(b.schema.metadata, a.schema.metadata, "metadata of the schema")
        compare.same_files(source, target, ["duckdb", "polars"])
        harness.ok("copy", target, scratch("again.parquet"),
                   "--no-keep-pages")
        with open(target, "rb") as f, open(scratch("again.parquet"), "rb") as g:
            expect(f.read() == g.read(), True, "a copy of the copy is the same")
        chosen = ["zone", "struct", "lasts s"]
        harness.ok("copy", source, scratch("few.parquet"), "--select",
                   ",".join(f'"{n}"' for n in chosen))
        few = pq.read_table(scratch("few.parquet"))
        expect(few.schema.names, chosen, "columns")
        expect(few.equals(a.select(chosen)), True, "chosen columns keep their types")


def arrow_only_where_needed_case():
    """Columns that Parquet says all of need no second schema; --kv-metadata wins."""
    import pyarrow as pa
    scratch, source, target = copied(pa.table({"x": pa.array([1, 2], pa.int64()),
                                               "y": ["a", "b"]}))
    with scratch:
        meta, _ = thrift.footer(target)
        expect([kv[1] for kv in meta.get(5, [])], [], "keys")
        harness.ok("copy", source, target, "--on-exists", "replace", "--kv-metadata",
                   "ARROW:schema=mine")
        meta, _ = thrift.footer(target)
        expect([kv[2] for kv in meta[5]], [b"mine"], "values")
        ran = harness.ok("copy", target, source, "--on-exists", "replace")
        if "ARROW:schema is damaged" not in ran.err:
            raise AssertionError(f"no note on what was left aside: {ran.err}")


def contradicted(change):
    """The footer's Arrow schema replaced: read as pyarrow does, or left aside; never a crash."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("arrow") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        table = pa.table({"a": pa.array([1, None], pa.int64()),
                          "b": pa.array([1, 2], pa.timestamp("us", "UTC")),
                          "c": ["x", "y"], "d": pa.array([[1], []], pa.list_(pa.int32()))})
        text = base64.b64encode(change.serialize().to_pybytes())
        pq.write_table(table, source, store_schema=False)
        harness.ok("copy", source, target, "--kv-metadata", "ARROW:schema=" + text.decode())
        harness.ok("copy", target, source, "--on-exists", "replace")
        want = pq.read_schema(target)
        expect(str(pq.read_schema(source).remove_metadata()), str(want.remove_metadata()), "schema")


def contradictions_case():
    import pyarrow as pa
    f = pa.field
    for fields in ([f("a", pa.duration("ms")), f("b", pa.timestamp("us", "Asia/Tokyo")),
                    f("c", pa.large_string()), f("d", pa.large_list(pa.int32()))],
                   [f("a", pa.string()), f("b", pa.int64()), f("c", pa.duration("s")),
                    f("d", pa.struct([f("x", pa.int8())]))],
                   [f("a", pa.duration("ns"))],
                   [f("a", pa.union([f("x", pa.int8())], "sparse")),
                    f("b", pa.timestamp("ns")), f("c", pa.binary_view()),
                    f("d", pa.list_(pa.int32(), 7))]):
        contradicted(pa.schema(fields))


# ---- sizes ----

def sizes(path):
    return {name: {k: v for k, v in chunk[3].get(16, {}).items()
                   if k == 1 or max(v, default=0) >= 0 and len(v) > 2 - (k == 2)}
            for name, chunk in thrift.chunks(path)}


def sizes_case(version):
    """Bytes of texts and levels, as pyarrow counts them for the same rows: in chunks and pages.
    What null counts tell (one optional level) is left out."""
    import nested_files
    scratch, source, target = copied(nested_files.table(), "--parquet-version", version,
                                     write_page_index=True, row_group_size=1500,
                                     data_page_size=1 << 30, max_rows_per_page=1 << 20)
    with scratch:
        harness.ok("copy", source, target, "--on-exists", "replace", "--row-group-size", "1500",
                   "--data-page-size-limit", "256MiB", "--parquet-version", version)
        want, got = sizes(source), sizes(target)
        expect(sorted(got), sorted(want), "columns")
        for name in want:
            flat = "." not in name
            expect(got[name], {k: v for k, v in want[name].items() if k == 1 or not flat}, name)
        ours, theirs = thrift.indexes(target), thrift.indexes(source)
        for (name, a, x), (_, b, y) in zip(ours, theirs, strict=True):
            expect(x.get(2), y.get(2), f"{name}: bytes of texts by page")
            if len(x[1]) == len(y[1]) and "." in name:
                expect((a.get(6), a.get(7)), (b.get(6) or None, b.get(7) or None),
                       f"{name}: levels by page")
        told = {c["name"]: c for c in json.loads(
            harness.ok("inspect", target, "--columns", "-f", "json").out)["columns"]}
        chunk_sums = {}
        for name, chunk in thrift.chunks(target):
            chunk_sums[name] = chunk_sums.get(name, 0) + chunk[3].get(16, {}).get(1, 0)
        for name in ("ll.list.element.list.element", "st.s"):
            expect(told[name]["text_bytes"], chunk_sums[name], f"inspect: {name}")
        expect(told["id"]["text_bytes"], None, "inspect: id")
        expect(sum(told["l.list.element"]["repetition_levels"]), told["l.list.element"]["nulls"] +
               sum(len([v for v in x if v is not None])
                   for x in nested_files.table().column("l").to_pylist() if x),
               "inspect: levels of a list")


# ---- the other options ----

def column(path, name, group=0):
    import pyarrow.parquet as pq
    meta = pq.ParquetFile(path).metadata.row_group(group)
    return next(meta.column(i) for i in range(meta.num_columns)
                if meta.column(i).path_in_schema == name)


def option_case(check, *arguments):
    scratch, source, target = copied(simple(), *arguments)
    with scratch:
        compare.same_files(source, target)
        check(target)


def pages(path, name):
    rows = json.loads(harness.ok("inspect", path, "--pages", "-f", "json").out)["pages"]
    return [p for p in rows if p["column"] == name]


def compression_by_column(path):
    for name, codec in (("id", "UNCOMPRESSED"), ("text", "GZIP"), ("few", "ZSTD"),
                        ("tags.list.element", "BROTLI")):
        expect(column(path, name).compression, codec, name)


def levels_case():
    """A level changes the size, of its column alone."""
    found = []
    for level in ("zstd:1", "zstd:19"):
        scratch, _, target = copied(simple(), "--compression", f"text={level}")
        with scratch:
            found.append((column(target, "text").total_compressed_size,
                          column(target, "price").total_compressed_size))
    expect(found[0][0] > found[1][0], True, f"text is smaller at level 19: {found}")
    expect(found[0][1], found[1][1], "price")


def dictionary_limit(path):
    expect(column(path, "few").has_dictionary_page, True, "few: dictionary")
    kinds = [p["encoding"] for p in pages(path, "grows") if p["kind"] == "DATA_PAGE"]
    expect((kinds[0], kinds[-1]), ("RLE_DICTIONARY", "PLAIN"), "the dictionary was given up")
    held = [p["uncompressed"] for p in pages(path, "grows") if p["kind"] == "DICTIONARY_PAGE"]
    expect(held[0] <= 4096, True, "it is no larger than the limit")


def no_dictionary(path):
    for name, chunk in thrift.chunks(path):
        expect(11 in chunk[3], False, f"{name}: dictionary")


def encodings_by_column(path):
    for name, encoding in (("id", "DELTA_BINARY_PACKED"), ("real", "BYTE_STREAM_SPLIT"),
                           ("text", "DELTA_BYTE_ARRAY"), ("few", "PLAIN")):
        expect(encoding in column(path, name).encodings, True, f"{name}: {encoding}")
        expect(column(path, name).has_dictionary_page, False, f"{name}: dictionary")


def page_size(path):
    bodies = [p["uncompressed"] for p in pages(path, "id") if p["kind"] == "DATA_PAGE"]
    expect(len(bodies), ROWS * 8 // 8192 + 1, "pages of 8 KiB")
    expect(max(bodies) <= 8192 + 64, True, "none is larger")


def data_page_v2(path):
    expect({p["kind"] for p in pages(path, "id")}, {"DATA_PAGE_V2"}, "pages")
    expect("DELTA_BINARY_PACKED" in column(path, "id").encodings, False, "encodings stay old ones")
    expect(thrift.footer(path)[0][1], 1, "version of the file")


def version_2_pages_1(path):
    expect({p["kind"] for p in pages(path, "id")}, {"DATA_PAGE"}, "pages")
    expect("DELTA_BINARY_PACKED" in column(path, "id").encodings, True, "encodings are new ones")
    expect(thrift.footer(path)[0][1], 2, "version of the file")


def statistics_off(path):
    for name, chunk in thrift.chunks(path):
        expect((12 in chunk[3], 16 in chunk[3], 6 in chunk), (False, False, False), name)
        expect(4 in chunk, True, f"{name}: offset index")


def truncated(path):
    statistics = dict(thrift.chunks(path))["text"][3][12]
    expect((statistics[5][:5], len(statistics[5]), len(statistics[6])), (b"key :", 5, 5), "bounds")
    expect((statistics[7], statistics[8]), (False, False), "bounds are said to be cut")
    for name, index, _ in thrift.indexes(path):
        if name == "text":
            expect({len(b) for b in index[2] + index[3]}, {5}, "bounds of pages")
    statistics = dict(thrift.chunks(path))["price"][3][12]
    expect(len(statistics[5]), 13, "decimals are not cut")


def no_page_index(path):
    for name, chunk in thrift.chunks(path):
        expect([k for k in (4, 5, 6, 7) if k in chunk], [], f"{name}: index")
        expect(12 in chunk[3], True, f"{name}: statistics")


def page_checksums(wanted):
    def check(path):
        meta, data = thrift.footer(path)
        for group in meta[4]:
            for chunk in group[1]:
                head = thrift.Reader(data, chunk[3].get(11, chunk[3][9])).struct()
                expect(4 in head, wanted, "the page header has a checksum")
    return check


def key_values(path):
    import pyarrow.parquet as pq
    kept = pq.ParquetFile(path).metadata.metadata
    expect({k: v for k, v in kept.items() if k != b"ARROW:schema"},
           {b"a": b"1=2", b"empty": b"", b"again": b"second"}, "keys and values")


def refusals_case():
    with Scratch("writing") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, simple().slice(0, 10))
        for arguments, words in (
                (("--bloom-filter", "flag"), "flag"), (("--bloom-filter", "nope"), "nope"),
                (("--bloom-filter", "id", "--bloom-filter-false-positive-ratio", "0"), "0.5"),
                (("--bloom-filter-false-positive-ratio", "x"), "not x"),
                (("--statistics-truncate-length", "0"), "1"), (("--data-page-version", "3"), "2"),
                (("--encoding", "flag=delta_byte_array"), "flag"), (("--encoding", "plain"), "COL"),
                (("--compression", "id=zstd:99"), "22"), (("--kv-metadata", "x"), "KEY=VALUE")):
            line = harness.refused(harness.narrows("copy", source, target, *arguments), 2)
            if words not in line:
                raise AssertionError(f"{arguments}: {line} does not say {words}")
            expect(os.path.exists(target), False, "a target is left")


# ---- logical types ----

def annotations(path):
    """Logical types in the order of the file."""
    meta, _ = thrift.footer(path)
    return [(e[4], e.get(10)) for e in meta[2][1:]]


def geometry_case():
    """GEOMETRY and GEOGRAPHY keep their parameters; no bounds are written for them."""
    found = 0
    with Scratch("geo") as scratch:
        for folder, _, names in os.walk(os.path.join(harness.SHARED, "data")):
            for name in names:
                source, target = os.path.join(folder, name), scratch("out.parquet")
                if not name.endswith(".parquet") or "malformed" in folder:
                    continue
                try:
                    marks = annotations(source)
                except Exception:  # noqa: BLE001  # not plain, or encrypted
                    continue
                if not any(mark and (set(mark) & {16, 17, 18}) for _, mark in marks):
                    continue
                found += 1
                harness.ok("copy", source, target, "--on-exists", "replace")
                kept = [m for m in marks if m[1] and set(m[1]) & {16, 17, 18}]
                for mark in kept:
                    expect(mark in annotations(target), True, f"{name}: {mark}")
                for path, chunk in thrift.chunks(target):
                    if path.encode() in {m[0] for m in kept}:
                        expect(set(chunk[3].get(12, {})) & {1, 2, 5, 6}, set(), f"{name}: bounds")
                compare.same_files(source, target, ["pyarrow"])
    if not found:
        raise harness.Skip("no such files in ../shared")
    return f"{found} files"


def variant_case():
    duckdb = harness.library("duckdb")
    with Scratch("variant") as scratch, duckdb.connect() as c:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        c.execute(f"""COPY (SELECT i, (CASE WHEN i % 3 = 0 THEN '{{"a":' || i || '}}' WHEN i % 3 = 1
                      THEN '[1,"x"]' ELSE '"s"' END)::JSON::VARIANT v FROM range(1000) t(i))
                      TO '{source}' (FORMAT parquet)""")
        harness.ok("copy", source, target)
        want, got = (c.execute(f"SELECT typeof(v), v::JSON FROM '{p}' ORDER BY i").fetchall()
                     for p in (source, target))
        expect(got, want, "rows")


def unknown_case():
    """A logical type of the future: values as they lie, and a note."""
    import pyarrow as pa
    with Scratch("unknown") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, pa.table({"u": pa.array([b"0" * 16] * 3, pa.uuid())}), store_schema=False)
        with open(source, "rb") as f:
            data = f.read()
        at = data.rfind(b"\xec\x00\x00")  # LogicalType with the empty struct 14, UUID
        if at < 0:
            raise AssertionError("no UUID annotation in the footer")
        changed = bytearray(data)
        changed[at] = 0xfc  # made 15, FLOAT16, which is not for 16 bytes
        with open(source, "wb") as f:
            f.write(changed)
        ran = harness.ok("copy", source, target)
        if "FLOAT16, which is not understood: its values are taken as FIXED(16)" not in ran.err:
            raise AssertionError(f"no note: {ran.err}")
        expect(compare.by_pyarrow(target).column(0).to_pylist(), [b"0" * 16] * 3, "values")


def decimals_case():
    """Every precision to 76 on every physical type that holds it, extremes included; as pyarrow has
    them, and written back."""
    import pyarrow as pa
    columns = {}
    for p in (1, 2, 4, 5, 9, 10, 18, 19, 28, 38, 39, 57, 75, 76):
        top = 10 ** p - 1
        values = [top, -top, 0, 1, -1, top // 3, None]
        with decimal.localcontext() as context:
            context.prec = 100
            for scale in {0, p // 2, p}:
                kind = pa.decimal128(p, scale) if p <= 38 else pa.decimal256(p, scale)
                columns[f"d{p}_{scale}"] = pa.array(
                    [None if v is None else decimal.Decimal(v).scaleb(-scale) for v in values],
                    kind)
    table = pa.table(columns)
    for integers in (False, True):
        scratch, source, target = copied(table, store_decimal_as_integer=integers)
        with scratch:
            compare.same_files(source, target, ["pyarrow"])
            harness.ok("copy", source, target, "--on-exists", "replace", "--bloom-filter", "*",
                       "--parquet-version", "2", "--no-dictionary")
            compare.same_files(source, target, ["pyarrow"])


def byte_decimals_case():
    """Decimals as BYTE_ARRAY, as short as each value allows: no peer here writes them, so they are
    made of binary ones by changing the schema."""
    duckdb = harness.library("duckdb")
    import pyarrow as pa
    values = [0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, -32768, 10**9, -10**17, 10**17]

    def short(v):
        n = 1
        while not -(1 << 8 * n - 1) <= v < 1 << 8 * n - 1:
            n += 1
        return v.to_bytes(n, "big", signed=True)

    with Scratch("decimal") as scratch:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        write(source, pa.table({"d": pa.array([short(v) for v in values], pa.binary())}),
              store_schema=False, use_dictionary=False, write_statistics=False)
        annotate_decimal(source, 18, 3)
        harness.ok("copy", source, target)
        want = [decimal.Decimal(v).scaleb(-3) for v in values]
        expect(compare.by_pyarrow(target).column(0).to_pylist(), want, "values")
        with duckdb.connect() as c:
            expect([r[0] for r in c.execute(f"SELECT d FROM '{source}'").fetchall()], want,
                   "DuckDB agrees about the source")


def annotate_decimal(path, precision, scale):
    """Makes the one BYTE_ARRAY column of a file a DECIMAL: converted type, scale, precision behind
    the name in its schema element."""
    with open(path, "rb") as f:
        data = f.read()
    length = int.from_bytes(data[-8:-4], "little")
    start = len(data) - 8 - length
    at = data.index(b"\x01d", start) + 2  # behind the name; field 4 was the last one
    more = bytes([0x25, 5 << 1, 0x15, scale << 1, 0x15, precision << 1])
    meta = data[start:at] + more + data[at:len(data) - 8]
    with open(path, "wb") as f:
        f.write(data[:start] + meta + len(meta).to_bytes(4, "little") + b"PAR1")


def times_case():
    """All units with and without zone, the ends of their ranges, by copy and read by all."""
    import pyarrow as pa
    ends = [-(1 << 63) + 1, -1, 0, 1, (1 << 63) - 2, None]
    table = pa.table({
        **{f"{u} {zone or 'local'}": pa.array(ends, pa.timestamp(u, zone))
           for u in ("ms", "us", "ns") for zone in (None, "UTC", "America/Lima")},
        "time ms": pa.array([0, 1, 86399999, None, 5, 6], pa.time32("ms")),
        "time us": pa.array([0, 1, 86399999999, None, 5, 6], pa.time64("us")),
        "time ns": pa.array([0, 1, 86399999999999, None, 5, 6], pa.time64("ns")),
        "date": pa.array([-(1 << 31) + 1, -1, 0, 1, (1 << 31) - 2, None], pa.date32()),
        **{f"u{n}": pa.array([0, 1, (1 << n) - 1, None, 2, 3], getattr(pa, f"uint{n}")())
           for n in (8, 16, 32, 64)},
        **{f"i{n}": pa.array([-(1 << n - 1), (1 << n - 1) - 1, 0, None, 2, 3],
                             getattr(pa, f"int{n}")()) for n in (8, 16, 32, 64)}})
    for version in ("1", "2"):
        scratch, source, target = copied(table, "--parquet-version", version)
        with scratch:
            compare.same_files(source, target, ["pyarrow"])
            import pyarrow.parquet as pq
            expect(str(pq.read_schema(target).remove_metadata()),
                   str(pq.read_schema(source).remove_metadata()), "schema")


def int96_case():
    """Nanoseconds as far as they go; beyond an error with the place, and microseconds as asked."""
    import datetime
    import pyarrow as pa
    import pyarrow.parquet as pq
    far = [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)]
    near = [datetime.datetime(1677, 9, 22), datetime.datetime(2262, 4, 11, 23, 47, 16)]
    for values, options, wanted in ((near, (), "ns"), (near, ("--read", "int96=us"), "us"),
                                    (far, ("--read", "int96=us"), "us"), (far, (), None)):
        with Scratch("int96") as scratch:
            source, target = scratch("in.parquet"), scratch("out.parquet")
            write(source, pa.table({"t": pa.array(values, pa.timestamp("us"))}),
                  use_deprecated_int96_timestamps=True)
            ran = harness.narrows("copy", source, target, *options)
            if not wanted:
                line = harness.refused(ran)
                if "column t" not in line or "int96=us" not in line:
                    raise AssertionError(line)
                continue
            expect(ran.code, 0, ran.err)
            got = pq.read_table(target).column(0)
            expect(got.type.unit, wanted, "unit")
            expect(got.cast(pa.timestamp("us")).to_pylist(), values, "values")


def kinds_case():
    """Interval, uuid, json, an enum's text, null: as DuckDB and pyarrow know them, annotated as in
    the source."""
    duckdb = harness.library("duckdb")
    with Scratch("kinds") as scratch, duckdb.connect() as c:
        source, target = scratch("in.parquet"), scratch("out.parquet")
        c.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        c.execute(f"""COPY (SELECT INTERVAL (i) DAY + INTERVAL (i % 5) MONTH gap, uuid() u,
                      ('{{"a":' || i || '}}')::JSON j, (CASE WHEN i % 2 = 0 THEN 'ok' END)::mood e,
                      NULL n, (i % 256)::UTINYINT small FROM range(1000) t(i))
                      TO '{source}' (FORMAT parquet)""")
        harness.ok("copy", source, target)
        compare.same_files(source, target, ["duckdb", "pyarrow"])
        marks, kept = ({name: e.get(6) for name, e in thrift.leaves(p).items()}
                       for p in (source, target))
        expect((marks["gap"], marks["j"]), (21, 19), "INTERVAL and JSON by DuckDB")
        for name in ("gap", "u", "j", "e", "small"):
            expect(kept[name], marks[name], name)
        expect(thrift.leaves(target)["u"][10], {14: {}}, "uuid")


OPTIONS = {
    "codec by column": (compression_by_column, "--compression", "id=none", "--compression",
                        "text=gzip:9", "--compression", "tags=brotli"),
    "dictionary size limit": (dictionary_limit, "--dictionary-size-limit", "4KiB"),
    "no dictionary": (no_dictionary, "--no-dictionary"),
    "encodings by column": (encodings_by_column, "--encoding", "id=delta_binary_packed",
                            "--encoding", "real=byte_stream_split", "--encoding",
                            "text=delta-byte-array", "--encoding", "few=plain"),
    "page size": (page_size, "--data-page-size-limit", "8KiB"),
    "data page version 2": (data_page_v2, "--data-page-version", "2"),
    "version 2, data pages 1": (version_2_pages_1, "--parquet-version", "2",
                                "--data-page-version", "1"),
    "no statistics": (statistics_off, "--no-statistics"),
    "length of bounds": (truncated, "--statistics-truncate-length", "5"),
    "no page index": (no_page_index, "--no-page-index"),
    "page checksums": (page_checksums(True),),
    "no page checksums": (page_checksums(False), "--no-page-checksum"),
    "keys and values": (key_values, "--kv-metadata", "a=1=2", "--kv-metadata", "empty=",
                        "--kv-metadata", "again=first", "--kv-metadata", "again=second"),
}


def cases(tier):
    yield "bloom filters as DuckDB probes them", bloom_case
    yield "bloom filters, version 2", lambda: bloom_case("--parquet-version", "2")
    yield "bloom filters without dictionaries", lambda: bloom_case("--no-dictionary")
    yield "bloom filters: same bytes", bloom_same_bytes_case
    yield "bloom filters: pages left out", bloom_pruned_case
    yield "bloom filters: false positives", bloom_ratio_case
    yield "Arrow's schema", arrow_case
    yield "Arrow's schema only where needed", arrow_only_where_needed_case
    yield "Arrow's schema that contradicts", contradictions_case
    for version in ("1", "2"):
        yield f"size statistics, version {version}", lambda v=version: sizes_case(v)
    for name, (check, *arguments) in OPTIONS.items():
        yield f"option: {name}", lambda c=check, a=arguments: option_case(c, *a)
    yield "option: level by column", levels_case
    yield "options that are refused", refusals_case
    yield "geometry, geography, variant keep what they are", geometry_case
    yield "variant as DuckDB reads it", variant_case
    yield "a logical type that is not understood", unknown_case
    yield "decimals of every width", decimals_case
    yield "decimals as byte arrays", byte_decimals_case
    yield "times, dates, whole numbers to their ends", times_case
    yield "INT96", int96_case
    yield "interval, uuid, json, enum, null", kinds_case
