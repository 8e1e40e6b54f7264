"""Rows through programs: --pipe."""
import json
import os
import signal
import subprocess
import sys
import time

import harness
from harness import MIB, Scratch, narrows, ok, refused

FILTER = """
import sys, pyarrow as pa, pyarrow.compute as pc
reader = pa.ipc.open_stream(sys.stdin.buffer)
with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as out:
    for batch in reader:
        out.write_batch(batch.filter(pc.less(batch['id'], 10)))
"""
# one record batch of all rows, and another schema
WHOLE = """
import sys, pyarrow as pa, pyarrow.compute as pc
table = pa.ipc.open_stream(sys.stdin.buffer).read_all().combine_chunks()
table = table.append_column('twice', pc.multiply(table['id'], 2))
with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as out:
    out.write_table(table)
"""


def make(path, rows=20000):
    ok("gen", path, "--range", f"id={rows}", "--column", "note=string:8..40", "--column",
       "price=decimal(12,2)", "--nulls", "note=0.1", "-q")
    return path


def program(s, text):
    harness.library("pyarrow")
    path = s("program.py")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return f"{sys.executable} {path}"


def told(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def identity():
    """What cat gives back is what went in: the same bytes as by way of a file."""
    with Scratch("pipe") as s:
        a = make(s("a.parquet"))
        ok("copy", a, s("a.arrows"))
        ok("copy", s("a.arrows"), s("plain.parquet"))
        ok("copy", a, s("cat.parquet"), "--pipe", "cat", "--pipe", "cat", "--report", s("r.json"),
           "--memory", "64MiB")
        if open(s("plain.parquet"), "rb").read() != open(s("cat.parquet"), "rb").read():
            raise AssertionError("cat changes rows")
        report = told(s("r.json"))
        programs = report["piped"]["programs"]
        if (report["piped"]["in"], report["piped"]["out"]) != (20000, 20000) or \
                [p["command"] for p in programs] != ["cat", "cat"] or \
                any(p["exit"] or not 100_000 < p["memory"] < 64 * MIB for p in programs) or \
                report["rows"]["in"] != 20000 or report["peak"] > report["plan"]["peak"]:
            raise AssertionError(report)


def filters():
    with Scratch("pipe") as s:
        a = make(s("a.parquet"))
        ok("copy", a, s("b.parquet"), "--pipe", program(s, FILTER), "--where", "id % 2 = 0",
           "--report", s("r.json"), "--memory", "64MiB")
        if ok("sql", f"SELECT sum(id), count(*) FROM '{s('b.parquet')}'", "-f",
              "csv").out.split(b"\n")[1] != b"20,5":
            raise AssertionError("rows")
        report = told(s("r.json"))
        if report["rows"]["in"] != 20000 or report["rows"]["filtered"] != 10000 or \
                report["piped"]["in"] != 10000 or report["piped"]["out"] != 5:
            raise AssertionError(report)


def whole():
    """A program that reads all before it writes, and writes one batch larger than memory."""
    with Scratch("pipe") as s:
        a = make(s("a.parquet"), 900_000)
        ok("copy", a, s("b.parquet"), "--pipe", program(s, WHOLE), "--memory", "48MiB",
           "--report", s("r.json"))
        if told(s("r.json"))["peak"] > 48 * MIB:  # of the process alone, without the program's
            raise AssertionError(f"peak {told(s('r.json'))['peak'] / MIB}")
        out = ok("sql", f"SELECT count(*), sum(twice - 2 * id) FROM '{s('b.parquet')}'", "-f",
                 "csv").out.split(b"\n")[1]
        if out != b"900000,0":
            raise AssertionError(out)


def verbs():
    with Scratch("pipe") as s:
        a = make(s("a.parquet"))
        if ok("sql", f"SELECT id FROM '{a}' ORDER BY id DESC LIMIT 2", "--pipe", "cat", "-f",
              "csv").out != b"id\n19999\n19998\n":
            raise AssertionError("sql")
        ok("sql", f"SELECT id, id % 3 AS k FROM '{a}'", "--pipe", "cat", "-o", s("ds/"),
           "--partition-by", "k")
        if ok("count", s("ds/")).out != b"20000\n":
            raise AssertionError("partitions")
        if ok("sample", a, "-", "--first", "2", "--of", "id", "--pipe", "cat", "-f",
              "csv").out.count(b"\n") != 3:
            raise AssertionError("sample")
        if ok("gen", "-", "--rows", "3", "--column", "a=int8", "--pipe", "cat", "-f",
              "csv").out.count(b"\n") != 4:
            raise AssertionError("gen")
        out = ok("plan", "copy", a, s("c.parquet"), "--pipe", "cat", "--memory", "64MiB").out
        if b"what comes back" not in out or os.path.exists(s("c.parquet")):
            raise AssertionError(out)
        refused(narrows("sql", f"COPY (SELECT * FROM '{a}') TO '{s('x.parquet')}'", "--pipe",
                        "cat"), 2)
        refused(narrows("copy", a, s("c.parquet"), "--pipe", "cat", "--memory", "12MiB"), 4)


FAILURES = (("exit 3", "exit code 3"),
            ("cat; exit 9", "exit code 9"),
            ("kill -9 $$", "signal"),
            ("exec /nonesuch/program 2>/dev/null", "exit code 127"),
            ("head -c 100000 >/dev/null", "before it had read all"),
            ("head -c 300000", "before it had read all"),
            ("cat >/dev/null", "gave nothing"),
            ("echo hello; cat >/dev/null", "neither an Arrow file nor an Arrow stream"),
            ("cat; echo more", "something follows"),
            ("head -c 500000; cat >/dev/null", "cut off|longer than"))


def failures():
    with Scratch("pipe") as s:
        a = make(s("a.parquet"))
        for command, says in FAILURES:
            line = refused(narrows("copy", a, s("b.parquet"), "--pipe", command), 1)
            if not any(word in line for word in says.split("|")):
                raise AssertionError(f"{command}: {line}")
            if os.path.exists(s("b.parquet")):
                raise AssertionError(f"{command}: the target was made")
        line = refused(narrows("copy", s("none.parquet"), s("b.parquet"), "--pipe", "cat"), 1)
        if "none.parquet" not in line:
            raise AssertionError(line)


def left_of(mark):
    """Processes whose command line has the word, zombies too."""
    out = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True).stdout
    return [line for line in out.splitlines() if mark in line]


def interrupted():
    """A program that hangs is killed, with all that it started."""
    with Scratch("pipe") as s:
        a = make(s("a.parquet"))
        mark = f"98765.{os.getpid()}"
        process = subprocess.Popen([harness.need(harness.RELEASE), "copy", a, s("b.parquet"),
                                    "--pipe", f"cat >/dev/null; sleep {mark}"],
                                   stderr=subprocess.PIPE)
        for _ in range(200):
            if any("sleep" in line and "sh -c" not in line and "narrows" not in line
                   for line in left_of(mark)):
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("went on after SIGINT") from None
        if process.returncode != 130 or os.path.exists(s("b.parquet")):
            raise AssertionError(f"exit {process.returncode}: {err.decode()}")
        if left_of(mark):
            raise AssertionError(f"left running: {left_of(mark)}")


def cases():
    for function in (identity, filters, whole, verbs, failures, interrupted):
        yield f"pipe: {function.__name__}", function
