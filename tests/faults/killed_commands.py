"""The command itself, killed at random points while it writes a dataset: after `narrows recover`
there is the old dataset or the new one, byte for byte, and nothing beside it."""
import os
import random
import signal
import subprocess
import time

import harness
from datasets import InMemory, content, copied
from harness import ok

GROUPS = 20
QUIET = ["--threads", "2", "--memory", "64MiB", "-q"]


def made(s, rows):
    """Rows of all groups, shuffled."""
    ok("gen", s("in.parquet"), "--range", f"g={GROUPS}", "--range", f"i={rows}", "--shuffle",
       "--column", "note=string:8..40", "-q", timeout=120)


def replacing(s):
    ok("copy", s("in.parquet"), s("old"), "--partition-by", "g", "--where", "i < 20", *QUIET)
    return ["copy", s("in.parquet"), s("in", "out"), "--partition-by", "g", "--on-exists",
            "replace", "--common-metadata", "--full-metadata"]


def appending(s):
    replacing(s)
    return ["copy", s("in.parquet"), s("in", "out"), "--partition-by", "g", "--on-exists",
            "append"]


def compacting(s):
    ok("copy", s("in.parquet"), s("old"), "--partition-by", "g", "--row-group-size", "100",
       "--row-groups-per-file", "1", *QUIET)
    return ["compact", s("in", "out")]


def run_and_kill(command, delay):
    """Whether it was killed before it had ended."""
    process = subprocess.Popen([harness.need(harness.RELEASE), *command],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def killed(words, rows, times):
    """Half of the kills come near the end, where all is published."""
    outcomes = {"old": 0, "new": 0}
    hit = 0
    with InMemory() as s:
        r = random.Random(words.__name__)
        made(s, rows)
        os.mkdir(s("in"))
        command = words(s) + QUIET
        copied(s("old"), s("in", "out"))
        before = content(s("old"))
        seconds = ok(*command).seconds
        behind = content(s("in", "out"))
        if before == behind or len(before) < GROUPS:
            raise AssertionError("the run did not write what it should")
        for n in range(times):
            copied(s("old"), s("in", "out"))
            hit += run_and_kill(command, seconds * r.uniform(0.8 if n % 2 else 0, 1.1))
            told = ok("recover", s("in", "out")).out.decode()
            if not told.startswith(s("in", "out") + ": "):
                raise AssertionError(f"kill {n}: recover says {told!r}")
            now = content(s("in", "out"))
            if now not in (before, behind):
                raise AssertionError(f"kill {n}: a mixture: {told}")
            if os.listdir(s("in")) != ["out"]:
                raise AssertionError(f"kill {n}: left behind: {os.listdir(s('in'))}")
            outcomes["old" if now == before else "new"] += 1
    if not hit:
        raise AssertionError("every run was done before it was killed")
    return f"{hit} killed; {outcomes['old']} old, {outcomes['new']} new"


def cases(full):
    rows, times = (8000, 200) if full else (1000, 10)
    for name, words in (("a partitioned replace", replacing), ("an append", appending),
                        ("a compact", compacting)):
        yield f"kill -9 of the command: {name}", lambda w=words: killed(w, rows, times), 600
