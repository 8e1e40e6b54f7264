#!/usr/bin/env python3
"""Writes into the console blocks of pages what their commands print now.

    tools/refill.py [--check] [PAGE]...

What varies from run to run or machine to machine becomes `...`. Read the difference before you
commit it: the pages are the expectation of the tests. With --check nothing is written, and the exit
code is 1 if a page would change.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VARIES = [
    (r", [\d.]+ (?:bytes|kB|MB|GB) in \d+\.\d\d s\b", ", ... in ... s"),
    (r"at least [\d.]+ MiB", "at least ... MiB"),
    (r"give --memory \d+MiB", "give --memory ...MiB"),
    (r"the header says [0-9a-f]{8}, the page has [0-9a-f]{8}",
     "the header says ..., the page has ..."),
    (r'("(?:least|grant|baseline|peak|runs_from|threads|spill_limit|bytes_decompressed)":)\d+',
     r"\1..."),
    (r"in flight, \d+ threads", "in flight, ... threads"),
    (r"\(process \d+\)", "(process ...)"),
    (r"\.narrows-[0-9a-f]{16}\.dataset", ".narrows-....dataset"),
    (r"\d+ files? of a killed run", "... of a killed run"),
    (r"\d+ files? of the killed run kept, [\d,]+ rows, [\d.]+ \w+",
     "... of the killed run kept, ... rows, ..."),
]
PLAN = [
    (r"(?m)^(\d .*? {2}(?:streams|bounded|spills)).*", r"\1 ..."),
    (r"(?m)^peak .*", "peak   at most ... of ... (base ...); would run from ..."),
    (r"(?m)^spill {2}at most.*", "spill  at most ..."),
]


def soften(text):
    for pattern, by in VARIES + (PLAN if text.startswith("step ") else []):
        text = re.sub(pattern, by, text)
    return text


def refilled(text, environment, folder):
    out, inside, command = [], False, []

    def run():
        if not command:
            return
        done = subprocess.run(["bash", "-c", "\n".join(command)], cwd=folder, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        printed = soften(done.stdout.decode("utf-8", "replace")).rstrip("\n")
        out.extend(line.rstrip() for line in printed.split("\n") if printed)
        command.clear()
    for line in text.split("\n"):
        if inside and line.startswith("```"):
            run()
            inside = False
        elif line.startswith("```console"):
            inside = True
        elif inside and line.startswith("$ "):
            run()
            command.append(line[2:])
        elif inside and command and (line.startswith("> ") or command[-1].endswith("\\")):
            command.append(line[2:] if line.startswith("> ") else line)
        elif inside:
            continue
        out.append(line)
    return "\n".join(out)


def refill(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with tempfile.TemporaryDirectory(prefix="narrows-pages-") as scratch:
        os.mkdir(os.path.join(scratch, "bin"))
        os.mkdir(os.path.join(scratch, "here"))
        os.symlink(os.environ.get("NARROWS", os.path.join(ROOT, "build", "narrows")),
                   os.path.join(scratch, "bin", "narrows"))
        environment = dict(os.environ, PATH=f"{scratch}/bin:{os.environ['PATH']}",
                           LC_ALL="C.UTF-8", COLUMNS="120", TMPDIR=scratch)
        return text, refilled(text, environment, os.path.join(scratch, "here"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("pages", nargs="*")
    args = parser.parse_args()
    changed = False
    for path in args.pages or sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
        old, new = refill(path)
        if old == new:
            continue
        changed = True
        print(os.path.relpath(path, ROOT))
        if not args.check:
            with open(path, "w", encoding="utf-8") as f:
                f.write(new)
    return 1 if changed and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
