"""Avro at its edges: values, shapes of files, lists in blocks with sizes, what must be refused, and
files of several schemas and codecs. fastavro writes and reads beside us; what it does not write is
put together here, and read by it."""
import io
import json
import math
import os
import zlib

import avro_files
import harness
from avro_files import avro
from harness import Scratch

SYNC = bytes(range(100, 116))


def number(n):
    """ "Binary Encoding": a long."""
    out, n = bytearray(), n << 1 ^ n >> 63
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def counted(data):
    return number(len(data)) + data


def header(schema, codec="null", sync=SYNC):
    text = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    pairs = ((b"avro.schema", text), (b"avro.codec", codec.encode()))
    return b"Obj\x01" + number(2) + b"".join(counted(x) for p in pairs for x in p) + b"\0" + sync


def block(rows, data, sync=SYNC):
    return number(rows) + counted(data) + sync


def record(**fields):
    return {"type": "record", "name": "r",
            "fields": [{"name": k, "type": t} for k, t in fields.items()]}


def put(path, *parts):
    with open(path, "wb") as f:
        f.write(b"".join(parts))
    return path


def as_json(path, *options):
    return harness.ok("copy", path, "-", "-f", "json", *options).out.decode()


def same(path, schema, *options):
    """We and fastavro read the same; returns the rows."""
    import fastavro
    with open(path, "rb") as f:
        wanted = list(fastavro.reader(f))
    avro.Comparison(schema).rows(as_json(path, *options), wanted)
    return wanted


# ---- values ----

TEXTS = ("", "x" * 10_000, "é" * 20_000, "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467",
         "עברית العربية", "e\u0301\u0323", "\U00010000\U0010ffff", "a\0b\0", "a\nb\r\n\t",
         "twelve bytes", "thirteen byte", "elevenbytes", "größe: 12 b", "größe: 13 by",
         "日本語日", "日本語日x")
EDGES = {
    "int": ("int", (0, -1, 1, 63, -64, 64, -65, 8191, 8192, 2**31 - 1, -2**31)),
    "long": ("long", (0, -1, 2**31, -2**31 - 1, 2**55 - 1, 2**55, -2**56, 2**63 - 1, -2**63)),
    "float": ("float", (0.0, -0.0, math.inf, -math.inf, math.nan, 1.401298464324817e-45,
                        1.1754943508222875e-38, 3.4028234663852886e38, -3.4028234663852886e38)),
    "double": ("double", (0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324,
                          2.2250738585072014e-308, 1.7976931348623157e308)),
    "string": ("string", TEXTS),
    "bytes": ("bytes", (b"", b"\0", b"\xff", b"\xff" * 12, b"\0" * 13, bytes(range(256)) * 40)),
    "list": ({"type": "array", "items": "long"}, ([], [7], list(range(-300, 300)))),
    "map": ({"type": "map", "values": "string"}, ({}, {"k": "v"}, {"": "", "ключ": "日本語",
                                                                  "\U0001f600": "x" * 40}))}


def values_case(codec):
    """Each value next to each other's, and each a record of a block of its own."""
    schema = record(**{k: t for k, (t, _) in EDGES.items()})
    n = max(len(v) for _, v in EDGES.values())
    rows = [{k: v[(i * step) % len(v)] for step, (k, (_, v)) in enumerate(EDGES.items(), 1)}
            for i in range(n)]
    with Scratch("oracle") as scratch:
        for sync in (1, 10**9):
            path = avro_files.write(scratch(f"{sync}.avro"), schema, rows, codec, sync)
            avro.Comparison(schema).rows(as_json(path, "--memory", "32MiB"), rows)
            for names in (("int", "float", "bytes"), ("double", "string", "map")):
                some = record(**{k: EDGES[k][0] for k in names})
                avro.Comparison(some).rows(as_json(path, "--select", ",".join(names)),
                                           [{k: r[k] for k in names} for r in rows])


# ---- lists ----

def in_blocks(items, sizes):
    """An array or map of encoded items in blocks; a negative size: with its bytes."""
    out = b""
    for size in sizes:
        part, items = b"".join(items[:abs(size)]), items[abs(size):]
        out += number(size) + (number(len(part)) if size < 0 else b"") + part
    return out + b"\0"


def lists_case():
    """Blocks with and without their bytes, in lists, maps and lists of lists."""
    schema = record(id="long", l={"type": "array", "items": "int"},
                    m={"type": "map", "values": "string"},
                    n={"type": "array", "items": {"type": "array", "items": "string"}},
                    after="string")
    data, rows = b"", 0
    for sizes in ((), (3,), (-3,), (1, -2), (-1, 1, -1), (-3, -3), (2, -4, 1, -70)):
        n = sum(map(abs, sizes))
        inner = [in_blocks([counted(b"%d" % k) for k in range(n)], sizes)] * n
        data += number(rows) + in_blocks([number(k - 40) for k in range(n)], sizes)
        data += in_blocks([counted(b"key %d" % k) + counted(b"v" * k) for k in range(n)], sizes)
        data += in_blocks(inner, sizes) + counted(b"the end of record %d" % rows)
        rows += 1
    with Scratch("oracle") as scratch:
        path = put(scratch("in.avro"), header(schema), block(rows, data) * 3)
        wanted = same(path, schema)
        for name in ("id,after", "l", "m", "n", "after,m"):
            taken = [{k: row[k] for k in name.split(",")} for row in wanted]
            types = {f["name"]: f["type"] for f in schema["fields"]}
            avro.Comparison(record(**{k: types[k] for k in taken[0]})).rows(
                as_json(path, "--select", name), taken)
        wrong = data.replace(in_blocks([number(k - 40) for k in range(3)], (-3,)),
                             number(-3) + number(4) + b"".join(number(k - 40) for k in range(3))
                             + b"\0", 1)
        line = harness.refused(harness.narrows("copy", put(scratch("bad.avro"), header(schema),
                                                           block(rows, wrong)), scratch("o.csv")))
        if "items of 3 bytes were announced with 4" not in line or "column l" not in line:
            raise AssertionError(line)


def empty_items_case():
    """Items of no bytes: as many as a record may have are read, more are refused at once."""
    schema = record(n={"type": "array", "items": "null"},
                    e={"type": "array", "items": {"type": "record", "name": "no", "fields": []}})
    with Scratch("oracle") as scratch:
        few = number(30_000) + b"\0" + number(-35_536) + b"\0\0"
        path = put(scratch("few.avro"), header(schema), block(2, few * 2))
        ran = harness.ok("copy", path, "-", "-f", "json").out.decode().splitlines()
        row = json.loads(ran[0])
        if len(ran) != 2 or row["n"] != [None] * 30_000 or len(row["e"]) != 35_536:
            raise AssertionError(f"{len(ran)} rows of {len(row['n'])} and {len(row['e'])}")
        for more in (number(30_000) + b"\0" + number(35_537) + b"\0", number(2**40) + b"\0\0"):
            path = put(scratch("many.avro"), header(schema), block(2, few + more))
            line = harness.refused(harness.narrows("copy", path, scratch("o.csv"), timeout=60))
            if "record 1" not in line or "more than 65536 items of no bytes" not in line:
                raise AssertionError(line)


# ---- files ----

def shapes_case():
    schema = record(id="long", text="string")
    def data(first, n):
        return b"".join(number(i) + counted(b"row %d" % i) for i in range(first, first + n))
    with Scratch("oracle") as scratch:
        head = header(schema)
        marked = b"".join(number(i) + counted(SYNC * 2) for i in range(3))
        for name, file, n in (
                ("header", head, 0), ("empty-blocks", head + block(0, b"") * 3, 0),
                ("empty-first", head + block(0, b"") + block(5, data(0, 5)), 5),
                ("empty-within", head + block(2, data(0, 2)) + block(0, b"") * 2
                 + block(3, data(2, 3)), 5),
                ("empty-last", head + block(5, data(0, 5)) + block(0, b""), 5)):
            path = put(scratch(f"{name}.avro"), file)
            if len(same(path, schema)) != n or int(harness.ok("count", path).out) != n:
                raise AssertionError(f"{name}: not {n} rows")
        # the marker's bytes as text: no end of a block. Not valid UTF-8 is the marker of ours, so
        # that one of letters is taken.
        path = put(scratch("marked.avro"), header(schema, sync=SYNC), block(3, marked),
                   block(2, data(0, 2)))
        if [r["text"] for r in same(path, schema)][:3] != [(SYNC * 2).decode()] * 3:
            raise AssertionError("text like the marker")
        ran = harness.narrows("copy", path, scratch("q.parquet"), "--on-bad-row", "quarantine")
        if ran.code != 0:
            raise AssertionError(f"quarantine finds damage: {ran.err}")
        nothing = put(scratch("nothing.avro"), b"")
        line = harness.refused(harness.narrows("count", nothing))
        if "nothing.avro" not in line:
            raise AssertionError(line)


def no_fields_case():
    """Records without fields, alone and inside; top levels of other types."""
    with Scratch("oracle") as scratch:
        path = put(scratch("r.avro"), header({"type": "record", "name": "r", "fields": []}),
                   block(7, b"") * 2)
        if int(harness.ok("count", path).out) != 14 or as_json(path).split() != ["{}"] * 14:
            raise AssertionError(as_json(path))
        inner = {"type": "record", "name": "e", "fields": []}
        path = put(scratch("i.avro"), header(record(a=inner, b="int")), block(2, b"\2\4"))
        if [r["b"] for r in same(path, record(a=inner, b="int"))] != [1, 2]:
            raise AssertionError("a record without fields inside")
        for n, (schema, data) in enumerate((
                ({"type": "array", "items": "int"}, b"\4\2\4\0" + b"\0"),
                ({"type": "map", "values": "int"}, b"\2\2k\2\0" + b"\0"),
                (["null", "string"], b"\0" + b"\2\4hi"), (["string"], b"\0\4hi" + b"\0\0"),
                ("long", number(2**40) + b"\1"))):
            same(put(scratch(f"{n}.avro"), header(schema), block(2, data)), schema)


# ---- many files ----

def many_case():
    """Every codec in one glob, with files without records between: all rows, in order of the names;
    limits and row numbers go on over files."""
    schema = record(id="long", text=["null", "string"])
    with Scratch("oracle") as scratch:
        rows, names = [], []
        for i, codec in enumerate(avro_files.CODECS * 2):
            part = [] if i in (0, 5, 11) else [
                {"id": len(rows) + k, "text": None if k % 3 else f"of {codec}"}
                for k in range(1 if i == 3 else 40)]
            avro_files.write(scratch(f"part-{i:02}.avro"), schema, part, codec, 200)
            names += [f"part-{i:02}.avro"] * len(part)
            rows += part
        every = scratch("part-*.avro")
        avro.Comparison(schema).rows(as_json(every), rows)
        avro.Comparison(schema).rows(as_json(every, "--limit", "100", "--threads", "2"), rows[:100])
        braces = scratch("part-{00,01,0[1-3]}.avro")
        avro.Comparison(schema).rows(as_json(braces), rows[:81])
        named = [json.loads(x) for x in as_json(every, "--read", "filename=true").splitlines()]
        if [os.path.basename(r["filename"]) for r in named] != names:
            raise AssertionError("filename=true")
        query = (f"SELECT count(*) AS n FROM (SELECT id, row_number() OVER () AS x FROM '{every}' "
                 "LIMIT 150) WHERE x = id + 1")
        if json.loads(harness.ok("sql", query, "-f", "json").out)["n"] != 150:
            raise AssertionError("row numbers over files")
        empty = scratch("part-{00,05,11}.avro")
        if as_json(empty) or int(harness.ok("count", empty).out):
            raise AssertionError("rows of empty files")
        line = harness.refused(harness.narrows("count", scratch("none-*.avro")))
        if "none-*.avro" not in line:
            raise AssertionError(line)
        line = harness.refused(harness.narrows("copy", every, "-", "-f", "csv", "--select",
                                               "id,nothing"), code=2)
        if "nothing" not in line:
            raise AssertionError(line)


def widened_case():
    """Files that differ: int and long, one field more."""
    with Scratch("oracle") as scratch:
        avro_files.write(scratch("1.avro"), record(a="int"), [{"a": 1}], "null", 100)
        avro_files.write(scratch("2.avro"), record(b=["null", "string"], a="long"),
                         [{"a": 2**40, "b": "x"}], "snappy", 100)
        found = [json.loads(x) for x in as_json(scratch("[12].avro")).splitlines()]
        if found != [{"a": 1, "b": None}, {"a": 2**40, "b": "x"}]:
            raise AssertionError(str(found))


def conditions_case(codec):
    """Conditions pushed down are what Python says, nulls and all; a limit is the first rows."""
    schema = record(id="long", x=["null", "int"], text=["string", "null"],
                    skipped={"type": "array", "items": "string"})
    rows = [{"id": i, "x": None if i % 7 == 0 else i * 37 % 100,
             "text": None if i % 5 == 0 else "abc"[i % 3] * (i % 4), "skipped": ["s"] * (i % 3)}
            for i in range(3000)]
    conditions = {
        "x is null": lambda r: r["x"] is None,
        "text is not null and x >= 50": lambda r: r["text"] is not None and (r["x"] or 0) >= 50,
        "x < 10 or text = 'aaa'": lambda r: (r["x"] is not None and r["x"] < 10)
        or r["text"] == "aaa",
        "not (x > 20)": lambda r: r["x"] is not None and r["x"] <= 20,
        "x in (1, 2, 3)": lambda r: r["x"] in (1, 2, 3),
        "x between 10 and 20 and id > 1000": lambda r: r["x"] is not None and 10 <= r["x"] <= 20
        and r["id"] > 1000}
    with Scratch("oracle") as scratch:
        path = avro_files.write(scratch("in.avro"), schema, rows, codec, 1500)
        for condition, holds in conditions.items():
            wanted = [r["id"] for r in rows if holds(r)]
            for limit in (None, 17):
                few = ("--limit", limit) if limit else ()
                out = harness.ok("copy", path, "-", "-f", "csv", "--select", "id", "--where",
                                 condition, *few).out.split()[1:]
                if [int(x) for x in out] != wanted[:limit]:
                    raise AssertionError(f"{condition}, limit {limit}: {len(out)} rows")


# ---- what must be refused ----

def snappy_block(data, crc):
    """ "Required Codecs", snappy: one literal, then the CRC-32 of the data."""
    packed = number_plain(len(data)) + bytes([(len(data) - 1) << 2]) + data
    return packed + crc


def number_plain(n):
    assert n < 128
    return bytes([n])


def refusals():
    """name: (file, words of the sentence, place)"""
    one = record(id="long", text="string")
    good = number(1) + counted(b"text")
    head, body = header(one), block(1, good)
    crc = zlib.crc32(good).to_bytes(4, "big")
    snappy = header(one, "snappy")
    at = ("block 0",)
    yield "unknown codec", header(one, "lz4") + body, ("lz4",), ()
    yield "codec in capitals", header(one, "Deflate") + body, ("Deflate",), ()
    yield "snappy, wrong CRC", snappy + block(1, snappy_block(good, b"\0\0\0\0")), ("checksum",), at
    yield "snappy, CRC too short", snappy + block(1, snappy_block(good, crc[:2])), (), at
    yield "snappy, CRC alone", snappy + block(1, crc), (), at
    yield "snappy, no bytes", snappy + block(1, b""), (), at
    yield "deflate, no bytes", header(one, "deflate") + block(1, b""), (), at
    yield "number of 11 bytes", head + block(1, b"\xff" * 10 + b"\1\0"), ("10 bytes",), \
        (*at, "record 0", "column id")
    yield "number over 64 bits", head + block(1, b"\xff" * 9 + b"\2\0"), ("10 bytes",), at
    yield "int over 32 bits", header(record(i="int")) + block(1, number(2**31)), ("32 bits",), \
        (*at, "column i")
    yield "length below 0", head + block(1, b"\2" + number(-1)), ("negative",), \
        (*at, "column text")
    yield "length behind the end", head + block(1, b"\2" + number(100) + b"text"), ("end",), \
        (*at, "column text")
    yield "length of 63 bits", head + block(1, b"\2" + number(2**62)), ("end",), at
    yield "bad UTF-8", head + block(1, b"\2" + counted(b"caf\xe9 and more of it")), ("UTF-8",), \
        (*at, "column text")
    yield "boolean of 2", header(record(b="boolean")) + block(1, b"\2"), ("boolean",), \
        (*at, "column b")
    yield "enum without the symbol", header(record(e={
        "type": "enum", "name": "e", "symbols": ["A"]})) + block(1, b"\2"), ("symbol",), at
    yield "branch 2 of 2", header(record(u=["null", "int"])) + block(1, b"\4"), ("union",), at
    yield "branch below 0", header(record(u=["null", "int"])) + block(1, b"\1"), ("union",), at
    yield "list of 2^60", header(record(l={"type": "array", "items": "int"})) \
        + block(1, number(2**60) + b"\2\0"), (), (*at, "column l")
    yield "list of size -1", header(record(l={"type": "array", "items": "int"})) \
        + block(1, number(-2) + number(-1) + b"\2\2\0"), ("size",), at
    yield "records below 0", head + block(-1, good), (), at
    yield "size below 0", head + number(1) + number(-5) + good + SYNC, (), at
    yield "size over the file", head + number(1) + number(10**6) + good + SYNC, (), at
    yield "2^60 records", head + block(2**60, good), (), at
    yield "a record more", head + block(2, good), ("end",), (*at, "record 1")
    yield "bytes behind the last record", head + block(1, good + b"\0"), ("bytes follow",), at
    yield "data cut off", head + body[:-20], (), at
    yield "marker cut off", head + body + body[:-1], (), ()
    yield "another marker", head + block(1, good, bytes(16)) + body, ("marker",), ()
    yield "stray bytes", head + body + b"stray" + body, (), ("block 1",)
    yield "wrong magic", b"Obj\2" + (head + body)[4:], (), ()
    yield "header cut off", head[:20], (), ()
    yield "schema is no JSON", header(b"{\"type\": \"record\"") + body, (), ()
    yield "a type nobody defines", header(record(x="nobody")) + body, ("nobody",), ()
    yield "no symbols", header(record(e={"type": "enum", "name": "e"})) + body, (), ()
    yield "fixed without size", header(record(e={"type": "fixed", "name": "e"})) + body, (), ()
    yield "name twice", header(record(a={"type": "fixed", "name": "e", "size": 1}, b={
        "type": "fixed", "name": "e", "size": 2})) + body, ("e",), ()


def refused_case():
    with Scratch("oracle") as scratch:
        for name, file, words, places in refusals():
            path = put(scratch("bad.avro"), file)
            ran = harness.narrows("copy", path, scratch("out.parquet"), timeout=60)
            try:
                line = harness.refused(ran)
            except AssertionError as e:
                raise AssertionError(f"{name}: {e}") from e
            missing = [w for w in ("bad.avro", *words, *places) if w not in line]
            if missing or os.path.exists(scratch("out.parquet")):
                raise AssertionError(f"{name}: no {missing} in: {line}")


def lenient_case():
    """What the specification forbids of a schema and files have all the same, or does not: either
    way one answer, the rows or a sentence, and the same of all commands."""
    ints, decimals = b"\2\2\2\4", b"\2\2\1\0"
    with Scratch("oracle") as scratch:
        for name, schema in (("union with a branch twice", record(u=["int", "int"])),
                             ("union in a union", record(u=["null", ["int", "string"]])),
                             ("names with blanks", record(**{"a b": ["null", "int"]})),
                             ("names from a digit on", record(**{"1x": ["null", "int"]})),
                             ("an unknown logical type", record(u=[
                                 "int", {"type": "long", "logicalType": "of-the-moon"}])),
                             ("a precision of 0", record(u=["null", {
                                 "type": "bytes", "logicalType": "decimal", "precision": 0}]))):
            data = decimals if "precision" in name else ints
            path = put(scratch("in.avro"), header(schema), block(2, data))
            codes = {harness.narrows(*c).code != 0 for c in (
                ("schema", path), ("copy", path, scratch("o.csv"), "--on-exists", "replace"))}
            if len(codes) != 1:
                raise AssertionError(f"{name}: schema and copy differ")


def cases(tier):
    for codec in avro_files.CODECS if tier == "all" else ("null", "snappy"):
        yield f"avro edges: values, {codec}", lambda c=codec: values_case(c), 120
    yield "avro edges: lists in blocks", lists_case
    yield "avro edges: items of no bytes", empty_items_case
    yield "avro edges: shapes of files", shapes_case
    yield "avro edges: no fields, other top levels", no_fields_case
    yield "avro edges: many files", many_case
    yield "avro edges: files that differ", widened_case
    for codec in ("null", "snappy"):
        yield f"avro edges: conditions, {codec}", lambda c=codec: conditions_case(c), 120
    yield "avro edges: refused", refused_case, 120
    yield "avro edges: lenient", lenient_case
