"""TPC-H: all queries at a small scale (1 in the long tier), in little memory, each as DuckDB
answers it; and the order of the tables in FROM changes nothing."""
import fcntl
import json
import math
import os
import random
import subprocess
from decimal import Decimal

import harness
from tpch_queries import QUERIES

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def tables(scale):
    """The folder of the tables, made when it is not there."""
    folder = os.path.join(harness.DATA, f"tpch-{scale}")
    os.makedirs(harness.DATA, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            make(scale, f"{folder}.making")
            os.rename(f"{folder}.making", folder)
    return folder


def make(scale, folder):
    venv = os.environ.get("NARROWS_VENV", os.path.join(harness.ROOT, ".venv"))
    tool = os.path.join(venv, "bin", "tpchgen-cli")
    if not os.path.exists(tool):
        raise harness.Skip("tpchgen-cli is not there")
    subprocess.run([tool, "parquet", "-q", "-s", scale, "--compression=SNAPPY", "--output-dir",
                    folder], check=True)


def equal(mine, theirs):
    if mine is None or theirs is None:
        return mine is theirs
    if isinstance(theirs, float):
        return math.isclose(float(mine), theirs, rel_tol=1e-12)
    if isinstance(theirs, Decimal):
        return Decimal(mine) == theirs
    return str(mine) == str(theirs)


def attached(folder):
    return [w for t in TABLES for w in ("--attach", f"{t}={os.path.join(folder, t)}.parquet")]


def ask(folder, query, memory):
    ran = harness.ok("sql", query, "-f", "json", "--memory", f"{memory}MiB", *attached(folder),
                     timeout=300)
    assert ran.peak <= memory * harness.MIB, f"{harness.mib(ran.peak)} of {memory} MiB"
    return [list(json.loads(line, parse_float=str).values())
            for line in ran.out.decode().splitlines()]


def peer(folder):
    duckdb = harness.library("duckdb")
    c = duckdb.connect()
    for t in TABLES:
        c.execute(f"CREATE VIEW {t} AS SELECT * FROM '{os.path.join(folder, t)}.parquet'")
    return c


def check(scale, numbers, memory):
    folder = tables(scale)
    duckdb, rows = peer(folder), 0
    for n in numbers:
        mine, theirs = ask(folder, QUERIES[n], memory), duckdb.execute(QUERIES[n]).fetchall()
        assert len(mine) == len(theirs), f"query {n}: {len(mine)} rows instead of {len(theirs)}"
        for x, y in zip(mine, theirs):
            assert len(x) == len(y) and all(map(equal, x, y)), f"query {n}: {x} instead of {y}"
        rows += len(mine)
    assert rows > 0
    return f"{rows} rows"


# Number, and the FROM whose tables take turns.
SHUFFLED = {5: "customer, orders, lineitem, supplier, nation, region",
            8: "part, supplier, lineitem, orders, customer, nation n1, nation n2, region",
            9: "part, supplier, lineitem, partsupp, orders, nation"}


def shuffled(seed):
    """However FROM lists its tables: the same answer, and no join without keys in the plan."""
    folder, dice = tables("0.05"), random.Random(seed)
    for n, tables_of in SHUFFLED.items():
        wanted = ask(folder, QUERIES[n], 64)
        for _ in range(2):
            order = tables_of.split(", ")
            dice.shuffle(order)
            query = QUERIES[n].replace(f"FROM {tables_of}", f"FROM {', '.join(order)}")
            assert query != QUERIES[n] or order == tables_of.split(", ")
            assert ask(folder, query, 64) == wanted, f"query {n} of {order}"
            plan = harness.ok("plan", "sql", query, *attached(folder)).out.decode()
            assert "join on 0 keys" not in plan, plan


def cases(tier):
    for part in range(2):
        yield (f"TPC-H queries {part}",
               lambda p=part: check("0.05", [n for n in QUERIES if n % 2 == p], 64), 300)
    yield "TPC-H with tables in another order", lambda: shuffled(1), 300
    if tier == "all":
        yield "TPC-H at scale 1", lambda: check("1", list(QUERIES), 256), 1200
