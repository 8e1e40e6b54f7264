"""The two-way matrix: type x encoding x codec x data page version x nullability x nesting, written
by us and read by pyarrow, DuckDB and Polars, and written by each of these and read by us.

A cell is a column. A file holds the cells of one nesting, codec and page version, so that the whole
product is a few hundred files. What a peer cannot do stands in GAPS, with a reason: those cells are
counted and told, and a case of their own sees that each is still so.
"""
import functools
import hashlib
import random
import re
from collections import Counter, namedtuple

import compare
import harness
import tables
from harness import Scratch

ROWS = 300
KINDS = [n for n in tables.TYPES if n not in ("constant", "rising", "runs", "few", "few_int")]
KINDS += ["uuid", "json", "null"]
NULLS = ["required", "none", "some", "all"]
NESTINGS = ["flat", "struct", "list", "list_struct", "map", "list_list"]
CODECS = ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]
VERSIONS = ["1", "2"]

# Where the cell's values are in its column: for --encoding, and as the footer names it.
OWN_PATH = {"flat": "", "struct": ".v", "list": "", "list_struct": ".v", "map": ".value",
            "list_list": ""}
FILE_PATH = {"flat": "", "struct": ".v", "list": ".list.element", "list_struct": ".list.element.v",
             "map": ".key_value.value", "list_list": ".list.element.list.element"}

INT32 = ["int8", "int16", "int32", "uint8", "uint16", "uint32", "date", "time_ms", "decimal9"]
INT64 = ["int64", "uint64", "time_us", "time_ns", "ts_ms", "ts_us", "ts_ns", "tz_ms", "tz_us",
         "tz_ns", "decimal18"]
TEXT = ["utf8", "binary", "json"]
FIXED = ["fixed1", "fixed5", "fixed16", "uuid", "float16", "decimal38", "decimal76"]
FLOAT = ["float32", "float64"]

# Encodings.md: which types each encoding is for.
ENCODINGS = {
    "plain": KINDS,
    "dictionary": [n for n in KINDS if n not in ("bool", "null")],
    "delta-binary-packed": INT32 + INT64,
    "delta-length-byte-array": TEXT,
    "delta-byte-array": TEXT + FIXED,
    "byte-stream-split": INT32 + INT64 + FIXED + FLOAT,
    "rle": ["bool"],
}

Cell = namedtuple("Cell", "name kind encoding nulls nesting")
# `who` cannot do `what` ("read", "write") with cells of these kinds, encodings ... (None: any).
Gap = namedtuple("Gap", "who what why kinds encodings nestings nulls versions",
                 defaults=(None, None, None, None, None))

GAPS = [
    Gap("duckdb", "read", "byte-stream-split of fixed-length bytes", FIXED, ["byte-stream-split"],
        nulls=["required", "none", "some"]),
    Gap("polars", "read", "decimals of more than 38 digits", ["decimal76"]),
    Gap("polars", "read", "byte-stream-split and delta-byte-array of fixed-length bytes", FIXED,
        ["byte-stream-split", "delta-byte-array"], nulls=["required", "none", "some"]),
    Gap("polars", "write", "decimals of more than 38 digits, fixed-length bytes, Arrow's json",
        ["decimal76", "fixed1", "fixed5", "fixed16", "uuid", "json"]),
    Gap("polars", "read polars's", "the null type where Arrow's schema does not tell of it",
        ["null"]),
    Gap("pyarrow", "read duckdb's", "delta pages of 32-bit numbers of the whole range",
        ["int32", "uint32"], nulls=["required", "none", "some"], versions=["2"]),
]


def gap_of(who, what, cell, version):
    for gap in GAPS:
        if (gap.who == who and gap.what == what
                and (gap.kinds is None or cell.kind in gap.kinds)
                and (gap.encodings is None or cell.encoding in gap.encodings)
                and (gap.nestings is None or cell.nesting in gap.nestings)
                and (gap.nulls is None or cell.nulls in gap.nulls)
                and (gap.versions is None or version in gap.versions)):
            return gap
    return None


def split(who, what, cells, version):
    """The cells that a peer can do, and how many it cannot, by reason."""
    fine, left = [], Counter()
    for c in cells:
        gap = gap_of(who, what, c, version)
        if gap:
            left[f"{who} cannot {what}: {gap.why}"] += 1
        else:
            fine.append(c)
    return fine, left


def cells_of(nesting, encodings=None):
    found = []
    for encoding in encodings or ENCODINGS:
        for kind in ENCODINGS[encoding]:
            for nulls in NULLS if kind != "null" else ["all"]:
                name = f"{kind}_{encoding.replace('-', '_')}_{nulls}"
                found.append(Cell(name, kind, encoding, nulls, nesting))
    return found


# ---- values ----

def storage(kind):
    import pyarrow as pa
    return {"uuid": pa.binary(16), "json": pa.string(), "null": pa.null()}.get(
        kind) or tables.TYPES[kind][0]


def typed(array, kind):
    import pyarrow as pa
    own = {"uuid": pa.uuid, "json": pa.json_}.get(kind)
    return pa.ExtensionArray.from_storage(own(), array) if own else array


@functools.lru_cache(maxsize=None)
def leaf(kind, nulls, n, distinct):
    """n values, drawn from some distinct ones; edges of the type among them."""
    import numpy
    import pyarrow as pa
    r = random.Random(f"{kind}-{nulls}")
    if kind == "uuid":
        make = tables.fixed(16)
    elif kind == "json":
        make = lambda i, r: f'{{"n":{r.randrange(50)}}}'
    elif kind != "null":
        make = tables.TYPES[kind][1]
    if kind == "null" or nulls == "all":
        values = [None] * n
    else:
        pool = [make(i, r) for i in range(distinct)]
        if kind == "float16":
            pool = [numpy.float16(v) for v in pool]
        values = [r.choice(pool) for _ in range(n)]
    if nulls == "some":
        values = [None if r.random() < .2 else v for v in values]
    return typed(pa.array(values, storage(kind)), kind)


def values_of(cell, n):
    return leaf(cell.kind, cell.nulls, n, 12 if cell.encoding == "dictionary" else 60)


def shape(seed, n, nullable):
    """Offsets of n lists, empty and null ones among them, and which are null."""
    r = random.Random(seed)
    offsets, mask = [0], []
    for _ in range(n):
        null = nullable and r.random() < .15
        mask.append(null)
        offsets.append(offsets[-1] + (0 if null else r.choice([0, 1, 1, 2, 4])))
    return offsets, mask


def lists(seed, n, nullable, make, field):
    import pyarrow as pa
    offsets, mask = shape(seed, n, nullable)
    values = make(offsets[-1])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values,
                                    type=pa.list_(field),
                                    mask=pa.array(mask) if any(mask) else None)


def structs(cell, n, nullable, field):
    import pyarrow as pa
    r = random.Random(f"{cell.nulls}-struct-{n}")
    beside = pa.array(range(n), pa.int32())
    mask = pa.array([nullable and r.random() < .15 for _ in range(n)])
    return pa.StructArray.from_arrays(
        [values_of(cell, n), beside], mask=mask,
        fields=[field, pa.field("n", pa.int32(), nullable=nullable)])


def column(cell, rows=ROWS):
    """(field, array) of a cell."""
    import pyarrow as pa
    nullable = cell.nulls != "required"
    kind, seed = values_of(cell, 1).type, f"{cell.nulls}-{cell.nesting}"
    values = lambda n: values_of(cell, n)
    element = pa.field("element", kind, nullable=nullable)
    if cell.nesting == "flat":
        array = values(rows)
    elif cell.nesting == "struct":
        array = structs(cell, rows, nullable, element.with_name("v"))
    elif cell.nesting == "list":
        array = lists(seed, rows, nullable, values, element)
    elif cell.nesting == "list_struct":
        record = pa.struct([element.with_name("v"), pa.field("n", pa.int32(), nullable=nullable)])
        array = lists(seed, rows, nullable, lambda n: structs(cell, n, nullable,
                                                              element.with_name("v")),
                      pa.field("element", record, nullable=nullable))
    elif cell.nesting == "map":
        offsets, mask = shape(seed, rows, nullable)
        keys = pa.array([f"k{i}" for i in range(offsets[-1])])
        kind = pa.map_(pa.string(), element.with_name("value"))
        array = pa.MapArray.from_arrays(
            pa.array(offsets, pa.int32()), keys, values(offsets[-1]), type=kind,
            mask=pa.array(mask) if any(mask) else None)
    else:
        inner = pa.field("element", pa.list_(element), nullable=nullable)
        array = lists(seed, rows, nullable, lambda n: lists(seed + "-", n, nullable, values,
                                                            element), inner)
    return pa.field(cell.name, array.type, nullable=nullable), array


def table(cells):
    import pyarrow as pa
    made = [column(c) for c in cells]
    return pa.Table.from_arrays([a for _, a in made], schema=pa.schema([f for f, _ in made]))


# ---- comparing ----

LAYOUTS = {"large_string": "string", "string_view": "string", "large_binary": "binary",
           "binary_view": "binary"}


def parts(array, path=""):
    """(path, array without nesting) all the way down: lengths, what is null, values as bits."""
    import pyarrow as pa
    import pyarrow.compute as pc
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_map(array.type):
        entries = pa.StructArray.from_arrays([array.keys, array.items], ["key", "value"])
        array = pa.ListArray.from_arrays(array.offsets, entries, mask=array.is_null())
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        yield f"{path}: lengths", pc.list_value_length(array).cast(pa.int64())
        yield from parts(array.flatten(), path + ".element")
    elif pa.types.is_struct(array.type):
        yield f"{path}: nulls", array.is_null()
        valid = array.filter(array.is_valid())
        for i in range(array.type.num_fields):
            yield from parts(valid.field(i), f"{path}.{array.type.field(i).name}")
    else:
        yield path, compare.bits(array.cast(LAYOUTS.get(str(array.type), array.type)))


def same_column(want, got, what):
    for (path, a), (other, b) in zip(parts(want), parts(got), strict=True):
        if path != other or a.type != b.type:
            raise AssertionError(f"{what}{path} {a.type} is {other} {b.type}")
        if a.equals(b):
            continue
        if len(a) != len(b):
            raise AssertionError(f"{what}{path}: {len(b)} entries, wanted {len(a)}")
        for i in range(len(a)):
            if not a[i].equals(b[i]) and (a[i].is_valid or b[i].is_valid):
                raise AssertionError(f"{what}{path}, entry {i}: {b[i]}, wanted {a[i]}")
        raise AssertionError(f"{what}{path} differs")


def bare(kind):
    """The type without what is a matter of Arrow's layout and naming alone."""
    text = re.sub(r" \('\w+'\)", "", re.sub(r"list<\w+: ", "list<element: ", str(kind)))
    return re.sub(r"large_|_view", "", text)


def stored(text):
    """Without extension types: a peer that keeps Arrow's schema in its file has them from there."""
    return text.replace("extension<arrow.json>", "string").replace("extension<arrow.uuid>",
                                                                   "fixed_size_binary[16]")


def same(want, got, names, what, extensions=True):
    for name in names:
        a, b = want.schema.field(name).type, got.schema.field(name).type
        if bare(a) != bare(b) and (extensions or stored(bare(a)) != stored(bare(b))):
            raise AssertionError(f"{what}: column {name} is {b}, wanted {a}")
        same_column(want[name], got[name], f"{what}: {name}")


def by_duckdb(path, names):
    duckdb = harness.library("duckdb")
    listed = ", ".join(f'"{n}"' for n in names)
    with duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        return c.execute(f"SELECT {listed} FROM '{path}'").to_arrow_table()


def by_polars(path, names):
    return harness.library("polars").read_parquet(path, columns=names).to_arrow()


def read_by(who, path, names):
    if who == "pyarrow":
        import pyarrow.parquet as pq
        return pq.ParquetFile(path, page_checksum_verification=True).read(columns=names)
    return (by_duckdb if who == "duckdb" else by_polars)(path, names)


# ---- written by us ----

def own_file(source, target, cells, codec, version):
    """A copy in which each cell has its encoding; several pages and row groups."""
    arguments = ["--parquet-version", version, "--compression", codec, "--row-group-size", "170",
                 "--data-page-size-limit", "1KiB", "--memory", "256MiB"]
    for c in cells:
        arguments += ["--encoding", f"{c.name}{OWN_PATH[c.nesting]}={c.encoding}"]
    harness.ok("copy", source, target, *arguments)


def check_footer(path, cells, codec):
    """That the cells are what they are called: encoding and codec of each chunk."""
    import pyarrow.parquet as pq
    meta = pq.ParquetFile(path).metadata
    group = meta.row_group(0)
    chunks = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    for c in cells:
        chunk = chunks[c.name + FILE_PATH[c.nesting]]
        wanted = {"dictionary": "RLE_DICTIONARY"}.get(c.encoding,
                                                      c.encoding.upper().replace("-", "_"))
        if c.nulls != "all" and wanted not in chunk.encodings:
            raise AssertionError(f"{c.name} has encodings {chunk.encodings}")
        if chunk.compression not in {"none": ["UNCOMPRESSED"], "lz4": ["LZ4", "LZ4_RAW"]}.get(
                codec, [codec.upper()]):
            raise AssertionError(f"{c.name} has codec {chunk.compression}")


def written_case(nesting, codec, version):
    """Our file, as each peer reads it, against the values in memory (pyarrow), or against what the
    peer sees in pyarrow's plainest file of them."""
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    cells, told = cells_of(nesting), Counter()
    made = table(cells)
    with Scratch("matrix") as s:
        source, target = s("in.parquet"), s("out.parquet")
        pq.write_table(made, source, use_dictionary=False, compression="none", store_schema=False)
        own_file(source, target, cells, codec, version)
        check_footer(target, cells, codec)
        for who in ("pyarrow", "duckdb", "polars"):
            fine, left = split(who, "read", cells, version)
            names = [c.name for c in fine]
            told.update(left)
            told[f"{who} reads"] += len(fine)
            want = made if who == "pyarrow" else read_by(who, source, names)
            same(want, read_by(who, target, names), names, f"{who}'s reading")
    return note(told)


# ---- written by the peers ----

def by_pyarrow_case(nesting, codec, version):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    all_cells = cells_of(nesting)
    cells, told = split("pyarrow", "write", all_cells, version)
    made = table(cells)
    path = {c.name: c.name + FILE_PATH[nesting] for c in cells}
    with Scratch("matrix") as s:
        source, target = s("in.parquet"), s("out.parquet")
        pq.write_table(
            made, source, compression=codec, data_page_version=f"{version}.0", row_group_size=170,
            data_page_size=512, write_batch_size=40, write_page_index=version == "2",
            store_decimal_as_integer=True,
            use_dictionary=[path[c.name] for c in cells if c.encoding == "dictionary"],
            column_encoding={path[c.name]: c.encoding.upper().replace("-", "_") for c in cells
                             if c.encoding != "dictionary"})
        check_footer(source, cells, codec)
        harness.ok("copy", source, target, "--memory", "256MiB")
        harness.ok("verify", source)
        names = made.schema.names
        same(made, read_by("pyarrow", target, names), names, "our reading")
    told["read by us"] += len(cells)
    return note(told)


def peer_copy(s, who, source, cells, version, told):
    """Copies a peer's file: the peer sees the same in both, and so does pyarrow."""
    import pyarrow.parquet as pq
    target = s("out.parquet")
    harness.ok("copy", source, target, "--memory", "256MiB", "--on-exists", "replace")
    harness.ok("verify", source)
    for reader in (who, "pyarrow"):
        fine, left = split(reader, f"read {who}'s", cells, version)
        names = [c.name for c in fine]
        told.update(left)
        told[f"seen by {reader}"] += len(fine)
        same(read_by(reader, source, names), read_by(reader, target, names), names,
             f"{reader}'s reading", extensions=False)
    meta = pq.ParquetFile(source).metadata
    used = {e for g in range(meta.num_row_groups) for i in range(meta.num_columns)
            for e in meta.row_group(g).column(i).encodings}
    told["read by us"] += len(cells)
    return used


DUCKDB_CODEC = {"none": "uncompressed", "lz4": "lz4_raw"}


def by_duckdb_case(nesting, codec, version):
    """DuckDB chooses encodings itself: with its dictionaries and, where these are too small, the
    version's own."""
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    duckdb = harness.library("duckdb")
    cells, told = split("duckdb", "write", cells_of(nesting, ["plain"]), version)
    used = set()
    with Scratch("matrix") as s, duckdb.connect() as c:
        first, source = s("first.parquet"), s("in.parquet")
        pq.write_table(table(cells), first, use_dictionary=False, store_schema=False)
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        for limit in ("", ", DICTIONARY_SIZE_LIMIT 1"):
            c.execute(f"COPY (FROM '{first}') TO '{source}' (FORMAT parquet, PARQUET_VERSION "
                      f"v{version}, COMPRESSION {DUCKDB_CODEC.get(codec, codec)}{limit})")
            used |= peer_copy(s, "duckdb", source, cells, version, told)
    return note(told, used)


def by_polars_case(nesting, codec):
    harness.library("pyarrow")
    polars = harness.library("polars")
    cells, told = split("polars", "write", cells_of(nesting, ["plain"]), "1")
    with Scratch("matrix") as s:
        source = s("in.parquet")
        frame = polars.from_arrow(table(cells))
        frame.write_parquet(source, compression={"none": "uncompressed"}.get(codec, codec),
                            row_group_size=170, data_page_size=512)
        used = peer_copy(s, "polars", source, cells, "1", told)
    return note(told, used)


def note(told, encodings=()):
    return "; ".join([f"{k} {n}" for k, n in sorted(told.items())]
                     + (["encodings " + " ".join(sorted(encodings))] if encodings else []))


# ---- cases ----

def chosen(name, of):
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % of == 0


def cases(tier):
    for nesting in NESTINGS:
        for codec in CODECS:
            for version in VERSIONS:
                what = f"{nesting}, {codec}, data pages {version}"
                found = [(f"matrix: ours, {what}", written_case, (nesting, codec, version)),
                         (f"matrix: pyarrow's, {what}", by_pyarrow_case, (nesting, codec, version)),
                         (f"matrix: DuckDB's, {what}", by_duckdb_case, (nesting, codec, version))]
                if version == "1":
                    found.append((f"matrix: Polars', {what}", by_polars_case, (nesting, codec)))
                for name, function, arguments in found:
                    if tier == "all" or chosen(name, 12):
                        yield name, functools.partial(function, *arguments), 300
