"""Small files that ask for much: counts that overflow, sizes that lie, levels that never end a row,
offsets that point in circles, a few bytes that decompress to very many. Made here, byte by byte, in
Thrift's compact protocol.

Each is read, verified and inspected under a ceiling and a clock. What lies must be refused with its
place; what is only large may be read.
"""
import os
import subprocess
import zlib

import harness
import refusal
import sanitized
from harness import Scratch

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
INT32, INT64, BYTE_ARRAY = 1, 2, 6
MOST = (1 << 31) - 1


# ---- Thrift's compact protocol ----

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def value(kind, v):
    if kind in (I32, I64):
        return zigzag(v)
    if kind == BINARY:
        v = v.encode() if isinstance(v, str) else v
        return varint(len(v)) + v
    if kind == LIST:
        of, items, *said = v
        n = said[0] if said else len(items)
        head = bytes([n << 4 | of]) if n < 15 else bytes([0xF0 | of]) + varint(n)
        return head + b"".join(value(of, i) for i in items)
    return v if isinstance(v, bytes) else struct(*v)


def struct(*fields):
    """(id, kind, value) in rising order of ids."""
    out, last = b"", 0
    for number, kind, v in fields:
        out += bytes([number - last << 4 | kind]) if number - last < 16 else \
            bytes([kind]) + zigzag(number)
        out += value(kind, v)
        last = number
    return out + b"\0"


# ---- files ----

def element(name, physical=None, repetition=0, children=None):
    fields = [(1, I32, physical)] if physical is not None else []
    if repetition is not None:
        fields.append((3, I32, repetition))
    fields.append((4, BINARY, name))
    if children is not None:
        fields.append((5, I32, children))
    return fields


def page(body, values, encoding=0, uncompressed=None, compressed=None, kind=0):
    """A data page v1 (kind 0) or dictionary page (2)."""
    size = len(body) if compressed is None else compressed
    head = [(1, I32, values), (2, I32, encoding)] + (
        [(3, I32, 3), (4, I32, 3)] if kind == 0 else [])
    return struct((1, I32, kind), (2, I32, len(body) if uncompressed is None else uncompressed),
                  (3, I32, size), (5 if kind == 0 else 7, STRUCT, head)) + body


def chunk(pages, values, physical=INT64, path=("x",), codec=0, start=4, size=None, more=()):
    meta = [(1, I32, physical), (2, LIST, (I32, [0, 3])), (3, LIST, (BINARY, list(path))),
            (4, I32, codec), (5, I64, values), (6, I64, len(pages) if size is None else size),
            (7, I64, len(pages) if size is None else size), (9, I64, start)]
    return [(2, I64, 0), (3, STRUCT, sorted(meta + list(more)))]


def group(chunks, rows):
    return [(1, LIST, (STRUCT, chunks)), (2, I64, 100), (3, I64, rows)]


def footer(elements, groups, rows, *more):
    fields = [(1, I32, 1), (2, LIST, elements if isinstance(elements, tuple)
                            else (STRUCT, elements)),
              (3, I64, rows), (4, LIST, groups if isinstance(groups, tuple) else (STRUCT, groups))]
    return struct(*fields, *more)


def whole(pages, foot):
    return b"PAR1" + pages + foot + len(foot).to_bytes(4, "little") + b"PAR1"


def one_column(pages, rows, physical=INT64, repetition=0, values=None, **options):
    """A file of one flat column."""
    elements = [element("schema", repetition=None, children=1),
                element("x", physical, repetition)]
    return whole(pages, footer(elements, [group([chunk(pages, rows if values is None else values,
                                                       physical, **options)], rows)], rows))


def one_list(pages, rows, values):
    """A file of one list<int64>, three levels."""
    elements = [element("schema", repetition=None, children=1), element("x", None, 1, 1),
                element("list", None, 2, 1), element("element", INT64, 1)]
    return whole(pages, footer(elements, [group(
        [chunk(pages, values, path=("x", "list", "element"))], rows)], rows))


def levels(*runs):
    """RLE levels, (how often, level) each, with their length in front."""
    body = b"".join(varint(n << 1) + bytes([level]) for n, level in runs)
    return len(body).to_bytes(4, "little") + body


def delta(block, miniblocks, count, first, rest=b""):
    return varint(block) + varint(miniblocks) + varint(count) + zigzag(first) + rest


def zeros(n):
    """n zero bytes as gzip."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(made.compress(bytes(1 << 20)) for _ in range(n >> 20)) + made.flush()


def liars():
    """(name, file or what makes it): each says something that is not so."""
    x = [element("schema", repetition=None, children=1), element("x", INT64)]
    eight = page(bytes(64), 8)
    yield "row groups without number", whole(b"", footer(x, (STRUCT, [], MOST), 0))
    yield "columns without number", whole(b"", footer((STRUCT, x, MOST), [], 0))
    yield "a group with 2^31 - 1 children", whole(b"", footer(
        [element("schema", repetition=None, children=MOST), element("x", INT64)], [], 0))
    yield "groups 100,000 deep", lambda: whole(b"", footer(
        [element("g", repetition=None, children=1)] * 100_000 + [element("x", INT64)], [], 0))
    yield "a row group of 2^62 rows, twice", whole(eight, footer(
        x, [group([chunk(eight, 8)], 1 << 62)] * 2, -1 << 63))
    yield "fewer rows than none", one_column(eight, -8)
    yield "2^62 rows of 8 values", one_column(eight, 1 << 62, values=8)
    yield "2^62 values in a page of 8", one_column(eight, 1 << 62)
    yield "a chunk that begins behind itself", one_column(eight, 8, start=1 << 40)
    yield "a chunk that begins before the file", one_column(eight, 8, start=-4)
    yield "a chunk that is the footer", one_column(eight, 8, start=4 + len(eight), size=60)
    yield "a page of 2 GiB in 64 bytes", one_column(page(bytes(64), 8, uncompressed=MOST), 8,
                                                    codec=2)
    yield "a page longer than the file", one_column(page(bytes(64), 8, compressed=MOST), 8)
    yield "2^31 - 1 values in 64 bytes", one_column(page(bytes(64), MOST), MOST)
    yield "a page of 64 MiB that holds half", lambda: one_column(page(
        zeros(32 << 20), 8 << 20, uncompressed=64 << 20), 8 << 20, codec=2)
    yield "a page that holds twice what it says", lambda: one_column(page(
        zeros(64 << 20), 4 << 20, uncompressed=32 << 20), 4 << 20, codec=2)
    yield "a dictionary of 2^31 - 1 entries in 8 bytes", one_column(
        page(bytes(8), MOST, kind=2) + page(b"\x01\x03\0", 8, 8), 8)
    yield "an index past a dictionary", one_column(
        page(bytes(8), 1, kind=2) + page(b"\x20" + varint(16) + b"\xff\xff\xff\x7f", 8, 8), 8)
    yield "indices of 255 bits", one_column(
        page(bytes(8), 1, kind=2) + page(b"\xff\x10\0", 8, 8), 8)
    yield "2^60 bit-packed groups", one_column(
        page(bytes(8), 1, kind=2) + page(b"\x08" + varint(1 << 61 | 1) + bytes(8), 8, 8), 8)
    yield "levels longer than their page", one_column(page(b"\xff\xff\xff\x7f" + bytes(60), 8), 8,
                                                      repetition=1)
    yield "a run of levels without end", one_column(page(
        levels((1 << 62, 1)) + bytes(8), 8), 8, repetition=1)
    many = 1 << 27
    yield "rows that never begin", one_list(page(
        levels((many, 1)) + levels((many, 0)), many), 1, many)
    yield "a row that never ends", one_list(page(
        levels((1, 0), (MOST - 1, 1)) + levels((MOST, 3)), MOST), 1, MOST)
    yield "more rows than slots", one_list(page(levels((8, 0)) + levels((8, 0)), 8), 1 << 40, 8)
    yield "levels above what the schema has", one_list(page(
        levels((8, 0)) + b"\x02\0\0\0\x03\xff" + bytes(64), 8), 8, 8)
    yield "delta blocks of 2^31 values", one_column(page(
        delta(1 << 31, 1, 8, 0, bytes(40)), 8, 5), 8)
    yield "delta blocks without miniblocks", one_column(page(delta(128, 0, 8, 0), 8, 5), 8)
    yield "2^60 delta values", one_column(page(delta(128, 4, 1 << 60, 0, bytes(40)), 8, 5), 8)
    yield "a first value of 41 bits", one_column(page(
        delta(128, 4, 8, 1 << 40, zigzag(0) + bytes(4)), 8, 5), 8, INT32)
    yield "miniblocks of 200 bits", one_column(page(
        delta(128, 4, 8, 0, zigzag(0) + b"\xc8" * 4 + bytes(64)), 8, 5), 8)
    yield "texts of 2^62 bytes", one_column(page(delta(128, 4, 1, 1 << 62), 1, 6), 1, BYTE_ARRAY)
    yield "texts of less than nothing", one_column(page(delta(128, 4, 1, -5), 1, 6), 1, BYTE_ARRAY)
    yield "prefixes of what is not there", one_column(page(
        delta(128, 4, 1, 100) + delta(128, 4, 1, 2) + b"ab", 1, 7), 1, BYTE_ARRAY)
    yield "a text of 2 GiB", one_column(page(b"\xff\xff\xff\x7fab", 1), 1, BYTE_ARRAY)
    yield "a page in a page in a page", one_column(
        page(page(page(bytes(64), 8), 8), 8)[:-20], 8)
    yield "a hundred thousand empty pages", lambda: one_column(page(b"", 0) * 100_000, 8)


def giants():
    """True, but large or odd; rows or a refusal, in bounded memory."""
    yield "300,000 columns", lambda: whole(b"", footer(
        [element("schema", repetition=None, children=300_000)]
        + [element(f"c{i}", INT64) for i in range(300_000)], [], 0))
    x = [element("schema", repetition=None, children=1), element("x", INT64)]
    yield "48 MiB of metadata", lambda: whole(b"", footer(
        x, [], 0, (5, LIST, (STRUCT, [[(1, BINARY, f"k{i}"), (2, BINARY, bytes(3 << 20))]
                                      for i in range(16)]))))
    eight = page(bytes(64), 8)
    # Writers differ in what they say of the sizes and the dictionary of a chunk.
    yield "a chunk of 2^63 - 1 bytes", one_column(eight, 8, size=(1 << 63) - 1)
    yield "a dictionary behind the chunk", one_column(eight, 8, more=[(11, I64, 1 << 50)])
    yield "50,000 row groups of the same pages", lambda: whole(eight, footer(
        x, [group([chunk(eight, 8)], 8)] * 50_000, 400_000))
    yield "a page of 128 MiB in 128 KiB", lambda: one_column(page(
        zeros(128 << 20), 16 << 20, uncompressed=128 << 20), 16 << 20, codec=2)
    yield "100 million nulls in 20 bytes", one_column(page(
        levels((100_000_000, 0)), 100_000_000), 100_000_000, repetition=1)


def commands(path, target):
    yield "copy", path, target, "--on-exists", "replace", "--memory", "64MiB"
    yield "verify", path, "--memory", "64MiB"
    yield "inspect", path, "--pages", "-f", "json", "--memory", "64MiB"
    yield "count", path, "--memory", "64MiB"


def blow(name, data, lies, watched):
    with Scratch("bomb") as s:
        path = s("bomb.parquet")
        with open(path, "wb") as f:
            f.write(data() if callable(data) else data)
        for command in commands(path, s("out.parquet")):
            ran = harness.narrows(*command, timeout=20, stdout=subprocess.DEVNULL
                                  if command[0] == "inspect" else None)
            try:
                refusal.bounded(ran)
                if ran.code not in (0, 1, 4):
                    raise AssertionError(f"exit {ran.code}: {ran.err[-200:]}")
                if ran.code == 4 and "--memory" not in ran.err.split(";")[-1]:
                    raise AssertionError(f"does not say what would do: {ran.err}")
                if ran.code == 1 and command[0] == "copy":
                    refusal.placed(harness.refused(ran), path)
                if lies and ran.code == 0 and command[0] in ("copy", "verify"):
                    raise AssertionError("is taken for sound")
            except AssertionError as e:
                raise AssertionError(f"{command[0]}: {e}") from None
        if not watched:
            return None
        if not os.access(harness.SANITIZED, os.X_OK):
            return "not under the sanitizers, which are not built"
        for command in commands(path, s("out.parquet")):
            wrong = sanitized.run(*[c.replace("64MiB", "512MiB") for c in command])
            if wrong:
                raise AssertionError(wrong)
    return None


def cases(tier):
    """What is sound but huge runs under the sanitizers with --tier all only."""
    for lies, found in ((True, liars()), (False, giants())):
        for name, data in found:
            watched = lies or tier == "all"
            yield (f"bomb: {name}", lambda n=name, d=data, b=lies, w=watched: blow(n, d, b, w),
                   400)
