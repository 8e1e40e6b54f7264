"""The command as its user sees it: the pages' commands, exit codes, messages, reports."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import arguments
import harness
import pages
import piping
from harness import MIB, Scratch, narrows, ok, refused

VERBS = ["copy", "sample", "gen", "head", "tail", "count", "schema", "stats", "inspect", "verify",
         "recover", "plan"]


def make(path, *arguments):
    """A small table: id 0..999, group 0..9, a price and a note."""
    ok("gen", path, "--range", "group=10", "--range", "id=100", "--column", "price=decimal(12,2)",
       "--column", "note=string:8..40", *(arguments or ()), "-q")
    return path


def version():
    ran = ok("--version")
    if not re.fullmatch(r"narrows \d+\.\d+\.\d+\n", ran.out.decode()):
        raise AssertionError(ran.out)


def usage(*arguments, says=None):
    line = refused(narrows(*arguments), 2)
    if says and not re.search(says, line):
        raise AssertionError(f"does not say {says!r}: {line}")
    return line


def help_of(verb):
    a, b = ok("help", verb), ok(verb, "--help")
    if a.out != b.out or a.err:
        raise AssertionError("help VERB and VERB --help differ")
    text = a.out.decode()
    if f"narrows {verb}" not in text or len(text) < 200:
        raise AssertionError(f"says little: {text[:200]}")
    if max(map(len, text.splitlines())) > 100:
        raise AssertionError("lines of more than 100 columns")


def exists():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        with open(s("b.parquet"), "w", encoding="ascii") as f:
            f.write("precious")
        line = refused(narrows("copy", s("a.parquet"), s("b.parquet")), 1)
        if "--on-exists" not in line:
            raise AssertionError(line)
        ok("copy", s("a.parquet"), s("b.parquet"), "--on-exists", "skip")
        if open(s("b.parquet"), encoding="ascii").read() != "precious":
            raise AssertionError("an existing target was touched")
        ok("copy", s("a.parquet"), s("b.parquet"), "--on-exists", "replace")
        if ok("count", s("b.parquet")).out.strip() != b"1000":
            raise AssertionError("not replaced")
        if sorted(os.listdir(s.path)) != ["a.parquet", "b.parquet"]:
            raise AssertionError(f"left behind: {os.listdir(s.path)}")


def onto_itself():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        ok("copy", s("a.parquet"), s("a.parquet"), "--on-exists", "replace", "--compression",
           "gzip")
        if ok("count", s("a.parquet")).out.strip() != b"1000":
            raise AssertionError("rows were lost")


def columns():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        usage("sample", s("a.parquet"), s("b.parquet"), "--first", "1", "--of", "grup",
              says="did you mean group")
        usage("copy", s("a.parquet"), s("b.parquet"), "--select", "id,nothing", says="nothing")
        ok("copy", s("a.parquet"), s("b.parquet"), "--select", "note,id")
        out = ok("head", s("b.parquet"), "-n", "1", "-f", "json").out.decode()
        if list(json.loads(out)) != ["note", "id"]:
            raise AssertionError(out)
        # keys that are not written
        ok("sample", s("a.parquet"), s("c.parquet"), "--first", "2", "--of", "id", "--per", "group",
           "--select", "price,note", "--threads", "2")
        out = ok("schema", s("c.parquet"), "-f", "json").out.decode()
        if "note" not in out or "group" in out:
            raise AssertionError(out)
        if ok("count", s("c.parquet")).out.strip() != b"20":
            raise AssertionError("sample: not 20 rows")


def missing():
    with Scratch("cli") as s:
        line = refused(narrows("copy", s("none.parquet"), s("b.parquet")), 1)
        if "none.parquet" not in line:
            raise AssertionError(line)
        refused(narrows("copy", s("*.parquet"), s("b.parquet")), 1)
        make(s("a.parquet"))
        refused(narrows("copy", s("a.parquet"), s("no/folder/b.parquet")), 1)
        refused(narrows("copy", s("a.parquet"), s("b.unknown")), (1, 2))


def small_memory():
    """Too little is refused with the least that works, and that works; 80 % of it is refused."""
    with Scratch("cli") as s:
        make(s("a.parquet"))
        line = refused(narrows("copy", s("a.parquet"), s("b.parquet"), "--memory", "1MiB"), 4)
        if os.path.exists(s("b.parquet")):
            raise AssertionError("a target was left")
        least = re.search(r"--memory (\d+(?:\.\d+)?)\s*MiB", line)
        if not least:
            raise AssertionError(f"names no limit that works: {line}")
        limit = float(least.group(1))
        ran = ok("copy", s("a.parquet"), s("b.parquet"), "--memory", f"{least.group(1)}MiB")
        if ran.peak > limit * MIB:
            raise AssertionError(f"peak {harness.mib(ran.peak)} at {limit} MiB")
        refused(narrows("copy", s("a.parquet"), s("c.parquet"), "--memory",
                        f"{int(limit * 0.8 * 1024)}KiB"), 4)


def texts():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        csv = ok("copy", s("a.parquet"), "-").out.decode().splitlines()
        if csv[0] != "group,id,price,note" or len(csv) != 1001:
            raise AssertionError(csv[:2])
        lines = ok("copy", s("a.parquet"), "-", "-f", "json").out.decode().splitlines()
        first = json.loads(lines[0])
        if len(lines) != 1000 or first["group"] != 0 or first["id"] != 0:
            raise AssertionError(lines[:2])
        table = ok("head", s("a.parquet"), "-n", "3", "-f", "table").out.decode()
        if "price" not in table:
            raise AssertionError(table)
        ok("copy", s("a.parquet"), s("a.csv"))
        ok("copy", s("a.parquet"), s("a.jsonl"))
        if open(s("a.csv"), encoding="utf-8").read().splitlines() != csv:
            raise AssertionError("a file differs from stdout")


def looking():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        make(s("b.parquet"), "--seed", "2")
        if ok("count", s("a.parquet"), s("b.parquet")).out != b"2000\n":
            raise AssertionError("count")
        tail = ok("tail", s("a.parquet"), "-n", "2", "-f", "json").out.decode().splitlines()
        if [json.loads(l)["id"] for l in tail] != [98, 99]:
            raise AssertionError(tail)
        for extra in ([], ["--row-groups"], ["--pages"], ["--columns"], ["--metadata"]):
            for form in ([], ["-f", "json"]):
                ran = ok("inspect", s("a.parquet"), *extra, *form)
                if form:
                    parse_json(ran.out)
        text = ok("inspect", s("a.parquet"), s("b.parquet")).out.decode()
        if text.count(".parquet") != 2 or "zstd" not in text.lower():
            raise AssertionError(text)
        parse_json(ok("schema", s("a.parquet"), "-f", "json").out)
        if "DECIMAL(12,2)" not in ok("schema", s("a.parquet"), "-f", "sql").out.decode().upper():
            raise AssertionError("schema -f sql")
        parse_json(ok("stats", s("a.parquet"), "-f", "json").out)
        ok("stats", s("a.parquet"))


def parse_json(data):
    text = data.decode()
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def verify():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        ok("verify", s("a.parquet"))
        with open(s("a.parquet"), "r+b") as f:
            size = f.seek(0, 2)
            f.seek(size // 3)
            byte = f.read(1)
            f.seek(size // 3)
            f.write(bytes([byte[0] ^ 0x55]))
        ran = narrows("verify", s("a.parquet"))
        text = ran.out.decode() + ran.err
        if ran.code != 1 or "column" not in text:
            raise AssertionError(f"exit {ran.code}: {text}")
        line = refused(narrows("copy", s("a.parquet"), s("b.parquet")), 1)
        if "row group" not in line or "column" not in line:
            raise AssertionError(f"names no place: {line}")
        if os.path.exists(s("b.parquet")):
            raise AssertionError("a failed copy left a target")


def closed_pipe():
    with Scratch("cli") as s:
        ok("gen", s("a.parquet"), "--range", "x=1000000", "-q")
        with open(s("err"), "wb") as err:
            process = subprocess.Popen([harness.need(harness.RELEASE), "copy", s("a.parquet"), "-",
                                        "-f", "csv"], stdout=subprocess.PIPE, stderr=err)
            process.stdout.readline()
            process.stdout.close()
            code = process.wait(20)
        said = open(s("err"), encoding="utf-8").read()
        if code not in (141, -signal.SIGPIPE) or said:
            raise AssertionError(f"exit {code}: {said}")


def interrupted():
    with Scratch("cli") as s:
        process = subprocess.Popen([harness.need(harness.RELEASE), "gen", s("a.parquet"),
                                    "--range", "x=4000000000", "--shuffle"],
                                   stderr=subprocess.PIPE, cwd=s.path)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("went on after SIGINT") from None
        if process.returncode not in (130, -signal.SIGINT):
            raise AssertionError(f"exit {process.returncode}: {err.decode()}")
        if os.listdir(s.path):
            raise AssertionError(f"left behind: {os.listdir(s.path)}")


def report():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        ran = ok("copy", s("a.parquet"), s("b.parquet"), "--report", s("r.json"), "--memory",
                 "64MiB")
        told = json.load(open(s("r.json"), encoding="utf-8"))
        text = json.dumps(told)
        if told.get("exit") != 0 or "1000" not in text:
            raise AssertionError(text[:600])
        for word in ("command", "version", "seconds", "peak", "spill"):
            if word not in text:
                raise AssertionError(f"no {word} in the report: {text[:600]}")
        return f"peak {harness.mib(ran.peak)}"


def progress():
    with Scratch("cli") as s:
        ran = ok("gen", s("a.parquet"), "--range", "x=30000000", "--shuffle", "--progress", "json")
        events = [json.loads(l) for l in ran.err.splitlines() if l.startswith("{")]
        if not events or events[-1].get("event") != "done":
            raise AssertionError(ran.err[-600:])
        for name in ("phase", "fraction", "rows_in", "rows_out", "bytes_in", "bytes_out", "rss",
                     "memory", "spill"):
            if name not in events[-1]:
                raise AssertionError(f"no {name}: {events[-1]}")
        if events[-1]["rows_out"] != 30000000:
            raise AssertionError(events[-1])


def environment():
    """NARROWS_MEMORY and _THREADS are defaults; the options win."""
    with Scratch("cli") as s:
        make(s("a.parquet"))
        small = {"NARROWS_MEMORY": "1MiB"}
        refused(narrows("copy", s("a.parquet"), s("b.parquet"), env=small), 4)
        ok("copy", s("a.parquet"), s("b.parquet"), "--memory", "64MiB", env=small)
        refused(narrows("copy", s("a.parquet"), s("c.parquet"), env={"NARROWS_THREADS": "no"}), 2)


def quiet():
    with Scratch("cli") as s:
        make(s("a.parquet"))
        ran = ok("copy", s("a.parquet"), s("b.parquet"), "-q")
        if ran.err or ran.out:
            raise AssertionError(f"{ran.out!r} {ran.err!r}")


def planned():
    """plan writes nothing, and the run keeps what it promised."""
    with Scratch("cli") as s:
        make(s("a.parquet"))
        for verb, rest in (("copy", []), ("sample", ["--first", "2", "--of", "id", "--per",
                                                     "group"])):
            words = [verb, s("a.parquet"), s(f"{verb}.parquet"), *rest, "--memory", "64MiB"]
            text = ok("plan", *words).out.decode()
            if os.path.exists(s(f"{verb}.parquet")):
                raise AssertionError("plan ran the command")
            promise = re.search(r"^peak\s+at most ([\d.,]+) of", text, re.M)
            if not promise:
                raise AssertionError(f"no promise: {text}")
            peak = ok(*words).peak
            if peak > float(promise.group(1).replace(",", "")) * MIB:
                raise AssertionError(f"peak {harness.mib(peak)}, promised {promise.group(1)} MiB")


def terminal():
    """Binary never goes to a terminal; rows come as a table there."""
    with Scratch("cli") as s:
        make(s("a.parquet"))

        def run(*arguments):
            lead, follow = pty.openpty()
            process = subprocess.Popen([harness.need(harness.RELEASE), *arguments], stdout=follow,
                                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            os.close(follow)
            out = b""
            while select.select([lead], [], [], 10)[0]:
                try:
                    part = os.read(lead, 65536)
                except OSError:
                    break
                if not part:
                    break
                out += part
            os.close(lead)
            err = process.stderr.read()
            return process.wait(10), out, err
        code, out, err = run("copy", s("a.parquet"), "-", "-f", "parquet")
        if code == 0 or b"PAR1" in out:
            raise AssertionError(f"exit {code}: {out[:80]!r} {err!r}")
        code, out, _ = run("head", s("a.parquet"), "-n", "2")
        if code or b"note" not in out or b"note\r\n" in out.split(b"\r\n")[0] and b"," in out[:20]:
            raise AssertionError(f"exit {code}: {out[:200]!r}")


def by_bytes():
    """The format is known by its first bytes, whatever the name."""
    with Scratch("cli") as s:
        make(s("a.parquet"))
        os.rename(s("a.parquet"), s("data"))
        if ok("count", s("data")).out != b"1000\n":
            raise AssertionError("count")
        with open(s("text.parquet"), "w", encoding="ascii") as f:
            f.write("no parquet at all, but long enough to be looked at")
        line = refused(narrows("count", s("text.parquet")), 1)
        if "text.parquet" not in line:
            raise AssertionError(line)
        open(s("empty.parquet"), "w", encoding="ascii").close()
        refused(narrows("count", s("empty.parquet")), 1)


def cases(_tier):
    for path in pages.pages():
        if os.path.exists(path):
            yield os.path.relpath(path, harness.ROOT), lambda p=path: pages.run(p), 300
    yield "version", version
    yield "no verb", lambda: usage()
    yield "an unknown verb", lambda: usage("cpoy", "a", "b", says="copy")
    yield "a foreign word", lambda: usage("cat", "a.parquet", says="copy")
    yield "an unknown option", lambda: usage("copy", "a", "b", "--compresion", "zstd",
                                             says="--compression")
    yield "an option without its value", lambda: usage("copy", "a", "b", "--memory")
    yield "a size that is none", lambda: usage("copy", "a", "b", "--memory", "many",
                                               says="--memory")
    for verb in VERBS:
        yield f"help {verb}", lambda v=verb: help_of(v)
    for function in (exists, onto_itself, columns, missing, small_memory, texts, looking, verify,
                     closed_pipe, interrupted, report, progress, environment, quiet, planned,
                     terminal, by_bytes):
        yield function.__name__.replace("_", " "), function
    yield from arguments.cases()
    yield from piping.cases()
