"""Arrow IPC by pyarrow and Polars, and for them: types, nulls, nesting, dictionaries, compression,
files and streams, also through pipes.
"""
import datetime
import decimal
import os
import random
import subprocess
import sys

import harness
from ipc_files import read
from harness import Scratch

WORDS = ["", "a", "twelve bytes", "thirteen byte", "Größe", "日本語", "x" * 300, "line\nbreak"]
CODECS = (None, "lz4", "zstd")


def modules():
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.ipc as ipc
    return pa, ipc


class Maker:
    """Random types of Arrow and arrays of them."""

    def __init__(self, seed):
        self.pa, _ = modules()
        self.r = random.Random(seed)

    def leaf(self):
        pa, r = self.pa, self.r
        p = r.randint(1, 76)
        return r.choice([
            pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(),
            pa.uint32(), pa.uint64(), pa.float32(), pa.float64(), pa.string(), pa.binary(),
            pa.large_string(), pa.large_binary(), pa.string_view(), pa.binary_view(),
            pa.binary(r.randint(1, 20)), pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"),
            pa.time64("us"), pa.timestamp("s"), pa.timestamp("ms", "UTC"),
            pa.timestamp("us", "Europe/Berlin"), pa.duration("ms"), pa.null(),
            pa.decimal256(p, r.randint(0, p)),
            pa.decimal128(min(p, 38), r.randint(0, min(p, 38))),
            pa.decimal64(min(p, 18), r.randint(0, min(p, 18))),
            pa.decimal32(min(p, 9), r.randint(0, min(p, 9)))])

    def type(self, depth=0):
        pa, r = self.pa, self.r
        if depth > 2 or r.random() < 0.55:
            return self.leaf()
        kind = r.randrange(9)
        if kind == 0:
            return pa.struct([(f"f{i}", self.type(depth + 1)) for i in range(r.randint(1, 3))])
        if kind == 1:
            return pa.list_(self.type(depth + 1))
        if kind == 2:
            return pa.large_list(self.type(depth + 1))
        if kind == 3:
            return pa.list_(self.type(depth + 1), r.randint(1, 3))
        if kind == 4:
            return pa.map_(pa.string(), self.type(depth + 1))
        if kind == 5:
            return pa.dictionary(r.choice([pa.int16(), pa.int32(), pa.uint32()]), pa.string())
        if kind == 6:
            return pa.dictionary(pa.int64(), r.choice([pa.int32(), pa.binary()]))
        if kind == 7:
            return pa.list_view(self.type(depth + 1))
        return pa.large_list_view(self.type(depth + 1))

    def value(self, t):
        pa, r = self.pa, self.r
        types = pa.types
        if types.is_null(t) or r.random() < 0.15:
            return None
        if types.is_dictionary(t):
            return self.value(t.value_type)
        if types.is_struct(t):
            return {t.field(i).name: self.value(t.field(i).type) for i in range(t.num_fields)}
        if types.is_map(t):
            return [(f"k{i}", self.value(t.item_type)) for i in range(r.randint(0, 3))]
        if types.is_fixed_size_list(t):
            return [self.value(t.value_type) for _ in range(t.list_size)]
        if types.is_nested(t):
            return [self.value(t.value_type) for _ in range(r.randint(0, 4))]
        return self.leaf_value(t)

    def leaf_value(self, t):
        pa, r = self.pa, self.r
        types = pa.types
        if types.is_boolean(t):
            return r.random() < 0.5
        if types.is_integer(t):
            low = -1 << (t.bit_width - 1) if types.is_signed_integer(t) else 0
            return r.choice([low, low + (1 << t.bit_width) - 1, 0, r.randrange(0, 127)])
        if types.is_floating(t):
            return r.choice([0.0, -1.5, float("inf"), 0.25, 2.0 ** r.randint(-30, 30)])
        if types.is_decimal(t):
            digits = r.randint(0, 10 ** r.randint(0, t.precision) - 1) * r.choice([1, -1])
            with decimal.localcontext() as c:
                c.prec = 100
                return decimal.Decimal(digits).scaleb(-t.scale)
        if types.is_date(t):
            return datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randint(-9999, 30000))
        if types.is_time(t):
            return datetime.time(r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))
        if types.is_timestamp(t):
            return datetime.datetime(r.randint(1700, 2200), 1, r.randint(1, 28), 5, 6, 7)
        if types.is_duration(t):
            return datetime.timedelta(milliseconds=r.randint(-10**9, 10**9))
        if types.is_fixed_size_binary(t):
            return r.randbytes(t.byte_width)
        word = r.choice(WORDS)
        return word if types.is_unicode(t) or "string" in str(t) else word.encode()

    def table(self):
        pa, r = self.pa, self.r
        n, columns = r.choice((0, 1, 7, 100, 3000)), r.randint(1, 6)
        arrays = [pa.array([self.value(t) for _ in range(n)], t)
                  for t in (self.type() for _ in range(columns))]
        table = pa.table(arrays, names=[f"c{i}" for i in range(columns)])
        if n > 10 and r.random() < 0.5:  # arrays that begin in the middle of their buffers
            table = table.slice(3, n - 5)
        return table


def write(path, table, codec=None, stream=False, rows=None, deltas=False):
    pa, ipc = modules()
    options = ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=deltas)
    new = ipc.new_stream if stream else ipc.new_file
    with new(str(path), table.schema, options=options) as w:
        w.write_table(table, max_chunksize=rows)
    return path


def plain(array):
    """Values by Python, dictionaries looked up."""
    return array.to_pylist()


def same(a, b, what):
    if not a.schema.equals(b.schema):
        raise AssertionError(f"{what}: schema {b.schema}, wanted {a.schema}")
    for i, field in enumerate(a.schema):
        one, two = plain(a.column(i)), plain(b.column(i))
        if one != two:
            at = next(n for n, (x, y) in enumerate(zip(one, two)) if x != y)
            raise AssertionError(f"{what}: {field}, row {at}: {two[at]!r}, wanted {one[at]!r}")


def random_case(seed):
    m = Maker(seed)
    table, r = m.table(), m.r
    codec, stream, rows = r.choice(CODECS), r.random() < 0.5, r.choice((None, 1, 50, 1000))
    if rows == 1 and len(table) > 200:
        rows = 64
    with Scratch("oracle") as scratch:
        source = write(scratch("in.arrow"), table, codec, stream, rows)
        if stream:  # dictionaries that are replaced need a stream
            table = read(source)
        out = scratch("out" + r.choice((".arrow", ".arrows", ".feather")))
        batch = r.choice((None, "1", "33", "5000"))
        if batch == "1" and len(table) > 200:
            batch = "33"
        harness.ok("copy", source, out, "--memory", "64MiB", "--compression",
                   r.choice(("none", "lz4", "zstd")), "--threads", r.choice("12"),
                   *(["--batch-size", batch] if batch else []))
        same(table, read(out), f"seed {seed}")
        again = scratch("again.arrow")
        harness.ok("copy", out, again, "--memory", "1GiB")
        harness.ok("copy", source, scratch("direct.arrow"), "--memory", "64MiB", "--threads", "1")
        with open(again, "rb") as f, open(scratch("direct.arrow"), "rb") as g:
            if f.read() != g.read():
                raise AssertionError(f"seed {seed}: the bytes depend on the way")


def random_cases(first, n):
    for seed in range(first, first + n):
        random_case(seed)


def run_ends_case():
    """Runs, whole and from the middle, alone and in structs and lists."""
    pa, _ = modules()
    values = pa.array(["a", None, "c" * 40, "d"])
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([3, 4, 1000, 1003], pa.int32()), values)
    numbers = pa.RunEndEncodedArray.from_arrays(
        pa.array([1, 500, 1003], pa.int16()), pa.array([1.5, None, -2.0]))
    table = pa.table({"runs": runs, "numbers": numbers, "id": list(range(1003)),
                      "s": pa.StructArray.from_arrays([runs, numbers], ["a", "b"])})
    for part in (table, table.slice(2, 900), table.slice(998)):
        with Scratch("oracle") as scratch:
            source = write(scratch("in.arrow"), part, "zstd", rows=700)
            harness.ok("copy", source, scratch("out.arrow"))
            got = read(scratch("out.arrow"))
            for name in part.column_names:
                if got.column(name).to_pylist() != part.column(name).to_pylist():
                    raise AssertionError(f"column {name} differs")


def dictionaries_case(kind):
    """Dictionaries that grow and are replaced within a stream."""
    pa, ipc = modules()
    parts = [["a", "b", None], ["a", "b", "c" * 30], ["z", "a"], ["z", "y" * 20, "a"], []]
    seen, batches = [], []
    for part in parts:
        if kind == "replaced":
            seen = []
        seen = seen + [x for x in dict.fromkeys(part) if x is not None and x not in seen]
        indices = pa.array([None if x is None else seen.index(x) for x in part], pa.int8())
        batches.append(pa.record_batch([pa.DictionaryArray.from_arrays(indices, pa.array(
            seen, pa.string()))], names=["d"]))
    with Scratch("oracle") as scratch:
        path = scratch("in.arrows")
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=kind == "grown")
        with ipc.new_stream(path, batches[0].schema, options=options) as w:
            for b in batches:
                w.write_batch(b)
        want = [x for part in parts for x in part]
        for out in ("out.arrow", "out.arrows"):
            harness.ok("copy", path, scratch(out), "--batch-size", "2")
            got = read(scratch(out))
            if got.column(0).to_pylist() != want or not pa.types.is_dictionary(got.schema[0].type):
                raise AssertionError(f"{out}: {got.column(0).to_pylist()}")
        harness.ok("copy", path, scratch("plain.arrow"), "--no-dictionary")
        if read(scratch("plain.arrow")).schema[0].type != pa.string():
            raise AssertionError("--no-dictionary left one")


def many_entries_case():
    """More entries than indices of 8 bits count are refused; a stream begins anew when its
    dictionary is large."""
    pa, _ = modules()
    words = [f"word {i}" for i in range(70000)]
    wide = pa.table({"d": pa.array(words).dictionary_encode()})
    small = pa.concat_tables(
        pa.table({"d": pa.array(words[i:i + 100]).dictionary_encode().cast(
            pa.dictionary(pa.int8(), pa.string()))}) for i in (0, 100))
    with Scratch("oracle") as scratch:
        source = write(scratch("wide.arrow"), wide)
        for out in ("out.arrow", "out.arrows"):
            harness.ok("copy", source, scratch(out), "--memory", "64MiB")
            if read(scratch(out)).column(0).to_pylist() != words:
                raise AssertionError(f"{out} differs")
        source = write(scratch("small.arrows"), small, stream=True)
        line = harness.refused(harness.narrows("copy", source, scratch("no.arrow")))
        if "--no-dictionary" not in line:
            raise AssertionError(line)


def polars_case(codec):
    harness.library("polars")
    import polars as pl
    r = random.Random(7)
    frame = pl.DataFrame({
        "id": range(5000), "text": [r.choice([*WORDS, None]) for _ in range(5000)],
        "x": [None if i % 7 == 0 else i / 3 for i in range(5000)],
        "list": [[j for j in range(i % 4)] for i in range(5000)],
        "s": [{"a": i, "b": str(i)} for i in range(5000)],
        "d": [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(5000)],
        "c": pl.Series([r.choice("abc") for _ in range(5000)], dtype=pl.Categorical),
        "e": pl.Series([r.choice("xy") for _ in range(5000)], dtype=pl.Enum(["x", "y"]))})
    name = codec or "uncompressed"
    with Scratch("oracle") as scratch:
        frame.write_ipc(scratch("in.arrow"), compression=name)
        frame.write_ipc_stream(scratch("in.arrows"), compression=name)
        for source in ("in.arrow", "in.arrows"):
            for out in ("out.arrow", "out.arrows"):
                harness.ok("copy", scratch(source), scratch(out), "--on-exists", "replace",
                           "--compression", codec or "none", "--memory", "64MiB")
                got = (pl.read_ipc if out == "out.arrow" else pl.read_ipc_stream)(scratch(out))
                for column in frame.columns:
                    if got[column].cast(pl.String, strict=False).to_list() != \
                            frame[column].cast(pl.String, strict=False).to_list() \
                            if column in "ce" else \
                            got[column].to_list() != frame[column].to_list():
                        raise AssertionError(f"{source} to {out}: column {column} differs")


PRODUCE = """
import sys
import {module}
{body}
"""
BODIES = {
    "pyarrow": ("pyarrow as pa, pyarrow.ipc as ipc", """
t = pa.table({"id": list(range(200000)), "word": ["w%d" % (i % 97) for i in range(200000)]})
with ipc.new_stream(sys.stdout.buffer, t.schema) as w:
    w.write_table(t, max_chunksize=5000)
""", """
t = ipc.open_stream(sys.stdin.buffer).read_all()
print(t.num_rows, sum(t["id"].to_pylist()), len(set(t["word"].to_pylist())))
"""),
    "polars": ("polars as pl", """
t = pl.DataFrame({"id": range(200000), "word": ["w%d" % (i % 97) for i in range(200000)]})
t.write_ipc_stream(sys.stdout.buffer, compat_level=pl.CompatLevel.oldest())
""", """
t = pl.read_ipc_stream(sys.stdin.buffer)
print(t.height, t["id"].sum(), t["word"].n_unique())
"""),
}


def pipe_case(library):
    """A program's stream in, filtered, and out to a program."""
    harness.library(library)
    module, produce, consume = BODIES[library]
    scripts = [PRODUCE.format(module=module, body=body) for body in (produce, consume)]
    narrows = [harness.need(harness.RELEASE), "copy", "-", "-", "-f", "arrow", "--where",
               "id >= 1000", "--memory", "64MiB", "-q"]
    make = subprocess.Popen([sys.executable, "-c", scripts[0]], stdout=subprocess.PIPE)
    move = subprocess.Popen(narrows, stdin=make.stdout, stdout=subprocess.PIPE)
    make.stdout.close()
    out = subprocess.run([sys.executable, "-c", scripts[1]], stdin=move.stdout,
                         capture_output=True, text=True, timeout=100, check=True).stdout
    move.stdout.close()
    if move.wait(20) or make.wait(20):
        raise AssertionError(f"exit {move.returncode}, {make.returncode}")
    want = f"199000 {sum(range(1000, 200000))} 97"
    if out.strip() != want:
        raise AssertionError(f"{out.strip()}, wanted {want}")


def through_parquet_case():
    """What Parquet carries of Arrow's layouts comes back."""
    m = Maker(5)
    pa = m.pa
    columns = {}
    for i, t in enumerate([pa.large_string(), pa.string_view(), pa.timestamp("us", "Europe/Berlin"),
                           pa.dictionary(pa.int16(), pa.string()), pa.duration("ms"),
                           pa.decimal256(20, 3), pa.list_(pa.int32(), 3), pa.date64(),
                           pa.map_(pa.string(), pa.large_list(pa.int8()))]):
        columns[f"c{i}"] = pa.array([m.value(t) for _ in range(500)], t)
    table = pa.table(columns)
    with Scratch("oracle") as scratch:
        source = write(scratch("in.arrow"), table)
        harness.ok("copy", source, scratch("out.parquet"))
        harness.ok("copy", scratch("out.parquet"), scratch("back.arrow"))
        same(table, read(scratch("back.arrow")), "through Parquet")


def one_batch_case(codec):
    """A single record batch of 60 MB goes through 32 MiB, and its rows are in one order."""
    pa, _ = modules()
    n = 1500000
    table = pa.table({"id": pa.array(range(n)), "half": pa.array([i / 2 for i in range(n)]),
                      "text": pa.array([f"value number {i} of them" for i in range(n)])})
    with Scratch("oracle") as scratch:
        source = write(scratch("in.arrow"), table, codec)
        ran = harness.ok("copy", source, scratch("out.arrow"), "--memory", "32MiB")
        if ran.peak > 32 << 20:
            raise AssertionError(f"peak {harness.mib(ran.peak)}")
        if not read(scratch("out.arrow")).equals(table):
            raise AssertionError("the rows differ")
        picked = harness.ok("copy", source, "-", "-f", "csv", "--where", "id % 50000 = 7",
                            "--select", "text,id", "--memory", "32MiB").out.decode().split()
        if len(picked) < n // 50000:
            raise AssertionError(f"{len(picked)} words")


def cases(tier):
    parts, each = (20, 40) if tier == "all" else (4, 12)
    for n in range(parts):
        yield (f"arrow: random tables by pyarrow, part {n + 1}",
               lambda first=n * each: random_cases(first, each), 600)
    yield "arrow: runs", run_ends_case, 120
    for kind in ("grown", "replaced"):
        yield f"arrow: dictionaries that are {kind}", lambda k=kind: dictionaries_case(k), 60
    yield "arrow: many dictionary entries", many_entries_case, 120
    yield "arrow: layouts through Parquet", through_parquet_case, 60
    for codec in CODECS:
        yield f"arrow: polars, {codec}", lambda c=codec: polars_case(c), 120
        yield f"arrow: one large record batch, {codec}", lambda c=codec: one_batch_case(c), 200
    for library in BODIES:
        yield f"arrow: a pipe from and to {library}", lambda x=library: pipe_case(x), 120
