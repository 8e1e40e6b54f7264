"""Queries under a ceiling: what they take, what `plan` says they take, and what they spill."""
import filecmp
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import MIB, Scratch, measure, mib

sys.path.append(os.path.join(harness.ROOT, "tests", "oracle"))
import sql_corpus  # noqa: E402
import tpch  # noqa: E402

CEILING = 64 * MIB
PATTERNS = ("duckdb/*.jsonl", "h2o/queries.jsonl", "../tpch/queries.jsonl")
# Plans of long chains of joins without keys are looser than they shall be.
LOOSE = {"join/pair_dependent_full_outer_join_subquery#172",
         "join/pair_dependent_full_outer_join_subquery_bindings#197",
         "join/pair_dependent_full_outer_join_subquery#170",
         "join/iejoin/iejoin_issue_7278#39"}


def tight(planned, actual):
    return planned <= max(1.5 * actual, actual + 16 * MIB)


def run(command, report, timeout=120):
    ran = measure([*command, "--report", report], timeout=timeout)
    if ran.code:
        raise AssertionError(f"exit {ran.code}: {ran.err[-300:]}")
    with open(report, encoding="utf-8") as f:
        told = json.load(f)
    os.unlink(report)
    return ran, told


def judge(name, command, report, ceiling=CEILING):
    """None, or what is wrong with the query's peak and its plan."""
    try:
        ran, told = run(command, report)
    except AssertionError as e:
        return f"{name}: {e}"
    planned = told["plan"]["peak"]
    if not ran.peak <= planned <= ceiling:
        return f"{name}: peak {mib(ran.peak)}, planned {mib(planned)}"
    if told["spilled"] > told["plan"]["spill"]:
        return f"{name}: {mib(told['spilled'])} spilled, planned {mib(told['plan']['spill'])}"
    if not tight(planned, ran.peak) and name not in LOOSE:
        return f"{name}: planned {mib(planned)}, but the peak is {mib(ran.peak)}"
    return None


def corpus(every, memory=64, threads=None):
    """One in `every` queries of the corpus."""
    more = ["--memory", f"{memory}MiB", *(["--threads", str(threads)] if threads else [])]
    listed = sql_corpus.known()
    asked = [q for p in PATTERNS for q in sql_corpus.queries(p) if q["id"] not in listed]
    asked = asked[::every]
    with Scratch("limits") as s, ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(judge, q["id"], [*sql_corpus.command(q), *more],
                            s(f"r{i}.json"), memory * MIB) for i, q in enumerate(asked)]
        wrong = [j.result() for j in jobs if j.result()]
    if wrong or not asked:
        raise AssertionError(f"{len(wrong)} of {len(asked)}: " + "; ".join(wrong[:5]))
    return f"{len(asked)} queries"


def tpch_plans(threads):
    """Peaks of TPC-H are kept, and the plans are tight."""
    folder = tpch.tables("0.05")
    loose, planned, taken = [], 0, 0
    with Scratch("limits") as s:
        for n, query in tpch.QUERIES.items():
            command = [harness.need(harness.RELEASE), "sql", query, *tpch.attached(folder), "-q",
                       "-f", "json", "--memory", "64MiB", "--threads", str(threads)]
            ran, told = run(command, s("r.json"))
            peak = told["plan"]["peak"]
            planned, taken = planned + peak, taken + ran.peak
            if told["spilled"] > told["plan"]["spill"]:
                raise AssertionError(f"query {n}: {mib(told['spilled'])} spilled")
            if not ran.peak <= peak <= CEILING:
                raise AssertionError(f"query {n}: peak {mib(ran.peak)}, planned {mib(peak)}")
            if not tight(peak, ran.peak):
                loose.append(f"query {n}: planned {mib(peak)}, peak {mib(ran.peak)}")
    if loose:
        raise AssertionError("; ".join(loose))
    return f"{mib(planned)} planned, {mib(taken)} taken"


# (query, so many times an id and a note are kept of each row: of a join those of both sides and of
# the result, of a window the partition's number too)
SPILLING = {
    "sort": ("SELECT id, note FROM big ORDER BY note", 1),
    "group by": ("SELECT note, count(*), sum(id) FROM big GROUP BY note", 1),
    "distinct": ("SELECT DISTINCT id, note FROM big", 1),
    "join": ("SELECT x.id, y.note FROM big x JOIN big y ON x.id = y.id AND x.note = y.note", 3),
    "sets": ("SELECT mode(note), entropy(id) FROM big", 1),
    "window": ("SELECT id, note, lag(id) OVER (PARTITION BY id % 1000 ORDER BY note) FROM big",
               1.25),
}


def spill(name, rows):
    """It spills, no more than 2.5 times the bytes of the columns involved and no more than planned;
    what metadata do not tell are texts of 8 to 40 bytes, 24 on average, and numbers of 8."""
    sql, times = SPILLING[name]
    with Scratch("limits") as s:
        harness.ok("gen", s("big.parquet"), "--range", f"id={rows}", "--column",
                   "note=string:8..40", "--shuffle", "-q", timeout=120)
        command = [harness.need(harness.RELEASE), "sql", sql, "--attach",
                   f"big={s('big.parquet')}", "--memory", "32MiB", "-o", s("o.parquet"), "-q"]
        ran, told = run(command, s("r.json"), 300)
        involved = times * rows * (24 + 8)
        plan = told["plan"]
        if not 0 < told["spilled"] <= min(2.5 * involved, plan["spill"]):
            raise AssertionError(f"{mib(told['spilled'])} spilled of {mib(involved)}, "
                                 f"planned {mib(plan['spill'])}")
        if not ran.peak <= plan["peak"] <= 32 * MIB:
            raise AssertionError(f"peak {mib(ran.peak)}, planned {mib(plan['peak'])}")
        steps = [p for p in plan["steps"] if p["how"] == "spills"]
        if not steps or not all(0 < p["spill"] <= plan["spill"] for p in steps):
            raise AssertionError(f"no step says what it spills: {plan['steps']}")
        return (f"{mib(told['spilled'])} of {mib(involved)}, at most {mib(plan['spill'])}; "
                f"peak {mib(ran.peak)}")


def bare(rows):
    """Rows of groups of one row spill what their columns take, whatever their states do."""
    with Scratch("limits") as s:
        harness.ok("sql", f"SELECT i * 7919 % {rows} AS k, i * 104729 % 1000003 / 7.0 AS x, "
                   f"i * 31 % 1000033 / 3.0 AS y FROM range({rows}) t(i)", "-o", s("big.parquet"),
                   "-q", timeout=120)
        ran, told = run([harness.need(harness.RELEASE), "sql", "SELECT k, count(*), sum(x), "
                         "avg(y), sum(y - x) FROM big GROUP BY k", "--attach",
                         f"big={s('big.parquet')}", "--memory", "64MiB", "--threads", "1", "-o",
                         s("o.csv"), "-q"], s("r.json"), 300)
        if not 0 < told["spilled"] <= 1.6 * rows * 3 * 8 or ran.peak > 64 * MIB:
            raise AssertionError(f"{mib(told['spilled'])} spilled of {mib(rows * 3 * 8)}, peak "
                                 f"{mib(ran.peak)}")
        return f"{mib(told['spilled'])} of {mib(rows * 3 * 8)}, peak {mib(ran.peak)}"


# Values of sets, and how many bytes each takes.
SETS = {
    "texts": ("md5(i::VARCHAR)[1:12]", 12),
    "numbers": ("(i * 2654435761 % 4294967291 - 2147483648)::INTEGER", 4),
    "numbers twice": ("(i * 7919 % {half})::INTEGER", 4),
    "floats": ("(i * 7919 % 8000009 / 7.0)::FLOAT", 4),
}


def dealt(rows):
    """A set some times as large as memory is dealt out once: each entry is written twice, with
    little more than what the value takes."""
    seen = []
    with Scratch("limits") as s:
        for name, (value, width) in SETS.items():
            harness.ok("sql", f"SELECT {value.format(half=rows // 2)} AS v FROM range({rows}) t(i)",
                       "-o", s("big.parquet"), "--on-exists", "replace", "-q", timeout=120)
            for threads in "1", "8":
                ran, told = run([harness.need(harness.RELEASE), "sql", "SELECT mode(v) FROM big",
                                 "--attach", f"big={s('big.parquet')}", "--memory", "32MiB",
                                 "--threads", threads, "-f", "csv", "-q"], s("r.json"), 300)
                seen.append(f"{name}, {threads} threads: {mib(told['spilled'])} of "
                            f"{mib(rows * width)}")
                if not 0 < told["spilled"] <= 2.5 * rows * width or ran.peak > 32 * MIB:
                    raise AssertionError(f"{seen[-1]}, peak {mib(ran.peak)}")
    return "; ".join(seen)


# One partition of so many rows, of two columns that are near to random: bytes of both.
PARTITIONS = {
    "numbers of 8 bytes": ("(i * 6364136223846793005 % 9223372036854775783)::BIGINT", 8),
    "numbers of 4 bytes": ("(i * 2654435761 % 4294967291 - 2147483648)::INTEGER", 4),
    "floats": ("(i * 2654435761 % 4294967291 / 7.0)::DOUBLE", 8),
    "texts": ("md5(i::VARCHAR)[1:(4 + i % 17)::INTEGER]", 12),
}


def one_partition(rows):
    """A window over rows that are one partition, larger than memory, writes them twice: sorted, and
    column by column. Of a key and what it tells one is written."""
    seen = []
    with Scratch("limits") as s:
        for name, (value, width) in PARTITIONS.items():
            harness.ok("sql", f"SELECT {value} AS a, (i * 40503 % 4294967291 - 2147483648)::INT "
                       f"AS b FROM (SELECT i::HUGEINT AS i FROM range({rows}) t(i))", "-o",
                       s("big.parquet"), "--on-exists", "replace", "-q", timeout=120)
            for threads in "1", "8":
                ran, told = run([harness.need(harness.RELEASE), "sql", "SELECT a, b, lag(b) OVER "
                                 "(ORDER BY a) FROM big", "--attach", f"big={s('big.parquet')}",
                                 "--memory", "32MiB", "--threads", threads, "-f", "arrow", "-o",
                                 "/dev/null", "-q"], s("r.json"), 300)
                involved = rows * (width + 4)
                seen.append(f"{name}, {threads} threads: {mib(told['spilled'])} of "
                            f"{mib(involved)}")
                if not 0 < told["spilled"] <= min(2.5 * involved, told["plan"]["spill"]) or \
                        ran.peak > 32 * MIB:
                    raise AssertionError(f"{seen[-1]}, peak {mib(ran.peak)}")
    return "; ".join(seen)


def merged(rows):
    """Sets of several workers become one within what there is for it: they grow by copies."""
    with Scratch("limits") as s:
        harness.ok("sql", f"SELECT 'a longer text ' || (i * 7919) % {rows} AS x, 'value ' || "
                   f"(i * 104729) % {rows} AS y FROM range({rows}) t(i)", "-o",
                   s("i.parquet"), "-q", timeout=120)
        seen = set()
        for kib in range(14400, 14640, 12):
            ran = measure([harness.need(harness.RELEASE), "sql", "SELECT mode(x), mode(y) FROM i",
                           "--attach", f"i={s('i.parquet')}", "--threads", "4", "--memory",
                           f"{kib}KiB", "-f", "csv", "-q"], env={"NARROWS_CREW": "all"})
            if ran.code or ran.peak > kib << 10:
                raise AssertionError(f"{kib} KiB: exit {ran.code}: {ran.err}, peak {mib(ran.peak)}")
            seen.add(ran.out)
        if len(seen) != 1:
            raise AssertionError(f"{len(seen)} answers")
        return f"20 limits, {seen.pop()!r}"


def waiting(rows):
    """A sample whose state does not fit, of groups and ids that hardly repeat, writes rows twice:
    as they wait, and their keys."""
    seen = []
    with Scratch("limits") as s:
        harness.ok("sql", f"SELECT (i * 2654435761 % 4294967291 - 2147483648)::INTEGER AS g, "
                   f"(i * 40503 % 4294967291 - 2147483648)::INTEGER AS id FROM range({rows}) t(i)",
                   "-o", s("big.parquet"), "-q", timeout=120)
        for memory, threads in ((32, 1), (40, 8), (64, 8)):
            ran, told = run([harness.need(harness.RELEASE), "sample", s("big.parquet"),
                             "/dev/null", "--first", "10", "--of", "id", "--per", "g", "-f",
                             "arrow", "--memory", f"{memory}MiB", "--threads", str(threads), "-q"],
                            s("r.json"), 300)
            seen.append(f"{memory} MiB, {threads} threads: {mib(told['spilled'])} of "
                        f"{mib(rows * 8)}")
            if not 0 < told["spilled"] <= min(2.5 * rows * 8, told["plan"]["spill"]) or \
                    ran.peak > memory * MIB:
                raise AssertionError(f"{seen[-1]}, peak {mib(ran.peak)}")
    return "; ".join(seen)


# Sizes of whole numbers are known from the footer: of these the plan is tight.
KNOWN = {
    "sort": "SELECT id, a, b FROM big ORDER BY b",
    "window": "SELECT id, a, sum(a) OVER (PARTITION BY b ORDER BY id ROWS UNBOUNDED PRECEDING) "
              "FROM big",
    "mark join": "SELECT id, a, id IN (SELECT b FROM big) FROM big",
    "anti join": "SELECT id, a FROM big WHERE NOT EXISTS (SELECT 1 FROM big y WHERE y.b = big.id)",
}
TIGHT = 2


def known(rows):
    """What they spill is what the plan says, or up to half of it less."""
    with Scratch("limits") as s:
        harness.ok("sql", f"SELECT i AS id, i * 7919 % {rows} AS a, i * 104729 % 1000000007 AS b "
                   f"FROM range({rows}) t(i)", "-o", s("big.parquet"), "-q", timeout=120)
        seen = []
        for name, sql in KNOWN.items():
            command = [harness.need(harness.RELEASE), "sql", sql, "--attach",
                       f"big={s('big.parquet')}", "--memory", "32MiB", "-f", "csv", "-q"]
            _, told = run(command, s("r.json"), 300)
            step, = [p for p in told["plan"]["steps"] if p["how"] == "spills"]
            seen.append(f"{name} {mib(told['spilled'])} of {mib(step['spill'])}")
            if not step["spill"] / TIGHT <= told["spilled"] <= told["plan"]["spill"]:
                raise AssertionError(seen[-1])
        return ", ".join(seen)


def sides(threads):
    """Joins of sides whose rows are known: they do not spill (pages that readers park may), and
    their plans are tight; around powers of two, at which tables grow."""
    values = {"numbers": "(i * 7)::INT", "texts": "i::VARCHAR || 'abcdefghij'"}
    seen = []
    with Scratch("limits") as s:
        for rows in (10000, 65000, 66000, 132000, 200000, 262000, 400000):
            for name, value in values.items():
                harness.ok("sql", f"SELECT i AS k, {value} AS b FROM range({rows}) t(i)", "-o",
                           s("side.parquet"), "--on-exists", "replace", "-q")
                ran, told = run([harness.need(harness.RELEASE), "sql", "SELECT count(x.k), "
                                 "max(y.b) FROM side x JOIN side y ON x.k = y.k", "--attach",
                                 f"side={s('side.parquet')}", "--memory", "256MiB", "--threads",
                                 str(threads), "-f", "csv", "-q"], s("r.json"))
                join, = [p for p in told["plan"]["steps"] if p["step"].startswith("join")]
                peak = told["plan"]["peak"]
                seen.append(f"{rows} {name}: {mib(ran.peak)} of {mib(peak)}")
                if join["how"] != "bounded" or told["spilled"] >= min(8 * rows, MIB):
                    raise AssertionError(f"{seen[-1]}: {join}, {mib(told['spilled'])} spilled")
                if not ran.peak <= peak or not tight(peak, ran.peak):
                    raise AssertionError(seen[-1])
        return f"{len(seen)} joins, the last one {seen[-1]}"


def least(name, rows, threads):
    """It runs with the least memory that it says it takes."""
    sql, _ = SPILLING[name]
    with Scratch("limits") as s:
        harness.ok("gen", s("big.parquet"), "--range", f"id={rows}", "--column",
                   "note=string:120..200", "--shuffle", "-q", timeout=120)
        command = [harness.need(harness.RELEASE), "sql", sql, "--attach",
                   f"big={s('big.parquet')}", "--threads", str(threads), "-q", "-o"]
        refused = measure([*command, s("o.parquet"), "--memory", "1MiB"])
        said = re.search(r"give --memory (\d+)MiB or more", refused.err)
        if refused.code != 4 or not said:
            raise AssertionError(f"at 1 MiB: exit {refused.code}: {refused.err}")
        memory = int(said[1])
        ran, told = run([*command, s("o.parquet"), "--memory", f"{memory}MiB"], s("r.json"), 300)
        run([*command, s("all.parquet"), "--memory", "1GiB"], s("r.json"), 300)
        if not 0 < told["spilled"] <= told["plan"]["spill"]:
            raise AssertionError(f"{mib(told['spilled'])} spilled, "
                                 f"planned {mib(told['plan']['spill'])}")
        if ran.peak > memory * MIB:
            raise AssertionError(f"peak {mib(ran.peak)} of {memory} MiB")
        if not filecmp.cmp(s("o.parquet"), s("all.parquet"), False):
            raise AssertionError("bytes depend on memory")
        return f"{memory} MiB, {mib(told['spilled'])} spilled, peak {mib(ran.peak)}"


def branches():
    """Few rows that come from several branches are sorted in memory, as the plan says."""
    queries = ("SELECT i FROM few UNION ALL SELECT i + 7 FROM few ORDER BY i",
               "SELECT * FROM few FULL JOIN few y ON few.i = y.i + 7 ORDER BY ALL")
    with Scratch("limits") as s:
        harness.ok("sql", "SELECT i FROM range(20) t(i)", "-o", s("few.parquet"), "-q")
        for sql in queries:
            for threads in "1", "8":
                _, told = run([harness.need(harness.RELEASE), "sql", sql, "--attach",
                               f"few={s('few.parquet')}", "--threads", threads, "-f", "csv", "-q"],
                              s("r.json"))
                if told["spilled"] or told["plan"]["spill"]:
                    raise AssertionError(f"{sql}: {told['spilled']} bytes spilled, planned "
                                         f"{told['plan']['spill']}")
    return f"{len(queries)} queries"


def told_hashes(rows):
    """Sets of numbers of a word, larger than memory, are spilled without their hashes."""
    seen = []
    with Scratch("limits") as s:
        for name, width in (("INTEGER", 4), ("BIGINT", 8), ("DATE", 4)):
            value = f"i * 7919 % {rows + 11}"
            value = f"DATE '1970-01-01' + ({value})::INTEGER" if name == "DATE" else \
                f"({value} * 400)::{name}"
            harness.ok("sql", f"SELECT {value} AS v FROM range({rows}) t(i)", "-o",
                       s("v.parquet"), "--on-exists", "replace", "-q", timeout=120)
            ran, told = run([harness.need(harness.RELEASE), "sql", "SELECT count(DISTINCT v) AS n "
                             f"FROM '{s('v.parquet')}'", "--memory", "32MiB", "-f", "csv", "-q"],
                            s("r.json"), 300)
            columns = rows * width
            seen.append(f"{name} {mib(told['spilled'])} of {mib(columns)}")
            right = ran.out.decode().split() == ["n", str(rows)]
            if not right or not 0 < told["spilled"] <= 1.5 * columns:
                raise AssertionError(f"{seen[-1]}: {ran.out!r}")
    return ", ".join(seen)


def cases(full):
    if os.path.isdir(sql_corpus.FOLDER):
        yield "queries of the corpus at 64 MiB", lambda: corpus(1 if full else 40), 900
        for memory in (64, 256, 1024) if full else (64, 256):
            for threads in (1, 2, 8):
                yield (f"queries of the corpus at {memory} MiB, {threads} threads",
                       lambda m=memory, t=threads: corpus(10 if full else 80, m, t), 900)
    for threads in (1, 2, 8):
        yield f"plans of TPC-H, {threads} threads", lambda t=threads: tpch_plans(t), 300
    for name in SPILLING:
        yield (f"a {name} that spills, and its plan",
               lambda n=name: spill(n, 2000000 if full else 300000), 600)
    yield "windows over one partition", lambda: one_partition(3000000), 300
    yield "sets of several workers become one", lambda: merged(20000), 300
    yield "samples of rows that wait", lambda: waiting(12000000), 300
    yield "plans of numbers that spill are tight", lambda: known(600000), 300
    yield "a set is dealt out to parts once", lambda: dealt(5000000), 300
    yield "sets of numbers are spilled without hashes", lambda: told_hashes(4000000), 300
    for threads in (1, 2, 8):
        yield (f"joins that fit, {threads} threads", lambda t=threads: sides(t), 300)
    yield "few rows of several branches are sorted in memory", branches, 60
    yield "rows that pass groups by spill their columns", lambda: bare(1500000), 300
    for name in SPILLING if full else ("group by",):
        for threads in (1, 8) if full else (1,):
            yield (f"a {name} with the least memory, {threads} threads",
                   lambda n=name, t=threads: least(n, 1000000 if full else 400000, t), 900)
