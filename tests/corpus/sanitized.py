"""The corpus under the address and undefined-behaviour sanitizers: nothing to report, whatever the
file; and the same for files with bytes changed at random (the same ones every time).
"""
import os
import random
import re
import subprocess
import zlib

import harness
from harness import MIB, SANITIZED, SANITIZERS, Scratch



def run(*arguments):
    """What is wrong with a run, or None."""
    ran = harness.narrows(*arguments, binary=SANITIZED, env=SANITIZERS, timeout=60,
                          stdout=subprocess.DEVNULL)
    name = os.path.basename(arguments[1])
    if ran.timed_out:
        return f"{arguments[0]} {name}: hangs"
    if ran.code in (0, 1, 2, 3, 4):
        return None
    summary = re.search(r"(SUMMARY: .*|runtime error: .*)", ran.err)
    frames = re.findall(r"#\d+ \S+ in (\w+) \S*/((?:src|cli)/\S+)", ran.err)[:3]
    return (f"{arguments[0]} {name}: exit {ran.code}: "
            f"{summary.group(1) if summary else ran.err.strip()[-200:]} "
            + " < ".join(f"{f} {place}" for f, place in frames))


def commands(path, target):
    yield "copy", path, "-", "-f", "json", "--memory", "512MiB"
    yield "copy", path, target, "--on-exists", "replace", "--memory", "512MiB"
    yield "copy", path, target, "--on-exists", "replace", "--compression", "snappy"
    yield "verify", path
    yield "inspect", path, "--pages", "-f", "json"
    yield "stats", path, "--memory", "512MiB"


def some(path, found, most):
    """The first and others by the file's name, which together run all of them over a folder."""
    at = zlib.crc32(os.path.basename(path).encode())
    rest = found[1:]
    return found[:1] + [rest[(at + i) % len(rest)] for i in range(most - 1)]


def check(paths, most):
    harness.need(SANITIZED)
    wrong = []
    with Scratch("sanitized") as s:
        for path in paths:
            if os.path.getsize(path) > 4 * MIB:
                continue
            for command in some(path, list(commands(path, s("o.parquet"))), most):
                found = run(*command)
                if found:
                    wrong.append(found)
    if wrong:
        raise AssertionError(f"{len(wrong)} runs\n" + "\n".join(wrong[:40]))
    return f"{len(paths)} files"


def mutate(data, r):
    """Some bytes changed; the footer (Thrift) and page headers are what matters most."""
    data = bytearray(data)
    footer = int.from_bytes(data[-8:-4], "little")
    for _ in range(r.choice((1, 1, 2, 4, 16))):
        in_footer = r.random() < 0.5 and footer < len(data) - 12
        at = len(data) - 8 - r.randrange(footer) - 1 if in_footer else r.randrange(len(data))
        flipped = data[at] ^ 1 << r.randrange(8)
        data[at] = r.choice((0, 1, 0x7F, 0x80, 0xFF, r.randrange(256), flipped))
    if r.random() < 0.1:
        cut = r.randrange(len(data))
        data = data[:cut] + data[cut + r.randrange(64):]
    return bytes(data)


def mutated(paths, times):
    harness.need(SANITIZED)
    r = random.Random(20)
    wrong = []
    with Scratch("mutated") as s:
        for n in range(times):
            source = paths[n % len(paths)]
            with open(source, "rb") as f:
                data = mutate(f.read(), r)
            path = s(f"{n}-{os.path.basename(source)}")
            with open(path, "wb") as f:
                f.write(data)
            found = run(*list(commands(path, s("o.parquet")))[n // len(paths) % 6])
            if found:
                wrong.append(found)
                keep = os.path.join(harness.DATA, "crashes", "corpus")
                os.makedirs(keep, exist_ok=True)
                os.replace(path, os.path.join(keep, os.path.basename(path)))
            else:
                os.unlink(path)
    if wrong:
        raise AssertionError(f"{len(wrong)} of {times}; inputs kept under .data/crashes/corpus\n"
                             + "\n".join(wrong[:40]))
    return f"{times} files"
