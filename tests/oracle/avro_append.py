"""Rows added to Avro files, ours and fastavro's, and what is refused."""
import io
import json
import os

import harness
from harness import Scratch

CODECS = {"null": "none", "deflate": None, "snappy": None, "zstandard": "zstd", "bzip2": None,
          "xz": None}
FIELDS = [
    {"name": "id", "type": "long"},
    {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal",
                                        "precision": 9, "scale": 2}]},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "tags", "type": ["null", {"type": "array", "items": "string"}]},
    {"name": "who", "type": {"type": "record", "name": "an.other.Name", "fields": [
        {"name": "name", "type": ["null", "string"]}, {"name": "age", "type": "int"}]}},
    {"name": "marks", "type": {"type": "map", "values": ["null", "double"]}}]


def rows(first, n):
    from datetime import datetime, timedelta, timezone
    from decimal import Decimal
    start = datetime(2020, 1, 1, tzinfo=timezone.utc)
    return [{"id": i, "price": None if i % 3 == 0 else Decimal(i) / 100,
             "at": start + timedelta(seconds=i), "tags": None if i % 5 == 0 else ["a"] * (i % 4),
             "who": {"name": None if i % 7 == 0 else f"name {i}", "age": i % 100},
             "marks": {f"m{k}": None if k else i / 8 for k in range(i % 3)}}
            for i in range(first, first + n)]


def table(values):
    """The same as Arrow: all may be null, as pyarrow has it."""
    import pyarrow as pa
    return pa.Table.from_pylist(values, pa.schema([
        ("id", pa.int64()), ("price", pa.decimal128(9, 2)), ("at", pa.timestamp("us", "UTC")),
        ("tags", pa.list_(pa.string())),
        ("who", pa.struct([("name", pa.string()), ("age", pa.int32())])),
        ("marks", pa.map_(pa.string(), pa.float64()))]))


def read(path):
    import fastavro
    with open(path, "rb") as f:
        reader = fastavro.reader(f)
        return dict(reader.metadata), list(reader)


def bytes_of(path):
    with open(path, "rb") as f:
        return f.read()


def foreign_case(codec):
    """A file by fastavro: its header, marker and bytes stay, the rows come behind."""
    harness.library("fastavro")
    import fastavro
    import pyarrow.parquet as pq
    with Scratch("oracle") as s:
        path, more = s("a.avro"), s("more.parquet")
        schema = fastavro.parse_schema({"type": "record", "name": "org.Row", "doc": "by others",
                                        "fields": FIELDS})
        with open(path, "wb") as f:
            fastavro.writer(f, schema, rows(0, 400), codec=codec, sync_interval=4000,
                            metadata={"owner": "us"})
        before = bytes_of(path)
        pq.write_table(table(rows(400, 5000)), more)
        made = set()
        for threads in ("1", "2", "8"):
            with open(path, "wb") as f:
                f.write(before)
            harness.ok("copy", more, path, "--on-exists", "append", "--memory", "64MiB",
                       "--threads", threads, "--block-size", "16KiB", "--kv-metadata", "owner=us",
                       "--compression", CODECS[codec] or codec)
            made.add(bytes_of(path))
        if len(made) != 1 or not bytes_of(path).startswith(before):
            raise AssertionError(f"{len(made)} different files, or what was there has changed")
        metadata, values = read(path)
        if values != rows(0, 5400) or metadata != fastavro.reader(io.BytesIO(before)).metadata:
            raise AssertionError("fastavro reads something else")
        harness.ok("verify", path)
        count = harness.ok("count", path).out.decode().strip()
        if count != "5400":
            raise AssertionError(count)


def own_case():
    """The first run makes the file; the same rows are the same bytes each time."""
    import pyarrow.parquet as pq
    with Scratch("oracle") as s:
        path, once, source = s("a.avro"), s("once.avro"), s("in.parquet")
        pq.write_table(table(rows(0, 3000)), source)
        harness.ok("copy", source, once)
        for _ in range(3):
            harness.ok("copy", source, path, "--on-exists", "append")
        blocks = bytes_of(once)
        marker = blocks[-16:]
        header = blocks.index(marker) + 16
        if bytes_of(path) != blocks + 2 * blocks[header:]:
            raise AssertionError("the blocks of three runs differ")
        harness.ok("copy", path, path, "--on-exists", "append")  # to itself
        if harness.ok("count", path).out.strip() != b"18000":
            raise AssertionError("a file added to itself")
        harness.ok("sql", f"COPY (SELECT * FROM '{source}' LIMIT 7) TO '{path}' "
                          "(ON_EXISTS 'append')")
        if harness.ok("count", path).out.strip() != b"18007":
            raise AssertionError("COPY")


def same_but(change):
    fields = json.loads(json.dumps(FIELDS))
    change(fields)
    return fields


def refused_case():
    """What does not fit is told with its field, and nothing has changed."""
    harness.library("fastavro")
    import fastavro
    import pyarrow.parquet as pq

    def at(*path, value):
        def change(fields):
            for p in path[:-1]:
                fields = fields[p]
            fields[path[-1]] = value
        return change
    wrong = [
        (at(0, "type", value="int"), "column id: the file has int, the rows would be long"),
        (at(1, "type", 1, "scale", value=3), "column price: the file has decimal(9,3) on bytes"),
        (at(1, "type", value=["int", "null"]), "column price: the file has a union of int"),
        (at(2, "type", "logicalType", value="timestamp-millis"), "column at: the file has"),
        (at(3, "type", 1, "items", value="bytes"), "column tags: the file has bytes"),
        (at(4, "type", "fields", 1, "name", value="years"), "column who.years: the rows have age"),
        (at(5, "type", "values", 1, value="float"), "column marks: the file has"),
        (lambda f: f.append({"name": "more", "type": "int"}), "column more: the file has it"),
        (lambda f: f.pop(), "column marks: the rows have it"),
        (lambda f: f.insert(0, f.pop()), "column marks: the rows have id in its place")]
    with Scratch("oracle") as s:
        path, source = s("a.avro"), s("in.parquet")
        pq.write_table(table(rows(0, 10)), source)

        def refuse(wanted, *options, code=(1, 2), source=source):
            before = bytes_of(path)
            line = harness.refused(harness.narrows("copy", source, path, "--on-exists", "append",
                                                   *options), code=code)
            if wanted not in line or bytes_of(path) != before or sorted(os.listdir(s.path)) != \
                    ["a.avro", "in.parquet"]:
                raise AssertionError(f"{line!r}, wanted {wanted!r}; {os.listdir(s.path)}")
        for change, wanted in wrong:
            with open(path, "wb") as f:
                fastavro.writer(f, {"type": "record", "name": "r", "fields": same_but(change)}, [])
            refuse(wanted)
        with open(path, "wb") as f:
            fastavro.writer(f, {"type": "record", "name": "r", "fields": FIELDS}, rows(0, 3))
        refuse("--compression: the file has none", "--compression", "zstd")
        refuse("--kv-metadata: the file has not a=b", "--kv-metadata", "a=b")
        with open(path, "ab") as f:
            f.write(b"the rest of a block")
        refuse("does not end with its sync marker")
        with open(path, "wb") as f:
            f.write(b"not Avro at all")
        refuse("not an Avro file")
        with open(path, "wb") as f:
            fastavro.writer(f, "long", [1, 2])
        refuse("its values are of type long")
        os.unlink(path)
        harness.ok("copy", source, path)
        null = table(rows(0, 10)).to_pylist()
        with open(path, "wb") as f:
            fastavro.writer(f, {"type": "record", "name": "r", "fields": FIELDS}, rows(0, 3))
        null[6]["at"] = None
        pq.write_table(table([dict(r, marks=list(r["marks"])) for r in null]), source)
        refuse("column at: a value is null where the schema has none")
        line = harness.refused(harness.narrows("copy", source, source, "--on-exists", "append"),
                               code=(1, 2))
        if "adds rows to an Avro file" not in line:
            raise AssertionError(line)


def cases(tier):
    for codec in CODECS if tier == "all" else ("snappy", "null"):
        yield f"avro added to: a file by fastavro, {codec}", lambda c=codec: foreign_case(c), 120
    yield "avro added to: a file of our own", own_case, 120
    yield "avro added to: refusals", refused_case, 120
