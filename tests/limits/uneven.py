"""Values of very different lengths, and pages of whole row groups: how much memory rows take shows
only when they are read, and pages do not fit. Queries run from the least memory on, with the
answers that DuckDB gives, and spill no more than the plan says."""
import json
import random
import re

import harness
from harness import Scratch, mib
from made_texts import ALL, least_of

# Short texts for most of each stretch of rows, then long ones, which no mean of a row group tells.
TEXTS = ("SELECT i AS id, CASE WHEN i % 20000 < 19400 THEN 'a' || i ELSE repeat(md5(i::VARCHAR), "
         "300) END AS t, md5((i * 7)::VARCHAR) AS u, i * 31 % 1000 AS k FROM range(60000) r(i)")
UNEVEN = {
    "all columns": "SELECT * FROM t",
    "behind a condition": "SELECT * FROM t WHERE k < 500",
    "in a condition": "SELECT id, t FROM t WHERE k < 500 AND length(t) > 9 AND u > '4'",
    "expressions": "SELECT upper(t) AS a, k FROM t WHERE k < 900",
    "counted": "SELECT count(*) AS n, sum(length(t)) AS l FROM t WHERE k < 500 AND t LIKE '%a%'",
    "groups": "SELECT k, max(t) AS t, min(u) AS u, count(*) AS n FROM t GROUP BY k ORDER BY k",
    "order": "SELECT t, u, k FROM t ORDER BY id DESC",
    "joined": "SELECT a.t, b.k, b.t AS x FROM t a JOIN t b ON a.id = b.id WHERE a.k < 300 "
              "ORDER BY a.id",
    "a limit": "SELECT max(t) AS t, sum(length(t)) AS l, k FROM (SELECT * FROM t WHERE u > '5' "
               "LIMIT 21000) GROUP BY k ORDER BY k",
}


def uneven(name):
    duckdb = harness.library("duckdb")
    seen = []
    with Scratch("uneven") as s, duckdb.connect() as c:
        c.execute("SET threads = 1")
        c.execute(f"COPY ({TEXTS}) TO '{s('t.parquet')}' (COMPRESSION zstd)")
        c.execute(f"CREATE VIEW t AS FROM '{s('t.parquet')}'")
        wanted = c.execute(UNEVEN[name]).fetchall()
        for threads in "1", "2", "8":
            least = least_of(s, UNEVEN[name], threads, "o.parquet")
            for memory in (least, least + 3, least + 20, 256):
                ran = harness.ok("sql", UNEVEN[name], "--attach", f"t={s('t.parquet')}", "-o",
                                 s("o.parquet"), "--on-exists", "replace", "-q", "--threads",
                                 threads, "--memory", f"{memory}MiB", env=ALL)
                if ran.peak > memory << 20:
                    raise AssertionError(f"{threads} threads: {mib(ran.peak)} of {memory} MiB")
                if c.execute(f"FROM '{s('o.parquet')}'").fetchall() != wanted:
                    raise AssertionError(f"{threads} threads, {memory} MiB: other rows")
            seen.append(f"{threads} threads from {least} MiB")
    return ", ".join(seen)


# Files of one page for each column and row group.
PAGES = {
    "plain": {"use_dictionary": False},
    "dictionaries": {"use_dictionary": True, "dictionary_pagesize_limit": 1 << 30},
    "deltas": {"use_dictionary": False, "data_page_version": "2.0", "column_encoding": {
        "a": "DELTA_LENGTH_BYTE_ARRAY", "b": "DELTA_BYTE_ARRAY", "c": "DELTA_BINARY_PACKED",
        "d": "BYTE_STREAM_SPLIT", "e": "RLE", "g": "DELTA_BYTE_ARRAY"}},
}
ASKED = ("SELECT * FROM t", "SELECT * FROM t WHERE k < 500",
         "SELECT a, b, l, g FROM t WHERE k % 9 = 7 AND c > 1000")


def write_pages(path, how, rows=120000):
    pa = harness.library("pyarrow")
    import pyarrow.parquet as pq
    r = random.Random(3)
    columns = {
        "a": [None if r.random() < .2 else f"t{r.randrange(50000)}-" * r.choice([1, 3, 30])
              for _ in range(rows)],
        "b": [f"common prefix {i // 3:07} {'z' * (i % 90)}" for i in range(rows)],
        "c": [None if i % 5 == 0 else i * 7919 % 10**9 for i in range(rows)],
        "d": [r.random() for _ in range(rows)],
        "e": [bool(i % 3) if i % 11 else None for i in range(rows)],
        "k": [i * 31 % 1000 for i in range(rows)],
        "l": [None if i % 13 == 0 else [f"x{j * i % 777}" for j in range(i % 4)]
              for i in range(rows)],
        "g": [f"key {i % 4000} " * 20 for i in range(rows)]}
    pq.write_table(pa.table(columns), path, row_group_size=rows // 2, data_page_size=1 << 28,
                   write_batch_size=rows, compression="zstd", **PAGES[how])
    return sum(len(x) for c in "abg" for x in columns[c] if x) + 30 * rows


def run_pages(s, sql, memory, threads):
    """The answer's bytes, what was spilled."""
    words = ["--attach", f"t={s('t.parquet')}", "--memory", f"{memory}MiB", "--threads", threads,
             "-f", "csv"]
    plan = harness.ok("plan", "sql", sql, *words, env=ALL).out.decode()
    said = re.search(r"spill +at most ([\d.]+) (\w+)", plan)
    most = float(said[1]) * 1024 ** "KMGT".index(said[2][0]) * 1024 if said else 0
    ran = harness.ok("sql", sql, *words, "-o", s("o.csv"), "--on-exists", "replace", "-q",
                     "--report", s("r.json"), timeout=60, env=ALL)
    with open(s("r.json"), encoding="utf-8") as f:
        spilled = json.load(f)["spilled"]
    with open(s("o.csv"), "rb") as f:
        answer = f.read()
    if ran.peak > memory << 20 or spilled > 1.01 * most:
        raise AssertionError(f"{threads} threads: {mib(ran.peak)} of {memory} MiB, spilled "
                             f"{mib(spilled)}, planned {mib(most)}: {sql}")
    return answer, spilled


def pages(how):
    with Scratch("pages") as s:
        held = write_pages(s("t.parquet"), how)
        worst = 0
        for sql in ASKED:
            wanted, _ = run_pages(s, sql, 1024, "1")
            for memory in (22, 26, 36):
                for threads in "1", "2", "8":
                    answer, spilled = run_pages(s, sql, memory, threads)
                    worst = max(worst, spilled)
                    if answer != wanted:
                        raise AssertionError(f"{threads} threads, {memory} MiB: other rows: {sql}")
        if worst > 2.5 * held:
            raise AssertionError(f"{mib(worst)} were spilled of {mib(held)}")
    return f"at most {mib(worst)} spilled of {mib(held)}"


def cases():
    for name in UNEVEN:
        yield f"texts of uneven lengths: {name}", lambda n=name: uneven(n), 300
    for how in PAGES:
        yield f"pages of whole row groups: {how}", lambda h=how: pages(h), 300
