"""--where and WHERE on parts of nested columns, against DuckDB: the same rows, and only the part
read until rows pass."""
import json
import os
import random

import harness
import where
from harness import Scratch

# Paths as SQL, and where each is in a record; the last two are other names for the first two.
PATHS = {'u"."n': ("u", "n"), 'u"."s': ("u", "s"), 'u"."in"."d': ("u", "in", "d"),
         'u"."in"."day': ("u", "in", "day"), 'u"."in"."flag': ("u", "in", "flag"), "k": ("k",)}


def records(rows, seed):
    """Structs in structs with nulls at each level, beside a flat column and a list."""
    import datetime
    import pyarrow as pa
    r = random.Random(seed)

    def maybe(x):
        return None if r.random() < 0.1 else x
    us = [maybe({"n": maybe(i // 40 + r.randint(0, 3)), "s": maybe(f"text {i // 100}"),
                 "in": maybe({"d": maybe(r.randint(-50, 50) / 4),
                              "day": maybe(datetime.date(2020, 1, 1) +
                                           datetime.timedelta(days=i // 30)),
                              "flag": maybe(r.random() < 0.5)})}) for i in range(rows)]
    inner = pa.struct([("d", pa.float64()), ("day", pa.date32()), ("flag", pa.bool_())])
    return pa.table({
        "u": pa.array(us, pa.struct([("n", pa.int32()), ("s", pa.string()), ("in", inner)])),
        "k": pa.array([maybe(i % 97) for i in range(rows)], pa.int64()),
        "l": pa.array([[{"x": i}] * (i % 3) for i in range(rows)]),
        "rn": pa.array(range(rows), pa.int64())})


def flat(table):
    """The values of each path as columns, for the maker of conditions."""
    import pyarrow as pa
    import pyarrow.compute as pc
    return pa.table({name: table.column(path[0]) if len(path) == 1
                     else pc.struct_field(table.column(path[0]), list(path[1:]))
                     for name, path in PATHS.items()})


def random_case(seed, rows=6000, count=8):
    import duckdb
    import pyarrow.feather as feather
    import pyarrow.parquet as pq
    table = records(rows, seed)
    maker = where.Maker(flat(table), seed)
    with Scratch("parts") as scratch, duckdb.connect() as c:
        rich, poor, avro = scratch("rich.parquet"), scratch("poor.parquet"), scratch("o.avro")
        plain, packed = scratch("plain.arrow"), scratch("packed.arrow")
        pq.write_table(table, rich, row_group_size=3000, write_page_index=True,
                       data_page_size=1024, write_batch_size=100)
        pq.write_table(table, poor, row_group_size=rows, write_statistics=False)
        feather.write_feather(table, plain, compression="uncompressed", chunksize=3000)
        feather.write_feather(table, packed, compression="zstd", chunksize=rows)
        harness.ok("copy", rich, avro)
        parts = ["--select", "u.in,u.in.d,u.s,u", "-f", "json"]
        if len({harness.ok("copy", path, "-", *parts).out
                for path in (rich, avro, plain, packed)}) > 1:
            raise AssertionError("other parts from other formats")
        for _ in range(count):
            condition = maker.condition()
            want = [x[0] for x in c.execute(f"SELECT rn FROM '{poor}' WHERE {condition} "
                                            "ORDER BY rn").fetchall()]
            for path in (rich, poor, avro, plain, packed):
                if where.numbers(path, condition) != want:
                    raise AssertionError(f"{os.path.basename(path)}: {condition}")
            got = harness.ok("sql", f"SELECT rn FROM '{rich}' WHERE {condition}", "-f", "csv")
            if [int(x) for x in got.out.split()[1:]] != want:
                raise AssertionError(f"sql: {condition}")
        return f"{count} conditions"


def answers_case():
    """What queries say of parts, beside DuckDB: alone, grouped, joined, with the whole column."""
    import duckdb
    import pyarrow.parquet as pq
    queries = (
        "SELECT u.n, count(*), sum(u.in.d) FROM '{}' WHERE u.in.flag GROUP BY u.n ORDER BY ALL",
        "SELECT u, U.N AS n, u.in.day FROM '{}' WHERE u.in.day < '2020-03-01'",
        "SELECT rn, u.in FROM '{}' WHERE upper(u.s) = 'TEXT 7' AND u.in.d > 0",
        "SELECT rn FROM '{}' WHERE u.in IS NULL AND u IS NOT NULL ORDER BY rn",
        "SELECT a.rn, b.k FROM '{}' a JOIN '{}' b ON a.rn = b.rn WHERE a.u.n = 3 AND b.u.n = 3 "
        "ORDER BY 1",
        "SELECT rn FROM (SELECT u AS v, rn FROM '{}') WHERE v.n = 9 ORDER BY rn",
        "SELECT u.n AS n FROM '{}' WHERE u.n < 2 UNION ALL SELECT k FROM '{}' WHERE u.n = 5 "
        "ORDER BY 1")
    with Scratch("parts") as scratch, duckdb.connect() as c:
        path = scratch("in.parquet")
        pq.write_table(records(3000, 1), path, row_group_size=1000, write_page_index=True)
        for query in queries:
            query = query.replace("{}", path)
            want = c.execute(f"COPY ({query}) TO '{scratch('w.parquet')}'") and \
                pq.read_table(scratch("w.parquet")).to_pylist()
            harness.ok("sql", query, "-o", scratch("g.parquet"), "--on-exists", "replace")
            got = pq.read_table(scratch("g.parquet")).to_pylist()
            if [list(x.values()) for x in got] != [list(x.values()) for x in want]:
                raise AssertionError(f"{query}: {got[:3]}, wanted {want[:3]}")
        return f"{len(queries)} queries"


def little_is_read_case():
    """The condition's leaf is what is read where nothing passes, and pages of it that cannot
    match are not."""
    import pyarrow.parquet as pq
    with Scratch("parts") as scratch:
        path, report = scratch("in.parquet"), scratch("r.json")
        pq.write_table(records(24000, 2), path, row_group_size=8000, write_page_index=True,
                       data_page_size=1024,
                       write_batch_size=100, use_dictionary=False)
        size = os.path.getsize(path)
        for asked in (["count", path, "--where", "u.n = 300"],
                      ["copy", path, scratch("o.parquet"), "--where", "u.n = 300"],
                      ["sql", f"SELECT * FROM '{path}' WHERE u.n = 300"]):
            harness.ok(*asked, "--report", report)
            with open(report, encoding="utf-8") as f:
                told = json.load(f)
            if told["pruned"]["row_groups"] != 2 or told["rows"]["pruned"] < 20000 or \
                    told["bytes_in"] > size / 3:
                raise AssertionError(f"{asked}: {told['pruned']}, {told['rows']}, "
                                     f"{told['bytes_in']} of {size} bytes read")


def widened_case():
    """Files that differ inside of the struct: parts are widened, or null, as columns are."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("parts") as scratch:
        a, b = scratch("a.parquet"), scratch("b.parquet")
        pq.write_table(pa.table({"u": pa.array(
            [{"n": 1, "s": "x"}, None, {"n": None, "s": "y"}, {"n": 7, "s": "z"}],
            pa.struct([("n", pa.int32()), ("s", pa.string())]))}), a)
        pq.write_table(pa.table({"u": [{"n": 2 ** 40, "c": 1.5}, {"n": 7, "c": None}]}), b)
        for condition, rows in (("u.n = 7", 2), (f"u.n >= {2 ** 40}", 1), ("u.s IS NULL", 3),
                                ("u.c > 1", 1), ("u.c IS NULL AND u.n IS NOT NULL", 3)):
            got = int(harness.ok("count", a, b, "--where", condition).out)
            if got != rows:
                raise AssertionError(f"{condition}: {got} rows, wanted {rows}")
        one = scratch("one.parquet")  # more parts in the condition than the file has columns
        pq.write_table(pa.table({"u": [{chr(97 + i): i for i in range(20)}] * 3}), one)
        condition = " AND ".join(f"u.{chr(97 + i)} = {i}" for i in range(20))
        if int(harness.ok("count", one, "--where", condition).out) != 3:
            raise AssertionError(condition)


def cases(tier):
    yield "where: parts, little is read", little_is_read_case
    yield "where: parts of files that differ", widened_case
    yield "where: parts in queries", answers_case
    for seed in range(1, 9 if tier == "all" else 2):
        yield f"where: parts, random conditions, seed {seed}", lambda s=seed: random_case(s)
