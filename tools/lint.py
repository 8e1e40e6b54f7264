#!/usr/bin/env python3
"""The rules of the code base that a compiler does not know.

    tools/lint.py [--list] [--rule NAME]... [FILE]...

Prints one line a finding, `path:line: rule: what`, and exits with 1 if there is any.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

LAYERS = {
    "base": 0,
    "kernel": 1, "codec": 1, "column": 1, "io": 1,
    "format": 2, "database": 2, "expr": 2,
    "dataset": 3,
    "exec": 4,
    "sql": 5,
    "api": 6,
}
MAX_FUNCTION = 120
MAX_FILE = 800
MAX_COLUMNS = 100

BANNED = {
    # anywhere
    "strcpy": "bounded copies", "strcat": "bounded copies", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "gets": "bounded reads", "strtok": "a span", "alloca": "an account",
    "atoi": "a checked parser", "atol": "a checked parser", "atof": "a checked parser",
    "rand": "a seeded generator", "srand": "a seeded generator", "tmpnam": "O_TMPFILE",
    "mktemp": "O_TMPFILE", "system": "posix_spawn", "longjmp": "a status", "setjmp": "a status",
    "localtime": "own calendar", "gmtime": "own calendar", "ctime": "own calendar",
    "strerror": "err_errno",
}
LIBRARY_BANNED = {
    # in src/ only
    "printf": "an error", "fprintf": "an error", "puts": "an error", "perror": "an error",
    "putchar": "an error", "vprintf": "an error", "vfprintf": "an error",
    "abort": "a status", "exit": "a status", "_exit": "a status", "assert": "a status",
    "malloc": "mem_alloc", "calloc": "mem_zalloc", "realloc": "mem_realloc", "free": "mem_free",
    "strdup": "an arena", "mmap": "pread", "fopen": "io",
}
# Who may: the allocator itself, and the memory accounts' check of debug builds.
ALLOWED = {
    "src/base/": {"malloc", "calloc", "realloc", "free", "mmap", "abort", "fprintf", "fopen",
                  "strerror"},
    # texts that callers of the library free without an account
    "src/api/job.c": {"free"},
    "src/api/report.c": {"malloc"},
}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def blank(text, keep_strings=False):
    """Comments (and the insides of strings) replaced by blanks; line structure stays."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def replace(match):
        token = match.group(0)
        if token[0] in "\"'":
            if keep_strings:
                return token
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return pattern.sub(replace, text)


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, text=True)
    if out.returncode == 0:
        return [p for p in out.stdout.splitlines() if os.path.isfile(os.path.join(ROOT, p))]
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [d for d in folders if d[0] != "." and not d.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    return found


def is_c(path):
    return path.endswith((".c", ".h"))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def folder_of(path):
    """The layer's folder of a file under src/, or None."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


# ---- rules: each takes the list of files and yields (path, line, what) ----

def rule_layers(files):
    edges = {}
    for path in files:
        if not is_c(path) or not path.startswith(("src/", "cli/", "include/")):
            continue
        own = folder_of(path)
        for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', read(path), re.M):
            target, line = m.group(1), line_of(read(path), m.start())
            head = target.split("/")[0]
            if path.startswith("include/"):
                if head != "narrows":
                    yield path, line, f"a public header includes {target}"
                continue
            if path.startswith("cli/"):
                if head in LAYERS:
                    yield path, line, f"the command includes {target}, not include/narrows/"
                continue
            if head not in LAYERS or own == head and own != "format":
                continue
            if own not in LAYERS:
                yield path, line, f"folder src/{own} has no layer (LAYERS in tools/lint.py)"
                continue
            if own == "format" and head == "format":
                mine, other = path.split("/")[2], target.split("/")[1]
                sub_mine = len(path.split("/")) > 3
                if sub_mine and "." not in other and mine != other:
                    yield path, line, f"format {mine} includes format {other}"
                continue
            if LAYERS[head] > LAYERS[own]:
                yield path, line, f"layer {own} includes {target} of the higher layer {head}"
            elif own != head:
                edges.setdefault((own, head), (path, line))
    # Folders of one layer may use each other, but never in a circle.
    graph = {}
    for own, head in edges:
        graph.setdefault(own, set()).add(head)

    def reaches(a, b, seen):
        return any(n == b or (n not in seen and reaches(n, b, seen | {n}))
                   for n in graph.get(a, ()))
    for (own, head), (path, line) in edges.items():
        if reaches(head, own, {head}):
            yield path, line, f"folders {own} and {head} include each other in a circle"


def rule_banned(files):
    call = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)[ \t]*\(")
    for path in files:
        if not path.endswith((".c", ".h")) or not path.startswith(("src/", "cli/", "include/")):
            continue
        allowed = set()
        for prefix, names in ALLOWED.items():
            if path.startswith(prefix):
                allowed = names
        text = blank(read(path))
        for m in call.finditer(text):
            name = m.group(1)
            if name in allowed:
                continue
            instead = BANNED.get(name)
            if instead is None and path.startswith("src/"):
                instead = LIBRARY_BANNED.get(name)
            if instead is not None:
                yield path, line_of(text, m.start()), f"{name}() is banned; use {instead}"


def rule_length(files):
    for path in files:
        if not is_c(path) and not path.endswith(".py"):
            continue
        lines = read(path).splitlines()
        if len(lines) > MAX_FILE:
            yield path, len(lines), f"file has {len(lines)} lines, {MAX_FILE} is the most"
        for i, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                yield path, i, f"line has {len(line)} columns, {MAX_COLUMNS} is the most"
            if is_c(path) and "\t" in line:
                yield path, i, "tab; four spaces"
        if not path.endswith(".c"):
            continue
        start = None
        for i, line in enumerate(blank("\n".join(lines)).splitlines(), 1):
            if line.rstrip() == "{":
                start = i
            elif line.startswith("}") and start is not None:
                n = i - start + 1
                if n > MAX_FUNCTION:
                    yield path, start, f"function has {n} lines, {MAX_FUNCTION} is the most"
                start = None


def rule_extern(files):
    for path in files:
        if path.endswith(".c"):
            text = blank(read(path))
            for m in re.finditer(r"^[ \t]*extern\b", text, re.M):
                yield path, line_of(text, m.start()), "extern in a .c file; include its header"


def rule_words(files):
    marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    words = re.compile(r"\b(" + "|".join(marks) + r")\b")
    roots = re.compile(r"(?<![\w.$}*-])/(?:wo" + r"rk|ho" + r"me|ro" + r"ot|op" + r"t)/\w")
    for path in files:
        try:
            text = read(path)
        except OSError:
            continue
        if "\0" in text:
            continue
        for m in words.finditer(text):
            yield path, line_of(text, m.start()), f"{m.group(0)}: do it, or write an issue"
        for m in roots.finditer(text):
            yield path, line_of(text, m.start()), "absolute path of one machine"


def rule_guards(files):
    for path in files:
        if not path.endswith(".h") or not path.startswith(("src/", "include/", "cli/")):
            continue
        text = read(path)
        if "#pragma once" in text:
            continue
        parts = [p for p in path[:-2].upper().split("/") if p not in ("SRC", "INCLUDE")]
        m = re.search(r"^#ifndef (\w+)\n#define (\w+)", text, re.M)
        if not m or m.group(1) != m.group(2):
            if re.search(r"template", path):
                continue
            yield path, 1, "no include guard " + "_".join(parts)


def rule_headers(files):
    """Every header compiles alone; public ones without src/ in sight, as C and as C++."""
    cc = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    cxx = shutil.which("g++") or shutil.which("c++")
    if not cc:
        return

    def check(job):
        path, command = job
        with tempfile.NamedTemporaryFile("w", suffix=".c" if command[0] == cc else ".cc") as f:
            f.write(f'#include "{os.path.join(ROOT, path)}"\n')
            f.flush()
            out = subprocess.run(command + [f.name], capture_output=True, text=True, cwd=ROOT)
        if out.returncode:
            first = next((l for l in out.stderr.splitlines() if "error" in l), out.stderr[:200])
            return path, 1, "does not compile alone: " + first
        return None

    c_flags = ["-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
               "-Wno-unused-function", "-Iinclude"]
    jobs = []
    for path in files:
        if not path.endswith(".h") or "template" in path:
            continue
        if path.startswith("include/"):
            jobs.append((path, [cc] + c_flags))
            if cxx:
                jobs.append((path, [cxx, "-fsyntax-only", "-Wall", "-Iinclude"]))
        elif path.startswith("src/"):
            jobs.append((path, [cc] + c_flags + ["-Isrc"]))
        elif path.startswith("cli/"):
            jobs.append((path, [cc] + c_flags + ["-Icli"]))
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(check, jobs):
            if found:
                yield found


def rule_symbols(_files):
    """The shared library gives out nrw_ names alone, and all that its headers promise."""
    library = next((p for p in ("build/libnarrows.so", "build-debug/libnarrows.so")
                    if os.path.exists(os.path.join(ROOT, p))), None)
    if not library or not shutil.which("nm"):
        return
    out = subprocess.run(["nm", "-D", "--defined-only", library], cwd=ROOT, capture_output=True,
                         text=True)
    defined = {line.split()[-1] for line in out.stdout.splitlines() if line.split()}
    for name in sorted(defined):
        if not name.startswith("nrw_"):
            yield library, 1, f"exported symbol {name} lacks the prefix nrw_"
    for path in tracked():
        if path.startswith("include/") and path.endswith(".h"):
            text = blank(read(path))
            for m in re.finditer(r"NRW_API\b[^;{#]*?\b(nrw_\w+)\s*\(", text):
                if m.group(1) not in defined:
                    yield path, line_of(text, m.start()), m.group(1) + " is declared, not defined"


def rule_format(files):
    tool = shutil.which("clang-format")
    if not tool:
        return
    version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
    if not re.search(r"version 14\.", version):
        return  # others lay the same rules out a little differently
    paths = [p for p in files if is_c(p)]
    if not paths:
        return
    out = subprocess.run([tool, "--dry-run"] + paths, cwd=ROOT, capture_output=True, text=True)
    seen = set()
    place = re.compile(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", re.M)
    for m in place.finditer(out.stderr):
        path = os.path.relpath(os.path.join(ROOT, m.group(1)), ROOT)
        if path not in seen:
            seen.add(path)
            yield path, int(m.group(2)), "not laid out by .clang-format; make format does it"


RULES = {name[5:]: rule for name, rule in list(globals().items()) if name.startswith("rule_")}


def run(rules=None, files=None):
    """All findings as (path, line, rule, what)."""
    files = files or tracked()
    return [(path, line, name, what) for name, rule in RULES.items() if not rules or name in rules
            for path, line, what in rule(files)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="names of the rules")
    parser.add_argument("--rule", action="append", help="this rule alone; may come again")
    parser.add_argument("files", nargs="*", help="default: all of the repository")
    args = parser.parse_args()
    if args.list:
        print("\n".join(RULES))
        return 0
    findings = run(args.rule, [os.path.relpath(os.path.abspath(f), ROOT) for f in args.files])
    for path, line, name, what in findings:
        print(f"{path}:{line}: {name}: {what}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
