"""The command itself, killed at random points while it writes a dataset: after `narrows recover`
there is the old dataset or the new one, byte for byte, and nothing beside it. With `--resume` there
is the new one, whatever was killed in between, another run that resumed included."""
import json
import os
import random
import signal
import subprocess
import time

import harness
from datasets import InMemory, content, copied
from harness import Scratch, narrows, ok, refused

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


def staged(s):
    """Finished files and others that wait beside the target."""
    return [os.path.join(path, name) for path, _, names in os.walk(s("in")) for name in names
            if ".dataset/files" in path]


def kill_at_files(command, s, files):
    """Once so many files wait; so it does not depend on how fast the machine is."""
    process = subprocess.Popen([harness.need(harness.RELEASE), *command],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(staged(s)) < files:
        time.sleep(0.001)
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


# ---- resuming ----

def rolling(s):
    """Partitions of several files each, into a dataset that is there."""
    replacing(s)
    return ["copy", s("in.parquet"), s("in", "out"), "--partition-by", "g", "--row-group-size",
            "200", "--row-groups-per-file", "2", "--on-exists", "append", "--common-metadata",
            "--full-metadata"]


def sorting(s):
    """More folders than writers: most of them come out of a sort, one after the other."""
    replacing(s)
    return ["copy", s("in.parquet"), s("in", "out"), "--partition-by", "g, i % 30 AS k",
            "--on-exists", "replace", "--row-group-size", "20", "--row-groups-per-file", "1",
            "--full-metadata"]


def unpartitioned(s):
    """One folder; files and row groups end by their bytes."""
    replacing(s)
    return ["copy", s("in.parquet"), s("in", "out"), "--file-size-bytes", "100KB",
            "--row-group-size-bytes", "60KB", "--where", "i % 7 <> 3", "--on-exists", "replace"]


def asking(s):
    replacing(s)
    return ["sql", "COPY (SELECT i, upper(note) AS note, g % 7 AS k FROM "
            f"'{s('in.parquet')}' ORDER BY note) TO '{s('in', 'out')}' (FORMAT parquet, "
            "PARTITION_BY (k), OVERWRITE_OR_IGNORE, ROW_GROUP_SIZE 300, ROW_GROUPS_PER_FILE 1)"]


NO_REST = "there is no unfinished run to resume"


def resumed_once(s, command, n, behind):
    """Goes on until it is done; the files that were kept. A run that was killed before it had a
    journal, or behind the end, leaves nothing to resume."""
    report = s("report.json")
    ran = narrows(*command, "--resume", "--report", report)
    if ran.code == 1 and NO_REST in ran.err:
        ok("recover", s("in", "out"))
        if content(s("in", "out")) != behind:
            ok(*command)
        return 0
    if ran.code:
        raise AssertionError(f"kill {n}: exit {ran.code}: {ran.err}")
    with open(report, encoding="utf-8") as f:
        told = json.load(f)
    return told.get("resumed", {}).get("files", 0)


def resumed(words, rows, times):
    kept, hit = 0, 0
    with InMemory() as s:
        r = random.Random(words.__name__)
        made(s, rows)
        os.mkdir(s("in"))
        command = words(s) + QUIET
        copied(s("old"), s("in", "out"))
        seconds = ok(*command).seconds
        behind = content(s("in", "out"))
        for n in range(times):
            copied(s("old"), s("in", "out"))
            if n % 2:
                hit += run_and_kill(command, seconds * r.uniform(0.3, 1.1))
            else:
                hit += kill_at_files(command, s, r.randint(2, len(behind)))
            for _ in range(n % 3):
                hit += run_and_kill(command + ["--resume"], seconds * r.uniform(0, 1.1))
            kept += resumed_once(s, command, n, behind)
            now = content(s("in", "out"))
            if now != behind:
                wrong = sorted(k for k in now.keys() | behind.keys() if now.get(k) != behind.get(k))
                raise AssertionError(f"kill {n}: other files than of an unbroken run: {wrong[:5]}")
            if os.listdir(s("in")) != ["out"]:
                raise AssertionError(f"kill {n}: left behind: {os.listdir(s('in'))}")
    if not hit:
        raise AssertionError("every run was done before it was killed")
    return f"{hit} killed; {kept} finished files kept"


def rest_of(s):
    """All of it but the lock, which has its last owner's number."""
    return {k: v for k, v in content(s("in")).items() if not k.endswith("/lock")}


def refusals():
    """Whatever makes it another run is named, and the rest stays as it is; then it is gone on
    with."""
    with Scratch("resume") as s:
        made(s, 1000)
        os.mkdir(s("in"))
        source, target = s("in.parquet"), s("in", "out")
        command = ["copy", source, target, "--row-group-size", "1000", "--row-groups-per-file",
                   "1", "--compression", "zstd:19"]
        process = subprocess.Popen([harness.need(harness.RELEASE), *command, "-q"])
        while len(staged(s)) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            raise AssertionError("it was done before it was killed")
        rest = rest_of(s)
        was = os.stat(source)
        others = [(command + ["--where", "g < 3"], 2, "--where g < 3"),
                  (command[:-1] + ["zstd:3"], 2, "zstd:19"),
                  (["copy", source, source, *command[2:]], 2, "input"),
                  (command + ["--filename-pattern", "{uuid}"], 2, "{uuid}"),
                  (["copy", source, s("o.parquet")], 2, "--resume is for a dataset"),
                  (["sql", f"COPY (SELECT * FROM '{source}') TO '{target}/'"], 2, "the query"),
                  (["sql", "SELECT 1; SELECT 2"], 2, "one statement at a time")]
        for other, code, word in others:
            line = refused(narrows(*other, "--resume"), code)
            if word not in line:
                raise AssertionError(f"does not say {word}: {line}")
        os.utime(source, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
        line = refused(narrows(*command, "--resume"), 1)
        if f"input {source} was changed since" not in line:
            raise AssertionError(line)
        os.utime(source, ns=(was.st_atime_ns, was.st_mtime_ns))
        if rest_of(s) != rest:
            raise AssertionError("a refused run changed the rest")
        plan = ok("plan", *command, "--resume").out.decode()
        if "finished files of a killed run are kept" not in plan:
            raise AssertionError(plan)
        ok(*command, "--resume", "--report", s("r.json"), "--threads", "1")
        ok(*command[:2], s("whole"), *command[3:])
        with open(s("r.json"), encoding="utf-8") as f:
            told = json.load(f)
        kept = told["resumed"]
        if content(s("whole")) != content(target) or kept["files"] < 2 or \
                kept["rows"] != 1000 * kept["files"] or told["rows"]["out"] != 1000 * GROUPS:
            raise AssertionError(f"{told}")
        if NO_REST not in refused(narrows(*command, "--resume"), 1):
            raise AssertionError("it was resumed twice")


def cases(full):
    yield "what --resume refuses", refusals
    rows, times = (8000, 200) if full else (1000, 10)
    for name, words in (("a partitioned replace", replacing), ("an append", appending),
                        ("a compact", compacting)):
        yield f"kill -9 of the command: {name}", lambda w=words: killed(w, rows, times), 600
    for words in (rolling, sorting, unpartitioned, asking) if full else (rolling, unpartitioned):
        yield (f"kill -9 and --resume: {words.__name__}",
               lambda w=words: resumed(w, rows, times), 900)
