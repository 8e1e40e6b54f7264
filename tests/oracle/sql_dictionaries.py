"""Aggregates of columns whose dictionaries are as large as batches: what unpacking takes is not
among what groups keep. Against DuckDB."""
import harness
from harness import Scratch

TABLE = """
SELECT ((i * 7919) % 20011)::DECIMAL(30, 2) AS d, 'text ' || (i * 7919) % 20011 AS s,
       ((i * 31) % 20011)::BIGINT AS n, ((i * 31) % 19001)::DOUBLE AS f
FROM range(100000) t(i)
"""

LISTS = ["sum(d), min(d), max(s)", "var_pop(f), max(n), min(s)", "max(n)", "avg(f), min(f), sum(n)",
         "count(DISTINCT s), max(d)", "covar_pop(n, f), max(n), sum(d)", "bit_xor(n), max(f)"]


def case():
    import duckdb
    import pyarrow.parquet as pq
    with Scratch("dictionaries") as s:
        c = duckdb.connect()
        c.execute(f"CREATE TABLE t AS {TABLE}")
        pq.write_table(c.execute("FROM t").to_arrow_table(), s("t.parquet"))
        for i, asked in enumerate(LISTS):
            for group in ("", " GROUP BY n % 3"):
                query = f"SELECT {asked} FROM {{}} WHERE f >= 0{group}"
                ran = harness.measure([harness.RELEASE, "sql", query.format(f"'{s('t.parquet')}'"),
                                       "-o", s("o.parquet"), "--on-exists", "replace",
                                       "--threads", str(1 + i % 2)])
                assert ran.code == 0, f"{query}: {ran.err[-300:]}"
                want = sorted(c.execute(query.format("t")).fetchall())
                got = sorted(c.execute(f"FROM '{s('o.parquet')}'").fetchall())
                assert len(got) == len(want), f"{query}: {got}, DuckDB {want}"
                for x, y in zip(got, want):
                    same = all(a == b or (isinstance(b, float) and
                                          abs(a - b) <= 1e-9 * max(abs(a), abs(b)))
                               for a, b in zip(x, y))
                    assert same, f"{query}: {x}, DuckDB {y}"
        return f"{2 * len(LISTS)} queries"


def cases():
    yield "aggregates of large dictionaries", case, 60
