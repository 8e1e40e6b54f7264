"""Expressions that are parts of others of the same list are evaluated once: rows as DuckDB gives
them, errors as without the others."""
import harness
from harness import Scratch

TABLE = """
SELECT i AS id, (i * 7919) % 101 AS x, nullif((i * 31) % 53, 7) AS y, 'value ' || (i % 29) AS s,
       (i * 1.25)::DECIMAL(12, 2) AS price, (i % 10 / 100.0)::DECIMAL(4, 2) AS discount
FROM range(5000) t(i)
"""

QUERIES = [
    "SELECT id, x + y AS a, (x + y) * 2 AS b, abs((x + y) * 2 - id) AS c, x + y AS d FROM {t}",
    "SELECT id, (x + y) * 2 AS b, x + y AS a FROM {t}",
    "SELECT id, CASE WHEN x > 50 THEN x * y ELSE 0 END AS a, x * y AS b, "
    "CASE WHEN x > 50 THEN x * y + 1 END AS c FROM {t}",
    "SELECT id, upper(s) AS a, upper(s) || lower(s) AS b, length(upper(s) || lower(s)) AS c, "
    "upper(s) LIKE '%1' AS d FROM {t}",
    "SELECT discount, sum(price * (1 - discount)) AS a, sum(price * (1 - discount) * (1 + "
    "discount)) AS b, avg(price * (1 - discount)) AS c, count(x + y), max((x + y) * id) "
    "FROM {t} GROUP BY discount",
    "SELECT id, y IS NULL AS a, CASE WHEN y IS NULL THEN -1 ELSE y END AS b, "
    "coalesce(y, x + y, 3) AS c, x + y AS d, NOT (y IS NULL) AS e FROM {t}",
    "SELECT id, x / 0 AS a, try_cast(s AS INTEGER) AS b, coalesce(try_cast(s AS INTEGER), 5) AS c, "
    "[x + y, x] AS d, len([x + y, x]) AS e, {{'k': x + y}} AS f FROM {t}",
    "SELECT id, (SELECT max(x + y) FROM {t} b WHERE b.id < 40) + id AS a, x + y AS b, "
    "x + y > 60 AND x + y < 90 AS c FROM {t}",
]

# The list, and whether it fails.
ERRORS = [("CASE WHEN id >= 0 THEN 1 ELSE (s::INTEGER) END AS a", False),
          ("CASE WHEN id >= 0 THEN 1 ELSE (s::INTEGER) END AS a, "
           "CASE WHEN id < 0 THEN (s::INTEGER) + 1 END AS b", False),
          ("CASE WHEN id >= 0 THEN 1 ELSE (s::INTEGER) END AS a, s::INTEGER AS b", True),
          ("s::INTEGER AS b, CASE WHEN id >= 0 THEN 1 ELSE (s::INTEGER) END AS a", True)]


def case():
    import duckdb
    import pyarrow.parquet as pq
    with Scratch("shared") as s:
        c = duckdb.connect()
        c.execute(f"CREATE TABLE t AS {TABLE}")
        pq.write_table(c.execute("FROM t").to_arrow_table(), s("t.parquet"))
        table = f"'{s('t.parquet')}'"
        for query in QUERIES:
            harness.ok("sql", query.format(t=table), "-o", s("o.parquet"), "--on-exists",
                       "replace", "-q")
            want = c.execute(query.format(t="t")).fetchall()
            got = c.execute(f"FROM '{s('o.parquet')}'").fetchall()
            if sorted(map(repr, got)) != sorted(map(repr, want)):
                raise AssertionError(f"{query}: {got[:3]}, wanted {want[:3]}")
        for columns, fails in ERRORS:
            ran = harness.narrows("sql", f"SELECT {columns} FROM {table}", "-f", "csv")
            if (ran.code != 0) != fails:
                raise AssertionError(f"{columns}: exit {ran.code} {ran.err}")
    return f"{len(QUERIES)} queries"


def cases():
    yield "query: common parts of expressions", case
