"""Every allocation and every system call of queries failing in turn (query_faults.c): the corpus'
queries and some that spill, partition and replace. How points are made: query_faults.c says."""
import os
import random
import subprocess
import sys
import tempfile

import harness
from harness import Scratch

sys.path.append(os.path.join(harness.ROOT, "tests", "oracle"))
import sql_corpus  # noqa: E402

TARGETS = ("o.parquet", "o.json", "o.arrow", "o.csv")


# Exact books of the heap, and less work for each child.
QUICKER = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0", "LD_BIND_NOW": "1",
           "ASAN_OPTIONS": "malloc_context_size=1"}


def tool(*builds):
    """The program in the first of these builds that is there."""
    for folder in builds or ("build-debug", "build-asan"):
        path = os.path.join(harness.ROOT, folder, "query_faults")
        if os.access(path, os.X_OK):
            return path
    raise harness.Skip("query_faults is not built with faults (the debug and asan presets)")


def record(name, points, target, sql, *options):
    return "\x1f".join([name, str(points), target, sql, *options, ""]) + "\x1e"


def corpus(queries, points, threads, r):
    listed = sql_corpus.known()
    for q in queries:
        if q["id"] not in listed:
            attach = [f"attach={name}={sql_corpus.table_path(q, file)}"
                      for name, file in q["tables"].items()]
            yield record(q["id"], points, r.choice(TARGETS), q["sql"], *attach, "memory=64MiB",
                         f"threads={threads}")


# At 32 MiB all of these spill, of 200,000 rows.
OWN = {
    "sort": "SELECT * FROM big ORDER BY note, a",
    "group": "SELECT note, count(*), min(b), string_agg(note) FROM big GROUP BY 1",
    "distinct": "SELECT DISTINCT note FROM big",
    "median": "SELECT a, median(b), count(DISTINCT note) FROM big GROUP BY 1",
    "one group": "SELECT median(a), quantile_disc(note, 0.4), median(a::DECIMAL(30, 2)), "
                 "count(DISTINCT note), mode(note), entropy(a), sum(DISTINCT a) FROM big",
    "join": "SELECT x.note, y.b FROM big x JOIN big y ON x.note = y.note AND x.a = y.a",
    "full join": "SELECT x.b, y.b FROM big x FULL JOIN (SELECT * FROM big WHERE b > 9) y "
                 "ON x.note = y.note",
    "semi join": "SELECT a FROM big WHERE note IN (SELECT note FROM big WHERE b > 9)",
    "window": "SELECT a, b, lag(note) OVER (PARTITION BY a ORDER BY note), "
              "sum(b) OVER (PARTITION BY b ORDER BY a) FROM big",
    "window, one partition": "SELECT a, lag(note, 5000) OVER (ORDER BY note), sum(a) OVER () "
                             "FROM big",
    "first": "SELECT * FROM big QUALIFY arrival_rank(b) OVER (PARTITION BY a) <= 3",
    "first, waiting": "SELECT * FROM big QUALIFY arrival_rank(b) OVER (PARTITION BY note, a) <= 1",
    "top": "SELECT note FROM big ORDER BY 1 LIMIT 2000",
}
COPIES = {
    "partitioned": "COPY big TO '{out}/ds/' (FORMAT parquet, PARTITION_BY (b), COMMON_METADATA)",
    "rolled": "COPY big TO '{out}/ds/' (FORMAT parquet, ROW_GROUP_SIZE 5000, "
              "ROW_GROUPS_PER_FILE 1)",
}


def own(s, names, points, threads):
    for name in names:
        sql = OWN.get(name) or COPIES[name].format(out=s("out"))
        target = "o.parquet" if name in OWN else ""
        yield record(name, points, target, sql, f"attach=big={s('big.parquet')}", "memory=32MiB",
                     f"threads={threads}", f"spill-dir={s('spill')}")


def check(s, records, timeout, program):
    ran = subprocess.run([program, s.path, "7"], input="".join(records).encode(),
                         capture_output=True, timeout=timeout, env={**os.environ, **QUICKER})
    said = ran.stderr.decode("utf-8", "replace")
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    if ran.returncode or not lines or not lines[-1].startswith("done "):
        with open(s("at"), encoding="utf-8") as f:
            at = f.read().strip()
        raise AssertionError(f"{at}: exit {ran.returncode}: {said[-1500:]}")
    if len(lines) > 1:
        raise AssertionError(f"{len(lines) - 1} points: " + "\n".join([*lines[:6], said[-1500:]]))
    queries, faults, refused, calls, without = map(int, lines[-1].split()[1:])
    if refused > queries // 10:
        raise AssertionError(f"{refused} queries were refused without any fault: {said[-1500:]}")
    left = os.listdir(s("spill"))
    if left:
        raise AssertionError(f"left behind in the spill folder: {left}")
    return f"{queries} queries, {faults:,} faults of {calls:,} calls, {without:,} done without"


def folder():
    """In memory where that can be: what children write and synchronise is much, and small."""
    made = Scratch("faults")
    if os.access("/dev/shm", os.W_OK):
        os.rmdir(made.path)
        made.path = tempfile.mkdtemp(prefix="narrows-faults-", dir="/dev/shm")
    return made


def prepare(s, rows):
    os.mkdir(s("out"))
    os.mkdir(s("spill"))
    harness.ok("gen", s("big.parquet"), "--range", f"a={rows // 40}", "--range", "b=40",
               "--column", "note=string:40..80", "--shuffle", "--nulls", "b=0.1", "-q")


def sampled(count):
    """So many queries of the corpus and a few of our own: a point each with two threads, more in
    children."""
    program = tool("build-asan", "build-debug")
    r = random.Random("faults")
    with folder() as s:
        prepare(s, 4000)
        queries = list(sql_corpus.queries()) if os.path.isdir(sql_corpus.FOLDER) else []
        queries = r.sample(queries, min(count, len(queries)))
        return check(s, [*corpus(queries, "1", 2, r), *corpus(queries, "~8", 1, r),
                         *own(s, [*OWN, *COPIES], "3", 2)], 600, program)


def every(points, program):
    r = random.Random(points)
    with folder() as s:
        prepare(s, 4000)
        queries = list(sql_corpus.queries())
        threads = 1 if points in ("forked", "new") else 2
        return check(s, list(corpus(queries, points, threads, r)), 7000, program())


def spilling(name, points):
    """With sanitizers 32 MiB are less than the least."""
    program = tool("build-debug")
    with folder() as s:
        prepare(s, 200000)
        return check(s, [*own(s, [name], str(points), 2), *own(s, [name], "new", 1)], 3000,
                     program)


# Every point of opening a group without any rows; of what a subquery is where it has none; of
# regular expressions; of a staged dataset.
SMALL = ("SELECT bool_and(NULL)",
         "SELECT a, (SELECT CASE WHEN sum(a) > 1 THEN 0 ELSE 1 END FROM big WHERE a = o.a) "
         "FROM big o ORDER BY ALL",
         "SELECT regexp_replace(note, 'a+(b|c)', 'x'), count(*) FROM big WHERE note SIMILAR TO "
         "'.*[a-z]' GROUP BY 1",
         "COPY big TO '{out}/ds/' (FORMAT parquet, ROW_GROUP_SIZE 20, ROW_GROUPS_PER_FILE 1)")


def small(points, threads):
    program = tool("build-asan", "build-debug")
    with folder() as s:
        prepare(s, 40)
        return check(s, [record(f"small {i}", points, "" if sql.startswith("COPY") else "o.csv",
                                sql.replace("{out}", s("out")), f"attach=big={s('big.parquet')}",
                                f"threads={threads}") for i, sql in enumerate(SMALL)], 600,
                     program)


def cases(full):
    yield "faults in queries: some points", lambda: sampled(285), 600
    yield "faults in small queries: every point", lambda: small("forked", 1), 600
    if not full:
        return
    yield "faults in small queries: every point, two threads", lambda: small("each", 2), 600
    for name in [*OWN, *COPIES]:
        yield f"faults in a query that spills: {name}", lambda n=name: spilling(n, 30), 3000
    if os.path.isdir(sql_corpus.FOLDER):
        yield "faults in queries: every point", lambda: every("forked", tool), 7200
        yield ("faults in queries: every chain of callers, sanitized",
               lambda: every("new", lambda: tool("build-asan")), 7200)
        yield ("faults in queries: a point each, two threads, sanitized",
               lambda: every("1", lambda: tool("build-asan")), 7200)
