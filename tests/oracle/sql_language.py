"""Queries of the language that no corpus has, each against DuckDB's answer: rows in any order, and
the names of the columns."""
import csv
import io
import os

import harness
import sql_random
import sql_subqueries
from harness import Scratch

QUERIES = [
    # stars and COLUMNS
    "SELECT COLUMNS(*) + 1 FROM t",
    "SELECT COLUMNS('[ab]') FROM t",
    "SELECT max(COLUMNS(* EXCLUDE (c))) FROM t",
    "SELECT COLUMNS(['c', 'a']) FROM t",
    "SELECT COLUMNS(lambda x: x <> 'b') * 2 FROM t",
    "SELECT COLUMNS('(a|b)') AS 'n_\\1' FROM t",
    "SELECT * LIKE 'a%' FROM t",
    "SELECT * EXCLUDE (t.a) FROM t, (SELECT max(a) AS a FROM u) q",
    "SELECT * FROM (SELECT a, a, b AS a_1 FROM t)",
    # LIMIT
    "SELECT a, b, c FROM t ORDER BY ALL LIMIT 35%",
    "SELECT a, b, c FROM t ORDER BY ALL LIMIT (SELECT count(*) FROM v) OFFSET (SELECT 2)",
    "SELECT a FROM t LIMIT (SELECT NULL)",
    # set operations
    "SELECT a AS k FROM t UNION SELECT b AS l FROM u ORDER BY l",
    "SELECT a FROM t UNION ALL SELECT 'x'",
    "SELECT DATE '2020-01-01' AS d UNION ALL SELECT 'x'",
    # groups
    "SELECT a, b, count(*), grouping(a, b) FROM t GROUP BY CUBE (a, b)",
    "SELECT count(DISTINCT a) AS n, count(DISTINCT a) FILTER (a > 1) AS x, sum(DISTINCT b) AS s, "
    "count(*) AS c FROM t WHERE a > 99999 GROUP BY CUBE (a, b)",
    "SELECT count(*), sum(b) FROM t WHERE false GROUP BY ROLLUP (a)",
    "SELECT a, count(*) FROM t GROUP BY ALL HAVING b > 1",
    # 8084535340904931256 has the hash of NULL, where hashes alone tell keys apart
    "SELECT k, count(*), min(k) FROM (VALUES (8084535340904931256), (NULL), (8084535340904931256), "
    "(NULL), (0), (NULL)) q(k) GROUP BY k",
    # rows and subqueries
    "SELECT (a, b) IN (SELECT a, b FROM u) AS x, (a, b) < ANY (SELECT a, b FROM v) AS y FROM t",
    "SELECT (a, NULL) = ANY (SELECT a, b FROM u) AS x, (a, b) >= ALL (SELECT b, a FROM v) FROM t",
    "SELECT t.a, (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) = 0) AS x FROM t",
    "SELECT t.a, q.b FROM t, LATERAL (SELECT u.b FROM u WHERE u.a = t.a ORDER BY 1 LIMIT 1) q",
    "SELECT t.a, q.n FROM t, (SELECT count(*) AS n FROM u WHERE u.a < t.a) q",
    "SELECT a, max(b) FROM t GROUP BY a HAVING EXISTS (FROM u WHERE u.b = max(t.b))",
    "SELECT count(*) FROM (SELECT row_number() OVER () FROM t)",
    # IN with many constants
    "SELECT a, a IN (0, 1, 2, 3, 10, 11, 12, 13, 14, 15, NULL) AS x FROM t",
    "SELECT a FROM t WHERE a NOT IN (0, 1, 2, 10, 11, 12, 13, 14, 15, 16)",
    "SELECT x FROM (VALUES (0.0::DOUBLE), ('nan'), (-1.5), (NULL)) q(x) "
    "WHERE x IN (-0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'nan')",
    "SELECT s FROM (VALUES ('k1'), ('k9'), (''), (NULL)) q(s) "
    "WHERE s IN ('k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', '')",
    # lambdas
    "SELECT list_transform([a, b, NULL], lambda x: x + a)::VARCHAR AS x, "
    "list_filter([a, b, 1], lambda x, i: x >= t.b AND i < 3)::VARCHAR AS y FROM t",
    "SELECT list_transform([[a, b], [], NULL], lambda l: list_transform(l, "
    "lambda x: x * len(l) + c))::VARCHAR AS x FROM t",
    "SELECT list_transform(NULL::INT[], lambda x: x) AS n, "
    "list_transform([1, 2], lambda x: x + 1) = list_transform([1, 2], lambda x: x + 2) AS no",
    # functions
    "SELECT regexp_matches(x, 'a.b'), regexp_replace(x, 'a.b', '-'), regexp_matches(x, 'a.b', "
    "' s'), regexp_extract(x, '(z)', 1, 'k') FROM (VALUES (E'a\nb'), ('a b'), ('')) q(x)",
    "SELECT fmod(x, 3), fmod(x, -3.5) FROM (VALUES (7), (-7), (0), (NULL)) q(x)",
    "SELECT overlay('abcdef' PLACING 'XY' FROM x FOR y) FROM (VALUES (0, 2), (-9, 1), (3, -1), "
    "(3, 0), (99, 1), (2, 99)) q(x, y)",
    "SELECT strftime(DATE '2020-01-01', '[%Z]'), printf('%.3d', 5)",
    # statements
    "DESCRIBE t",
    "DESCRIBE SELECT a, [a] AS l, {'x': b} AS s, c / 2 AS d, 1.50 AS e, NULL AS n FROM t",
]
# Quantiles and distinct counts are estimates there.
SUMMARIES = ["SUMMARIZE t", "SUMMARIZE SELECT a / 7 AS r, a::VARCHAR AS s, a > 2 AS f, "
             "DATE '2020-01-01' + a AS d FROM t", "SUMMARIZE SELECT a FROM t WHERE false"]
EXACT = [0, 1, 2, 3, 5, 6, 10, 11]


def told_apart(names):
    """As DuckDB's, for JSON."""
    import sql_corpus
    return sql_corpus.unlike(names)


def language_case(query):
    import duckdb
    with Scratch() as scratch:
        sql_subqueries.write_tables(scratch.path, 3)
        connection = duckdb.connect()
        attach = []
        for name in "tuv":
            path = os.path.join(scratch.path, f"{name}.parquet")
            connection.execute(f"CREATE VIEW {name} AS FROM '{path}'")
            attach += ["--attach", f"{name}={path}"]
        theirs = connection.execute(query)
        types = [str(t[1]) for t in theirs.description]
        names = [t[0] for t in theirs.description]
        rows = theirs.fetchall()
        if query.startswith("SUMMARIZE"):
            return summary_case(query, rows, attach)
        ran = harness.measure([harness.RELEASE, "sql", query, "-f", "json", *attach])
        assert ran.code == 0, ran.err[-300:]
        mine = sql_random.my_rows(ran, types)
        if not any("[" in t or "STRUCT" in t for t in types):
            assert mine == sorted([sql_random.canonical(v) for v in row] for row in rows), mine
        line = ran.out.decode().splitlines()[:1]
        if line:
            import json
            pairs = json.loads(line[0], object_pairs_hook=lambda p: p)
            assert [n for n, _ in pairs] == told_apart(names), f"{pairs} instead of {names}"
        return f"{len(mine)} rows"


def summary_case(query, rows, attach):
    ran = harness.measure([harness.RELEASE, "sql", query, "-f", "csv", *attach])
    assert ran.code == 0, ran.err[-300:]
    mine = list(csv.reader(io.StringIO(ran.out.decode())))[1:]
    assert len(mine) == len(rows)
    for m, h in zip(mine, rows):
        assert m[4].isdigit() and len(m) == len(h) == 12, m
        for c in EXACT:
            text = "" if h[c] is None else str(h[c])
            same = m[c] == text or (c == 6 and abs(float(m[c]) - float(text)) < 1e-9)
            assert same, f"column {c}: {m} instead of {h}"
    return f"{len(rows)} columns"


def cases():
    for query in QUERIES + SUMMARIES:
        yield f"sql: {query[:70]}", lambda q=query: language_case(q), 60
    yield "sql: EXPLAIN says what plan says", explain_case


def explain_case():
    """The same lines; figures measured when the process began may differ."""
    query = "SELECT a % 3 AS g, count(*) FROM range(100) q(a) GROUP BY 1"
    said = harness.measure([harness.RELEASE, "sql", f"EXPLAIN {query}", "-f", "json"])
    plan = harness.measure([harness.RELEASE, "plan", "sql", query, "-f", "json"])
    assert said.code == 0 and plan.code == 0, said.err + plan.err
    import json
    lines = [json.loads(line)["plan"] for line in said.out.decode().splitlines()]
    theirs = plan.out.decode().rstrip("\n").split("\n")
    assert len(lines) == len(theirs) and lines[:2] == theirs[:2], f"{lines}\n{theirs}"
    bad = harness.measure([harness.RELEASE, "sql", f"EXPLAIN ANALYZE {query}"])
    assert bad.code == 2, bad.code
    return f"{len(lines)} lines"
