"""Whole datasets, all or nothing: runs that are killed, many files, few descriptors.

The runs are those of write_dataset.c, which writes as the command does.
"""
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import harness
from harness import MIB, Scratch, measure, mib, narrows, ok

FILES, FOLDERS = "240", "40"


class InMemory(Scratch):
    """A folder that is synced in no time, where the system has one."""

    def __init__(self):
        if os.access("/dev/shm", os.W_OK):
            self.path = tempfile.mkdtemp(prefix="narrows-dataset-", dir="/dev/shm")
        else:
            super().__init__("dataset")


def program(folder):
    return harness.need(os.path.join(harness.ROOT, folder, "write_dataset"))


def content(folder):
    """{path: digest} of all that lies below; folders without anything end with a slash."""
    found = {}
    for path, folders, names in os.walk(folder):
        rel = os.path.relpath(path, folder)
        if not folders and not names and rel != ".":
            found[rel + "/"] = ""
        for name in names:
            with open(os.path.join(path, name), "rb") as f:
                found[os.path.join(rel, name)] = hashlib.sha256(f.read()).hexdigest()
    return found


def copied(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=os.link)


def run_and_kill(command, env, delay, from_publication):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
    if from_publication:
        process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def times_of(command, env):
    """Seconds until publication begins, and of publication."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)
    if process.stdout.readline() != b"publish\n":
        raise AssertionError(f"exit {process.wait()}")
    publishing = time.monotonic()
    process.communicate()
    if process.returncode:
        raise AssertionError(f"exit {process.returncode}")
    return publishing - started, time.monotonic() - publishing


def killed(policy, folder, lack, times):
    """Half of the kills come while files are written, half while they are published."""
    tool = program(folder)
    r = random.Random(f"{policy} {lack}")
    env = dict(os.environ, NARROWS_LACK=lack)
    outcomes = {"old": 0, "new": 0}
    with InMemory() as s:
        os.mkdir(s("in"))
        command = [tool, s("in", "out"), policy, FILES, FOLDERS, "new"]
        measure([tool, s("old"), "fail", FILES, str(int(FOLDERS) + 7), "old"], env=env)
        copied(s("old"), s("in", "out"))
        writing, publishing = times_of(command, env)
        before, behind = content(s("old")), content(s("in", "out"))
        if len(before) != int(FILES) or before == behind:
            raise AssertionError("the runs did not write what they should")
        for n in range(times):
            copied(s("old"), s("in", "out"))
            run_and_kill(command, env, r.uniform(0, 1.1) * (publishing if n % 2 else writing),
                         n % 2)
            if n % 3 == 2:  # the next run does what recover does
                again = measure([tool, s("in", "out"), "skip", "1", "1", "x"], env=env)
                if again.code != 3:
                    raise AssertionError(f"kill {n}: the next run: {again.code} {again.err}")
            told = ok("recover", s("in", "out")).out.decode()
            if not told.startswith(s("in", "out") + ": "):
                raise AssertionError(f"kill {n}: recover says {told!r}")
            now = content(s("in", "out"))
            if now not in (before, behind):
                raise AssertionError(f"kill {n}: a mixture: {told}")
            if os.listdir(s("in")) != ["out"]:
                raise AssertionError(f"kill {n}: left behind: {os.listdir(s('in'))}")
            outcomes["old" if now == before else "new"] += 1
    return f"{outcomes['old']} old, {outcomes['new']} new"


def refused_while_one_lives():
    """The second run and recover name the first one's process; when it has gone, all is well."""
    tool = program("build")
    with Scratch("dataset") as s:
        first = subprocess.Popen([tool, s("out"), "fail", "1000000", "100", "x"],
                                 stdout=subprocess.DEVNULL)
        while not [n for n in os.listdir(s.path) if n.startswith(".narrows-")]:
            time.sleep(0.01)
        time.sleep(0.2)
        second = measure([tool, s("out"), "replace", "1", "1", "y"])
        recover = narrows("recover", s("out"))
        first.kill()
        first.wait()
        for ran in (second, recover):
            if ran.code != 1 or f"(process {first.pid})" not in ran.err:
                raise AssertionError(f"exit {ran.code}: {ran.err}")
        told = ok("recover", s("out")).out.decode()
        if "of a killed run removed; there is no dataset" not in told or os.listdir(s.path):
            raise AssertionError(f"{told} {os.listdir(s.path)}")
        if ok("recover", s("out")).out.decode() != s("out") + ": nothing to recover\n":
            raise AssertionError("something was recovered twice")


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def many_files(policies):
    """50,000 files in 5,000 folders with 256 descriptors, in the memory of 500 files."""
    tool = program("build")
    peaks, notes = {}, []
    with InMemory() as s:
        for files, folders in (("500", "50"), ("50000", "5000")):
            for policy in policies:
                ran = measure([tool, s(files), policy, files, folders, policy], timeout=300,
                              preexec=few_descriptors)
                if ran.code or ran.out != b"publish\ndone\n":
                    raise AssertionError(f"{policy}: exit {ran.code}: {ran.err}")
                peaks[files, policy] = ran.peak
                if files == "50000":
                    notes.append(f"{policy} {ran.seconds:.1f} s ({ran.cpu:.1f} s of CPU)")
        for policy in policies:
            grown = peaks["50000", policy] - peaks["500", policy]
            if grown > MIB:
                raise AssertionError(f"{policy}: {mib(grown)} more for 100 times the files")
        if len(content(s("50000"))) != 50000 or sorted(os.listdir(s.path)) != ["500", "50000"]:
            raise AssertionError("files are missing or left over")
    return f"peak {mib(max(peaks.values()))}; " + ", ".join(notes)


def mount_point():
    """A dataset that is a file system of its own is staged inside of it."""
    tool = program("build")
    with Scratch("dataset") as s:
        os.mkdir(s("disk"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", s("disk")],
                          capture_output=True).returncode:
            raise harness.Skip("may not mount a small file system here")
        try:
            for policy, count in (("fail", 20), ("append", 40), ("replace-partitions", 20),
                                  ("overwrite-or-ignore", 20), ("replace", 20)):
                ran = measure([tool, s("disk"), policy, "20", "10", policy])
                if ran.code or len(content(s("disk"))) != count:
                    raise AssertionError(f"{policy}: exit {ran.code}: {ran.err}")
            if len(os.listdir(s("disk"))) != 10 or os.listdir(s.path) != ["disk"]:
                raise AssertionError(f"left over: {os.listdir(s('disk'))}")
        finally:
            subprocess.run(["umount", s("disk")], check=False)


def cases(full):
    ways = [("replace", "build", ""), ("replace", "build-asan", "exchange"),
            ("append", "build", ""), ("replace-partitions", "build", ""),
            ("overwrite-or-ignore", "build-asan", "sibling"),
            ("replace", "build-asan", "sibling")]
    for policy, folder, lack in ways:
        name = f"kill -9 of a dataset: {policy}" + (f", no {lack}" if lack else "")
        yield (name, lambda p=policy, f=folder, l=lack: killed(p, f, l, 200 if full else 34), 600)
    yield "a second run to a dataset", refused_while_one_lives
    yield "a dataset that is a mount point", mount_point
    yield "50,000 files in 5,000 folders, 256 descriptors", lambda: many_files(
        ["fail", "append", "replace-partitions", "replace"] if full else
        ["fail", "replace-partitions"]), 600
