"""The SQL parser against DuckDB: the corpus' queries, whose columns must be called the same, texts
that it must refuse, and random expressions, which DuckDB is asked to print."""
import glob
import json
import os
import random
import subprocess

import harness
from harness import Skip

FOLDER = os.path.join(harness.SHARED, "data", "sql")
PROGRAM = os.path.join(harness.ROOT, "build-asan", "parse_sql")

# Queries with an answer that are refused, by a part of their text.
REFUSED = {
    "INSERT INTO a (SELECT": "a statement that writes to tables",
    "JOIN BY (TYPE mark": "a join of DuckDB's own plans: its marker is a column",
    "JOIN BY (TYPE single)": "a join of DuckDB's own plans",
}
# Queries that DuckDB parses and then refuses, and we while parsing.
REFUSED_SOONER = ("GROUP BY DEFAULT", "JOIN BY (TYPE bogus)", "DECIMAL((-17))")


def parse(texts):
    """Of each query the names of its columns, None for what depends on tables, or an error."""
    program = harness.need(PROGRAM)
    out = subprocess.run([program], input=b"".join(t.encode() + b"\0" for t in texts),
                         capture_output=True, check=True).stdout
    answers = out.decode().split("\0")[:-1]
    if len(answers) != len(texts):
        raise AssertionError(f"{len(answers)} answers to {len(texts)} queries")
    return [(None, a[1:]) if a[0] == "E" else
            ([None if n == "\2" else n for n in a.split("\1")[1:]], None) for a in answers]


def same_names(got, want):
    """Whether the names before the first and behind the last unknown one are those wanted."""
    if None not in got:
        return got == want
    first, last = got.index(None), len(got) - got[::-1].index(None)
    tail = got[last:]
    return got[:first] == want[:first] and (not tail or tail == want[-len(tail):])


def load(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def report(wrong, done):
    if wrong:
        raise AssertionError(f"{len(wrong)} of {done} differ\n" + "\n".join(wrong[:20]))


def check_file(path):
    queries = load(path)
    texts = [q.get("equivalent") or q["sql"] for q in queries]
    wrong, refused = [], 0
    for q, text, (names, error) in zip(queries, texts, parse(texts)):
        listed = any(part in text for part in REFUSED)
        if error is not None and listed:
            refused += 1
        elif error is not None:
            wrong.append(f"{text}\n  is refused: {error}")
        elif listed:
            wrong.append(f"{text}\n  is parsed, take it off the list")
        elif not same_names(names, q["names"]):
            wrong.append(f"{text}\n  {names}\n  wanted {q['names']}")
    report(wrong, len(texts))
    return f"{len(texts) - refused} queries" + (f", {refused} refused as listed" if refused else "")


def check_errors():
    queries = load(os.path.join(FOLDER, "duckdb", "errors.jsonl"))
    wrong, refused = [], 0
    for q, (_, error) in zip(queries, parse([q["sql"] for q in queries])):
        by_parser = q["duckdb_says"].startswith("Parser Error")
        refused += error is not None
        if by_parser and error is None:
            wrong.append(f"{q['sql']}\n  is parsed; DuckDB: {q['duckdb_says']}")
        if error is not None and "character" not in error:
            wrong.append(f"{q['sql']}\n  without a place: {error}")
        if not by_parser and error is not None and \
                not any(part in q["sql"] for part in REFUSED_SOONER):
            wrong.append(f"{q['sql']}\n  is refused: {error}; DuckDB: {q['duckdb_says']}")
    report(wrong, len(queries))
    return f"{refused} of {len(queries)} refused by the parser"


class Maker:
    """Random expressions over columns of no type, of which any operator takes any."""

    BINARY = ["+", "-", "*", "/", "//", "%", "^", "**", "||", "&", "|", "<<", ">>", "=", "<>", "!=",
              "==", "<", "<=", ">", ">=", "and", "or", "and", "or", "is distinct from",
              "is not distinct from", "like", "not like", "ilike", "not ilike", "glob",
              "similar to", "~", "!~", "~~", "!~~*", "^@"]
    PREFIX = ["-", "+", " ~ ", "not ", "- -"]
    POSTFIX = [" is null", " is not null", " isnull", " notnull", " not null", " is true",
               " is not false", " is unknown"]
    CASTS = ["::int", "::varchar", "::DECIMAL(5,2)", "::text", "::double", "::int[]"]
    LEAVES = ["a", "b", "c", "q.a", "1", "-1", "2.5", "1e3", "'x'", "null", "true", "'it''s'"]

    def __init__(self, seed):
        self.r = random.Random(seed)

    def leaf(self):
        return self.r.choice(self.LEAVES)

    def call(self, n):
        one, two, three = (lambda: self.make(n - 1) for _ in range(3))
        return self.r.choice([
            lambda: f"coalesce({one()}, {two()})",
            lambda: f"case when {one()} then {two()} else {three()} end",
            lambda: f"case {one()} when {two()} then {three()} end",
            lambda: f"cast({one()} as varchar)",
            lambda: f"try_cast({one()} as int)",
            lambda: f"({one()})",
            lambda: f"({one()})",
            lambda: f"{self.leaf()} between {self.leaf()} and {self.leaf()}",
            lambda: f"{self.leaf()} not between {self.leaf()} + 1 and {self.leaf()}",
            lambda: f"{self.leaf()} in ({one()}, {two()})",
            lambda: f"{self.leaf()} not in ({one()}, {two()})",
            lambda: f"[{one()}, {two()}]",
            lambda: f"nullif({one()}, {two()})",
            lambda: f"substring({one()} from 1 for 2)",
            lambda: f"trim(both 'x' from {one()})",
            lambda: f"extract(year from {one()}::date)",
            lambda: f"interval ({one()}) day",
            lambda: f"row({one()}, {two()})",
            lambda: f"count(*) filter (where {one()})",
            lambda: f"max({self.leaf()}) over (partition by {self.leaf()} order by {self.leaf()})",
        ])()

    def make(self, n=4):
        roll = self.r.random()
        if n <= 0 or roll < 0.15:
            return self.leaf()
        if roll < 0.60:
            return f"{self.make(n - 1)} {self.r.choice(self.BINARY)} {self.make(n - 1)}"
        if roll < 0.70:
            return self.r.choice(self.PREFIX) + self.make(n - 1)
        if roll < 0.80:
            return self.make(n - 1) + self.r.choice(self.POSTFIX)
        if roll < 0.84:
            return self.leaf() + self.r.choice(self.CASTS)
        return self.call(n)


def check_random(count, seed):
    """What both accept is printed the same, and what DuckDB's parser refuses is refused. We refuse
    a little more: behind IS NULL and its kin DuckDB allows || and ::."""
    duckdb = harness.library("duckdb")
    maker = Maker(seed)
    source = "(select null as a, null as b, null as c) q"
    texts = [f"select {maker.make()} from {source}" for _ in range(count)]
    connection = duckdb.connect()
    wrong, agreed, strict = [], 0, 0
    for text, (names, error) in zip(texts, parse(texts)):
        try:
            want = [c[0] for c in connection.execute(text).description]
        except duckdb.ParserException as e:
            if error is None:
                wrong.append(f"{text}\n  {names}\n  DuckDB: {str(e).splitlines()[0]}")
            continue
        except duckdb.Error:
            continue  # parsed, but of the wrong types
        agreed += 1
        strict += error is not None
        if error is None and names != want:
            wrong.append(f"{text}\n  {names}\n  wanted {want}")
    report(wrong, count)
    if strict > agreed // 50:
        raise AssertionError(f"{strict} of {agreed} that DuckDB accepts are refused")
    if agreed < count // 10:
        raise AssertionError(f"DuckDB accepts only {agreed} of {count}")
    return f"{agreed} of {count} expressions accepted by DuckDB and printed alike, {strict} refused"


def cases(tier):
    if not os.path.isdir(FOLDER):
        def missing():
            raise Skip(f"{FOLDER} is not there")
        yield "sql, queries", missing
    for path in sorted(glob.glob(os.path.join(FOLDER, "*", "*.jsonl"))):
        name = os.path.relpath(path, FOLDER)
        if os.path.basename(path) != "errors.jsonl":
            yield f"sql, {name}", lambda p=path: check_file(p)
        elif name.startswith("duckdb"):
            yield "sql, errors", check_errors
    count = 20000 if tier == "all" else 1500
    yield "sql, random expressions", lambda: check_random(count, 11), 300
