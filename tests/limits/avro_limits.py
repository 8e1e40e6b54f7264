"""Avro under the ceiling: files and blocks of any size, read and written."""
import json
import zlib

import files
from checks import flat, sound, within
from harness import MIB, Scratch, mib, ok

SYNC = bytes(range(16))
SCHEMA = json.dumps({"type": "record", "name": "r", "fields": [
    {"name": "id", "type": "long"}, {"name": "text", "type": ["null", "string"]},
    {"name": "list", "type": {"type": "array", "items": "int"}}]}).encode()


def number(n):
    out, n = bytearray(), n << 1 ^ n >> 63
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def header(codec):
    pairs = ((b"avro.schema", SCHEMA), (b"avro.codec", codec.encode()))
    return b"Obj\x01" + number(2) + b"".join(
        number(len(x)) + x for pair in pairs for x in pair) + b"\0" + SYNC


def records(first, n):
    """Records as bytes: a long, a text of 100 bytes or null, a list of three."""
    text = b"\x02" + number(100) + b"some text " * 10
    tail = number(3) + b"\x02\x04\x06" + b"\0"
    return b"".join(number(i) + (b"\0" if i % 5 == 0 else text) + tail
                    for i in range(first, first + n))


def one_block(path, codec, size):
    """A file of a single block of about `size` bytes; returns its rows."""
    rows, packed = 0, path + ".packed"
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
    raw = 0
    with open(packed, "wb") as f:
        while raw < size:
            data = records(rows, 10000)
            rows += 10000
            raw += len(data)
            f.write(data if codec == "null" else squeeze.compress(data))
        if codec != "null":
            f.write(squeeze.flush())
        stored = f.tell()
    with open(packed, "rb") as f, open(path, "wb") as to:
        to.write(header(codec) + number(rows) + number(stored))
        while part := f.read(1 << 20):
            to.write(part)
        to.write(SYNC)
    return rows


def large_block(codec, size):
    with Scratch("avro") as s:
        rows = one_block(s("in.avro"), codec, size)
        ran = ok("copy", s("in.avro"), s("out.parquet"), "--memory", "32MiB", timeout=900)
        within(ran, 32)
        sound(s("out.parquet"), rows)
        looked = ok("count", s("in.avro"), "--where", "id >= 1000", "--memory", "32MiB")
        within(looked, 32)
        if int(looked.out) != rows - 1000:
            raise AssertionError(f"count says {looked.out}")
        checked = ok("verify", s("in.avro"), "--memory", "32MiB", timeout=900)
        within(checked, 32)
    return f"{rows:,} rows, peak {mib(ran.peak)} of 32 MiB, {ran.seconds:.1f} s"


def small_blocks(n):
    """Blocks of one row each."""
    with Scratch("avro") as s:
        with open(s("in.avro"), "wb") as f:
            f.write(header("null"))
            for i in range(n):
                data = records(i, 1)
                f.write(number(1) + number(len(data)) + data + SYNC)
        ran = ok("copy", s("in.avro"), s("out.parquet"), "--memory", "32MiB", timeout=300)
        within(ran, 32)
        sound(s("out.parquet"), n)
    return f"peak {mib(ran.peak)} of 32 MiB, {ran.seconds:.1f} s"


def grows(sizes, codec, threads):
    """From Parquet to Avro and back: the peaks do not follow the rows."""
    with Scratch("avro") as s:
        paths = {n: s(f"{n}.avro") for n in sizes}

        def write(n):
            ran = ok("copy", files.growing(n), paths[n], "--memory", "32MiB", "--compression",
                     codec, "--threads", threads, timeout=900)
            within(ran, 32)
            return ran.peak

        def read(n):
            ran = ok("copy", paths[n], s("out.parquet"), "--memory", "32MiB", "--threads", threads,
                     "--on-exists", "replace", timeout=900)
            within(ran, 32)
            sound(s("out.parquet"), n)
            return ran.peak
        return "; ".join((flat("written", write, sizes), flat("read", read, sizes)))


def wide(columns, rows):
    with Scratch("avro") as s:
        ran = ok("copy", files.wide(columns, rows), s("out.avro"), "--memory", "128MiB",
                 timeout=600)
        within(ran, 128)
        back = ok("copy", s("out.avro"), s("out.parquet"), "--memory", "128MiB", timeout=600)
        within(back, 128)
        sound(s("out.parquet"), rows)
    return f"written {mib(ran.peak)}, read {mib(back.peak)} of 128 MiB"


def cases(tier):
    full = tier == "all"
    rows = [1_000_000, 10_000_000] if full else [200_000, 2_000_000]
    size = 1024 if full else 128
    for codec in ("null", "deflate"):
        yield f"avro: a block of {size} MiB, {codec}", \
            lambda c=codec: large_block(c, size * MIB), 900
    yield "avro: 100,000 blocks of a row", lambda: small_blocks(100_000), 600
    for codec, threads in (("snappy", "2"), ("zstd:1", "1")):
        yield f"avro: input grows, {codec}", lambda c=codec, t=threads: grows(rows, c, t), 1800
    yield "avro: 1,600 columns", lambda: wide(1600, 5000), 900
