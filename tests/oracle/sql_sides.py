"""Which side of a join is kept: the smaller one, and the order is the left side's still. Against
DuckDB, with nulls in keys, residual conditions, keys of many rows on both sides, sizes that are not
as conditions promise; the same bytes by any number of threads, in memory and spilled."""
import hashlib
import json

import harness
from harness import Scratch

OPTIONS = [["--memory", "1GiB", "--threads", "1"], ["--memory", "32MiB", "--threads", "8"]]

TABLES = {
    # a key in ten is null; some come several times
    "small": "SELECT CASE WHEN i % 10 = 3 THEN NULL ELSE (i * 7919) % 2500 END AS k, i AS id, "
             "i % 7 AS g, 'left ' || i % 50 AS s FROM range(1500) t(i)",
    "large": "SELECT CASE WHEN i % 17 = 3 THEN NULL ELSE (i * 104729) % 3000 END AS k, i AS r, "
             "i % 5 AS q FROM range(60000) t(i)",
    "whole": "SELECT (i * 31) % 2000 + 200 AS k, i AS r, i % 5 AS q FROM range(60000) t(i)",
    # much of which a condition promises to leave out, but does not
    "wide": "SELECT i % 30000 AS k, i AS id, i % 7 AS g, 'a text that makes rows long, ' || i * 7 "
            "AS s FROM range(90000) t(i)",
    "other": "SELECT (i * 104729) % 90000 AS k, i AS r, i % 5 AS q, 'right ' || i AS t "
             "FROM range(160000) t(i)",
    "one": "SELECT 5 AS k, i AS id FROM range(3000) t(i)",
    "ones": "SELECT 5 AS k, i AS r FROM range(100000) t(i)",
}

LIE = "s > 'a' AND id <> -5 AND g <> 99"

# a join as it is named in the plan, a query, and what DuckDB is asked instead where it does not
# keep the order
QUERIES = [
    ("right semi join", "FROM {small} l WHERE k IN (SELECT k FROM {large})"),
    ("right semi join", "FROM {small} l WHERE EXISTS (FROM {large} r WHERE r.k = l.k AND "
                        "r.q > l.g)"),
    ("right semi join", "SELECT s, id FROM {small} l SEMI JOIN {large} r ON l.k = r.k AND "
                        "l.g = r.q"),
    ("right semi join", "SELECT k FROM {small} INTERSECT SELECT k FROM {large}"),
    ("right anti join", "FROM {small} l WHERE NOT EXISTS (FROM {large} r WHERE r.k = l.k)"),
    ("right anti join", "FROM {small} l WHERE NOT EXISTS (FROM {large} r WHERE r.k = l.k AND "
                        "(r.q <> l.g OR r.r < 4000))"),
    ("right anti join", "SELECT k FROM {small} EXCEPT SELECT k FROM {large}"),
    ("right mark join", "SELECT id, k IN (SELECT k FROM {large}) AS m FROM {small} l"),
    ("right mark join", "SELECT id, k IN (SELECT k FROM {whole}) AS m FROM {small} l"),
    ("right mark join", "FROM {small} l WHERE k NOT IN (SELECT k FROM {large})"),
    ("right mark join", "FROM {small} l WHERE k NOT IN (SELECT k FROM {whole})"),
    ("right mark join", "SELECT id, k NOT IN (SELECT k FROM {large} WHERE q > q) AS m "
                        "FROM {small} l"),
    ("right mark join", "SELECT id, k IN (SELECT r.k FROM {large} r WHERE r.q = l.g) AS m, "
                        "EXISTS (FROM {whole} r WHERE r.k = l.k) AS e FROM {small} l"),
    ("right mark join", "SELECT id, EXISTS (FROM {large} r WHERE r.k = l.k AND r.q > "
                        "nullif(l.g, 1)) AS m FROM {small} l"),
    ("right semi join", "FROM {one} l WHERE EXISTS (FROM {ones} r WHERE r.k = l.k)"),
    ("right semi join", "FROM {one} l WHERE EXISTS (FROM {ones} r WHERE r.k = l.k AND "
                        "r.r = l.id * 7)"),
    ("right anti join", "FROM {small} l WHERE EXISTS (FROM {large} r WHERE r.k = l.k AND r.q = 3) "
                        "AND NOT EXISTS (FROM {whole} r WHERE r.k = l.k AND r.q <> l.g)"),
    # pairs whose order nobody sees
    ("right join", "SELECT g, count(r), sum(r), count(*) FROM {small} l LEFT JOIN {large} r ON "
                   "l.k = r.k AND l.g <> r.q GROUP BY g ORDER BY g"),
    ("left join", "SELECT q, count(id), sum(r) FROM {small} l RIGHT JOIN {large} r ON l.k = r.k "
                  "GROUP BY q ORDER BY q"),
    ("full join", "SELECT q, count(id), sum(r) FROM {small} l FULL JOIN {large} r ON l.k = r.k "
                  "GROUP BY q ORDER BY q"),
    # and where it is
    ("left join", "SELECT l.id, r.r FROM {small} l LEFT JOIN {large} r ON l.k = r.k AND r.q = 1"),
    ("left join", "SELECT g, string_agg(r) AS n FROM {small} l LEFT JOIN {large} r ON l.k = r.k "
                  "AND r.r < 900 GROUP BY g",
     "SELECT g, string_agg(r ORDER BY id, r.r) AS n FROM {small} l LEFT JOIN {large} r ON "
     "l.k = r.k AND r.r < 900 GROUP BY g"),
    # a right side that is the smaller one, or whose conditions may fail
    ("semi join", "SELECT r FROM {large} r WHERE k IN (SELECT k FROM {small})"),
    ("mark join", "SELECT r, k IN (SELECT k FROM {small}) AS m FROM {large}"),
    ("semi join", "FROM {small} l WHERE EXISTS (FROM {large} r WHERE r.k = l.k AND "
                  "r.q + l.g > 5)"),
    # conditions that keep little, and such that keep all: bounds tell
    ("right semi join", "SELECT * FROM {other} l WHERE r < 800 AND k IN (SELECT k FROM {wide})"),
    ("semi join", "SELECT * FROM {large} l WHERE r >= 0 AND q < 90 AND k IN (SELECT k FROM "
                  "{whole} WHERE r < 3000)"),
    # larger than they seem
    ("right semi join", f"SELECT * FROM {{wide}} l WHERE {LIE} AND EXISTS (FROM {{other}} r WHERE "
                        "r.k = l.k AND r.q > l.g AND r.t <> l.s)"),
    ("right anti join", f"SELECT * FROM {{wide}} l WHERE {LIE} AND NOT EXISTS (FROM {{other}} r "
                        "WHERE r.k = l.k AND r.t > l.s)"),
    ("right mark join", f"SELECT id, s, k IN (SELECT CASE WHEN r > 0 THEN k END FROM {{other}} "
                        f"WHERE q >= 0) AS m FROM {{wide}} l WHERE {LIE}"),
    ("right join", "SELECT q, count(*) AS n, sum(id) AS d, max(s) AS s FROM (FROM {wide} WHERE "
                   f"{LIE}) l LEFT JOIN (FROM {{other}} WHERE t > 'a') r ON l.k = r.k GROUP BY q"),
]


def joins_of(report):
    with open(report) as f:
        said = json.load(f)
    return [step["step"].split(" on ")[0] for step in said["plan"]["steps"]
            if " join" in step["step"]], said["spilled"]


def same_rows(c, query, target):
    """In the order of their numbers, where these were not sorted by the query."""
    got, want = c.execute(f"FROM '{target}'").fetchall(), c.execute(query).fetchall()
    names = [column[0] for column in c.description]
    if "GROUP BY" in query or "id" not in names:
        return sorted(got, key=repr) == sorted(want, key=repr)
    by = [names.index(name) for name in ("id", "r") if name in names]
    return got == sorted(want, key=lambda row: [(row[i] is not None, row[i]) for i in by])


def sides(queries):
    import duckdb
    with Scratch("sides") as s:
        c = duckdb.connect()
        names = {}
        for name, made in TABLES.items():
            c.execute(f"COPY ({made}) TO '{s(name + '.parquet')}'")
            names[name] = f"'{s(name + '.parquet')}'"
        most = 0
        for join, query, *instead in queries:
            query, seen = query.format(**names), set()
            for options in OPTIONS:
                ran = harness.measure([harness.RELEASE, "sql", query, "-o", s("o.parquet"),
                                       "--on-exists", "replace", "--report", s("r.json")] + options)
                assert ran.code == 0, f"{query}: {ran.err[-300:]}"
                joins, spilled = joins_of(s("r.json"))
                assert join in joins, f"{query}: {joins}"
                with open(s("o.parquet"), "rb") as f:
                    seen.add(hashlib.sha256(f.read()).hexdigest())
                most = max(most, spilled)
            assert len(seen) == 1, f"{query}: bytes depend on memory or threads"
            assert same_rows(c, (instead or [query])[0].format(**names), s("o.parquet")), query
        return f"{len(queries)} queries, {most >> 10} KiB spilled", most


def as_said_case():
    return sides([q for q in QUERIES if "{wide} " not in q[1]])[0]


def wrong_case():
    said, spilled = sides([q for q in QUERIES if "{wide} " in q[1]])
    assert spilled > 1 << 20, said
    return said


def cases():
    yield "the kept side of a join", as_said_case, 120
    yield "the kept side of a join: larger than it seemed", wrong_case, 120
