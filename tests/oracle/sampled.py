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

# First of, per; and how many times the columns may be spilled: keys are there once more, which
# counts where they are most of the columns.
CASES = {
    "ids of integers": (2, ["k"], ["g"], 2.5),
    "ids of texts per text": (2, ["s"], ["t"], 2.5),
    "ids per float": (3, ["k"], ["f"], 2.5),
    "two columns each": (2, ["k", "s"], ["g", "f"], 3.25),
    "rows": (2, [], ["t"], 2.5),
    "rows per two": (1, [], ["f", "k"], 2.5),
}


def by_duckdb(path, first, of, per):
    """Row numbers of the first ids' rows, in order."""
    import duckdb
    same = " AND ".join(f"a.{c} IS NOT DISTINCT FROM b.{c}" for c in per + of)
    with duckdb.connect() as c:
        c.execute("SET threads = 2")
        if of:
            ids = (f"SELECT {', '.join(per + of)} FROM (SELECT {', '.join(per + of)}, min(n) AS m "
                   f"FROM '{path}' GROUP BY ALL) QUALIFY row_number() OVER (PARTITION BY "
                   f"{', '.join(per)} ORDER BY m) <= {first}")
            query = f"SELECT a.n FROM '{path}' a JOIN ({ids}) b ON {same} ORDER BY 1"
        else:
            query = (f"SELECT n FROM '{path}' QUALIFY row_number() OVER (PARTITION BY "
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


def spilled_case(scratch_rows, first, of, per, times):
    import numpy
    import pyarrow.parquet as pq
    harness.library("duckdb")
    with Scratch("sampled") as s:
        path = scratch_rows(s)
        words = ["--first", str(first), "--per", ",".join(per)]
        words += ["--of", ",".join(of)] if of else []
        harness.ok("sample", path, s("fits.parquet"), *words, "--memory", "1GiB")
        got = pq.read_table(s("fits.parquet"))
        if not numpy.array_equal(got["n"].to_numpy(), by_duckdb(path, first, of, per)):
            raise AssertionError("other rows than DuckDB's")
        table = pq.read_table(path)
        compare.same_tables(table.take(got["n"]), got, "rows of the input")
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
        return f"{got.num_rows:,} rows, spilled {most >> 20} MiB at most"


def rows(s):
    import duckdb
    path = s("in.parquet")
    with duckdb.connect() as c:
        c.execute(f"COPY ({ROWS}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 8192)")
    return path


def cases():
    for name, asked in CASES.items():
        yield (f"sample, state larger than memory: {name}",
               lambda a=asked: spilled_case(rows, *a), 300)
