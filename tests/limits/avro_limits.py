"""Avro under the ceiling: files and blocks of any size, read and written."""
import json
import os
import random
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
        os.unlink(s("out.parquet"))
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
    """From Parquet to Avro and back: the peaks do not follow the rows. The smallest input is more
    than one row group, as less of one is less to hold."""
    with Scratch("avro") as s:
        paths = {n: s(f"{n}.avro") for n in sizes}

        def write(n):
            ran = ok("copy", files.growing(n), paths[n], "--memory", "32MiB", "--compression",
                     codec, "--threads", threads, "--on-exists", "replace", timeout=900)
            within(ran, 32)
            return ran.peak

        def read(n):
            ran = ok("copy", paths[n], s("out.parquet"), "--memory", "32MiB", "--threads", threads,
                     "--on-exists", "replace", timeout=900)
            within(ran, 32)
            sound(s("out.parquet"), n)
            return ran.peak
        return "; ".join((flat("written", write, sizes), flat("read", read, sizes)))


def large_file(size):
    """A file of `size` bytes, of blocks that repeat: their rows are counted, summed and copied."""
    each = 2000
    with Scratch("avro") as s:
        data = records(0, each)
        block = number(each) + number(len(data)) + data + SYNC
        blocks = size // len(block) + 1
        with open(s("in.avro"), "wb") as f:
            f.write(header("null"))
            for _ in range(blocks):
                f.write(block)

        def look(query, wanted):
            ran = ok("sql", f"SELECT {query} FROM '{s('in.avro')}'", "-f", "json", "--memory",
                     "64MiB", timeout=1800)
            within(ran, 64)
            if list(json.loads(ran.out).values()) != wanted:
                raise AssertionError(f"{query} is {ran.out}, wanted {wanted}")
            return ran
        summed = look("sum(id) AS a, count(text) AS b",
                      [blocks * sum(range(each)), blocks * (each - each // 5)])
        with open(s("small.avro"), "wb") as f:
            f.write(header("null") + block * 200)
        peaks = []
        for name, n in (("small.avro", 200), ("in.avro", blocks)):
            ran = ok("copy", s(name), s("out.avro"), "--compression", "zstd:1", "--memory",
                     "64MiB", "--on-exists", "replace", timeout=1800)
            within(ran, 64)
            peaks.append(ran.peak)
            if int(ok("count", s("out.avro")).out) != n * each:
                raise AssertionError(f"{name}: rows are missing")
        if peaks[1] > max(peaks[0] * 1.05, peaks[0] + 2 * MIB):
            raise AssertionError(f"not flat: {mib(peaks[0])}, then {mib(peaks[1])}")
    return (f"{blocks * each:,} rows, sum in {summed.seconds:.1f} s, peak {mib(summed.peak)}; "
            f"copied {mib(peaks[1])}, of {200 * len(block) / MIB:.0f} MiB {mib(peaks[0])}, "
            "of 64 MiB")


def room_for_pages(rows):
    """Of 64 MiB a reader takes what its runs need: the writer holds a row group's pages of some
    25 MiB, and little is spilled."""
    text = random.Random(7)
    with Scratch("avro") as s:
        with open(s("in.avro"), "wb") as f:
            f.write(header("null"))
            for at in range(0, rows, 500):
                data = b"".join(
                    number(i) + b"\x02" + number(100) + text.randbytes(50).hex().encode() + b"\0"
                    for i in range(at, at + 500))
                f.write(number(500) + number(len(data)) + data + SYNC)
        ran = ok("copy", s("in.avro"), s("out.parquet"), "--memory", "64MiB", "--threads", "2",
                 "--compression", "zstd", "--report", s("r.json"))
        within(ran, 64)
        sound(s("out.parquet"), rows)
        with open(s("r.json"), encoding="utf-8") as f:
            spilled = json.load(f)["spilled"]
        stored = os.path.getsize(s("out.parquet"))
    if stored < 24 * MIB or spilled > stored / 8:
        raise AssertionError(f"{mib(spilled)} were spilled of {mib(stored)}")
    return f"peak {mib(ran.peak)} of 64 MiB, spilled {mib(spilled)} of {mib(stored)}"


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
    rows = [1_200_000, 12_000_000]
    size = 1024 if full else 128
    for codec in ("null", "deflate"):
        yield f"avro: a block of {size} MiB, {codec}", \
            lambda c=codec: large_block(c, size * MIB), 900
    yield "avro: 100,000 blocks of a row", lambda: small_blocks(100_000), 600
    for codec, threads in (("snappy", "2"), ("zstd:1", "1")):
        yield f"avro: input grows, {codec}", lambda c=codec, t=threads: grows(rows, c, t), 1800
    if full:
        yield "avro: a file of 10 GiB", lambda: large_file(10 << 30), 3600
    yield "avro: room for pages", lambda: room_for_pages(450_000), 300
    yield "avro: 1,600 columns", lambda: wide(1600, 5000), 900
