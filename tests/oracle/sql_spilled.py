"""Joins whose right side is larger than memory, against DuckDB: every kind, with nulls, with
conditions, with a key that alone is larger than memory; windows whose partition is; values of
DISTINCT aggregates that are; what one group gathers, which is; groups of next to no rows, which
pass their tables by; long keys; nested columns. The same bytes as where all of it fits."""
import hashlib
import json

import harness
from harness import Scratch

FITS = ["--memory", "1GiB", "--threads", "1"]
SPILLS = [["--memory", "32MiB", "--threads", "2"], ["--memory", "64MiB", "--threads", "1"],
          ["--memory", "64MiB", "--threads", "8"]]
# Groups leave memory by all threads, too.
LEAVES = [["--memory", "1GiB", "--threads", "2"], ["--memory", "1GiB", "--threads", "8"]]

TABLES = {
    "l": "SELECT CASE WHEN i % 10 = 3 THEN NULL ELSE (i * 7919) % 150000 END AS k, i AS l, "
         "'text number ' || (i % 1000) AS s, i * 0.5 AS d FROM range(200000) t(i)",
    "r": "SELECT CASE WHEN i % 17 = 3 THEN NULL ELSE (i * 104729) % 240000 END AS k, i AS r, "
         "'right ' || i AS s2, (i % 100)::INTEGER AS q FROM range(200000) t(i)",
    # two thirds of the rows have one key
    "skew": "SELECT (CASE WHEN i % 3 < 2 THEN 5 ELSE i END)::BIGINT AS k, i AS r, "
            "'skewed ' || i AS s2 FROM range(300000) t(i)",
    "codes": "SELECT CASE WHEN i % 31 = 7 THEN NULL ELSE 'code ' || hash(i) % 100 END AS a, "
             "CASE WHEN i % 37 = 5 THEN NULL ELSE (hash(i + 1) % 60)::INTEGER END AS b, "
             "(hash(i + 2) % 1000)::SMALLINT - 500 AS v, (i * 0.25)::DOUBLE AS x "
             "FROM range(300000) t(i)",
    # of 1.5 million values, which neither rise nor fall; a column nulls, a column of few values
    "many": "SELECT CASE WHEN i % 9 = 4 THEN NULL ELSE hash(i)::DOUBLE / 1e9 END AS x, "
            "(hash(i + 1) % 900000)::BIGINT AS a, (hash(i + 2) % 70)::SMALLINT AS f, "
            "'text ' || hash(i + 3) % 800000 AS s, (hash(i + 4) % 1000000)::DECIMAL(30, 3) AS w, "
            "TIMESTAMP '2020-01-01' + INTERVAL (hash(i + 5) % 90000000) SECOND AS t, i AS i "
            "FROM range(1500000) t(i)",
    "long": "SELECT i, repeat('long text ' || (i * 7919 % 60), 200) AS s FROM range(20000) t(i)",
    "nested": "SELECT i, (hash(i) % 90000)::INTEGER AS k, CASE WHEN i % 11 > 0 THEN [CASE WHEN "
              "x % 5 > 0 THEN x * i END FOR x IN range(i % 6)] END AS l, "
              "CASE WHEN i % 13 > 0 THEN {'a': CASE WHEN i % 3 > 0 THEN i / 4 END, 'b': "
              "[{'c': 'a text, ' || x * i, 'd': x > 1} FOR x IN range(i % 4)]} END AS r, "
              "map_from_entries([{'k': 'key ' || x, 'v': x - i} FOR x IN range(i % 3)]) AS m "
              "FROM range(90000) t(i)",
    "wide": "SELECT CASE WHEN i % 64 = 1 THEN repeat('text number ' || i, 2000) ELSE 'text ' || i "
            "END AS g, i AS k FROM range(120000) t(i)",
}

JOINS = {
    "inner": "SELECT * FROM '{l}' l JOIN '{r}' r ON l.k = r.k",
    "left": "SELECT * FROM '{l}' l LEFT JOIN '{r}' r ON l.k = r.k",
    "right": "SELECT * FROM '{l}' l RIGHT JOIN '{r}' r ON l.k = r.k",
    "full, a condition": "SELECT * FROM '{l}' l FULL JOIN '{r}' r ON l.k = r.k AND l.l < r.r",
    "left, a condition": "SELECT * FROM '{l}' l LEFT JOIN '{r}' r ON l.k = r.k AND "
                         "l.l % 100 > r.q",
    "semi, a condition": "SELECT * FROM '{l}' l WHERE EXISTS (SELECT 1 FROM '{r}' r WHERE "
                         "l.k = r.k AND l.d > r.q)",
    "anti": "SELECT * FROM '{l}' l WHERE NOT EXISTS (SELECT 1 FROM '{r}' r WHERE l.k = r.k)",
    "mark": "SELECT l, k IN (SELECT k FROM '{r}' WHERE q > 3) AS m FROM '{l}' l",
    "mark, no nulls": "SELECT l, k NOT IN (SELECT k FROM '{r}' WHERE k IS NOT NULL) AS m "
                      "FROM '{l}' l",
    "single": "SELECT l, (SELECT max(s2) FROM '{r}' r WHERE r.k = l.k) AS m FROM '{l}' l",
    "float keys": "SELECT l.l, r.r FROM '{l}' l JOIN '{r}' r ON l.k::DOUBLE = r.k::DOUBLE",
    "nulls are equal": "SELECT l.l, r.r FROM (FROM '{l}' WHERE l < 30) l FULL JOIN '{r}' r "
                       "ON l.k IS NOT DISTINCT FROM r.k",
    "a key larger than memory": "SELECT l.l, s.r FROM (FROM '{l}' WHERE l < 3000) l FULL JOIN "
                               "'{skew}' s ON l.k = s.k",
    "a key larger than memory, left": "SELECT l.k, l.l, s.r FROM (SELECT l % 7 AS k, l FROM '{l}' "
                                      "WHERE l < 20) l LEFT JOIN '{skew}' s ON l.k = s.k AND "
                                      "s.r % 100 > l.l + 95",
    "no keys": "SELECT l.l, s.r, s.s2 FROM (FROM '{l}' WHERE l < 10) l LEFT JOIN '{skew}' s ON "
               "s.r * 3 < l.l * 2 - 4",
    "joins in a row": "SELECT l.l, r.r, q.r AS z FROM '{l}' l JOIN '{r}' r ON l.k = r.k "
                      "FULL JOIN '{r}' q ON q.r = l.l",
    "an order behind it": "SELECT l.l, r.s2 FROM '{l}' l JOIN '{r}' r ON l.k = r.k LIMIT 1000",
    "rows of no columns": "SELECT count(*) AS n FROM (FROM '{l}' WHERE l < 12) l, "
                          "(FROM '{r}' UNION ALL FROM '{r}' UNION ALL FROM '{r}') r",
}

DISTINCT = {
    "of texts": "SELECT i % 3 AS g, count(DISTINCT 'a text of some length ' || (i % 350000)) AS n, "
                "count(*) AS m, max(i) AS x, sum(i) AS s FROM range(500000) t(i) GROUP BY ALL",
}

# One group that gathers more than there is.
GATHERED = {
    "quantiles": "SELECT median(x) AS a, quantile_cont(x, [0.1, 0.25, 0.9]) AS b, "
                 "quantile_disc(x, 0.99) AS c, mad(x) AS d, median(a) AS e, median(t) AS g, "
                 "quantile_disc(f, [0.5, 0.75]) AS h, mad(t) AS i, quantile_cont(a, 0) AS j, "
                 "quantile_cont(x, 1) AS k FROM '{many}'",
    "quantiles of wide ones and of texts": "SELECT median(w) AS a, quantile_disc(w, 0.3) AS b, "
                                           "median(s) AS c, quantile_disc(s, [0.01, 0.7]) AS d "
                                           "FROM '{many}'",
    "quantiles of three": "SELECT i % 3 AS g, median(x) AS a, quantile_disc(s, 0.5) AS b, "
                          "median(w) FILTER (f < 60) AS c, count(*) AS n, max(s) AS m "
                          "FROM '{many}' GROUP BY g",
    "a large one and many": "SELECT CASE WHEN i % 4 > 0 THEN -1 ELSE a END AS g, median(x) AS a, "
                            "mode(f) AS b, count(DISTINCT s) AS c, max(t) AS d "
                            "FROM '{many}' GROUP BY g",
    "sets": "SELECT count(DISTINCT a) AS a, count(DISTINCT s) AS b, sum(DISTINCT a) AS c, "
            "round(avg(DISTINCT w), 6) AS d, count(DISTINCT x) FILTER (f % 2 = 0) AS e, "
            "round(avg(x)) AS g, count(DISTINCT t) AS h FROM '{many}'",
    "sets of three": "SELECT i % 3 AS g, count(DISTINCT a) AS a, count(DISTINCT s) AS b, "
                     "round(stddev_pop(DISTINCT a), 4) AS c FROM '{many}' GROUP BY g",
    "modes": "SELECT mode(a) AS a, mode(s) AS b, mode(f) AS c, mode(x) AS d, mode(w) AS e, "
             "round(entropy(a), 9) AS g FROM '{many}'",
    "clustered keys": "SELECT i // 600000 AS g, median(x) AS a, mode(s) AS b, "
                      "count(DISTINCT a) AS c, count(DISTINCT s) AS d FROM '{many}' GROUP BY g",
}

# Most groups have one row; then, further on, few do: tables are tried again. States of all kinds.
GROUPS = {
    "of one row": "SELECT s2, k, r % 3 AS z, count(*) AS n, sum(q * 0.25) AS s, max(s2) AS x, "
                  "arg_min(s2, r) AS a, count(DISTINCT q) AS d, sum(r) FILTER (q > 50) AS f "
                  "FROM '{r}' GROUP BY s2, k, z",
    "of one row, then of many": "SELECT CASE WHEN l < 140000 OR l % 5 = 0 THEN 'a key of some "
                                "length, ' || l ELSE 'one of few, ' || l % 3000 END AS g, "
                                "count(*) AS n, sum(d) AS s, min(k) AS k, max(s) AS x "
                                "FROM '{l}' GROUP BY ALL",
    "half of all rows in one": "SELECT CASE WHEN r % 2 = 0 THEN s2 END AS g, r % 2 AS z, "
                               "count(*) AS n, sum(q) AS s FROM (FROM '{r}' UNION ALL FROM '{r}') "
                               "GROUP BY g, z",
    "some longer than a block": "SELECT g, count(*) AS n, max(k) AS k FROM '{wide}' GROUP BY g",
}

# Rows that pass with their arguments: of all widths, nulls, filters, keys among them; groups that
# come again only when tables are no longer tried; then all rows of one, which no table has met.
BARE = {
    "arguments of all kinds": "SELECT x, a, count(*) AS n, sum(f) AS b, "
                              "round(avg(f::DOUBLE), 6) AS c, max(w) AS d, min(t) AS e, "
                              "sum(i) FILTER (f > 30) AS g, count(x) AS h, max(a) AS j, "
                              "bool_and(f > 3) AS k, min(-f) AS m, "
                              "sum(CASE WHEN i % 5 > 1 THEN w END) AS l "
                              "FROM (FROM '{many}' WHERE i < 800000) GROUP BY x, a",
    "texts and no arguments": "SELECT s, a % 7 AS z, count(*) AS n FROM "
                              "(FROM '{many}' WHERE i < 800000) GROUP BY s, z",
    "that come again": "SELECT (i * 7919) % 700000 AS k, (i * 7919) % 700000 % 3 AS z, "
                       "sum(i) AS a, min(w) AS b, count(f) FILTER (a > 70) AS c, max(x) AS d "
                       "FROM (FROM '{many}' WHERE i < 800000) GROUP BY k, z",
    "one of half of the rows": "SELECT CASE WHEN i < 400000 THEN i * 31 % 400009 ELSE 7 "
                               "END AS k, count(*) AS n, sum(a) AS a, max(w) AS b, sum(f) AS c "
                               "FROM (FROM '{many}' WHERE i < 800000) GROUP BY k",
}

# Groups that fit into memory once, but not once for each thread; keys over dictionaries, whose
# combinations are many. States of numbers alone, and such that make tables go.
SHARED = {
    "one for all": "SELECT k, l % 3 AS z, sum(l::INTEGER) AS a, avg(l::INTEGER) AS b, sum(l) AS c, "
                   "sum(d::DOUBLE) AS s, min(d::DOUBLE) AS e, max((l % 9999)::SMALLINT) AS f, "
                   "min(l::UINTEGER) AS h, max(DATE '2020-01-01' + l::INTEGER) AS i, "
                   "min(k % 2 = 0) AS j, max((d - 7000)::FLOAT) AS m, "
                   "min((d - 70)::DECIMAL(18, 2)) AS n, sum(d::DECIMAL(9, 1)) AS o "
                   "FROM (FROM '{l}' WHERE l < 90000) GROUP BY k, z",
    "one for all, spilled": "SELECT k, l % 2 AS z, sum(l::INTEGER) AS a, avg(d::DOUBLE) AS b, "
                            "min(d::FLOAT) AS e, max(l) AS f FROM '{l}' GROUP BY k, z",
    "by codes": "SELECT a, b, count(*) AS n, sum(v) AS s, avg(x) AS m, max(v) AS x, min(x) AS y "
                "FROM '{codes}' GROUP BY a, b",
    "by codes, spilled": "SELECT a, b, count(*) AS n, sum(v) AS s, avg(x) AS m FROM "
                         "(FROM '{codes}' UNION ALL "
                         "SELECT s2, q, (r % 100)::SMALLINT, r::DOUBLE FROM '{r}' UNION ALL "
                         "FROM '{codes}') GROUP BY a, b",
}

# What is behind the first of each need not be kept: it may spill or not.
FIRST = {
    "two": "SELECT k, l, s FROM (SELECT *, row_number() OVER (PARTITION BY k % 5000 ORDER BY d "
           "DESC) AS n FROM '{l}') WHERE n <= 2",
    "less than four, of texts": "SELECT l, n FROM (SELECT *, row_number() OVER (PARTITION BY s "
                                "ORDER BY k NULLS FIRST, l) AS n FROM '{l}') WHERE n < 4 AND l > 7",
    "of all": "SELECT l FROM (SELECT l, row_number() OVER (ORDER BY s, l DESC) AS n FROM '{l}') "
              "WHERE n BETWEEN 5 AND 5000",
    "by QUALIFY": "SELECT k, l FROM '{l}' "
                  "QUALIFY row_number() OVER (PARTITION BY k ORDER BY l) = 1",
    "of floats, nulls and NaN among them": "SELECT r, x FROM (SELECT r, x, row_number() OVER "
                                           "(PARTITION BY q, r % 7 = 0 ORDER BY x DESC NULLS LAST, "
                                           "r) AS n FROM (SELECT *, CASE WHEN r % 5 = 0 THEN NULL "
                                           "WHEN r % 1999 = 3 THEN 'nan'::DOUBLE ELSE k / 7.0 END "
                                           "AS x FROM '{r}')) WHERE n <= 3",
    "of ties": "SELECT r, q FROM (SELECT r, q, row_number() OVER (PARTITION BY r % 1000 ORDER BY q "
               "DESC, r // 50000 DESC, r) AS n FROM '{r}') WHERE n <= 16",
    "of groups beside each other": "SELECT r, k FROM (SELECT r, k, row_number() OVER (PARTITION BY "
                                   "r // 40 ORDER BY k DESC, r) AS n FROM '{r}') WHERE n <= 1",
}

WINDOWS = {
    "numbers": "SELECT l, row_number() OVER (ORDER BY s, l) AS a, rank() OVER (ORDER BY s) AS b, "
               "dense_rank() OVER (ORDER BY s) AS c FROM '{l}'",
    "few sets of peers": "SELECT s, l % 2 AS a, rank() OVER w AS b, dense_rank() OVER w AS c, "
                         "count(*) OVER (PARTITION BY l % 2 ORDER BY l // 90000 ROWS BETWEEN "
                         "UNBOUNDED PRECEDING AND CURRENT ROW) AS d FROM '{l}' WINDOW w AS "
                         "(PARTITION BY l % 2 ORDER BY l // 90000)",
    "running sums": "SELECT l, k, sum(l) OVER (PARTITION BY k % 3 ORDER BY s) AS a, count(*) OVER "
                    "(PARTITION BY k % 3 ORDER BY s) AS n, max(s) OVER (PARTITION BY k % 3 ORDER "
                    "BY s) AS m, dense_rank() OVER (PARTITION BY k % 3 ORDER BY s) AS r FROM '{l}'",
    "rows": "SELECT l, s, sum(d) OVER (ORDER BY l DESC ROWS BETWEEN UNBOUNDED PRECEDING AND "
            "CURRENT ROW) AS a, row_number() OVER (ORDER BY l DESC) AS b FROM '{l}'",
    "other rows": "SELECT l, lag(s, 5000, 'none') OVER w AS a, lead(k, 3) OVER w AS b, "
                  "lag(l, 90000) OVER w AS c, lead(s, 70000) OVER w AS e, lead(l, 500000) OVER w "
                  "AS f, lag(d, l % 7) OVER w AS g FROM '{l}' WINDOW w AS (ORDER BY "
                  "l * 7919 % 200003)",
    "rows that are not null": "SELECT l, lag(k IGNORE NULLS) OVER w AS a, lead(k IGNORE NULLS) "
                              "OVER w AS b, lag(k, 3 IGNORE NULLS) OVER w AS c, last_value(k "
                              "IGNORE NULLS) OVER w AS e, nth_value(k, 3 IGNORE NULLS) OVER w AS "
                              "f, first_value(k IGNORE NULLS) OVER (ORDER BY l * 7919 % 200003 "
                              "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS g, s "
                              "FROM '{l}' WINDOW w AS (ORDER BY l * 7919 % 200003)",
    "tiles and shares": "SELECT l, s, ntile(7) OVER w AS a, ntile(100000) OVER w AS b, "
                        "percent_rank() OVER w AS c, cume_dist() OVER w AS e, row_number() OVER w "
                        "AS f FROM '{l}' WINDOW w AS (ORDER BY l * 7919 % 200003)",
    "shares of peers": "SELECT l, s, cume_dist() OVER w AS a, percent_rank() OVER w AS b, "
                       "ntile(5) OVER (ORDER BY l // 70000, l) AS c FROM '{l}' WINDOW w AS "
                       "(ORDER BY l // 70000)",
    "whole partitions": "SELECT l, d, sum(k) OVER () AS a, count(k) FILTER (l % 3 = 0) OVER () AS "
                        "b, max(s) OVER () AS c, min(l) OVER (PARTITION BY l % 2) AS e, count(*) "
                        "OVER (PARTITION BY l % 2) AS f FROM '{l}'",
    "ends of partitions": "SELECT l, last_value(l) OVER w AS a, first_value(s) OVER w AS b, sum(k) "
                          "OVER w AS c, nth_value(l, 1000) OVER w AS e, last_value(k IGNORE NULLS) "
                          "OVER w AS f, s FROM '{l}' WINDOW w AS (ORDER BY l * 7919 % 200003 ROWS "
                          "BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "sums of peers": "SELECT l, s, sum(k) OVER w AS a, last_value(l // 70000) OVER w AS b, "
                     "count(*) OVER w AS c, max(d) OVER w AS e FROM '{l}' WINDOW w AS (PARTITION "
                     "BY l % 2 ORDER BY l // 70000)",
    "frames": "SELECT l, sum(k) OVER (w ROWS BETWEEN 10 PRECEDING AND 5 FOLLOWING) AS a, min(s) "
              "OVER (w ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS b, first_value(l) OVER (w ROWS "
              "BETWEEN 7 PRECEDING AND 2 PRECEDING) AS c, count(*) OVER (w ROWS BETWEEN 5 "
              "FOLLOWING AND 30 FOLLOWING) AS e, sum(k) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING "
              "AND 7000 FOLLOWING) AS f, s FROM '{l}' WINDOW w AS (ORDER BY l * 7919 % 200003)",
    "more rows": "SELECT i, s, lag(s) OVER (ORDER BY i) AS a, sum(a) OVER () AS b, ntile(9) OVER "
                 "(ORDER BY i) AS c, lead(t, 800000) OVER (ORDER BY i) AS e FROM '{many}'",
}

LISTS = {
    "frames": "SELECT l, list(k) OVER (ORDER BY l ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS a, "
              "list(s) OVER (PARTITION BY l // 20 ORDER BY l) AS b FROM '{l}'",
    "whole partitions": "SELECT l, list(s) OVER (PARTITION BY l // 30) AS a, median(k) OVER "
                        "(PARTITION BY l // 50) AS b FROM '{l}'",
}


# Keys that take more than a batch has room for.
LONG = {
    "a sort": "SELECT * FROM '{long}' ORDER BY s, i",
    "a window": "SELECT i, s, row_number() OVER (PARTITION BY i % 7 ORDER BY s, i) AS n "
                "FROM '{long}'",
}

# Rows with lists, structs and maps, nulls at all depths, one beside the other.
NESTED = {
    "a sort": "SELECT * FROM '{nested}' ORDER BY k, i",
    "a window": "SELECT i, l, r, lag(r) OVER (PARTITION BY k % 900 ORDER BY i) AS p, row_number() "
                "OVER (PARTITION BY k % 7 ORDER BY i DESC) AS n FROM '{nested}'",
    "a join": "SELECT x.i, x.l, y.r, y.m FROM '{nested}' x LEFT JOIN '{nested}' y ON "
              "x.k = y.i AND y.i % 3 > 0",
}


def spill_case(query, spills=True, row_group=122880, more=()):
    import duckdb
    with Scratch("spilled") as s:
        c = duckdb.connect()
        c.execute("SET threads = 1")
        for table in [t for t in TABLES if f"{{{t}}}" in query]:
            made = TABLES[table]
            c.execute(f"COPY ({made}) TO '{s(table + '.parquet')}' (ROW_GROUP_SIZE {row_group})")
        text, query = query, query.format(**{t: s(t + ".parquet") for t in TABLES})
        seen, spilled = set(), []
        for options in [FITS, *SPILLS, *more]:
            target, report = s("o.parquet"), s("report.json")
            ran = harness.measure([harness.RELEASE, "sql", query, "-o", target, "--on-exists",
                                   "replace", "--report", report] + options, timeout=240)
            assert ran.code == 0, f"{options}: exit code {ran.code}: {ran.err[-300:]}"
            ceiling = int(options[1][:-3]) * (1024 if "G" in options[1] else 1)
            assert ran.peak <= ceiling << 20, f"{options}: peak {ran.peak >> 20} MiB"
            with open(target, "rb") as f:
                seen.add(hashlib.sha256(f.read()).hexdigest())
            with open(report) as f:
                spilled.append(json.load(f)["spilled"])
        assert len(seen) == 1, "bytes depend on memory or threads"
        if "LIMIT" not in query:
            for x, y in ((f"({query})", f"FROM '{target}'"), (f"FROM '{target}'", f"({query})")):
                n = c.execute(f"SELECT count(*) FROM ({x} EXCEPT ALL {y})").fetchone()[0]
                assert n == 0, f"{n} rows differ"
        # texts' lengths are guessed: where the longest come late, no limit keeps all in memory
        fits = 0 if "{wide}" in text else spilled[0]
        assert not spills or spilled[1] > max(fits, 1 << 20), f"spilled {spilled}"
        return f"spilled {', '.join(f'{n >> 10} KiB' for n in spilled)}"


def cases():
    for name, query in JOINS.items():
        yield f"a join that spills: {name}", lambda q=query: spill_case(q), 300
    for name, query in DISTINCT.items():
        yield f"DISTINCT larger than memory: {name}", lambda q=query: spill_case(q), 300
    for name, query in GATHERED.items():
        yield f"a group larger than memory: {name}", lambda q=query: spill_case(q), 300
    for name, query in GROUPS.items():
        yield f"groups that spill: {name}", lambda q=query: spill_case(q, more=LEAVES), 300
    for name, query in BARE.items():
        yield f"groups whose rows pass bare: {name}", lambda q=query: spill_case(q), 300
    for name, query in SHARED.items():
        yield f"groups of many threads: {name}", lambda q=query: \
            spill_case(q, False, 122880 if "{codes}" in q else 8192), 300
    for name, query in FIRST.items():
        yield f"the first of each: {name}", lambda q=query: spill_case(q, False), 300
    for name, query in LONG.items():
        yield f"long texts in order: {name}", lambda q=query: spill_case(q, False), 300
    for name, query in NESTED.items():
        yield f"nested rows larger than memory: {name}", lambda q=query: spill_case(q), 300
    for name, query in WINDOWS.items():
        yield f"a window larger than memory: {name}", lambda q=query: spill_case(q), 300
    for name, query in LISTS.items():
        yield f"a window of lists: {name}", lambda q=query: spill_case(q, False), 300
