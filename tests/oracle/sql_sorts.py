"""ORDER BY whose order nobody sees is not carried out, any other one is. Against DuckDB, whose
answers are asked for in the order they come where the query says one."""
import json

import harness
from harness import Scratch

TABLE = """
SELECT i AS id, (i * 7919) % 101 AS x, 'value ' || (i * 31) % 53 AS s, i / 7.0 AS f
FROM range({n}) t(i)
"""

INNER = "(SELECT * FROM {t} ORDER BY s DESC, id)"

# query, how many sorts are left of it; what DuckDB is asked instead, for it does not keep ties
QUERIES = [
    (f"SELECT count(*), sum(x), max(f), min(s), max(id) FROM {INNER}", 0),
    (f"SELECT x, count(*) AS n FROM {INNER} GROUP BY x ORDER BY x", 1),
    (f"SELECT DISTINCT x FROM {INNER} ORDER BY x", 1),
    (f"SELECT count(DISTINCT x) FROM (SELECT x + 1 AS x FROM {INNER} WHERE id > 3)", 0),
    (f"SELECT id FROM {{u}} WHERE x IN (SELECT x FROM {INNER} WHERE id < 40) ORDER BY id", 1),
    (f"SELECT id FROM {{u}} u WHERE NOT EXISTS (FROM {INNER} v WHERE v.id = u.x + 5) "
     "ORDER BY id", 1),
    (f"SELECT sum(a.x) FROM {INNER} a JOIN {INNER} b ON a.id = b.x", 0),
    (f"SELECT count(*) FROM (FROM {INNER} UNION ALL FROM {INNER})", 0),
    # seen
    (f"SELECT string_agg(s, ',') FROM {INNER}", 1),
    (f"SELECT list(id) FROM {INNER}", 1),
    (f"SELECT first(s), last(id) FROM {INNER}", 1),
    (f"SELECT x, first(id) AS id FROM {INNER} GROUP BY x ORDER BY x", 2),
    (f"SELECT sum(id) FROM (SELECT id FROM {INNER} LIMIT 17)", 1),
    ("SELECT count(*), sum(id) FROM (SELECT id FROM {t} ORDER BY s, id DESC LIMIT 40 OFFSET 3)",
     1),
    (f"SELECT sum(id * n) FROM (SELECT id, row_number() OVER () AS n FROM {INNER})", 1),
    (f"SELECT sum(id) FROM (SELECT DISTINCT ON (x) x, id FROM {INNER})", 1),
    (f"SELECT id, s FROM {INNER}", 1),
    (f"SELECT id, s FROM {INNER} WHERE x > 40 LIMIT 20", 1),
    (f"SELECT id FROM {INNER} ORDER BY x LIMIT 30", 2,
     "SELECT id FROM {t} ORDER BY x, s DESC, id LIMIT 30"),
]


def case():
    import duckdb
    import pyarrow.parquet as pq
    with Scratch("sorts") as s:
        c = duckdb.connect()
        c.execute("SET threads = 1")
        names = {}
        for name, n in (("t", 3000), ("u", 500)):
            c.execute(f"CREATE TABLE {name} AS {TABLE.format(n=n)}")
            pq.write_table(c.execute(f"FROM {name}").to_arrow_table(), s(f"{name}.parquet"))
            names[name] = f"'{s(name + '.parquet')}'"
        for query, sorts, *instead in QUERIES:
            ran = harness.measure([harness.RELEASE, "sql", query.format(**names), "-o",
                                   s("o.parquet"), "--on-exists", "replace", "--report",
                                   s("r.json")])
            assert ran.code == 0, f"{query}: {ran.err[-300:]}"
            with open(s("r.json")) as f:
                steps = [step["step"] for step in json.load(f)["plan"]["steps"]]
            left = sum(step.startswith("sort by") for step in steps)
            assert left == sorts, f"{query}: {steps}"
            want = c.execute((instead or [query])[0].format(t="t", u="u")).fetchall()
            got = c.execute(f"FROM '{s('o.parquet')}'").fetchall()
            assert got == want, f"{query}: {got[:5]}, DuckDB {want[:5]}"
        return f"{len(QUERIES)} queries"


def cases():
    yield "orders that nobody sees", case, 60
