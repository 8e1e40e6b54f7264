"""Arrow IPC files and streams by other writers: their values, or a sentence.

What is refused although it can be read: numbers that are big-endian, unions, and values that no
type here holds exactly (dates in milliseconds that are no whole days, intervals of nanoseconds).
"""
import os
import re
import subprocess

import harness
import refusal

REFUSED = [
    ("bigendian", "big-endian"),
    ("generated_union", "union"),
    ("0.14.1/generated_datetime", "no whole day"),
    ("generated_interval_mdn", "no whole microsecond"),
]


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
    return None


def good(source, expected, check_values):
    """The values as expected, counted, and the same again from a Parquet copy where that is."""
    for part, words in REFUSED:
        if part in source:
            return refuse(source, words)
    counted = int(harness.ok("count", source, timeout=10).out)
    if counted != expected["rows"]:
        raise AssertionError(f"count says {counted}, expected {expected['rows']}")
    if "columns" in expected:
        check_values(source, expected)
    text = harness.ok("copy", source, "-", "-f", "json", "--memory", "64MiB", timeout=20).out
    with open(source, "rb") as f:
        piped = harness.ok("copy", "-", "-", "-f", "json", "--memory", "64MiB", stdin=f,
                           timeout=20).out
    if piped != text:
        raise AssertionError("through a pipe it has other rows")
    return None


def cases(root, listing, load, check_values):
    for folder in ("arrow-ipc",):
        for source, path in listing(folder):
            name = f"{folder}/{os.path.relpath(source, os.path.join(root, folder))}"
            if "/fuzz-" in source:
                yield name, lambda s=source: bad(s), 40
            else:
                yield name, lambda s=source, e=dict(load(path), _path=path): good(
                    s, e, check_values)
