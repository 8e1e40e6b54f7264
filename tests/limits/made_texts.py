"""Columns that expressions make are several times as large as those they come from: queries run
from the least memory that a refusal names on, whatever that is, with any number of threads."""
import re

import harness
from harness import Scratch, mib

ROWS = 200000
ALL = {"NARROWS_CREW": "all"}
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

# Of a file of DuckDB, whose dictionaries are of long texts and larger than what there is for them.
LONG = {
    "joined": "SELECT s || t AS a, l FROM t",
    "branches": "SELECT l, CASE WHEN k < 500 THEN s ELSE upper(t || s) END AS c, concat(s, t, l) "
                "AS e FROM t",
    "nested": "SELECT list_transform(a, x -> x + l) AS b, {'s': s || '!', 'k': k} AS r, "
              "map([t], [s]) AS m FROM t",
    "digests": "SELECT strftime(dt, '%A %d %B %Y') AS f, lpad(s, 300, '*') AS p, md5(s) AS h "
               "FROM t",
    "formatted": "SELECT printf('%d %s', l, s) AS x, s::BLOB AS b, hex(s) AS h FROM t",
    "gathered": "SELECT k, list(s || t) AS z FROM t WHERE l < 20000 GROUP BY k",
}

# Of small row groups, with texts of some hundred bytes: some hundred rows are as much as a worker
# may have in flight, and where one more worker begins all have the least. (query, MiB beyond the
# least, KiB from limit to limit)
ROW_GROUPS = {
    "flat from dictionaries": ("SELECT upper(few) AS a, lower(few) AS b, reverse(few) AS c, "
                               "few || k AS d FROM t", 12, 331),
    "nested from dictionaries": ("SELECT [few, few] AS a, {'x': few, 'y': few} AS b, "
                                 "map([few], [few]) AS c FROM t", 50, 4700),
    "the first rows": ("SELECT l, few, many FROM t WHERE l < 30000 ORDER BY k, l LIMIT 5000", 60,
                       4700),
    "rows that met nobody": ("SELECT x.l, y.few, y.many FROM t x FULL JOIN (SELECT * FROM t WHERE "
                             "l % 4 = 0) y ON x.k = y.l", 60, 9100),
}


def command(s, sql, memory, threads, target):
    return [harness.need(harness.RELEASE), "sql", sql, "--attach", f"t={s('t.parquet')}", "-o",
            s(target), "--on-exists", "replace", "-q", "--threads", threads, "--memory", memory]


def least_of(s, sql, threads, target):
    """The least memory in MiB, as the refusal of much less says."""
    ran = harness.measure(command(s, sql, "8MiB", threads, target), timeout=60, env=ALL)
    said = re.search(r"give --memory (\d+)MiB or more", ran.err)
    if ran.code != 4 or not said:
        raise AssertionError(f"at 8 MiB: exit {ran.code}: {ran.err[-300:]}")
    return int(said[1])


def from_the_least(s, sql, target="o.parquet", more=16, step=2500):
    seen = []
    for threads in "1", "2", "8":
        least = least_of(s, sql, threads, target)
        for kib in (least << 10, *range((least << 10) + 700, (least + more) << 10, step)):
            ran = harness.measure(command(s, sql, f"{kib}KiB", threads, target), timeout=60,
                                  env=ALL)
            if ran.code or ran.peak > kib << 10:
                raise AssertionError(f"{threads} threads, {kib} KiB, the least is {least} MiB: "
                                     f"exit {ran.code}, peak {mib(ran.peak)}: {ran.err[-300:]}")
        seen.append(f"{threads} threads from {least} MiB")
    return ", ".join(seen)


def made(name):
    with Scratch("limits") as s:
        harness.ok("sql", f"SELECT CASE WHEN i % 10 <> 3 THEN i * 7919 % 150000 END AS k, i AS l, "
                   f"'text number ' || i % 1000 AS s, i * 0.5 AS d FROM range({ROWS}) t(i)", "-o",
                   s("t.parquet"), "-q", timeout=120)
        return from_the_least(s, QUERIES[name])


def long_ones(name):
    harness.library("duckdb")
    import duckdb
    with Scratch("limits") as s:
        with duckdb.connect() as c:
            c.execute("COPY (SELECT i AS l, (hash(i) % 1000)::INTEGER AS k, repeat('word ' || "
                      "hash(i) % 100, 1 + (hash(i + 1) % 40)::INTEGER) AS s, 'kind ' || "
                      "hash(i + 2) % 50 AS t, DATE '2020-01-01' + (hash(i) % 1000)::INTEGER AS dt, "
                      "[x FOR x IN range(i % 5)] AS a FROM range(100000) t(i)) "
                      f"TO '{s('t.parquet')}'")
        return from_the_least(s, LONG[name])


def row_groups(name):
    with Scratch("limits") as s:
        harness.ok("sql", "SELECT i AS l, i * 7919 % 6000 AS k, repeat(md5((i * 7919 % 100)::"
                   "VARCHAR), 12) AS few, repeat(md5(i::VARCHAR), 20) AS many FROM "
                   "range(120000) t(i)", "-o", s("t.parquet"), "--row-group-size", "20000", "-q",
                   timeout=120)
        return from_the_least(s, ROW_GROUPS[name][0], "o.csv", *ROW_GROUPS[name][1:])


def cases():
    for name in QUERIES:
        yield f"columns made: {name}", lambda n=name: made(n), 300
    for name in LONG:
        yield f"columns made of long texts: {name}", lambda n=name: long_ones(n), 300
    for name in ROW_GROUPS:
        yield f"columns made in small row groups: {name}", lambda n=name: row_groups(n), 300
