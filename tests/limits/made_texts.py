"""Columns that expressions make are several times as large as those they come from: queries run
from the least memory that a refusal names on, whatever that is, with any number of threads."""
import re

import harness
from harness import Scratch, mib

ROWS = 200000
QUERIES = {
    "repeated": "SELECT count(*), max(x) FROM (SELECT repeat(s, 20) || l AS x FROM t)",
    "in a condition": "SELECT count(*) FROM t WHERE repeat(s, 20) || l LIKE '%99%'",
    "in both": "SELECT sum(length(upper(s || ' and ' || s || d))) FROM t "
               "WHERE reverse(s || l) < 'z'",
    "several": "SELECT s || l AS a, l::VARCHAR || s AS b, d + 1 AS c, upper(s || k) AS e FROM t "
               "WHERE l % 2 = 0",
    "branches": "SELECT CASE WHEN l < 140000 OR l % 5 = 0 THEN 'a key of some length, ' || l ELSE "
                "'one of few, ' || l % 3000 END AS g, count(*) AS n, sum(d) AS s, min(k) AS k, "
                "max(s) AS x FROM t GROUP BY ALL",
    "nested": "SELECT [l, l + 1, l + 2, k] AS a, {'x': s, 'y': repeat(s, 9)} AS b FROM t",
    "lists of texts": "SELECT string_split(repeat(s, 10), ' ') AS a, l FROM t",
    "under a window": "SELECT l, sum(length(repeat(s, 9))) OVER (ORDER BY l) AS x FROM t",
    "keys of a join": "SELECT a.l, b.s || a.s AS z FROM t a JOIN t b ON repeat(a.s, 3) || a.l = "
                      "repeat(b.s, 3) || b.l",
}


def command(s, sql, memory, threads):
    return [harness.need(harness.RELEASE), "sql", sql, "--attach", f"t={s('t.parquet')}", "-o",
            s("o.parquet"), "--on-exists", "replace", "-q", "--threads", threads, "--memory",
            memory]


def least_of(s, sql, threads):
    """The least memory in MiB, as the refusal of much less says."""
    ran = harness.measure(command(s, sql, "8MiB", threads), timeout=60)
    said = re.search(r"give --memory (\d+)MiB or more", ran.err)
    if ran.code != 4 or not said:
        raise AssertionError(f"at 8 MiB: exit {ran.code}: {ran.err[-300:]}")
    return int(said[1])


def made(name):
    seen = []
    with Scratch("limits") as s:
        harness.ok("sql", f"SELECT CASE WHEN i % 10 <> 3 THEN i * 7919 % 150000 END AS k, i AS l, "
                   f"'text number ' || i % 1000 AS s, i * 0.5 AS d FROM range({ROWS}) t(i)", "-o",
                   s("t.parquet"), "-q", timeout=120)
        for threads in "1", "2", "8":
            least = least_of(s, QUERIES[name], threads)
            for kib in (least << 10, *range((least << 10) + 700, (least + 16) << 10, 2500)):
                ran = harness.measure(command(s, QUERIES[name], f"{kib}KiB", threads), timeout=60)
                if ran.code or ran.peak > kib << 10:
                    raise AssertionError(f"{threads} threads, {kib} KiB, the least is {least} MiB: "
                                         f"exit {ran.code}, peak {mib(ran.peak)}: {ran.err[-300:]}")
            seen.append(f"{threads} threads from {least} MiB")
    return ", ".join(seen)


def cases():
    for name in QUERIES:
        yield f"columns made: {name}", lambda n=name: made(n), 300
