"""Avro columns that are passed over, beside each one that is read: elements that look as in the
record before, that change now and then, always, and for good; and texts that repeat, for a while or
all the way. What fastavro wrote must be what we read. Files of such columns alone are read another
way than those with a list among them."""
import functools
import random

import avro_files
import harness
from avro_files import avro
from harness import Scratch

ROWS = 1500
MODES = ("AIR", "RAIL", "TRUCK", "REG AIR", "DELIVER IN PERSON", "TAKE BACK RETURN", "")


def numbers(r, i):
    """Lengths: the same, rarely another one, any, and long ones from the middle on."""
    late = 2**63 - 1 if i > ROWS // 2 else 5
    return {"same": 300 + i % 50, "rarely": 10**9 if i % 400 == 9 else i % 60,
            "any": r.choice((0, 100, 10**4, -10**9, 2**40, -2**63)), "late": late}


def texts(r, i):
    return {"code": "%08d" % i, "mode": MODES[r.randrange(7)],
            "grown": f"value {i // 20 if i < ROWS // 2 else i}, which is long",
            "words": "w" * r.choice((0, 5, 40, 63, 64, 70, 300)), "raw": b"\xff" * (i % 3),
            "few": "日本語" * (i % 5)}


TYPES = {"same": "long", "rarely": "int", "any": "long", "late": "long", "code": "string",
         "mode": "string", "grown": "string", "words": "string", "raw": "bytes", "few": "string",
         "flag": "boolean", "ratio": "float", "size": "double",
         "key": {"type": "fixed", "name": "key", "size": 5},
         "kind": {"type": "enum", "name": "kind", "symbols": ["A", "B", "C"]}}


def rows_of(seed, nulls):
    r = random.Random(seed)
    for i in range(ROWS):
        row = numbers(r, i) | texts(r, i) | {
            "flag": i % 3 == 0, "ratio": i / 4, "size": i * 1.5, "key": b"%05d" % i,
            "kind": "ABC"[i % 3], "tags": [f"t{k}" for k in range(i % 4)]}
        if nulls:
            row = {k: None if k != "tags" and r.random() < nulls[j % len(nulls)] else v
                   for j, (k, v) in enumerate(row.items())}
        yield row


TAGS = {"name": "tags", "type": {"type": "array", "items": "string"}}


def schema_of(nullable, first, tags=True):
    def union(t):
        return ["null", t] if first else [t, "null"]
    fields = [{"name": k, "type": union(t) if nullable else t} for k, t in TYPES.items()]
    return {"type": "record", "name": "r", "fields": fields + [TAGS] * tags}


def part_of(schema, names):
    return dict(schema, fields=[f for f in schema["fields"] if f["name"] in names])


def passed_case(codec, nullable, first):
    schema = schema_of(nullable, first)
    rows = list(rows_of(7, (0, 0.5, 0.01, 1) if nullable else ()))
    wanted = [[f["name"]] for f in schema["fields"]]
    wanted += [["any", "few", "tags"], ["mode", "kind"], list(TYPES)]
    with Scratch("oracle") as scratch:
        path = avro_files.write(scratch("a.avro"), schema, rows, codec, 16000)
        for names in wanted:
            read = harness.ok("copy", path, "-", "-f", "json", "--select", ",".join(names))
            avro.Comparison(part_of(schema, names)).rows(
                read.out.decode(), [{k: row[k] for k in names} for row in rows])
        grouped_case(path, rows)


def flat_case(codec):
    schema = schema_of(False, False, False)
    rows = [{k: v for k, v in row.items() if k != "tags"} for row in rows_of(8, ())]
    names = list(TYPES)
    wanted = [[n] for n in names] + [names[i::3] for i in range(3)] + [names[::2], names[4:9]]
    with Scratch("oracle") as scratch:
        path = avro_files.write(scratch("a.avro"), schema, rows, codec, 16000)
        for some in wanted:
            read = harness.ok("copy", path, "-", "-f", "json", "--select", ",".join(some))
            avro.Comparison(part_of(schema, some)).rows(
                read.out.decode(), [{k: row[k] for k in some} for row in rows])


WRONG = {"type": "record", "name": "r", "fields": [
    {"name": n, "type": t} for n, t in (
        ("text", "string"), ("a", "long"), ("yes", "boolean"), ("b", "string"), ("size", "int"),
        ("c", "double"), ("d", "bytes"), ("kind", {"type": "enum", "name": "kind",
                                                  "symbols": ["A", "B", "C"]}), ("e", "long"))]}


def wrong_case():
    """A value that is none, among those passed over: its record is the one that is named, those
    before it and behind its block are kept, and what else is read does not matter."""
    rows, bad = 200, 77
    texts = [b"text %06d!" % i for i in range(rows)]
    with Scratch("oracle") as scratch:
        path = avro_files.write(scratch("a.avro"), WRONG, [
            {"text": texts[i].decode(), "a": 1000 + i, "yes": True, "b": "b" * 9, "size": 70,
             "c": 0.5, "d": b"123", "kind": "B", "e": 5} for i in range(rows)], "null", 10**6)
        with open(path, "rb") as f:
            data = f.read()
        at = data.index(texts[bad])
        behind = at + len(texts[bad]) + 2
        size = behind + 1 + 1 + 9
        for name, place, old, new in (
                ("text", at + 3, b"t", b"\xff"), ("yes", behind, b"\1", b"\2"),
                ("kind", size + 2 + 8 + 1 + 3, b"\2", b"\x40")):
            assert data[place:place + 1] == old, (name, data[place - 4:place + 4])
            with open(path, "wb") as f:
                f.write(data[:place] + new + data[place + 1:])
            for columns in (name, f"{name},e", f"a,{name}", "text,yes,kind",
                            ",".join(f["name"] for f in WRONG["fields"])):
                line = harness.refused(harness.narrows("copy", path, "-", "-f", "csv", "--select",
                                                       columns))
                assert f"record {bad}," in line and f"column {name}" in line, (columns, line)
            harness.ok("copy", path, "-", "-f", "csv", "--select", "a,size,e")


def grouped_case(path, rows):
    """Texts as keys and in conditions, whichever form they come in."""
    counts = {}
    for row in rows:
        counts[row["mode"]] = counts.get(row["mode"], 0) + 1
    ran = harness.ok("sql", f"SELECT count(*) AS n FROM '{path}' GROUP BY mode", "-f", "csv")
    found = sorted(int(n) for n in ran.out.decode().split()[1:])
    assert found == sorted(counts.values()), (found, counts)
    ran = harness.ok("sql", f"SELECT count(*) AS n FROM '{path}' WHERE mode = 'REG AIR'", "-f",
                     "csv")
    assert ran.out.decode().split()[1] == str(counts["REG AIR"]), ran.out


def cases(tier):
    for codec, nullable, first in (("snappy", False, True), ("null", True, True),
                                   ("deflate", True, False))[:3 if tier == "all" else 2]:
        yield (f"avro passed over: {codec}{', nullable' if nullable else ''}",
               functools.partial(passed_case, codec, nullable, first), 120)
    for codec in ("snappy", "null"):
        yield f"avro passed over: nothing else, {codec}", functools.partial(flat_case, codec), 120
    yield "avro passed over: a value that is wrong", wrong_case, 60
