"""Damaged Avro files: what --on-bad-row quarantine keeps and calls lost, and what fail says."""
import json
import os
import re

import avro_files
import harness
from harness import Scratch

SCHEMA = {"type": "record", "name": "r", "fields": [
    {"name": "id", "type": "long"}, {"name": "text", "type": ["null", "string"]},
    {"name": "list", "type": {"type": "array", "items": "int"}}]}
BAD_NUMBER = b"\xff" * 10


def made(path, codec, sync, rows):
    avro_files.write(path, SCHEMA, [
        {"id": i, "text": None if i % 3 == 0 else f"row {i} " * (i % 9), "list": list(range(i % 5))}
        for i in range(rows)], codec, sync)
    with open(path, "rb") as f:
        return f.read()


class Block:
    """Where a block lies: numbers at `at`, bytes in [data, end), the marker behind."""

    def __init__(self, at, data, end, first, rows):
        self.at, self.data, self.end, self.first, self.rows = at, data, end, first, rows


def number(data, at):
    x = n = 0
    while True:
        x |= (data[at + n] & 127) << 7 * n
        n += 1
        if data[at + n - 1] < 128:
            return (x >> 1) ^ -(x & 1), at + n


def blocks_of(data):
    sync = data[-16:]
    at, first, found = data.index(sync) + 16, 0, []
    while at < len(data):
        rows, here = number(data, at)
        size, here = number(data, here)
        found.append(Block(at, here, here + size, first, rows))
        first += rows
        at = here + size + 16
    return found


def record_at(data, block, n):
    """Where record n of a block without codec begins."""
    at = block.data
    for _ in range(n):
        _, at = number(data, at)                    # id
        branch, at = number(data, at)
        if branch == 1:
            size, at = number(data, at)
            at += size
        while True:
            count, at = number(data, at)
            if count < 0:                           # with its bytes
                size, at = number(data, at)
                at += size
                continue
            if count == 0:
                break
            for _ in range(count):
                _, at = number(data, at)
    return at


def put(data, at, new):
    return data[:at] + new + data[at + len(new):]


def without(rows, *blocks):
    lost = {i for b in blocks for i in range(b.first, b.first + b.rows)}
    return [i for i in range(rows) if i not in lost]


def damages(data, blocks, codec, rows):
    """(name, damaged file, ids that stay, rows lost or None, places that nobody can count)"""
    everything = list(range(rows))
    b, last = blocks[3], blocks[-1]
    yield "marker", put(data, b.end, bytes(16)), everything, 0, 0
    yield "last marker", put(data, last.end, bytes(16)), everything, 0, 0
    yield "stray bytes", data[:b.end] + b"stray" + data[b.end:], everything, 0, 1
    yield "marker cut off", data[:-5], everything, 0, 0
    for name, bad in (("first", blocks[:1]), ("one", [b]), ("two", blocks[4:6]), ("last", [last])):
        changed = data
        for x in bad:
            changed = put(changed, x.at, b"\xff" * 8)
        yield f"numbers of the {name}", changed, without(rows, *bad), None, len(bad)
    if codec == "null":
        for n in (0, 1, b.rows - 1):
            kept = [i for i in everything if not b.first + n <= i < b.first + b.rows]
            yield (f"record {n}", put(data, record_at(data, b, n), BAD_NUMBER), kept, b.rows - n,
                   0)
        half = record_at(data, last, last.rows // 2)
        yield ("cut off in a record", data[:half + 1],
               everything[:last.first + last.rows // 2], last.rows - last.rows // 2, 0)
    else:
        yield "bytes", put(data, b.data, BAD_NUMBER), without(rows, b), b.rows, 0
        kept = None if codec != "snappy" else without(rows, last)
        yield "cut off", data[:(last.data + last.end) // 2], kept, None, 0


def quarantined(source, scratch, *options):
    out = scratch("out.parquet")
    side = out + ".rejected.jsonl"
    for path in (out, side):
        if os.path.exists(path):
            os.unlink(path)
    ran = harness.narrows("copy", source, out, "--on-bad-row", "quarantine", "--report",
                          scratch("report.json"), *options)
    if ran.code != 3:
        raise AssertionError(f"exit {ran.code}: {ran.err[-300:]}")
    with open(side, encoding="utf-8") as f:
        lines = [json.loads(x) for x in f]
    with open(scratch("report.json"), encoding="utf-8") as f:
        report = json.load(f)
    with open(out, "rb") as f:
        return f.read(), lines, report


def ids_of(path):
    out = harness.ok("copy", path, "-", "-f", "csv", "--select", "id").out.split()[1:]
    return [int(x) for x in out]


def check_books(lines, report, lost, uncounted):
    rows, told = report["rows"], [x["rows"] for x in lines]
    if rows["in"] != rows["out"] + rows["rejected"]:
        raise AssertionError(f"books: {rows}")
    if lost is not None and (rows["rejected"] != lost or sum(x or 0 for x in told) != lost):
        raise AssertionError(f"{rows['rejected']} rejected, {told} told, wanted {lost}")
    if uncounted is not None and (report["lost"]["uncounted"] != uncounted or
                                  told.count(None) != uncounted):
        raise AssertionError(f"{report['lost']} {told}")
    places = [x["lost_from"] for x in lines]
    if places != sorted(places) or not all(x["reason"] for x in lines):
        raise AssertionError(str(lines))


def case(codec):
    rows = 3000
    with Scratch("oracle") as scratch:
        data = made(scratch("good.avro"), codec, 2000, rows)
        blocks = blocks_of(data)
        if len(blocks) < 8:
            raise AssertionError(f"{len(blocks)} blocks")
        for name, changed, kept, lost, uncounted in damages(data, blocks, codec, rows):
            source = scratch("bad.avro")
            with open(source, "wb") as f:
                f.write(changed)
            try:
                one(source, scratch, kept, lost, uncounted, rows)
            except AssertionError as e:
                raise AssertionError(f"{name}: {e}") from e


def one(source, scratch, kept, lost, uncounted, rows):
    failed = harness.refused(harness.narrows("copy", source, scratch("no.parquet")))
    if not re.search(r"block [\d,]+, (record [\d,]+, )?(column \w+, )?byte [\d,]+: ", failed):
        raise AssertionError(f"no place in: {failed}")
    runs = [quarantined(source, scratch, "--threads", t, "--memory", m)
            for t, m in (("1", "32MiB"), ("2", "128MiB"))]
    for out, lines, report in runs:
        check_books(lines, report, lost, uncounted)
        if out != runs[0][0] or lines != runs[0][1]:
            raise AssertionError("what is kept depends on threads or memory")
    ids = ids_of(scratch("out.parquet"))
    if kept is not None and ids != kept:
        raise AssertionError(f"{len(ids)} rows kept, wanted {len(kept)}")
    if len(set(ids)) != len(ids) or not set(ids) <= set(range(rows)) or ids != sorted(ids):
        raise AssertionError("rows that were never written")
    ran = harness.narrows("copy", source, scratch("few.parquet"), "--on-bad-row", "quarantine",
                          "--report", scratch("few.json"), "--where",
                          "id > 500 and text is not null", "--limit", "100", "--on-exists",
                          "replace")
    with open(scratch("few.json"), encoding="utf-8") as f:
        rows = json.load(f)["rows"]
    if ran.code not in (0, 3) or rows["out"] != 100:  # enough, perhaps before the damage
        raise AssertionError(f"--where, --limit: exit {ran.code}, {rows}")
    if rows["in"] != rows["out"] + rows["filtered"] + rows["rejected"] + rows["limited"]:
        raise AssertionError(f"books with --where: {rows}")


def large_case(codec):
    """A block of some MB that comes in parts keeps what one that is decoded at once does."""
    with Scratch("oracle") as scratch:
        data = made(scratch("good.avro"), codec, 10**9, 150000)
        block = blocks_of(data)[0]
        at = record_at(data, block, 140000) if codec == "null" else (block.data + block.end) // 2
        for name, changed in (("bytes", put(data, at, BAD_NUMBER)), ("cut off", data[:at])):
            source = scratch("bad.avro")
            with open(source, "wb") as f:
                f.write(changed)
            runs = [quarantined(source, scratch, "--threads", "1", "--memory", m)
                    for m in ("32MiB", "64MiB", "512MiB")]
            if any(r[:2] != runs[0][:2] for r in runs):
                raise AssertionError(f"{name}: what is kept depends on the memory")
            ids = ids_of(scratch("out.parquet"))
            if ids != list(range(len(ids))) or (codec == "null" and len(ids) != 140000):
                raise AssertionError(f"{name}: {len(ids)} rows")
            if codec != "null" and name == "bytes" and ids:
                raise AssertionError(f"{len(ids)} rows of a block whose bytes are damaged")


def runs_case(codec):
    """Thousands of small blocks, of which the reader takes two at a time and some hundred in a run:
    each lost block is lost alone, wherever in a pair or a run it stands."""
    rows = 120000
    with Scratch("oracle") as scratch:
        data = made(scratch("good.avro"), codec, 1000, rows)
        blocks = blocks_of(data)
        lost = [blocks[i] for i in (0, 1, 7, 100, 101, 102, 1500, len(blocks) - 1)]
        changed = data
        for b in lost:
            changed = put(changed, b.data, BAD_NUMBER)
        for i in (3, 700, 702):
            changed = put(changed, blocks[i].end, bytes(16))
        empty = [blocks[i] for i in (300, 305, 310, 315)]
        for b in empty:  # they say that they have no records
            changed = put(changed, b.at, b"\0")
        with open(scratch("bad.avro"), "wb") as f:
            f.write(changed)
        one(scratch("bad.avro"), scratch, without(rows, *lost, *empty), sum(b.rows for b in lost),
            0, rows)


PASSED_OVER = {"type": "record", "name": "p", "fields": [
    {"name": "first", "type": "long"}, {"name": "text", "type": "string"},
    {"name": "mark", "type": {"type": "fixed", "name": "mark", "size": 6}},
    {"name": "count", "type": "int"}, {"name": "yes", "type": "boolean"},
    {"name": "bytes", "type": "bytes"}, {"name": "x", "type": "double"},
    {"name": "last", "type": "int"}]}
PASSED_ROW = {"text": "some text", "mark": b"123456", "count": 70000, "yes": True,
              "bytes": b"some bytes", "x": 0.5, "last": 3}


def passed_over_case():
    """A block that ends inside its last record, at every byte of it: whatever columns are read,
    the record is seen to be cut off, and those before it are kept."""
    rows = 50
    with Scratch("oracle") as scratch:
        avro_files.write(scratch("good.avro"), PASSED_OVER,
                         [{"first": 1000 * i, **PASSED_ROW} for i in range(rows)], "null", 10**6)
        with open(scratch("good.avro"), "rb") as f:
            data = f.read()
        block, = blocks_of(data)
        length = (block.end - block.data) // rows - 1
        size, _ = number(data, number(data, block.at)[1])
        for cut in range(1, length):
            left = size - cut
            coded = bytes([left << 1 & 127 | 128, left >> 6 & 127 | 128, left >> 13])
            with open(scratch("bad.avro"), "wb") as f:
                f.write(data[:number(data, block.at)[1]] + coded +
                        data[block.data:block.end - cut] + data[block.end:])
            for columns in ("first", "last", "text,x", "first,text,mark,count,yes,bytes,x,last"):
                _, lines, report = quarantined(scratch("bad.avro"), scratch, "--select", columns)
                if report["rows"]["out"] != rows - 1 or [x["rows"] for x in lines] != [1]:
                    raise AssertionError(f"{cut} bytes less, {columns}: {report['rows']} {lines}")
                line = harness.refused(harness.narrows("copy", scratch("bad.avro"), "-", "-f",
                                                       "csv", "--select", columns))
                if f"record {rows - 1}," not in line:
                    raise AssertionError(f"{cut} bytes less, {columns}: {line}")


def many_case():
    """Several files: the side file names each; --max-bad-rows bounds them all."""
    with Scratch("oracle") as scratch:
        data = made(scratch("c.avro"), "null", 2000, 3000)
        blocks = blocks_of(data)
        for name, n in (("a.avro", 2), ("b.avro", 5)):
            with open(scratch(name), "wb") as f:
                f.write(put(data, blocks[n].data, BAD_NUMBER))
        os.mkdir(scratch("to"))
        sources = [scratch(n) for n in ("a.avro", "b.avro", "c.avro")]
        lost = blocks[2].rows + blocks[5].rows
        out = scratch("to/out.parquet")
        options = ["copy", *sources, out, "--on-bad-row", "quarantine", "--max-bad-rows"]
        line = harness.refused(harness.narrows(*options, lost - 1))
        if f"{lost} rows are damaged" not in line or os.listdir(scratch("to")):
            raise AssertionError(line)
        ran = harness.narrows(*options, lost)
        with open(out + ".rejected.jsonl", encoding="utf-8") as f:
            lines = [json.loads(x) for x in f]
        if ran.code != 3 or [x["file"] for x in lines] != sources[:2] or \
                len(ids_of(out)) != 9000 - lost:
            raise AssertionError(f"{ran.err} {lines}")


def cases(tier):
    for codec in avro_files.CODECS:
        yield f"avro damaged: {codec}", lambda c=codec: case(c), 240
    for codec in ("null", "deflate", "snappy", "zstandard"):
        yield f"avro damaged: a large block, {codec}", lambda c=codec: large_case(c), 240
    for codec in ("null", "snappy", "zstandard"):
        yield f"avro damaged: runs of small blocks, {codec}", lambda c=codec: runs_case(c), 240
    yield "avro damaged: cut off in what is passed over", passed_over_case
    yield "avro damaged: several files", many_case
