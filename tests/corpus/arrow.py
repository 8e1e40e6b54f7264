"""Arrow IPC files and streams by other writers: their values, or a sentence.

What is refused although it can be read: numbers that are big-endian, unions, and values that no
type here holds exactly (dates in milliseconds that are no whole days, intervals of nanoseconds).
"""
import gzip
import json
import os
import re
import subprocess

import harness
from ipc_files import read
import refusal

REFUSED = [
    ("bigendian", "big-endian"),
    ("generated_union", "union"),
    ("0.14.1/generated_datetime", "no whole day"),
    ("generated_interval_mdn", "no whole microsecond"),
]


# JSON's text does not tell these: the greatest nanosecond is infinity there, as in DuckDB, and two
# fields of one name are one.
NO_FACTS = ["cpp-21.0.0/generated_datetime", "generated_duplicate_fieldnames"]


def refuse(source, words=None):
    """A sentence with its place, in little memory."""
    ran = harness.narrows("copy", source, "-", "-f", "json", "--memory", "64MiB", timeout=10,
                          stdout=subprocess.DEVNULL)
    refusal.bounded(ran)
    line = harness.refused(ran)
    if not re.search(r", (byte|column|row) ", line):
        raise AssertionError(f"no place in: {line}")
    if words and words not in line:
        raise AssertionError(f"the message does not say {words}: {line}")
    return line[:200]


def bad(source):
    """What fuzzers found: rows or a sentence, never a crash, in bounded memory."""
    ran = harness.narrows("copy", source, "-", "-f", "json", "--memory", "64MiB", timeout=20,
                          stdout=subprocess.DEVNULL)
    refusal.bounded(ran)
    if ran.code == 0:
        return "rows"
    line = harness.refused(ran)
    if not re.search(r", (byte|column|row) |: (is neither|is empty)", line):
        raise AssertionError(f"no place in: {line}")
    found = harness.narrows("verify", source, "--memory", "64MiB", timeout=20)
    refusal.bounded(found)
    if found.code not in (0, 1):
        raise AssertionError(f"verify: exit code {found.code}, {found.err[:300]!r}")
    return None


def equal(a, b):
    """Columns by their values in Python; those that it has none for as a whole."""
    try:
        return str(a.to_pylist()) == str(b.to_pylist())
    except (ValueError, OverflowError):
        return a.combine_chunks().equals(b.combine_chunks())


def check_copy(source):
    """A copy in Arrow is to pyarrow what the source is: types, nulls, values, bit by bit."""
    harness.library("pyarrow")
    with harness.Scratch("corpus") as scratch:
        for name, codec in (("out.arrow", "zstd"), ("out.arrows", "lz4")):
            harness.ok("copy", source, scratch(name), "--compression", codec, "--memory", "64MiB")
            a, b = read(source), read(scratch(name))
            if not a.schema.equals(b.schema, check_metadata=True):
                raise AssertionError(f"schema {b.schema}, wanted {a.schema}")
            for i, field in enumerate(a.schema):
                if not equal(a.column(i), b.column(i)):
                    raise AssertionError(f"column {field} differs in {name}")


def check_upstream(source):
    """Intervals and durations against the JSON that came with the file."""
    harness.library("pyarrow")
    import pyarrow as pa
    with gzip.open(re.sub(r"\.(stream|arrow_file)$", ".json.gz", source)) as f:
        document = json.load(f)
    with harness.Scratch("corpus") as scratch:
        harness.ok("copy", source, scratch("out.arrow"))
        table = read(scratch("out.arrow"))
    for i, field in enumerate(document["schema"]["fields"]):
        want = []
        for column in (b["columns"][i] for b in document["batches"]):
            want += [x if v else None for x, v in zip(column["DATA"], column["VALIDITY"])]
        got = table.column(i)
        if pa.types.is_duration(got.type):
            got, want = got.cast(pa.int64()).to_pylist(), [x and int(x) for x in want]
        elif field["type"]["unit"] == "YEAR_MONTH":
            got, want = got.to_pylist(), [None if x is None else (x, 0, 0) for x in want]
        else:
            got = got.to_pylist()
            want = [x and (0, x["days"], x["milliseconds"] * 10**6) for x in want]
        if got != want:
            raise AssertionError(f"column {field['name']}: {got}, wanted {want}")


def good(source, expected, check_values):
    """The values as expected, through a pipe, too, and the same again from a copy."""
    for part, words in REFUSED:
        if part in source:
            return refuse(source, words)
    if "upstream .json" in expected["expect"]:
        return check_upstream(source)
    counted = int(harness.ok("count", source, timeout=10).out)
    if counted != expected["rows"]:
        raise AssertionError(f"count says {counted}, expected {expected['rows']}")
    if "columns" in expected and not any(part in source for part in NO_FACTS):
        check_values(source, expected)
    check_copy(source)
    harness.ok("verify", source, "--memory", "64MiB")
    text = harness.ok("copy", source, "-", "-f", "json", "--memory", "64MiB", timeout=20).out
    with open(source, "rb") as f:
        piped = harness.ok("copy", "-", "-", "-f", "json", "--memory", "64MiB", stdin=f,
                           timeout=20).out
    if piped != text:
        raise AssertionError("through a pipe it has other rows")
    return None


def cases(root, listing, load, check_values):
    for source, path in listing("arrow-ipc"):
        name = f"arrow-ipc/{os.path.relpath(source, os.path.join(root, 'arrow-ipc'))}"
        if "/fuzz-" in source:
            yield name, lambda s=source: bad(s), 40
        else:
            yield name, lambda s=source, e=dict(load(path), _path=path): good(
                s, e, check_values), 60
