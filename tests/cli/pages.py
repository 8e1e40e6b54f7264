"""Runs the ```console blocks of a page and compares what they print.

In a block, `$ ` begins a command and `> ` continues it (as a shell prompts); what follows is its
output, both streams together. `...` inside a line stands for any text, alone on a line for any
lines. Blocks of a page run in order in one folder that is empty at first. A command whose output
is not shown must print nothing, or be followed by `...`.
"""
import glob
import os
import re
import subprocess

import harness


def pages():
    found = glob.glob(os.path.join(harness.ROOT, "docs", "**", "*.md"), recursive=True)
    return sorted(found) + [os.path.join(harness.ROOT, "README.md")]


def steps(path):
    """(line number, command, expected output) of every command of a page."""
    found, inside, command, number, output = [], False, None, 0, []
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")

    def close():
        if command is not None:
            found.append((number, command, "\n".join(output)))
    for i, line in enumerate(lines, 1):
        if not inside:
            inside = bool(re.match(r"^\s*```console\s*$", line))
            command, output = None, []
        elif re.match(r"^\s*```\s*$", line):
            close()
            inside, command, output = False, None, []
        elif line.startswith("$ "):
            close()
            command, number, output = line[2:], i, []
        elif command is not None and not output and line.startswith("> "):
            command += "\n" + line[2:]
        elif command is not None and not output and command.endswith("\\"):
            command += "\n" + line
        elif command is not None:
            output.append(line)
    return found


def matches(wanted, got):
    wanted, got = wanted.strip("\n"), got.strip("\n")
    wanted = "\n".join(l.rstrip() for l in wanted.split("\n"))
    got = "\n".join(l.rstrip() for l in got.split("\n"))
    pattern = []
    for line in wanted.split("\n"):
        if line.strip() == "...":
            pattern.append(r"(?:.*\n)*")
        else:
            pattern.append(".*".join(map(re.escape, line.split("..."))) + r"\n")
    return re.fullmatch("".join(pattern), got + "\n") is not None


def run(path):
    """Runs a page; raises AssertionError at the first command that prints something else."""
    program = harness.need(harness.RELEASE)
    todo = steps(path)
    if not todo:
        raise harness.Skip("no ```console block")
    with harness.Scratch("page") as scratch:
        os.mkdir(scratch("bin"))
        os.symlink(os.path.abspath(program), scratch("bin", "narrows"))
        for example in glob.glob(os.path.join(os.path.dirname(os.path.abspath(program)),
                                              "example_*")):
            os.symlink(example, scratch("bin", os.path.basename(example)))
        os.mkdir(scratch("here"))
        environment = dict(os.environ, PATH=scratch("bin") + ":" + os.environ["PATH"],
                           LC_ALL="C.UTF-8", COLUMNS="120", TMPDIR=scratch.path)
        for number, command, wanted in todo:
            try:
                out = subprocess.run(["bash", "-c", command], cwd=scratch("here"), timeout=60,
                                     env=environment, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"line {number}: $ {command}\ntook more than 60 s") from None
            got = out.stdout.decode("utf-8", "replace")
            if not matches(wanted, got):
                raise AssertionError(f"line {number}: $ {command}\n--- the page\n{wanted}\n"
                                     f"--- printed (exit {out.returncode})\n{got[:3000]}")
    return f"{len(todo)} commands"
