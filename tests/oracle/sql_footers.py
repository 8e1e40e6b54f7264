"""Groups without keys that footers answer: counts, nulls, extremes. Against DuckDB, which is asked
about the rows; what footers do not say exactly is read."""
import json
import os

import harness
from harness import Scratch

TABLE = """
SELECT i AS id, CASE WHEN i % 7 = 3 THEN NULL ELSE (i * 7919) % 1009 END AS x,
       CASE WHEN i < 3000 THEN NULL ELSE i END AS late, NULL::INT AS never,
       DATE '2040-01-01' - (i // 9)::INT AS day,
       TIMESTAMP '2001-02-03 04:05:06.789' + INTERVAL 1 HOUR * (i % 777) AS moment,
       ((i * 31) % 5003 - 700)::DECIMAL(12, 3) AS dec, ((i * 31) % 5003)::DECIMAL(30, 4) AS wide,
       'value ' || (i * 104729) % 99991 AS s, repeat('long', 40) || i AS long,
       CASE WHEN i % 1000 = 1 THEN 'nan'::DOUBLE ELSE i - 40.5 END AS f,
       (i % 200)::UTINYINT AS small, [i] AS list, {{'a': i % 90, 'b': 'x'}} AS parts
FROM range({first}, {end}) t(i)
"""

# what is asked, from where, whether footers answer; None: the writer's version decides
QUERIES = [
    ("count(*)", "one", True),
    ("count(*) + 1 AS n, count(1), count(id)", "one", True),
    ("count(x), count(late), count(never), count(f)", "one", True),
    ("min(id), max(id), min(x), max(x), min(late), max(never)", "one", True),
    ("min(day), max(day), min(moment), max(moment)", "one", True),
    ("min(dec), max(dec), min(wide), max(wide), max(small)", "one", True),
    ("count(s), min(id) FILTER (id > 5)", "one", False),
    ("min(id + 1)", "one", False),
    ("min(f), max(f)", "one", False),
    ("max(long)", "one", None),
    ("count(list)", "one", False),
    ("min(parts.a), max(parts.a), count(parts.a)", "one", True),
    ("sum(x), count(*)", "one", False),
    ("count(DISTINCT x)", "one", False),
    ("count(*), count(x), min(x), max(late), max(never)", "several", True),
    ("count(*), count(region), min(region), max(region), min(year), max(id)", "folder", True),
    ("count(extra), min(extra), max(extra), count(*)", "unlike", True),
    ("count(x), max(x)", "unsaid", False),
    ("count(*)", "unsaid", True),
    ("count(*), count(x), max(x), max(late)", "duckdb", True),
    ("count(*), count(x), max(x), max(day)", "mine", True),
    ("max(long), min(long)", "mine", False),
    ("min(s), max(s)", "mine", True),
    ("count(x)", "old", False),
    ("max(x)", "old", True),
]

# whole queries: {one} and the others are tables
WHOLE = [
    ("SELECT (SELECT max(id) FROM {one}) - id AS d FROM {several} WHERE id < 4 ORDER BY d", True),
    ("SELECT count(*) AS n FROM {one} WHERE id > 3", False),
    ("SELECT max(id) AS m FROM {one} HAVING count(*) > 7000", True),
    ("SELECT n, x FROM (SELECT count(*) AS n FROM {one}) CROSS JOIN (SELECT x FROM {one} LIMIT 3)",
     True),
    ("SELECT count(*) AS n FROM (SELECT id FROM {one} LIMIT 7)", False),
    ("SELECT count(*) AS n FROM (FROM {one} UNION ALL FROM {several})", False),
    ("SELECT x, count(*) AS n FROM {one} GROUP BY x ORDER BY x NULLS LAST LIMIT 9", False),
    ("SELECT count(*) AS n, max(id) AS m FROM {folder} WHERE year = 2041", False),
]


def write_tables(s):
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq
    c = duckdb.connect()
    c.execute("SET threads = 1")

    def table(first, end):
        return c.execute(TABLE.format(first=first, end=end)).to_arrow_table()

    whole = table(0, 8000)
    for name, options in (("one", {}), ("unsaid", {"write_statistics": False}), ("old", {})):
        pq.write_table(whole, s(f"{name}.parquet"), row_group_size=1100, **options)
    with open(s("old.parquet"), "rb") as f:
        data = f.read()
    mark = pq.ParquetFile(s("old.parquet")).metadata.created_by.encode()
    old = b"parquet-cpp-arrow version 4.0.1"
    assert data.count(mark) == 1 and len(mark) >= len(old)
    with open(s("old.parquet"), "wb") as f: # nulls of dictionaries were counted wrongly then
        f.write(data.replace(mark, old + b" " * (len(mark) - len(old))))
    c.execute(f"COPY ({TABLE.format(first=0, end=8000)}) TO '{s('duckdb.parquet')}' "
              "(ROW_GROUP_SIZE 2048)")
    ran = harness.measure([harness.RELEASE, "copy", s("one.parquet"), s("mine.parquet")])
    assert ran.code == 0, ran.err
    for folder in ("several", "unlike"):
        os.makedirs(s(folder))
    for i in range(5):
        part = table(i * 2500, i * 2500 + 2500)
        pq.write_table(part, s(f"several/{i}.parquet"), row_group_size=900)
        if i % 2:
            part = part.append_column("extra", pa.array(range(i * 10, i * 10 + 2500)))
        pq.write_table(part, s(f"unlike/{i}.parquet"))
        place = s(f"folder/year={2040 + i % 2}/region={'north' if i % 3 else 'south'}")
        os.makedirs(place, exist_ok=True)
        pq.write_table(part.select(["id", "x"]), f"{place}/{i}.parquet")
    names = {n: f"'{s(n)}.parquet'" for n in ("one", "unsaid", "old", "duckdb", "mine")}
    names.update(several=f"'{s('several')}/*.parquet'", unlike=f"'{s('unlike')}/*.parquet'",
                 folder=f"'{s('folder')}/*/*/*.parquet'")
    return c, names


def load(c, names):
    """As tables of DuckDB, for of files it believes footers, too, even where a column has NaN."""
    for name, where in names.items():
        c.execute(f"CREATE TABLE {name} AS FROM read_parquet({where}, union_by_name = true, "
                  f"hive_partitioning = {name == 'folder'})")


def ours(s, query):
    ran = harness.measure([harness.RELEASE, "sql", query, "-o", s("o.parquet"), "--on-exists",
                           "replace", "--report", s("r.json")])
    assert ran.code == 0, f"{query}: {ran.err[-300:]}"
    with open(s("r.json")) as f:
        steps = json.load(f)["plan"]["steps"]
    return any("from footers" in step["step"] for step in steps), steps


def check(s, c, query, names, answered):
    with_footers, steps = ours(s, query.format(**names))
    assert answered in (with_footers, None), f"{query}: {steps}"
    want = c.execute(query.format(**{n: n for n in names})).fetchall()
    got = c.execute(f"FROM '{s('o.parquet')}'").fetchall()
    assert got == want or repr(got) == repr(want), f"{query}: {got[:9]}, DuckDB {want[:9]}"


def case():
    with Scratch("footers") as s:
        c, names = write_tables(s)
        load(c, names)
        for asked, name, answered in QUERIES:
            check(s, c, f"SELECT {asked} FROM {{{name}}}", names, answered)
        for query, answered in WHOLE:
            check(s, c, query, names, answered)
        return f"{len(QUERIES) + len(WHOLE)} queries"


def cases():
    yield "groups that footers answer", case, 60
