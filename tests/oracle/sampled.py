"""sample where the first ids of all groups are more than memory, against DuckDB: the same rows in
the same order, as the verb and as QUALIFY, within the ceiling and the spill that `plan` names."""
import hashlib
import json

import compare
import harness
from harness import Scratch

SPILLS = [["--memory", "40MiB", "--threads", "1"], ["--memory", "48MiB", "--threads", "2"],
          ["--memory", "64MiB", "--threads", "8"]]

ROWS = """SELECT i AS n,
    CASE WHEN i % 19 = 3 THEN NULL ELSE (hash(i // 3) % 150000)::BIGINT END AS g,
    CASE WHEN i % 23 = 5 THEN NULL ELSE 'a group of text ' || hash(i // 2 + 1) % 90000 END AS t,
    CASE WHEN i % 50 = 1 THEN 'NaN'::DOUBLE WHEN i % 50 = 7 THEN -0.0::DOUBLE
         WHEN i % 50 = 9 THEN 0.0::DOUBLE ELSE (hash(i + 2) % 200000) / 4 - 20000 END AS f,
    CASE WHEN i % 31 = 2 THEN NULL ELSE (hash(i + 3) % 5)::INTEGER END AS k,
    'id ' || hash(i + 4) % 4 AS s,
    'beside ' || hash(i + 5) AS x
    FROM range(700000) r(i)"""

PAIRS = """SELECT ((hash(i // 2) % 4294967296)::BIGINT - 2147483648)::INTEGER AS g,
    ((hash(i + 3) % 4294967296)::BIGINT - 2147483648)::INTEGER AS k FROM range(700000) r(i)"""

# Rows; first, of, per; and how many times the columns may be spilled. Keys are there once more with
# a row's number, which counts where they are most of the columns; so may be what was written.
CASES = {
    "ids of integers": (ROWS, 2, ["k"], ["g"], 1),
    "ids of texts per text": (ROWS, 2, ["s"], ["t"], 1),
    "ids per float": (ROWS, 3, ["k"], ["f"], 1.25),
    "two columns each": (ROWS, 2, ["k", "s"], ["g", "f"], 1.25),
    "rows": (ROWS, 2, [], ["t"], 0.4),
    "rows per two": (ROWS, 1, [], ["f", "k"], 1),
    "nothing but keys": (PAIRS, 2, ["k"], ["g"], 2.75),
}


def by_duckdb(path, first, of, per):
    """Row numbers of the first ids' rows, in order."""
    import duckdb
    source = f"(SELECT *, file_row_number AS n FROM read_parquet('{path}', file_row_number = true))"
    same = " AND ".join(f"a.{c} IS NOT DISTINCT FROM b.{c}" for c in per + of)
    with duckdb.connect() as c:
        c.execute("SET threads = 2")
        if of:
            ids = (f"SELECT {', '.join(per + of)} FROM (SELECT {', '.join(per + of)}, min(n) AS m "
                   f"FROM {source} GROUP BY ALL) QUALIFY row_number() OVER (PARTITION BY "
                   f"{', '.join(per)} ORDER BY m) <= {first}")
            query = f"SELECT a.n FROM {source} a JOIN ({ids}) b ON {same} ORDER BY 1"
        else:
            query = (f"SELECT n FROM {source} QUALIFY row_number() OVER (PARTITION BY "
                     f"{', '.join(per)} ORDER BY n) <= {first} ORDER BY 1")
        return c.execute(query).fetchnumpy()["n"]


def spilled(report, ran, memory, most, label):
    """What it spilled, within what the plan said of spill and peak, and `most`."""
    with open(report, encoding="utf-8") as f:
        told = json.load(f)
    step = next(s for s in told["plan"]["steps"] if s["how"] == "spills")
    if not 0 < told["spilled"] <= min(step["spill"], most):
        raise AssertionError(f"{label}: spilled {told['spilled']:,}, planned {step['spill']:,}, "
                             f"allowed {most:,}")
    if ran.peak > min(told["plan"]["peak"], int(memory[:-3]) * harness.MIB):
        raise AssertionError(f"{label}: {harness.mib(ran.peak)}, planned "
                             f"{harness.mib(told['plan']['peak'])}")
    return told["spilled"]


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def spilled_case(rows, first, of, per, times):
    import duckdb
    import pyarrow.parquet as pq
    harness.library("duckdb")
    with Scratch("sampled") as s:
        path = s("in.parquet")
        with duckdb.connect() as c:
            c.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 8192)")
        words = ["--first", str(first), "--per", ",".join(per)]
        words += ["--of", ",".join(of)] if of else []
        harness.ok("sample", path, s("fits.parquet"), *words, "--memory", "1GiB")
        got = pq.read_table(s("fits.parquet"))
        table = pq.read_table(path)
        compare.same_tables(table.take(by_duckdb(path, first, of, per)), got, "rows of DuckDB")
        query = (f"SELECT * FROM '{path}' QUALIFY arrival_rank({', '.join(of)}) OVER (PARTITION BY "
                 f"{', '.join(per)}) <= {first}")
        jobs = {"sample": ["sample", path, s("o.parquet"), *words]}
        if of:
            jobs["sql"] = ["sql", query, "-o", s("o.parquet")]
        most = 0
        for verb, job in jobs.items():
            for options in SPILLS:
                ran = harness.ok(*job, *options, "--report", s("r.json"), "--on-exists", "replace")
                label = f"{verb} {' '.join(options)}"
                if digest(s("o.parquet")) != digest(s("fits.parquet")):
                    raise AssertionError(f"{label}: other bytes")
                most = max(most, spilled(s("r.json"), ran, options[1],
                                         int(table.nbytes * times), label))
        return f"{got.num_rows:,} rows, spilled {most / table.nbytes:.2f} times at most"


def cases():
    for name, asked in CASES.items():
        yield (f"sample, state larger than memory: {name}",
               lambda a=asked: spilled_case(*a), 300)
