"""What goes wrong around the process: kill -9, a full disk, inputs that change or are damaged,
and every allocation and every system call failing in turn (a debug build does that on request).
"""
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time

import appending
import datasets
import killed_commands
import harness
import queries
from harness import SANITIZED, SANITIZERS, Scratch, Skip, narrows, ok, refused


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def listing(folder):
    return sorted(os.listdir(folder))


# ---- kill -9 ----

def killed(verb, times, exists):
    """Runs that are killed at random points: the target is as before, or whole."""
    program = harness.need(harness.RELEASE)
    r = random.Random(f"{verb}-{exists}")
    with Scratch("kill") as s:
        source = s("in.parquet")
        ok("gen", source, "--range", "group=100", "--range", "id=1000", "--range", "row=20",
           "--shuffle", "--column", "note=string:8..40", "-q", timeout=120)
        os.mkdir(s("out"))
        os.mkdir(s("spill"))
        target = s("out", "o.parquet")
        words = {"copy": ["copy", source, target, "--parquet-version", "2"],
                 "sample": ["sample", source, target, "--first", "10", "--of", "id", "--per",
                            "group"],
                 "gen": ["gen", target, "--range", "a=2000", "--range", "b=2000", "--shuffle"]}
        command = words[verb] + ["--on-exists", "replace", "--spill-dir", s("spill"), "--memory",
                                 "32MiB", "-q"]
        whole = ok(*command, timeout=120)
        wanted = digest(target)
        outcomes = {"before": 0, "whole": 0}
        for n in range(times):
            if os.path.exists(target):
                os.unlink(target)
            before = None
            if exists:
                with open(target, "wb") as f:
                    f.write(b"what was there")
                before = digest(target)
            process = subprocess.Popen([program, *command], stderr=subprocess.DEVNULL)
            # One in four near the end, where publishing happens.
            at = r.uniform(0.9, 1.05) if n % 4 == 0 else r.uniform(0, 1)
            time.sleep(whole.seconds * at)
            process.send_signal(signal.SIGKILL)
            process.wait()
            now = digest(target) if os.path.exists(target) else None
            if now not in (before, wanted):
                raise AssertionError(f"run {n}: the target is neither as before nor whole")
            outcomes["whole" if now == wanted else "before"] += 1
            left = [x for x in listing(s("out")) if x != "o.parquet"]
            if len(left) > 1 or any(not x.startswith(".narrows-") for x in left):
                raise AssertionError(f"run {n}: left behind: {left}")
            if listing(s("spill")):
                raise AssertionError(f"run {n}: spill left behind: {listing(s('spill'))}")
            if left:
                ok(*command, timeout=120)
                if listing(s("out")) != ["o.parquet"]:
                    raise AssertionError(f"the next run did not remove {left}")
        return f"{outcomes['before']} as before, {outcomes['whole']} whole"


# ---- disks ----

def full_disk():
    """A file system of 4 MiB: a sentence with the missing bytes, nothing left."""
    with Scratch("full") as s:
        os.mkdir(s("disk"))
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", s("disk")],
                               capture_output=True, text=True)
        if mount.returncode:
            raise Skip("may not mount a small file system here")
        try:
            target = s("disk", "o.parquet")
            line = refused(narrows("gen", target, "--range", "x=3000000", "--shuffle",
                                   "--compression", "none", "--spill-dir", s.path), 1)
            if not re.search(r"\d[\d,]* (bytes|B\b)|MiB", line):
                raise AssertionError(f"does not say how much is missing: {line}")
            if listing(s("disk")):
                raise AssertionError(f"left behind: {listing(s('disk'))}")
            line = refused(narrows("gen", s("o.parquet"), "--range", "x=60000000", "--shuffle",
                                   "--compression", "none", "--memory", "32MiB", "--spill-dir",
                                   s("disk"), "--spill-limit", "1MiB", "--row-group-size",
                                   "60000000", "--row-group-size-bytes", "4GiB", timeout=120),
                           (1, 4))
            if listing(s("disk")) or os.path.exists(s("o.parquet")):
                raise AssertionError("a failed run left something")
        finally:
            subprocess.run(["umount", s("disk")], check=False)
    return line[:120]


def full_stdout():
    ran = narrows("gen", "-", "--range", "x=1000000", "-f", "csv",
                  stdout=open("/dev/full", "wb"))
    line = refused(ran, 1)
    if not re.search("space|full", line):
        raise AssertionError(line)


def read_only():
    if os.geteuid() == 0:
        raise Skip("root may write anywhere")
    with Scratch("ro") as s:
        os.mkdir(s("no"), 0o500)
        refused(narrows("gen", s("no", "o.parquet"), "--range", "x=10"), 1)


# ---- inputs ----

def changing(how):
    """The input is changed while a copy of it is stopped: an error, no target."""
    program = harness.need(harness.RELEASE)
    for attempt in range(8):
        with Scratch("change") as s:
            source = s("in.parquet")
            ok("gen", source, "--range", "x=6000000", "--shuffle", "--compression", "none", "-q",
               timeout=120)
            process = subprocess.Popen([program, "copy", source, s("o.parquet"), "--threads", "1",
                                        "--compression", "zstd:9", "-q"], stderr=subprocess.PIPE)
            time.sleep(0.15 / (1 << attempt))
            process.send_signal(signal.SIGSTOP)
            size = os.path.getsize(source)
            if how == "cut":
                os.truncate(source, size // 2)
            elif how == "replaced":
                with open(s("new"), "wb") as f:
                    f.write(os.urandom(1 << 16) * (size >> 16))
                os.replace(s("new"), source)
            else:
                with open(source, "r+b") as f:
                    f.seek(size // 2)
                    f.write(b"\0" * (1 << 20))
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=120)
            text = err.decode()
            if process.returncode == 0:
                if how == "replaced":
                    return "the old file was read to its end"
                continue  # it was done before it was stopped
            if process.returncode < 0:
                raise AssertionError(f"killed by signal {-process.returncode}")
            if os.path.exists(s("o.parquet")):
                raise AssertionError("a failed run left a target")
            lines = text.strip().split("\n")
            if process.returncode != 1 or len(lines) != 1 or "in.parquet" not in lines[0]:
                raise AssertionError(f"exit {process.returncode}: {text}")
            return lines[0][:160]
    raise Skip("every run was done before its input could be changed")


def damaged(path, rows, page_bytes=4096, row_group=5000, column=0, at=0.5):
    """A file with checksums, one page of one column damaged. Gives the values as a table."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = pa.table({"id": pa.array(range(rows), pa.int64()),
                      "name": pa.array([f"name {i}" for i in range(rows)])})
    pq.write_table(table, path, compression="none", use_dictionary=False, row_group_size=row_group,
                   data_page_size=page_bytes, write_page_checksum=True, write_page_index=True,
                   write_batch_size=100)
    chunk = pq.read_metadata(path).row_group(1).column(column)
    with open(path, "r+b") as f:
        f.seek(chunk.data_page_offset + int(chunk.total_compressed_size * at))
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 0x41]))
    return table


def quarantine(column):
    """The damaged page's rows are rejected with their place, exit 3, the rest is copied."""
    with Scratch("bad") as s:
        table = damaged(s("in.parquet"), 20000, column=column)
        line = refused(narrows("copy", s("in.parquet"), s("o.parquet")), 1)
        for word in ("row group 1", ("id", "name")[column], "page"):
            if word not in line:
                raise AssertionError(f"does not say {word}: {line}")
        if os.path.exists(s("o.parquet")):
            raise AssertionError("a failed run left a target")
        ran = narrows("copy", s("in.parquet"), s("o.parquet"), "--on-bad-row", "quarantine",
                      "--report", s("r.json"))
        if ran.code != 3:
            raise AssertionError(f"exit {ran.code}, wanted 3: {ran.err}")
        import pyarrow.parquet as pq
        got = pq.read_table(s("o.parquet"))
        ids = got.column("id").to_pylist()
        gone = sorted(set(range(20000)) - set(ids))
        if not gone or gone != list(range(gone[0], gone[-1] + 1)) or not \
                5000 <= gone[0] <= gone[-1] < 10000 or len(gone) > 1000:
            raise AssertionError(f"{len(gone)} rows rejected, {gone[:3]} to {gone[-3:]}")
        if ids != [i for i in range(20000) if i not in set(gone)] or \
                got.column("name").to_pylist() != [f"name {i}" for i in ids]:
            raise AssertionError("what was copied is not the rest")
        rejected = s("o.parquet.rejected.jsonl")
        if not os.path.exists(rejected):
            raise AssertionError(f"no reject file: {listing(s.path)}")
        with open(rejected, encoding="utf-8") as f:
            for text in f:
                json.loads(text)
        with open(s("r.json"), encoding="utf-8") as f:
            if f'{len(gone)}' not in f.read():
                raise AssertionError("the report does not count the rejected rows")
        refused(narrows("copy", s("in.parquet"), s("p.parquet"), "--on-bad-row", "quarantine",
                        "--max-bad-rows", "10"), 1)
        del table
        return f"{len(gone)} rows rejected"


def verify_damage():
    with Scratch("bad") as s:
        damaged(s("in.parquet"), 20000, column=1)
        ran = narrows("verify", s("in.parquet"))
        text = ran.out.decode() + ran.err
        if ran.code != 1 or "row group 1" not in text or "name" not in text:
            raise AssertionError(f"exit {ran.code}: {text}")


# ---- every allocation, every system call ----

VERBS = {
    "copy": lambda i, o: ["copy", i, o, "--no-keep-pages"],
    "pages kept": lambda i, o: ["copy", i, o, "--keep-pages"],
    "copy, version 2": lambda i, o: ["copy", i, o, "--parquet-version", "2"],
    "sample": lambda i, o: ["sample", i, o, "--first", "2", "--of", "id", "--per", "group"],
    "gen": lambda i, o: ["gen", o, "--range", "a=100", "--range", "b=500", "--shuffle",
                         "--column", "s=string:8..40"],
    "csv": lambda i, o: ["copy", i, o[:-8] + ".csv"],
    "inspect": lambda i, o: ["inspect", i, "--pages"],
    "verify": lambda i, o: ["verify", i],
    "stats": lambda i, o: ["stats", i],
    "where": lambda i, o: ["copy", i, o, "--where",
                           "note like '%a%' and (id < 7 or \"row\" in (5, 50)) or \"group\" = 3"],
    "tail": lambda i, o: ["tail", i, "-f", "json"],
}


def counts(limit, r):
    """1 to 30, then fewer and fewer, up to a number of calls that is never reached."""
    n, found = 1, []
    while len(found) < limit:
        found.append(n)
        n = n + 1 if n < 30 else int(n * r.uniform(1.03, 1.25)) + 1
    return found


def failing(verb, kind, limit):
    program = harness.need(SANITIZED)
    r = random.Random(f"{verb}-{kind}")
    with Scratch("fault") as s:
        source = s("in.parquet")
        os.mkdir(s("out"))
        ok("gen", source, "--range", "group=30", "--range", "id=10", "--range", "row=100",
           "--shuffle", "--column", "note=string:8..40", "--nulls", "id=0.1", "-q")
        words = VERBS[verb](source, s("out", "o.parquet"))
        # a part of it goes to the sanitizers
        words += ["--memory", "128MiB", "--threads", "2"]
        whole = ok(*words, binary=program)
        names = listing(s("out"))
        wanted = [digest(s("out", n)) for n in names], whole.out
        tried, fine = 0, False
        for n in counts(limit, r):
            for name in listing(s("out")):
                os.unlink(s("out", name))
            ran = narrows(*words, binary=program, timeout=60,
                          env={"NARROWS_FAULT": f"{kind}:{n}", **SANITIZERS})
            if ran.timed_out:
                raise AssertionError(f"{kind}:{n}: hangs")
            if ran.code < 0 or ran.code > 5:
                raise AssertionError(f"{kind}:{n}: exit {ran.code}: {ran.err[-600:]}")
            if ran.code == 0:
                now = [digest(s("out", x)) for x in listing(s("out"))], ran.out
                if now != wanted:
                    raise AssertionError(f"{kind}:{n}: success, but not the whole result")
                if n > 30 and fine:
                    break  # twice in a row: there are fewer calls
                fine = True
            else:
                tried, fine = tried + 1, False
                line = [l for l in ran.err.strip().split("\n") if l]
                if ran.code not in (1, 4) or len(line) != 1 or \
                        not line[0].startswith("narrows: "):
                    raise AssertionError(f"{kind}:{n}: exit {ran.code}: {ran.err[-600:]}")
                if kind == "enospc" and not re.search("space|full", line[0]):
                    raise AssertionError(f"{kind}:{n}: {line[0]}")
                left = [x for x in listing(s("out")) if digest(s("out", x)) not in wanted[0]]
                if left:
                    raise AssertionError(f"{kind}:{n}: left behind: {left}")
        return f"{tried} faults"


def cases(tier):
    full = tier == "all"
    for verb, times in (("copy", 40 if full else 6), ("sample", 30 if full else 5),
                        ("gen", 30 if full else 4)):
        for exists in (False, True):
            yield (f"kill -9: {verb}, target {'there' if exists else 'absent'}",
                   lambda v=verb, t=times, e=exists: killed(v, t // (1 if full else 2) or 1, e),
                   600)
    yield from appending.cases(full)
    yield from datasets.cases(full)
    yield from killed_commands.cases(full)
    yield from queries.cases(full)
    yield "full disk", full_disk, 200
    yield "full stdout", full_stdout
    yield "a folder that may not be written", read_only
    for how in ("cut", "overwritten", "replaced"):
        yield f"input {how} while it is read", lambda h=how: changing(h), 300
    yield "a corrupt page of numbers, quarantine", lambda: quarantine(0)
    yield "a corrupt page of text, quarantine", lambda: quarantine(1)
    yield "verify finds a corrupt page", verify_damage
    for verb in VERBS:
        for kind in ("alloc", "io", "enospc"):
            if kind == "enospc" and verb in ("inspect", "verify", "stats", "tail"):
                continue
            if not full and (verb, kind) not in QUICK:
                continue
            yield (f"{verb}: every {kind} fault in turn",
                   lambda v=verb, k=kind: failing(v, k, 150 if full else 45), 900)


QUICK = {("copy", "alloc"), ("copy", "io"), ("pages kept", "alloc"), ("pages kept", "io"),
         ("copy", "enospc"), ("sample", "alloc"),
         ("gen", "alloc"), ("csv", "io"), ("inspect", "alloc"), ("stats", "alloc"),
         ("where", "alloc"), ("where", "io")}
