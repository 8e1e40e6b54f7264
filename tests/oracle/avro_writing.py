"""Avro files that Narrows writes: read back by fastavro, by Polars and by itself."""
import hashlib
import json
import os

import avro_files
import harness
import nested_tables
import tables
from avro_files import avro
from harness import Scratch

CODECS = ("null", "deflate:1", "deflate", "snappy", "zstd", "zstd:19", "bzip2:1", "xz:0")
# Columns of tables.py that Avro has no type for: exact time in nanoseconds.
REFUSED = ("time_ns", "time64[ns]")


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def as_json(path):
    return harness.ok("copy", path, "-", "-f", "json", "--memory", "64MiB").out


def by_fastavro(path, rows):
    """What fastavro reads from our file, beside the rows as JSON of where it comes from."""
    harness.library("fastavro")
    import fastavro
    with open(path, "rb") as f:
        reader = fastavro.reader(f)
        schema = reader.writer_schema
        values = list(reader)
    if len(values) != rows.count(b"\n"):
        raise AssertionError(f"fastavro reads {len(values)} rows of {rows.count(10)}")
    avro.Comparison(schema).rows(rows.decode(), values)


def written(source, scratch, *options, name="out.avro"):
    """A copy of source as Avro, the same to us and to fastavro."""
    out = scratch(name)
    rows = as_json(source)
    harness.ok("copy", source, out, "--memory", "64MiB", *options)
    harness.ok("verify", out)
    if as_json(out) != rows:
        raise AssertionError(f"other rows come back from Avro: {options}")
    by_fastavro(out, rows)
    return out


def random_cases(first, n):
    """Files by fastavro of random schemas, read, written, and read by fastavro."""
    for seed in range(first, first + n):
        m = avro_files.Maker(seed)
        t = m.record()
        schema = avro.Schema(t)
        rows = [m.value(schema, t)[0] for _ in range(m.r.choice((1, 20, 200)))]
        with Scratch("oracle") as scratch:
            source = avro_files.write(scratch("in.avro"), t, rows, "null", 16000)
            avro_files.with_schema(source, t)
            try:
                written(source, scratch, "--compression", m.r.choice(CODECS), "--block-size",
                        m.r.choice(("1KiB", "10KiB", "128KiB")))
            except AssertionError as e:
                raise AssertionError(f"seed {seed}: {e}; schema {t}") from e


def types_case(nulls):
    """Every type of Parquet that Avro can carry, and what Polars makes of it."""
    import pyarrow.parquet as pq
    with Scratch("oracle") as scratch:
        table = tables.table(rows=3000, nulls=nulls)
        keep = [f.name for f in table.schema
                if str(f.type) not in REFUSED and not str(f.type).startswith("duration")]
        source = scratch("in.parquet")
        pq.write_table(table.select(keep), source)
        written(source, scratch)


def nested_case(seed):
    import pyarrow.parquet as pq
    with Scratch("oracle") as scratch:
        source = scratch("in.parquet")
        pq.write_table(nested_tables.table(seed, 500, names=("a", "fixed_5", "c1", "f")), source)
        written(source, scratch)


def polars_case():
    harness.library("polars")
    import polars
    import pyarrow.parquet as pq
    with Scratch("oracle") as scratch:
        source, out = scratch("in.parquet"), scratch("out.avro")
        names = ("bool", "int32", "int64", "float32", "float64", "string", "binary", "date32")
        table = tables.table(rows=2000)
        keep = [f.name for f in table.schema if str(f.type) in
                ("bool", "int32", "int64", "float", "double", "string", "binary", "date32[day]",
                 "timestamp[ms]", "timestamp[us]")]
        if len(keep) < len(names):
            raise AssertionError(f"too few columns: {keep}")
        pq.write_table(table.select(keep), source)
        for codec in ("null", "deflate", "snappy"):
            harness.ok("copy", source, out, "--compression", codec, "--on-exists", "replace")
            ours = polars.read_avro(out)
            wanted = polars.read_parquet(source).cast(dict(zip(ours.columns, ours.dtypes)))
            if not ours.equals(wanted):
                raise AssertionError(f"Polars reads something else, {codec}")


def same_bytes_case():
    """Whatever the threads, the memory, and how the input was cut."""
    with Scratch("oracle") as scratch:
        source, cut = scratch("in.parquet"), scratch("cut.parquet")
        harness.ok("gen", source, "--rows", "300000", "--column", "note=string:0..60", "--column",
                   "price=decimal(20,2)", "--column", "id=int64", "--nulls", "note=0.2")
        harness.ok("copy", source, cut, "--row-group-size", "7777", "--no-keep-pages",
                   "--no-dictionary")
        for codec in ("null", "zstd:1", "deflate:1"):
            seen = set()
            for n, (threads, memory, path) in enumerate([
                    ("1", "32MiB", source), ("2", "32MiB", source), ("8", "256MiB", source),
                    ("2", "256MiB", cut), ("1", "32MiB", cut)]):
                out = scratch(f"{n}.avro")
                harness.ok("copy", path, out, "--threads", threads, "--memory", memory,
                           "--compression", codec, "--on-exists", "replace")
                seen.add(digest(out))
            if len(seen) != 1:
                raise AssertionError(f"{codec}: {len(seen)} different files")
        again = scratch("again.avro")
        harness.ok("copy", out, again, "--compression", codec)
        if digest(again) != digest(out):
            raise AssertionError("a copy of the Avro file is another file")


def refusals_case():
    import pyarrow as pa
    import pyarrow.parquet as pq
    bad = {"a time": (pa.array([1], pa.time64("ns")), "t", "times in nanoseconds"),
           "a name": (pa.array([1]), "two words", "is no name in Avro"),
           "a digit": (pa.array([1]), "1st", "is no name in Avro")}
    with Scratch("oracle") as scratch:
        source, out = scratch("in.parquet"), scratch("out.avro")
        for array, name, wanted in bad.values():
            pq.write_table(pa.table({name: array}), source)
            line = harness.refused(harness.narrows("copy", source, out))
            if wanted not in line or os.path.exists(out):
                raise AssertionError(line)
        pq.write_table(pa.table({"a": [1]}), source)
        for words, wanted in ((("--compression", "brotli"), "Avro has no codec brotli"),
                              (("--compression", "a=zstd"), "holds all columns"),
                              (("--compression", "zstd:99"), "levels of zstd"),
                              (("--page-index",), "--page-index is for Parquet"),
                              (("--block-size", "1"), "--block-size is from"),
                              (("--kv-metadata", "avro.codec=xz"), "are Avro's")):
            line = harness.refused(harness.narrows("copy", source, out, *words), code=(1, 2))
            if wanted not in line:
                raise AssertionError(line)
        line = harness.refused(
            harness.narrows("copy", source, scratch("b.parquet"), "--block-size", "1MiB"),
            code=(1, 2))
        if "--block-size is for Avro" not in line:
            raise AssertionError(line)


def metadata_case():
    """Keys and values go from Parquet to Avro, and from Avro to Parquet."""
    import fastavro
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("oracle") as scratch:
        source, out, back = (scratch(n) for n in ("in.parquet", "out.avro", "back.parquet"))
        pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"owner": "us"}), source)
        harness.ok("copy", source, out, "--kv-metadata", "more=of it")
        with open(out, "rb") as f:
            seen = fastavro.reader(f).metadata
        if seen.get("owner") != "us" or seen.get("more") != "of it" or "ARROW:schema" in seen:
            raise AssertionError(str(seen))
        harness.ok("copy", out, back)
        if pq.read_metadata(back).metadata.get(b"owner") != b"us":
            raise AssertionError("lost on the way back")


def look_case():
    """inspect and schema -f avsc say what fastavro finds; asking for more ahead changes nothing."""
    import fastavro
    with Scratch("oracle") as scratch:
        source, out = scratch("in.parquet"), scratch("out.avro")
        harness.ok("gen", source, "--rows", "50000", "--column", "note=string:0..60", "--column",
                   "id=int64", "--nulls", "note=0.2")
        harness.ok("copy", source, out, "--compression", "null", "--block-size", "64KiB")
        told = json.loads(harness.ok("inspect", out, "-f", "json").out)
        with open(out, "rb") as f:
            blocks = list(fastavro.block_reader(f))
        plain = sum(len(b.bytes_.getvalue()) for b in blocks)
        if (told["rows"], told["blocks"], told["codec"]) != (50000, len(blocks), "null"):
            raise AssertionError(str(told))
        if abs(told["uncompressed"] - plain) > plain / 20:
            raise AssertionError(f"{told['uncompressed']} of {plain} bytes")
        with open(out, "rb") as f:
            schema = fastavro.reader(f).writer_schema
        for path in (source, out):
            text = json.loads(harness.ok("schema", path, "-f", "avsc").out)
            if fastavro.parse_schema(text)["fields"] != fastavro.parse_schema(schema)["fields"]:
                raise AssertionError(str(text))
        seen = {harness.ok("copy", out, "-", "-f", "csv", *words).out for words in (
            (), ("--read", "buffer_blocks=500"), ("--read", "buffer_bytes=1MiB"))}
        if len(seen) != 1:
            raise AssertionError("other rows where more is asked for ahead")
        for word in ("buffer_blocks=x", "buffer_bytes=lots", "buffers=3"):
            harness.refused(harness.narrows("head", out, "--read", word), code=(1, 2))


def cases(tier):
    parts, each = (20, 50) if tier == "all" else (4, 15)
    for n in range(parts):
        yield (f"avro written: random schemas, part {n + 1}",
               lambda first=10000 + n * each: random_cases(first, each), 600)
    for nulls in ("none", "some"):
        yield f"avro written: every type, nulls {nulls}", lambda x=nulls: types_case(x), 120
    for seed in range(20 if tier == "all" else 4):
        yield f"avro written: nested, {seed}", lambda s=seed: nested_case(s), 120
    yield "avro written: read by Polars", polars_case, 120
    yield "avro written: the same bytes", same_bytes_case, 300
    yield "avro written: refusals", refusals_case
    yield "avro written: metadata", metadata_case
    yield "avro written: looked at", look_case
