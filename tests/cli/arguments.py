"""What the command line means: words in any order, defaults, messages, signals."""
import os
import re
import signal
import subprocess
import time

import harness
from harness import Scratch, narrows, ok, refused

# words after `narrows` (A: an input, B: a target), exit code, what the message says
WRONG = [
    ([], 2, "no verb"),
    (["plan"], 2, "no verb is given to plan"),
    (["copy"], 2, "no target|no source"),
    (["copy", "A"], 2, "no target"),
    (["gen", "B"], 2, "no column"),
    (["nonsense"], 2, "no verb nonsense; narrows --help"),
    (["merge", "A", "B"], 2, "narrows copy"),
    (["meta", "A"], 2, "narrows inspect"),
    (["copy", "A", "B", "--thread", "3"], 2, "did you mean --threads"),
    (["copy", "A", "B", "--first", "3"], 2, "copy has no option --first"),
    (["copy", "A", "B", "--order-by", "x"], 2, "--order-by, character 1: there is no column x"),
    (["copy", "A", "B", "--where", "x = 1"], 2, "--where, character 1"),
    (["count", "A", "--where", "id = 'x'"], 2, "--where, character 6"),
    (["tail", "A", "--where", ""], 2, "the condition is empty"),
    (["schema", "A", "--where", "id = 1"], 2, "where"),
    (["copy", "A", "B", "--threads"], 2, "needs a value"),
    (["copy", "A", "B", "--threads", "0"], 2, "--threads"),
    (["copy", "A", "B", "--statistics=no"], 2, "takes no value"),
    (["copy", "A", "B", "-x"], 2, "no option -x"),
    (["copy", "A", "B", "--progress", "often"], 2, "--progress"),
    (["copy", "A", "B", "--compression", "zip"], 2, "zstd"),
    (["copy", "A", "B", "--compression", "zstd:99"], 2, "levels"),
    (["copy", "A", "B", "--encoding", "note=delta_binary_packed"], 2, "note"),
    (["copy", "A", "B", "--on-exists", "perhaps"], 2, "fail, replace, skip or append"),
    (["copy", "A", "B", "-f", "xml"], 2, "csv"),
    (["copy", "A", "B", "-f", "csv", "--row-group-size", "5"], 2, "is for Parquet"),
    (["copy", "A", "."], 1, "exists, nothing was written"),
    (["copy", "A", "B", "--select", ""], 2, "empty"),
    (["sample", "A", "B"], 2, "--first"),
    (["sample", "A", "B", "--first", "none"], 2, "--first"),
    (["head", "A", "-n", "few"], 2, "whole number"),
    (["inspect", "A", "-f", "csv"], 2, "text or json"),
    (["schema", "A", "-f", "csv"], 2, "sql"),
    (["plan", "-f", "csv", "copy", "A", "B"], 2, "text or json"),
    (["help", "nonsense"], 2, "no verb nonsense"),
    (["count", "--files-from", "nothing"], 1, "nothing"),
    (["count", "nothing"], 1, "nothing"),
    (["inspect", "A", "--memory", "1MiB"], 4, "--memory"),
    (["stats", "A", "--memory", "1MiB"], 4, "--memory"),
]


def prepared(scratch):
    ok("gen", scratch("a.parquet"), "--range", "group=10", "--range", "id=10", "--column",
       "note=string:4..8", "-q")
    return {"A": scratch("a.parquet"), "B": scratch("b.parquet")}


def wrong(words, code, says):
    with Scratch("arguments") as s:
        names = prepared(s)
        line = refused(narrows(*[names.get(w, w) for w in words], cwd=s.path), code)
        if not re.search(says, line):
            raise AssertionError(f"does not say {says!r}: {line}")
        if os.listdir(s.path) != ["a.parquet"]:
            raise AssertionError(f"left behind: {os.listdir(s.path)}")


def same(*commands):
    """All of them print the same."""
    with Scratch("arguments") as s:
        names = prepared(s)
        said = [ok(*[names.get(w, w) for w in words], cwd=s.path).out for words in commands]
        if any(x != said[0] for x in said) or not said[0]:
            raise AssertionError(f"{said}")


def files_from():
    with Scratch("arguments") as s:
        prepared(s)
        os.rename(s("a.parquet"), s("a b.parquet"))
        with open(s("list"), "w", encoding="ascii") as f:
            f.write("a b.parquet\n\na b.parquet")
        if ok("count", "--files-from", "list", cwd=s.path).out != b"200\n":
            raise AssertionError("count")
        with open(s("list"), "rb") as f:
            if ok("count", "--files-from", "-", stdin=f, cwd=s.path).out != b"200\n":
                raise AssertionError("count from standard input")


def dashes():
    """`--` ends the options; a file may be called like one."""
    with Scratch("arguments") as s:
        prepared(s)
        os.rename(s("a.parquet"), s("-q"))
        if ok("count", "--", "-q", cwd=s.path).out != b"100\n":
            raise AssertionError("count")


def standard_input():
    with Scratch("arguments") as s:
        prepared(s)
        with open(s("a.parquet"), "rb") as f:
            if ok("count", "-", stdin=f).out != b"100\n":
                raise AssertionError("count")


def asked_for_progress():
    """SIGUSR1 prints a line and the run goes on."""
    with Scratch("arguments") as s:
        process = subprocess.Popen([harness.need(harness.RELEASE), "gen", s("a.parquet"),
                                    "--range", "x=400000000", "--shuffle"],
                                   stderr=subprocess.PIPE)
        time.sleep(0.7)
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        running = process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        if not running:
            raise AssertionError(f"ended: {err.decode()}")
        line = err.decode().split("\n")[0]
        if not re.match(r"gen  \d+ %  .* rows  .*RSS \d+.* left$", line) or len(line) > 79:
            raise AssertionError(err.decode())


def cases():
    for words, code, says in WRONG:
        yield "narrows " + " ".join(words), lambda w=words, c=code, t=says: wrong(w, c, t)
    yield "options stand anywhere", lambda: same(
        ["head", "A", "-n", "2", "-f", "json"], ["-f", "json", "head", "-n2", "A"],
        ["head", "--rows=2", "--format=json", "A"], ["head", "-fjson", "A", "--rows", "2"],
        ["-q", "--memory", "64MiB", "head", "A", "-n", "5", "-n", "2", "-f", "json"])
    yield "lists grow", lambda: same(
        ["head", "A", "--select", "id,note"], ["head", "A", "--select", "id", "--select", "note"],
        ["head", "A", "--select", '"id" , note'], ["head", "A", "--select", "ID,Note"])
    yield "help", lambda: same(["--help"], ["help"], ["-h"])
    yield "help of a verb", lambda: same(["copy", "--help"], ["help", "copy"],
                                         ["copy", "A", "-h"], ["--help", "copy"])
    for function in (files_from, dashes, standard_input, asked_for_progress):
        yield function.__name__.replace("_", " "), function
