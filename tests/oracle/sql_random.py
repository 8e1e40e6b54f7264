"""Random queries against DuckDB: filters, expressions, groups, joins, windows, orders over typed
tables with nulls, at several thread counts and little memory."""
import decimal
import json
import math
import os
import random

import harness
from harness import Scratch

CONFIGURATIONS = [("1", "64MiB"), ("2", "64MiB"), ("8", "64MiB"), ("2", "1GiB")]
NUMBERS = ["a", "b", "c", "d"]


def write_tables(folder, seed, rows):
    """Two tables: integers, decimals, doubles, text, dates, booleans, a null in ten."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    r = random.Random(seed)

    def column(make, n):
        return [None if r.random() < 0.1 else make() for _ in range(n)]

    for name, n in (("t", rows), ("u", min(max(rows // 10, 5), 500))):
        table = pa.table({
            "a": pa.array(column(lambda: r.randrange(-50, 50), n), pa.int32()),
            "b": pa.array(column(lambda: r.randrange(-10**12, 10**12), n), pa.int64()),
            "c": pa.array(column(
                lambda: decimal.Decimal(r.randrange(-10**6, 10**6)).scaleb(-2), n),
                pa.decimal128(12, 2)),
            "d": pa.array(column(lambda: r.choice([0.5, -1.25, 3.0, 1e10, -2.5e-3]) *
                                 r.randrange(1, 9), n), pa.float64()),
            "s": pa.array(column(lambda: r.choice(["", "a", "abc", "b%", "Zürich", "x" * 20]) +
                                 str(r.randrange(30)), n), pa.string()),
            "e": pa.array(column(lambda: r.randrange(8000, 20000), n),
                          pa.int32()).cast(pa.date32()),
            "f": pa.array(column(lambda: r.random() < 0.5, n), pa.bool_()),
            "k": pa.array(column(lambda: r.randrange(rows // 3 + 1), n), pa.int64()),
        })
        pq.write_table(table, os.path.join(folder, f"{name}.parquet"), row_group_size=r.choice(
            [1000, 100000]), use_dictionary=r.random() < 0.7)


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def number(self, t, depth=2):
        r = self.r
        if depth == 0 or r.random() < 0.3:
            return r.choice([f"{t}.{c}" for c in ("a", "k", "c")] +
                            [str(r.randrange(-9, 10)), f"{r.randrange(100) / 4}"])
        x, y = self.number(t, depth - 1), self.number(t, depth - 1)
        return r.choice([f"({x} + {y})", f"({x} - {y})", f"abs({x})", f"coalesce({x}, 7)",
                         f"CASE WHEN {self.condition(t, depth - 1)} THEN {x} ELSE {y} END",
                         f"least({x}, {y})", f"greatest({x}, {y})", f"nullif({x}, {y})"])

    def constants(self):
        few = [str(self.r.randrange(-50, 50)) for _ in range(self.r.choice([3, 12]))]
        return ", ".join(few + self.r.choice([[], ["NULL"]]))

    def text(self, t):
        r = self.r
        return r.choice([f"{t}.s", f"upper({t}.s)", f"{t}.s || 'x'", f"substring({t}.s, 2, 3)",
                         f"replace({t}.s, 'a', 'bb')", f"trim({t}.s, 'x')", f"left({t}.s, 4)",
                         f"CAST({t}.a AS VARCHAR)", f"CAST({t}.e AS VARCHAR)", f"lower({t}.s)"])

    def condition(self, t, depth=2):
        r = self.r
        if depth > 0 and r.random() < 0.4:
            x, y = self.condition(t, depth - 1), self.condition(t, depth - 1)
            return r.choice([f"({x} AND {y})", f"({x} OR {y})", f"NOT ({x})"])
        op = r.choice(["=", "<>", "<", "<=", ">", ">="])
        return r.choice([
            f"{t}.a {op} {r.randrange(-50, 50)}", f"{t}.c {op} {r.randrange(-9999, 9999)}.5",
            f"{t}.e {op} DATE '{r.randrange(1995, 2020)}-0{r.randrange(1, 10)}-11'",
            f"{t}.s LIKE '{r.choice(['a%', '%1%', '_b%', 'x%'])}'", f"{t}.b IS NULL",
            f"{t}.s IS NOT NULL", f"{t}.f", f"{t}.a IN ({self.constants()})",
            f"{t}.s NOT IN ('a1', 'a2', 'b%3', '', 'abc4', 'a5', 'a6', 'b%7', 'Zürich8')",
            f"{t}.k BETWEEN {r.randrange(40)} AND {r.randrange(40, 200)}",
            f"{t}.s {op} 'a{r.randrange(30)}'", f"{t}.a {op} {t}.k",
            f"{self.number(t, 0)} {op} {self.number(t, 0)}"])

    def any(self, t):
        r = self.r
        return r.choice([self.number(t), self.text(t), f"{t}.e", f"{t}.f", f"{t}.d",
                         self.condition(t, 1), f"year({t}.e)", f"{t}.e + INTERVAL 3 DAY",
                         f"date_trunc('month', {t}.e)", f"length({t}.s)", f"{t}.d * 2",
                         f"round({t}.d, 1)", f"TRY_CAST({t}.s AS INTEGER)"])

    def aggregate(self, t):
        r = self.r
        x = self.number(t, 1)
        one = r.choice([f"count({t}.b)", "count(*)", f"sum({x})", f"avg({t}.a)", f"min({t}.s)",
                        f"max({t}.e)", f"min({x})", f"sum({t}.d)", f"count(DISTINCT {t}.a)",
                        f"bool_or({t}.f)", f"sum(DISTINCT {t}.a)", f"max({t}.d)"])
        return one + (f" FILTER (WHERE {self.condition(t, 1)})" if r.random() < 0.2 else "")

    def query(self):
        r = self.r
        kind = r.choice(["rows", "group", "sets", "join", "join group", "window", "distinct",
                         "union", "in"])
        where = f" WHERE {self.condition('t')}" if r.random() < 0.7 else ""
        if kind == "rows":
            items = ", ".join(f"{self.any('t')} AS x{i}" for i in range(r.randrange(1, 5)))
            return f"SELECT {items} FROM t{where}"
        if kind == "group":
            keys = [r.choice(["t.a", "t.s", "t.e", "t.f", "t.k", "year(t.e)", "t.c"])
                    for _ in range(r.randrange(0, 3))]
            items = [f"{k} AS g{i}" for i, k in enumerate(keys)]
            items += [f"{self.aggregate('t')} AS x{i}" for i in range(r.randrange(1, 4))]
            by = f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}" if keys else ""
            having = " HAVING count(*) > 1" if keys and r.random() < 0.3 else ""
            return f"SELECT {', '.join(items)} FROM t{where}{by}{having}"
        if kind == "sets":
            x, y = r.sample(["t.a", "t.f", "year(t.e)", "t.s"], 2)
            by = r.choice([f"ROLLUP ({x}, {y})", f"CUBE ({x}, {y})", f"{x}, ROLLUP ({y})",
                           f"GROUPING SETS (({x}, {y}), ({y}), ())", f"GROUPING SETS ({x}, {x})"])
            return (f"SELECT {x} AS g0, {self.aggregate('t')} AS x0, count(*) AS x1, "
                    f"grouping({x}) AS x2 FROM t{where} GROUP BY {by}")
        join = r.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        on = r.choice(["t.k = u.k", "t.a = u.a AND t.f = u.f", "t.k = u.k AND t.b < u.b",
                       "t.s = u.s", "t.k = u.k AND u.a > 0"])
        if kind == "join":
            return (f"SELECT t.k AS x0, u.s AS x1, {self.any('u')} AS x2, t.b AS x3 "
                    f"FROM t {join} u ON {on}{where}")
        if kind == "join group":
            return (f"SELECT u.a AS g0, count(*) AS x0, sum(t.c) AS x1, "
                    f"{self.aggregate('t')} AS x2 FROM t {join} u ON {on}{where} GROUP BY u.a")
        if kind == "window":
            part = r.choice(["", "PARTITION BY t.a ", "PARTITION BY t.f, t.s "])
            call = r.choice(["row_number()", "rank()", "dense_rank()", "sum(t.c)", "count(*)",
                             "lag(t.a)", "lead(t.s, 2)", "first_value(t.b)", "max(t.e)"])
            order = "ORDER BY t.b, t.k, t.c, t.s, t.e, t.a"
            return f"SELECT t.b, t.k, {call} OVER ({part}{order}) AS x FROM t{where}"
        if kind == "distinct":
            return f"SELECT DISTINCT {self.any('t')} AS x0, t.f AS x1 FROM t{where}"
        if kind == "union":
            word = r.choice(["UNION ALL", "UNION", "INTERSECT", "EXCEPT"])
            return f"SELECT t.a, t.s FROM t{where} {word} SELECT u.a, u.s FROM u"
        word = r.choice(["IN", "NOT IN"])
        return f"SELECT t.k, t.a FROM t WHERE t.a {word} (SELECT u.a FROM u WHERE u.f)"


def canonical(value):
    if isinstance(value, float):
        value = 0.0 if value == 0 else value  # one zero
        return ("number", "NaN" if math.isnan(value) else f"{value:.10g}")
    if isinstance(value, bool) or value is None:
        return ("plain", str(value))
    if isinstance(value, (int, decimal.Decimal)):
        return ("number", f"{decimal.Decimal(value).normalize():f}")
    return ("text", str(value))


def their_rows(connection, query):
    """DuckDB's answer; None: it refuses the query."""
    import duckdb
    try:
        return sorted([canonical(v) for v in row] for row in connection.execute(query).fetchall())
    except duckdb.Error:
        return None


def my_rows(ran, types):
    rows = []
    for line in ran.out.decode().splitlines():
        pairs = json.loads(line, object_pairs_hook=lambda p: p, parse_float=str)
        rows.append([value_of(v, t) for (_, v), t in zip(pairs, types, strict=True)])
    return sorted(rows)


def value_of(value, kind):
    if isinstance(value, str) and kind in ("DOUBLE", "FLOAT"):
        return canonical(float(value))
    if isinstance(value, str) and kind.startswith("DECIMAL"):
        return canonical(decimal.Decimal(value))
    if isinstance(value, int) and not isinstance(value, bool) and kind in ("DOUBLE", "FLOAT"):
        return canonical(float(value))
    return canonical(value)


def random_case(seed, n, rows):
    import duckdb
    refused = asked = 0
    with Scratch() as scratch:
        folder = scratch.path
        write_tables(folder, seed, rows)
        connection = duckdb.connect()
        for name in ("t", "u"):
            connection.execute(f"CREATE VIEW {name} AS FROM '{folder}/{name}.parquet'")
        maker = Maker(seed)
        for i in range(n):
            query = maker.query()
            theirs = their_rows(connection, query)
            if theirs is None:
                continue
            asked += 1
            types = [str(t[1]) for t in connection.execute(query).description]
            threads, memory = CONFIGURATIONS[(seed + i) % len(CONFIGURATIONS)]
            ran = harness.measure(
                [harness.RELEASE, "sql", query, "-f", "json", "--threads", threads,
                 "--memory", memory, "--attach", f"t={folder}/t.parquet",
                 "--attach", f"u={folder}/u.parquet"], timeout=60)
            if ran.code == 2:
                refused += 1
                continue
            assert ran.code == 0, f"exit code {ran.code}: {ran.err[-300:]}\n{query}"
            mine = my_rows(ran, types)
            differs = next(((m, t) for m, t in zip(mine, theirs) if m != t), "")
            assert mine == theirs, f"{query}\n{len(mine)} and {len(theirs)} rows; {differs}"
    assert asked >= n // 2, f"DuckDB answers only {asked} of {n}"
    assert refused <= asked // 20, f"{refused} of {asked} were refused"
    return f"{asked} queries, {refused} refused"


def cases(tier):
    sizes = [50, 500, 3000] if tier == "quick" else [50, 3000, 12000]
    for seed in range(5 if tier == "quick" else 100):
        yield (f"random queries {seed}",
               lambda s=seed: random_case(s, 100, sizes[s % 3]), 300)
