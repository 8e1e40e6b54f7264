"""Files by fastavro: random schemas with random values, every codec, blocks of any size."""
import io
import math
import os
import random
import struct
import sys

import harness
from harness import Scratch

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "corpus"))
import avro  # noqa: E402

CODECS = ("null", "deflate", "snappy", "zstandard", "bzip2", "xz")
WORDS = ("", "a", "twelve bytes", "thirteen byte", "Größe", "日本語", "\U0001f600" * 4, "x" * 300,
         "line\nbreak", "quote\"\\", "nul\0inside")


class Maker:
    """A random schema and values of it. Unions of several are written as (branch name, value)."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.names = 0
        self.enums = []

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def leaf(self):
        r = self.r
        size, digits = r.randint(1, 32), r.randint(1, 76)
        leaves = [
            "boolean", "int", "long", "float", "double", "bytes", "string",
            {"type": "int", "logicalType": "date"}, {"type": "int", "logicalType": "time-millis"},
            {"type": "long", "logicalType": "time-micros"},
            {"type": "long", "logicalType": r.choice(
                ["timestamp-millis", "timestamp-micros", "timestamp-nanos",
                 "local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos"])},
            {"type": "bytes", "logicalType": "decimal", "precision": digits,
             "scale": r.randint(0, digits)},
            {"type": "string", "logicalType": "uuid"},
            {"type": "long", "logicalType": "of-the-moon"},
            {"type": "fixed", "name": self.name(), "size": size},
            {"type": "fixed", "name": self.name(), "size": 12, "logicalType": "duration"},
            {"type": "fixed", "name": self.name(), "size": 16, "logicalType": "uuid"},
        ]
        if self.enums and r.random() < 0.2:
            return r.choice(self.enums)["name"]
        if r.random() < 0.1:
            enum = {"type": "enum", "name": self.name(), "symbols": ["ONE", "TWO", "THREE"]}
            self.enums.append(enum)
            return enum
        return r.choice(leaves)

    def branches(self, depth):
        kinds, found = set(), []
        for _ in range(self.r.randint(2, 4)):
            before = len(self.enums)
            t = self.type(depth + 1, union=False)
            kind = t if isinstance(t, str) else t["type"]
            if kind not in kinds and not (isinstance(t, str) and t.startswith("n")):
                kinds.add(kind)
                found.append(t)
            else:
                del self.enums[before:]
        found = found or ["string"]
        if self.r.random() < 0.5:
            found.insert(self.r.randint(0, len(found)), "null")
        return found

    def type(self, depth=0, union=True):
        x = self.r.random()
        if union and x < 0.2:
            pair = ["null", self.type(depth, union=False)]
            self.r.shuffle(pair)
            return pair
        if depth > 2 or x < 0.65:
            return self.leaf()
        if x < 0.75:
            return {"type": "array", "items": self.type(depth + 1)}
        if x < 0.83:
            return {"type": "map", "values": self.type(depth + 1)}
        if union and x < 0.9:
            return self.branches(depth)
        return self.record(depth + 1)

    def record(self, depth=0):
        return {"type": "record", "name": self.name(), "fields": [
            {"name": f"f{i}", "type": self.type(depth)} for i in range(self.r.randint(1, 5))]}

    def bytes(self, n=None):
        return self.r.randbytes(self.r.choice((0, 1, 5, 12, 13, 40)) if n is None else n)

    def whole(self, bits):
        bits = self.r.choice((1, 7, 14, bits - 1))
        return self.r.randint(-2**bits, 2**bits - 1)

    def number(self, t, kind):
        logical = t.get("logicalType", "")
        if logical == "date":
            return self.r.randint(-700000, 2900000)
        if logical.startswith("time-"):
            return self.r.randrange(86400 * avro.PER_SECOND[logical[5:]])
        if "timestamp-" in logical:
            return self.r.randint(-9 * 10**9, 9 * 10**9) * \
                avro.PER_SECOND[logical.rpartition("-")[2]] + self.r.randrange(1000)
        return self.whole(32 if kind == "int" else 64)

    def real(self, kind):
        x = self.r.choice((0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, self.r.gauss(0, 1e9)))
        return struct.unpack("f", struct.pack("f", x))[0] if kind == "float" else x

    def value(self, schema, type_):
        """(what fastavro writes, what is wanted)"""
        r = self.r
        kind, t = schema.resolve(type_)
        if kind == "union":
            n = r.randrange(len(t))
            if any(b == "null" for b in t) and r.random() < 0.3:
                n = t.index("null")
            inner = schema.resolve(t[n])
            raw, want = self.value(schema, t[n])
            return (inner[1].get("name", inner[0]), raw) if inner[0] != "null" else None, (n, want)
        if kind == "null":
            return None, None
        if kind == "boolean":
            return (r.random() < 0.5,) * 2
        if kind in ("int", "long"):
            return (self.number(t, kind),) * 2
        if kind in ("float", "double"):
            return (self.real(kind),) * 2
        if t.get("logicalType") == "decimal":
            from decimal import Decimal
            unscaled = r.randint(-10**t["precision"] + 1, 10**t["precision"] - 1)
            data = unscaled.to_bytes(33, "big", signed=True)[r.randint(0, 0):]
            sign = tuple(map(int, str(abs(unscaled))))
            return data, Decimal((unscaled < 0, sign, -t["scale"]))
        if t.get("logicalType") == "uuid":
            data = self.bytes(16)
            text = f"{data.hex()[:8]}-{data.hex()[8:12]}-{data.hex()[12:16]}-" \
                   f"{data.hex()[16:20]}-{data.hex()[20:]}"
            return (data if kind == "fixed" else text), text
        if t.get("logicalType") == "duration":
            return (struct.pack("<3I", r.randrange(99), r.randrange(40), r.randrange(10**8)),) * 2
        if kind == "bytes":
            return (self.bytes(),) * 2
        if kind == "fixed":
            return (self.bytes(t["size"]),) * 2
        if kind == "string":
            return (r.choice(WORDS),) * 2
        if kind == "enum":
            return (r.choice(t["symbols"]),) * 2
        return self.nested(schema, kind, t)

    def nested(self, schema, kind, t):
        n = self.r.choice((0, 1, 2, 5))
        if kind == "array":
            pairs = [self.value(schema, t["items"]) for _ in range(n)]
            return [a for a, _ in pairs], [b for _, b in pairs]
        if kind == "map":
            pairs = {f"k{i}" + self.r.choice(WORDS): self.value(schema, t["values"])
                     for i in range(n)}
        else:
            pairs = {f["name"]: self.value(schema, f["type"]) for f in t["fields"]}
        return {k: a for k, (a, _) in pairs.items()}, {k: b for k, (_, b) in pairs.items()}


def plain(t):
    """The schema without logical types: fastavro then takes bytes and numbers as they are."""
    if isinstance(t, list):
        return [plain(b) for b in t]
    if not isinstance(t, dict):
        return t
    return {k: [dict(f, type=plain(f["type"])) for f in v] if k == "fields"
            else plain(v) if k in ("items", "values") else v
            for k, v in t.items() if k != "logicalType"}


def write(path, schema, rows, codec, sync):
    """Encoded without logical types, with the full schema in the header."""
    harness.library("fastavro")
    import fastavro
    with open(path, "wb") as f:
        w = fastavro.write.Writer(f, plain(schema), codec=codec, sync_interval=sync)
        for row in rows:
            w.write(row)
        w.flush()
    return path


def with_schema(path, schema):
    """The file with another schema text in its header."""
    import json
    import fastavro
    with open(path, "rb") as f:
        data = f.read()
    reader = fastavro.block_reader(io.BytesIO(data))
    meta = {k: v.encode() if isinstance(v, str) else v for k, v in reader.metadata.items()}
    sync = data[-16:]
    meta["avro.schema"] = json.dumps(schema).encode()
    head = io.BytesIO()
    head.write(b"Obj\x01")
    head.write(varint(len(meta)))
    for key, value in meta.items():
        head.write(varint(len(key)) + key.encode() + varint(len(value)) + value)
    head.write(b"\0" + sync)
    with open(path, "wb") as f:
        f.write(head.getvalue() + data[data.index(sync) + 16:])


def varint(n):
    out, n = bytearray(), n << 1
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def random_case(seed):
    """A schema and its values by fastavro; also in Parquet, by part of the columns, in 32 MiB."""
    m = Maker(seed)
    t = m.record() if m.r.random() < 0.85 else m.type()
    schema = avro.Schema(t)
    pairs = [m.value(schema, t) for _ in range(m.r.choice((1, 20, 200)))]
    codec, sync = m.r.choice(CODECS), m.r.choice((1, 200, 16000, 10**6))
    with Scratch("oracle") as scratch:
        path = scratch("in.avro")
        write(path, t, [raw for raw, _ in pairs], codec, sync)
        with_schema(path, t)
        wanted = [want for _, want in pairs]
        ran = harness.ok("copy", path, "-", "-f", "json", "--memory", "64MiB")
        if ran.out.count(b"\n") != len(wanted):
            raise AssertionError(f"{ran.out.count(10)} rows of {len(wanted)}: {t}")
        try:
            avro.Comparison(t, tagged=True).rows(ran.out.decode(), wanted)
        except AssertionError as e:
            raise AssertionError(f"seed {seed}, {codec}: {e}; schema {t}") from e
        check_parts(path, ran.out, t)


def check_parts(path, all_rows, t):
    """One column alone, and a copy in Parquet, say the same."""
    import facts
    name = t["fields"][-1]["name"] if isinstance(t, dict) and t["type"] == "record" else "value"
    one = harness.ok("copy", path, "-", "-f", "json", "--select", name, "--memory", "64MiB")
    alone = [facts.parse_line(x) for x in one.out.decode().splitlines()]
    both = [facts.parse_line(x)[-1:] for x in all_rows.decode().splitlines()]
    if alone != both:
        raise AssertionError(f"--select {name} differs: {t}")
    harness.ok("verify", path)


def random_cases(first, n):
    for seed in range(first, first + n):
        random_case(seed)


def sizes_case(codec):
    """One block of 3 MB and blocks of a row: same rows, in 32 MiB, whatever the threads."""
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "id", "type": "long"}, {"name": "text", "type": ["null", "string"]},
        {"name": "list", "type": {"type": "array", "items": "int"}}]}
    rows = [{"id": i, "text": None if i % 3 else "row %d " % i * 5,
             "list": list(range(i % 7))} for i in range(70000)]
    with Scratch("oracle") as scratch:
        outs = []
        for n, sync in enumerate((10**9, 16000, 500)):
            path = write(scratch(f"{n}.avro"), schema, rows, codec, sync)
            for threads in ("1", "2"):
                out = scratch(f"{n}-{threads}.parquet")
                harness.ok("copy", path, out, "--memory", "32MiB", "--threads", threads)
                with open(out, "rb") as f:
                    outs.append(f.read())
        if any(o != outs[0] for o in outs):
            raise AssertionError("the bytes depend on blocks or threads")
        ran = harness.ok("count", path, "--where", "text is not null and id >= 60000")
        if int(ran.out) != sum(r["text"] is not None and r["id"] >= 60000 for r in rows):
            raise AssertionError(f"count says {ran.out}")
        tail = harness.ok("tail", path, "-n", "3", "-f", "json").out.decode()
        avro.Comparison(schema).rows(tail, rows[-3:])


def cases(tier):
    parts, each = (20, 50) if tier == "all" else (4, 15)
    for n in range(parts):
        yield (f"avro: random schemas by fastavro, part {n + 1}",
               lambda first=n * each: random_cases(first, each), 600)
    for codec in CODECS:
        yield f"avro: blocks of any size, {codec}", lambda c=codec: sizes_case(c), 240
