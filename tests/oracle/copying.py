"""copy with expressions and orders, and COPY: as DuckDB answers the same words."""
import json

import compare
import harness
import tables
from harness import Scratch

QUERIES = [
    ("*, int32::BIGINT + 1 AS more", None, None, None),
    ("int64, utf8, length(utf8) AS n, date", "length(utf8) > 4 and int32 is not null", None, None),
    ("* EXCLUDE (utf8, \"binary\")", "int32 % 3 = 1 or date > DATE '2000-01-01'", None, None),
    ("int32, float64 * 2 AS twice, upper(utf8) AS u", "int32 > 0 and float64 <> 0",
     "int32 DESC, u NULLS FIRST, int64, twice", None),
    ("int32, utf8", "utf8 like '%a%' escape '!'", "utf8, int32", 50),
    ("date, year(date) AS y, CASE WHEN int32 > 0 THEN 'up' ELSE 'down' END AS way", None,
     "date, int64", 700),
]


def source_of(scratch, rows=5000):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    path = scratch("in.parquet")
    names = ["int32", "int64", "float64", "utf8", "binary", "date"]
    pq.write_table(tables.table(names, rows), path)
    return path


def asked(source, select, where, order, limit):
    return (f"SELECT {select} FROM '{source}'" + (f" WHERE {where}" if where else "")
            + (f" ORDER BY {order}" if order else "") + (f" LIMIT {limit}" if limit else ""))


def options_of(select, where, order, limit):
    pairs = (("--select", select), ("--where", where), ("--order-by", order), ("--limit", limit))
    return [str(x) for name, value in pairs if value for x in (name, value)]


def duckdb_writes(query, path):
    duckdb = harness.library("duckdb")
    with duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        c.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def words_case(number):
    """`copy` by options, `sql -o` and a COPY statement: one file, and DuckDB's rows."""
    with Scratch("copying") as s:
        source = source_of(s)
        query = asked(source, *QUERIES[number])
        duckdb_writes(query, s("want.parquet"))
        harness.ok("copy", source, s("a.parquet"), *options_of(*QUERIES[number]))
        compare.same_files(s("want.parquet"), s("a.parquet"), ["duckdb"])
        harness.ok("sql", query, "-o", s("b.parquet"))
        harness.ok("sql", f"COPY ({query}) TO '{s('c.parquet')}' (FORMAT parquet)",
                   "--memory", "48MiB", "--threads", "1")
        first = open(s("a.parquet"), "rb").read()
        for other in "bc":
            if open(s(f"{other}.parquet"), "rb").read() != first:
                raise AssertionError(f"{other}.parquet differs from a.parquet")


def balance_case():
    """The books of a copy with expressions close, whatever leaves rows out."""
    with Scratch("copying") as s:
        source = source_of(s, 20000)
        for where, limit in (("int32 + 0 > 100", None), ("int32 > 100 and int64 % 20 > 5", None),
                             (None, 70), ("abs(int32 // 2) > 7", 70)):
            out, report = s("out.parquet"), s("report.json")
            harness.ok("copy", source, out, "--on-exists", "replace", "--report", report,
                       *options_of("*, int32 + 0 AS same", where, None, limit))
            with open(report, encoding="utf-8") as f:
                books = json.load(f)["rows"]
            left = sum(v for k, v in books.items() if k != "in")
            if books["in"] != left or (where and not books["filtered"] + books["pruned"]):
                raise AssertionError(f"{where}, {limit}: {books}")


def statements_case():
    """Options of COPY do what the command's do; statements run in order."""
    with Scratch("copying") as s:
        source = source_of(s)
        harness.ok("copy", source, s("a.parquet"), "--compression", "gzip:9", "--row-group-size",
                   "1000", "--no-dictionary", "--kv-metadata", "made=by hand", "--no-keep-pages",
                   "--select", "int32,utf8")
        ran = harness.ok("sql", f"""
            COPY (SELECT int32, utf8 FROM '{source}') TO '{s('b.parquet')}' (FORMAT 'parquet',
              COMPRESSION gzip, COMPRESSION_LEVEL 9, ROW_GROUP_SIZE 1000, DICTIONARY false,
              KV_METADATA {{made: 'by hand'}});
            SELECT count(*) AS n FROM '{s('b.parquet')}';
            COPY (SELECT 1 AS x) TO '{s('b.csv')}';
            COPY (SELECT 2 AS x) TO '{s('b.csv')}' (OVERWRITE)""")
        if ran.out != b"n\n5000\n":
            raise AssertionError(ran.out)
        compare.same_files(s("a.parquet"), s("b.parquet"), ["pyarrow", "duckdb"])
        for name in "ab":
            found = json.loads(harness.ok("inspect", s(f"{name}.parquet"), "-f", "json").out)
            if (found["codecs"], found["n_row_groups"]) != (["gzip"], 5):
                raise AssertionError(found)
        if open(s("b.csv"), encoding="ascii").read() != "x\n2\n":
            raise AssertionError("the second COPY did not write over the first")
        harness.refused(harness.narrows("sql", f"COPY (SELECT 1) TO '{s('b.csv')}'"), 1)
        harness.refused(harness.narrows("sql", f"COPY (SELECT 1) TO '{s('n.csv')}' (NOPE 1)"), 2)
        harness.refused(harness.narrows("sql", f"COPY (SELECT 1) TO '{s('n.csv')}'", "-o",
                                        s("m.csv")), 2)


def cases(_tier):
    for i, query in enumerate(QUERIES):
        yield f"copy {' '.join(options_of(*query))}"[:70], lambda n=i: words_case(n)
    yield "copy with expressions: the balance", balance_case
    yield "COPY: options, several statements", statements_case
