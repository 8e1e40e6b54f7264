"""The queries of the corpus (shared/data/sql), each against its expected answer."""
import glob
import hashlib
import itertools
import json
import math
import os
import re
import sys
from collections import Counter
from decimal import Decimal, DefaultContext

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(_HERE, "..", "corpus"), os.path.join(_HERE, "..")]
import facts  # noqa: E402
import harness  # noqa: E402

DefaultContext.prec = 120  # of threads that begin later
FOLDER = os.path.join(harness.SHARED, "data", "sql")


def queries(pattern="duckdb/*.jsonl"):
    for path in sorted(glob.glob(os.path.join(FOLDER, pattern))):
        if os.path.basename(path) == "errors.jsonl":
            continue
        with open(path, encoding="utf-8") as f:
            for line in f:
                q = json.loads(line)
                q["folder"] = os.path.dirname(path)
                if "duckdb" not in path:
                    q["id"] = f"{os.path.basename(q['folder'])}#{q['id']}"
                yield q


def table_path(q, name):
    for folder in (os.path.join(FOLDER, "tables"), q["folder"], FOLDER):
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(path):
            return path
    return os.path.join(q["folder"], name)


def command(q, *more, binary=None):
    attach = [w for name, file in q["tables"].items()
              for w in ("--attach", f"{name}={table_path(q, file)}")]
    return [binary or harness.RELEASE, "sql", q["sql"], "-f", "json", *attach, *more]


def expected_value(value, kind):
    """A value of the answer as facts.read_value gives ours."""
    kind = facts.plain_type(kind)
    if value is None:
        return None
    if kind.startswith("decimal"):
        return Decimal(str(value))
    if kind in ("double", "float", "halffloat"):
        return float(value)
    if kind == "binary" or kind.startswith("fixed_size_binary"):
        return bytes.fromhex(value)
    if facts.is_nested(kind) or kind.startswith("month"):
        return json.dumps(value)
    return value


def same(mine, theirs, kind):
    if mine is None or theirs is None:
        return mine is theirs
    if isinstance(theirs, float):
        if theirs != theirs or math.isinf(theirs):
            return repr(float(mine)) == repr(theirs)
        return math.isclose(mine, theirs, rel_tol=1e-12, abs_tol=1e-300)
    if isinstance(theirs, Decimal):
        return Decimal(mine) == theirs
    return mine == theirs


def key(row):
    return [(v is not None, "" if v is None else f"{v:.9g}" if isinstance(v, float) else str(v))
            for v in row]


def my_rows(out, q):
    """The lines printed as rows of canonical values; ValueError: a value is not of its type."""
    rows = []
    for line in out.decode("utf-8").splitlines():
        pairs = facts.parse_line(line)
        if len(pairs) != len(q["types"]):
            raise ValueError(f"{len(pairs)} columns instead of {len(q['types'])}")
        rows.append([nested(v) if facts.is_nested(facts.plain_type(t)) else
                     read_value(v, facts.plain_type(t))
                     for (_, v), t in zip(pairs, q["types"])])
        names = [n for n, _ in pairs]
        if len(rows) == 1 and names != unlike(q["names"]):
            raise ValueError(f"names {names} instead of {q['names']}")
    return rows


def read_value(value, kind):
    if kind.startswith("date") and isinstance(value, str) and value.endswith("(BC)"):
        return facts.read_moment(value, False)
    return facts.read_value(value, kind)


def unlike(names):
    """Names as JSON has them: one that came before, whatever its case, is told apart."""
    seen, out = set(), []
    for name in names:
        new, i = name, 0
        while new.lower() in seen:
            i += 1
            new = f"{name}_{i}"
        seen.add(new.lower())
        out.append(new)
    return out


def nested(value):
    """A nested value as JSON text like the expected one."""
    def plain(v):
        if isinstance(v, facts.Number):
            return float(v) if any(c in v for c in ".eE") else int(v)
        if isinstance(v, list) and v and all(isinstance(p, tuple) for p in v):
            return {k: plain(x) for k, x in v}
        return [plain(x) for x in v] if isinstance(v, list) else v
    return None if value is None else json.dumps(plain(value))


def compare(out, q):
    """None, or what differs."""
    try:
        mine = my_rows(out, q)
    except ValueError as e:
        return str(e)
    theirs = [[expected_value(v, t) for v, t in zip(r, q["types"])] for r in q["rows"]]
    if len(mine) != len(theirs):
        return f"{len(mine)} rows instead of {len(theirs)}"
    if q["order"] == "any" or "order_by" in q["tags"]:
        exact = all(same(a, b, t) for m, h in zip(mine, theirs)
                    for a, b, t in zip(m, h, q["types"]))
        if exact:
            return None
        mine, theirs = sorted(mine, key=key), sorted(theirs, key=key)
    for m, h in zip(mine, theirs):
        for a, b, t in zip(m, h, q["types"]):
            if not same(a, b, t):
                return f"{a!r} instead of {b!r} ({t}) in {m}"
    return None


# Threads, memory, CPU level (one that the machine has not stands for the next lower one).
CONFIGURATIONS = list(itertools.product(("1", "2", "8"), ("64MiB", "1GiB"),
                                        ("scalar", "avx2", "avx512", "avx512_vbmi")))


def chosen(q):
    """The configuration that a query is asked in where it is asked once."""
    n = int.from_bytes(hashlib.sha256(q["id"].encode()).digest()[:4], "big")
    return CONFIGURATIONS[n % len(CONFIGURATIONS)]


def ask(q, configuration, binary=None):
    threads, memory, level = configuration
    return harness.measure(command(q, "--threads", threads, "--memory", memory, binary=binary),
                           timeout=60, env={"NARROWS_CPU": level})


def told(ran, q):
    if ran.code == 0:
        why = compare(ran.out, q)
        return ("equal", "") if why is None else ("wrong", why)
    if ran.code < 0 or ran.code > 5 or ran.timed_out:
        return "crashed", f"exit code {ran.code}: {ran.err[-300:]}"
    return "refused", ran.first_line


def judge(q, binary=None):
    """("equal" | "refused" | "wrong" | "crashed", text)"""
    return told(ask(q, chosen(q), binary), q)


def judge_all(q):
    """The same, of all configurations: their output is the same byte for byte, or none has any."""
    first = ask(q, chosen(q))
    what, text = told(first, q)
    for configuration in CONFIGURATIONS:
        ran = ask(q, configuration)
        if ran.code != first.code or ran.out != first.out:
            where = ", ".join(configuration)
            return ("crashed" if told(ran, q)[0] == "crashed" else "wrong",
                    f"{where}: exit code {ran.code} ({first.code} with {', '.join(chosen(q))}), "
                    f"{ran.err[-200:] or 'other output'}")
    return what, text


def known():
    """What is not answered, or otherwise: id -> reason, as sql_refused.txt lists it."""
    listed = {}
    with open(os.path.join(_HERE, "sql_refused.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, reason = line.rstrip("\n").split("\t")
                listed[name] = reason
    return listed


def reason_of(what, text):
    """A sentence without places, names and numbers of one query."""
    text = re.sub(r"^narrows: ((line \d+, )?character \d+: )?", "", text)
    text = re.sub(r" \(there is .*|; did you mean.*", "", text)
    return f"{what}: {text[:110]}".replace("\t", " ")


def in_parallel(all_queries, workers):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(workers) as pool:
        yield from zip(all_queries, pool.map(judge, all_queries))


# What the corpus cannot ask here: begin of an id -> why.
ROWS_ALLOWED = "the corpus allowed it: scalar_subquery_error_on_multiple_rows = false"
NOTES = {
    "subquery/scalar/test_correlated_subquery#149": "the corpus set default_null_order; "
                                                    "as is DuckDB says what we say",
    "subquery/scalar/test_correlated_subquery#143": ROWS_ALLOWED,
    "subquery/scalar/test_scalar_subquery#": ROWS_ALLOWED,
    "subquery/scalar/test_scalar_subquery_cte#": ROWS_ALLOWED,
    "subquery/scalar/test_uncorrelated_scalar_subquery#": ROWS_ALLOWED,
    "order/test_limit#20": ROWS_ALLOWED,
    "select/test_multi_column_reference#": "its table is not in the corpus",
    "types/numeric/uhugeint_try_cast#": "UHUGEINT's greatest is -1 in the corpus's files",
}


def note_of(name):
    return next((f" ({why})" for begin, why in NOTES.items() if name.startswith(begin)), "")


def write_known():
    lines = []
    for q, (what, text) in in_parallel(list(queries()), 2):
        if what != "equal":
            lines.append(f"{q['id']}\t{reason_of(what, text)}{note_of(q['id'])}\n")
    with open(os.path.join(_HERE, "sql_refused.txt"), "w", encoding="utf-8") as f:
        f.write("# Queries of the corpus that are refused, or answered otherwise, and why;\n"
                "# made anew by tests/oracle/sql_corpus.py --write\n")
        f.writelines(lines)
    print(len(lines))


def area_case(pattern, full=False):
    """All queries of a file: equal, but for those that are listed with a reason; in one
    configuration each, or in all."""
    listed, wrong, gone, n = known(), [], [], 0
    for q in queries(pattern):
        what, text = judge_all(q) if full else judge(q)
        n += 1
        if what != "equal" and q["id"] not in listed:
            wrong.append(f"{q['id']}: {what}: {text[:200]}")
        elif what == "equal" and q["id"] in listed:
            gone.append(q["id"])
        elif what != "equal" and not listed[q["id"]].startswith(what):
            wrong.append(f"{q['id']}: {what} instead of {listed[q['id']]}: {text[:200]}")
    assert n > 0, pattern
    assert not wrong, f"{len(wrong)} of {n}: " + "\n".join(wrong[:5])
    assert not gone, f"listed in sql_refused.txt, but answered: {gone[:10]}"
    return f"{n} queries" + (f" in {len(CONFIGURATIONS)} configurations" if full else "")


def cases(tier):
    full = tier == "all"
    if not os.path.isdir(FOLDER):
        def none():
            raise harness.Skip("shared/data is not there")
        yield "the corpus of queries", none
        return
    for path in sorted(glob.glob(os.path.join(FOLDER, "duckdb", "*.jsonl"))):
        name = os.path.basename(path)
        if name != "errors.jsonl":
            yield (f"queries: {name[:-6]}", lambda n=name: area_case(f"duckdb/{n}", full), 1800)
    yield "queries: h2o", lambda: area_case("h2o/queries.jsonl", full), 600
    yield "queries: tpch", lambda: area_case("../tpch/queries.jsonl", full), 600


def main():
    if "--write" in sys.argv:
        write_known()
        return
    wanted = sys.argv[1] if len(sys.argv) > 1 else "duckdb/*.jsonl"
    show = sys.argv[2] if len(sys.argv) > 2 else "wrong crashed"
    counts, reasons = Counter(), Counter()
    for q, (what, text) in in_parallel(list(queries(wanted)), 2):
        counts[what] += 1
        reasons[what, text.replace(q["sql"], "")[:90]] += what == "refused"
        if what in show:
            print(f"{what} {q['id']}: {q['sql'][:300]!r}\n      {text[:300]}")
    for (what, text), n in reasons.most_common(40):
        if n:
            print(f"{n:5} {text}")
    print(dict(counts))


if __name__ == "__main__":
    main()
