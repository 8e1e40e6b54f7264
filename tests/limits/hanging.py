"""Peaks of aggregates whose states hang something, over many groups: the process stays below the
ceiling however many rows come, and the bytes do not depend on memory or threads."""
import filecmp

import harness
from checks import within
from harness import Scratch, measure, mib

GATHERING = {
    "quantiles": "quantile_cont(x, 0.5), mad(x)",
    "lists and texts": "list(id), string_agg(note), mode(id)",
    "extremes of texts": "max(note), first(note), arg_min(note, x)",
}


# Of texts of 2 to 3 KB: a group's rows (None: a hundred groups; "sorted": ten that follow each
# other), and what is gathered of them.
LONG = {
    "extremes": (3, "max(note), first(note), arg_min(note, id)"),
    "lists": (None, "list(note), string_agg(note, ';')"),
    "short lists": (6, "list(note), mode(note)"),
    "sets and sketches": (10, "count(DISTINCT note), count(DISTINCT id), "
                              "approx_count_distinct(note)"),
    "one set": (0, "count(DISTINCT id), max(note)"),
    "rising keys": ("sorted", "first(note), min(note), string_agg(note), sum(id)"),
}


def agree(s, sql, low, what, runs=((1, 0), (4, 0), (2, 1024))):
    """The same bytes for threads and memory (0: `low`), within each ceiling; returns the peaks."""
    outs, peaks = [], []
    for threads, memory in runs:
        memory = memory or low
        outs.append(s(f"o{threads}.parquet"))
        ran = measure([harness.need(harness.RELEASE), "sql", sql, "--memory", f"{memory}MiB",
                       "--threads", str(threads), "-o", outs[-1], "-q", "--on-exists", "replace"],
                      timeout=300)
        if ran.code:
            raise AssertionError(f"{what}: exit {ran.code}: {ran.err[-300:]}")
        within(ran, memory, f"{what}, {threads} threads: ")
        peaks.append(mib(ran.peak))
    if not all(filecmp.cmp(outs[0], o, False) for o in outs[1:]):
        raise AssertionError(f"{what}: bytes depend on memory or threads")
    return peaks


def hanging(name, sizes):
    notes = []
    with Scratch("limits") as s:
        for rows in sizes:
            harness.ok("gen", s("in.parquet"), "--range", f"id={rows}", "--column",
                       "note=string:32..200", "--column", "x=float64", "--shuffle", "-q",
                       "--on-exists", "replace", timeout=120)
            sql = (f"SELECT id % {rows // 20} AS k, {GATHERING[name]} "
                   f"FROM '{s('in.parquet')}' GROUP BY k")
            notes += agree(s, sql, 64, f"{rows} rows")
    return ", ".join(notes)


def combinations(rows):
    """Keys over dictionaries, with more combinations than a batch has rows: all groups are known
    soon, what hangs from them grows on."""
    with Scratch("limits") as s:
        source = s("in.parquet")
        harness.ok("gen", s("ids.parquet"), "--range", f"id={rows}", "--column", "x=float64", "-q",
                   timeout=120)
        harness.ok("sql", f"SELECT id % 101 AS a, id * 31 // 7 % 163 AS b, x "
                   f"FROM '{s('ids.parquet')}'", "-o", source, "-q", timeout=120)
        return ", ".join(agree(s, f"SELECT a, b, quantile_cont(x, 0.5), count(*) FROM '{source}' "
                                  "GROUP BY a, b", 64, f"{rows} rows"))


def long_lists(rows):
    """Groups whose lists are long leave some at a time, not by the thousand."""
    with Scratch("limits") as s:
        harness.ok("gen", s("in.parquet"), "--range", f"id={rows}", "--column", "note=string:4..12",
                   "-q", timeout=120)
        return ", ".join(agree(s, "SELECT id % 1009 AS k, list(note), string_agg(note) "
                                  f"FROM '{s('in.parquet')}' GROUP BY k", 128, f"{rows} rows"))


def long_texts(each, gathered, rows):
    """What hangs is many times the ceiling, and a batch of rows a large part of a worker's."""
    keys = {None: "id % 100", "sorted": "id // 10", 0: "1"}
    with Scratch("limits") as s:
        harness.ok("gen", s("in.parquet"), "--range", f"id={rows}", "--column",
                   "note=string:2000..3000", "-q", timeout=120)
        key = keys[each] if each in keys else f"id % {rows // each}"
        source = f"(SELECT {key} AS k, * FROM '{s('in.parquet')}')"
        if each == "sorted":  # clustered by what statistics say
            harness.ok("sql", f"SELECT {key} AS k, * FROM '{s('in.parquet')}'", "-o",
                       s("keys.parquet"), "--row-group-size", "5000", "-q", timeout=120)
            source = f"'{s('keys.parquet')}'"
        return ", ".join(agree(s, f"SELECT k, {gathered} FROM {source} GROUP BY k", 64,
                               f"{rows} rows", ((1, 0), (2, 0), (8, 0), (4, 128), (2, 4096))))


# What one group gathers may be of any size where its result is not.
LARGE = {
    "quantiles": "median(x), quantile_cont(x, [0.1, 0.9]), quantile_disc(note, 0.3), mad(x), "
                 "median(id)",
    "sets": "count(DISTINCT note), count(DISTINCT x), sum(DISTINCT id) FILTER (id % 3 > 0), avg(x)",
    "modes": "mode(note), mode(id % 1000), mode(x), entropy(id)",
}


def large_groups(name, sizes):
    """Flat however many values there are; without keys, and of a group among small ones."""
    notes = []
    with Scratch("limits") as s:
        for key in ("0", "CASE WHEN id % 8 > 0 THEN 0 ELSE id // 1000 END"):
            peaks = []
            for rows in sizes:
                harness.ok("gen", s("in.parquet"), "--range", f"id={rows}", "--column",
                           "note=string:8..24", "--column", "x=float64", "--shuffle", "-q",
                           "--on-exists", "replace", timeout=120)
                peaks.append(agree(s, f"SELECT {key} AS k, {LARGE[name]} FROM "
                                   f"'{s('in.parquet')}' GROUP BY k", 32, f"{rows} rows"))
            notes += peaks
    return ", ".join(f"{' '.join(p)}" for p in notes)


def one_large_group():
    """One group that takes more than there is, is refused by a sentence that says so."""
    with Scratch("limits") as s:
        harness.ok("gen", s("in.parquet"), "--range", "id=60000", "--column",
                   "note=string:2000..3000", "-q", timeout=120)
        for threads in ("1", "4"):
            line = harness.refused(harness.narrows(
                "sql", f"SELECT id % 2 AS k, list(note) FROM '{s('in.parquet')}' GROUP BY k", "-o",
                s("o.parquet"), "--memory", "64MiB", "--threads", threads), 4)
            if "of one group takes more than" not in line or "--memory" not in line:
                raise AssertionError(line)
    return line


def cases(full):
    sizes = (200_000, 2_000_000) if full else (10_000, 100_000)
    for name in GATHERING:
        yield f"what hangs from groups: {name}", lambda n=name: hanging(n, sizes), 900
    for name, (each, gathered) in LONG.items():
        yield (f"what hangs from groups: long texts, {name}",
               lambda e=each, g=gathered: long_texts(e, g, 200_000 if full else 40_000), 900)
    for name in LARGE:
        yield (f"what hangs from groups: one of any size, {name}",
               lambda n=name: large_groups(n, (1_000_000, 10_000_000) if full
                                           else (100_000, 1_000_000)), 900)
    yield "what hangs from groups: one that is too large", one_large_group, 300
    yield "what hangs from groups: combinations of dictionaries", lambda: combinations(
        40_000_000 if full else 12_000_000), 300
    yield "what hangs from groups: long lists", lambda: long_lists(
        2_000_000 if full else 600_000), 300
