"""Rows added to an Avro file: runs that are killed, and two that add to it at once."""
import os
import random
import signal
import subprocess
import time

import harness
from harness import Scratch, ok


def content(path):
    with open(path, "rb") as f:
        return f.read()


def killed(times):
    """The file is as before, or has all the rows."""
    program = harness.need(harness.RELEASE)
    r = random.Random("append")
    with Scratch("kill") as s:
        source, path = s("in.parquet"), s("a.avro")
        ok("gen", source, "--rows", "200000", "--column", "id=int64", "--column",
           "note=string:8..40", "-q")
        ok("gen", path, "--rows", "50000", "--column", "id=int64", "--column", "note=string:8..40",
           "-q")
        command = ["copy", source, path, "--on-exists", "append", "-q"]
        before = content(path)
        whole = ok(*command)
        after = content(path)
        if not after.startswith(before) or ok("count", path).out.strip() != b"250000":
            raise AssertionError("rows are missing without a kill")
        seen = {before: 0, after: 0}
        for n in range(times):
            with open(path, "wb") as f:
                f.write(before)
            process = subprocess.Popen([program, *command], stderr=subprocess.DEVNULL)
            time.sleep(whole.seconds * r.uniform(0.8 if n % 3 == 0 else 0, 1.05))
            process.send_signal(signal.SIGKILL)
            process.wait()
            now = content(path)
            if now not in seen:
                raise AssertionError(f"run {n}: {len(now)} bytes, neither as before nor whole")
            seen[now] += 1
        with open(path, "wb") as f:
            f.write(before)
        ok(*command)
        if content(path) != after or sorted(os.listdir(s.path)) != ["a.avro", "in.parquet"]:
            raise AssertionError(f"the next run: {os.listdir(s.path)}")
        return f"{seen[before]} as before, {seen[after]} whole"


def at_once(times):
    """Of runs at the same time each adds its rows, or says that it did not."""
    program = harness.need(harness.RELEASE)
    refused = 0
    with Scratch("append") as s:
        source, path = s("in.parquet"), s("a.avro")
        ok("gen", source, "--rows", "3000", "--column", "id=int64", "-q")
        ok("copy", source, path, "-q")
        rows = 3000
        for _ in range(times):
            runs = [subprocess.Popen([program, "copy", source, path, "--on-exists", "append", "-q"],
                                     stderr=subprocess.PIPE, text=True) for _ in range(4)]
            for run in runs:
                _, said = run.communicate()
                if run.returncode and "another" not in said:
                    raise AssertionError(said)
                rows += 0 if run.returncode else 3000
                refused += run.returncode != 0
            counted = int(ok("count", path).out)
            if counted != rows:
                raise AssertionError(f"{counted} rows, {rows} were said to be added")
    return f"{refused} of {4 * times} refused"


def cases(full):
    yield "kill -9: rows added to an Avro file", lambda: killed(60 if full else 8), 300
    yield "rows added to an Avro file at once", lambda: at_once(20 if full else 3), 120
