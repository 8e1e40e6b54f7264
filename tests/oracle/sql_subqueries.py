"""Random subqueries against DuckDB: scalar ones, EXISTS, IN, ANY and ALL, and LATERAL, which look
at columns outside of themselves in conditions, lists, groups, set operations, ON and LIMIT, some
through several queries; over small tables with nulls and duplicates."""
import os
import random

import harness
import sql_random
from harness import Scratch

CONFIGURATIONS = [("1", "64MiB"), ("2", "128MiB"), ("4", "1GiB")]


def write_tables(folder, seed):
    import pyarrow as pa
    import pyarrow.parquet as pq
    r = random.Random(seed)
    for name, n in (("t", 25), ("u", 18), ("v", 12)):
        pq.write_table(pa.table({
            c: pa.array([None if r.random() < 0.15 else r.randrange(6) for _ in range(n)], kind)
            for c, kind in (("a", pa.int32()), ("b", pa.int64()), ("c", pa.int32()))}),
            os.path.join(folder, f"{name}.parquet"))


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.names = 0

    def alias(self):
        self.names += 1
        return f"x{self.names}"

    def column(self, *tables):
        return f"{self.r.choice(tables)}.{self.r.choice('abc')}"

    def test(self, mine, outs):
        """A condition over a table of one's own and the ones around."""
        r = self.r
        op = r.choice(["=", "=", "=", "<", "<=", "<>", ">", "IS NOT DISTINCT FROM"])
        left = self.column(mine)
        right = r.choice([self.column(*outs), f"{self.column(*outs)} + {r.randrange(-1, 3)}",
                          str(r.randrange(6)), self.column(mine)])
        return f"{left} {op} {right}"

    def where(self, mine, outs, depth):
        r = self.r
        parts = [self.test(mine, outs) for _ in range(r.choice([1, 1, 2]))]
        if depth and r.random() < 0.35:
            parts.append(self.predicate(outs + [mine], depth - 1))
        text = parts[0]
        for part in parts[1:]:
            text += r.choice([" AND ", " AND ", " OR "]) + part
        return text

    def rows(self, outs, depth):
        """A relation of one column z, the columns that it looks at among outs."""
        r, x, y = self.r, self.alias(), self.alias()
        table, other = r.choice("uv"), r.choice("uv")
        where = self.where(x, outs, depth)
        kind = r.randrange(9)
        if kind == 0:
            return f"SELECT {self.column(x)} AS z FROM {table} {x} WHERE {where}"
        if kind == 1:
            return (f"SELECT {self.column(x)} + {self.column(*outs)} AS z FROM {table} {x} "
                    f"WHERE {where}")
        if kind == 2:
            word = r.choice(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"])
            return (f"SELECT {x}.a AS z FROM {table} {x} WHERE {where} {word} "
                    f"SELECT {y}.a FROM {other} {y} WHERE {self.where(y, outs, 0)}")
        if kind == 3:
            having = r.choice(["", " HAVING count(*) > 1", f" HAVING max({x}.b) > "
                               f"{r.choice(outs)}.b"])
            return (f"SELECT {r.choice(['count(*)', f'sum({x}.b)', f'min({x}.c)'])} AS z "
                    f"FROM {table} {x} WHERE {where} GROUP BY {x}.a{having}")
        if kind == 4:
            return (f"SELECT DISTINCT {self.column(x)} AS z FROM {table} {x} WHERE {where}")
        if kind == 5:
            return (f"SELECT {x}.a AS z FROM {table} {x} WHERE {where} ORDER BY {x}.a, {x}.b, "
                    f"{x}.c LIMIT {r.randrange(1, 4)} OFFSET {r.randrange(2)}")
        if kind == 6:
            return (f"SELECT sum({x}.b) OVER (PARTITION BY {x}.a ORDER BY {x}.b, {x}.c) AS z "
                    f"FROM {table} {x} WHERE {where}")
        if kind == 7:
            join = r.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN"])
            column = "a" if join == "SEMI JOIN" else "b"
            return (f"SELECT {x}.{column} AS z FROM {table} {x} {join} {other} {y} ON "
                    f"{x}.a = {y}.a AND {self.test(y, outs)}")
        return f"SELECT q.z AS z FROM ({self.rows(outs, 0)}) q WHERE q.z < {self.column(*outs)}"

    def scalar(self, outs, depth):
        r, x = self.r, self.alias()
        table = r.choice("uv")
        kind = r.randrange(5)
        if kind == 0:
            return f"(SELECT {self.column(*outs)} + {r.randrange(5)})"
        if kind == 1:
            name = r.choice(["max", "min", "sum", "count"])
            return f"(SELECT {name}(q.z) FROM ({self.rows(outs, depth)}) q)"
        if kind == 2:
            return (f"(SELECT {x}.b FROM {table} {x} WHERE {self.where(x, outs, depth)} "
                    f"ORDER BY {x}.b, {x}.a LIMIT 1)")
        if kind == 3:
            return (f"(SELECT CASE WHEN count(*) = 1 THEN NULL ELSE count(*) + "
                    f"{r.randrange(3)} END FROM {table} {x} WHERE {self.where(x, outs, depth)})")
        call = r.choice(["count(*)", f"sum({x}.b)", f"max({x}.a + {self.column(*outs)})",
                         f"count({x}.c) + 1"])
        having = r.choice(["", "", f" HAVING count(*) > {r.randrange(2)}"])
        return f"(SELECT {call} FROM {table} {x} WHERE {self.where(x, outs, depth)}{having})"

    def predicate(self, outs, depth):
        r = self.r
        op = r.choice(["=", "<>", "<", ">=", ">"])
        kind = r.randrange(5)
        left = self.column(*outs)
        if kind == 0:
            return f"{r.choice(['', 'NOT '])}EXISTS ({self.rows(outs, depth)})"
        if kind == 1:
            return f"{left} {r.choice(['IN', 'NOT IN'])} ({self.rows(outs, depth)})"
        if kind == 2:
            return f"{left} {op} {r.choice(['ANY', 'ALL'])} ({self.rows(outs, depth)})"
        return f"{left} {op} {self.scalar(outs, depth)}"

    def query(self):
        r = self.r
        where = f" WHERE {self.predicate(['t'], 2)}" if r.random() < 0.6 else ""
        kind = r.randrange(5)
        if kind == 0:
            return f"SELECT t.a, t.b, {self.scalar(['t'], 2)} AS x FROM t{where}"
        if kind == 1:
            return f"SELECT t.a, t.b, {self.predicate(['t'], 2)} AS x FROM t{where}"
        if kind == 2:
            return (f"SELECT t.a, count(*), max(t.b) AS m FROM t{where} GROUP BY t.a "
                    f"HAVING {self.predicate(['t'], 1).replace('t.b', 'max(t.b)')}")
        if kind == 3:
            join = r.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN"])
            items = "t.a, t.b" if join == "SEMI JOIN" else "t.a, t.b, u.a, u.b"
            return (f"SELECT {items} FROM t {join} u ON {self.predicate(['t', 'u'], 1)}"
                    f"{r.choice(['', ' AND t.c = u.c'])}")
        return (f"SELECT t.a, t.b, q.z FROM t {r.choice(['JOIN', 'LEFT JOIN'])} LATERAL "
                f"({self.rows(['t'], 1)}) q ON {r.choice(['true', 'q.z = t.a'])}")


def subquery_case(seed, n):
    import duckdb
    refused = asked = 0
    with Scratch() as scratch:
        folder = scratch.path
        write_tables(folder, seed)
        connection = duckdb.connect()
        attach = []
        for name in "tuv":
            connection.execute(f"CREATE VIEW {name} AS FROM '{folder}/{name}.parquet'")
            attach += ["--attach", f"{name}={folder}/{name}.parquet"]
        maker = Maker(seed)
        for i in range(n):
            query = maker.query()
            theirs = sql_random.their_rows(connection, query)
            if theirs is None:
                continue
            asked += 1
            types = [str(t[1]) for t in connection.execute(query).description]
            threads, memory = CONFIGURATIONS[(seed + i) % len(CONFIGURATIONS)]
            ran = harness.measure([harness.RELEASE, "sql", query, "-f", "json", "--threads",
                                   threads, "--memory", memory, *attach], timeout=60)
            if ran.code in (2, 4):
                refused += 1
                continue
            assert ran.code == 0, f"exit code {ran.code}: {ran.err[-300:]}\n{query}"
            mine = sql_random.my_rows(ran, types)
            assert mine == theirs, f"{query}\n{mine[:20]}\ninstead of\n{theirs[:20]}"
    assert asked >= n // 2, f"DuckDB answers only {asked} of {n}"
    assert refused <= asked // 20, f"{refused} of {asked} were refused"
    return f"{asked} queries, {refused} refused"


def cases(tier):
    for seed in range(2 if tier == "quick" else 40):
        yield f"random subqueries {seed}", lambda s=seed: subquery_case(s, 60), 300
