"""Datasets that the peers write partitioned, read by us; files of different columns read as one,
beside DuckDB; what a condition on folders leaves unopened."""
import datetime
import decimal
import functools
import json
import os

import harness
from harness import Scratch

# Texts that a folder's name must carry, and one of 85 characters of three bytes.
ODD = ["01", "a=b", "a/b", " ", " x ", "", None, "naïve", "日本", "%41", "100%", "a\\b", 'q"\'*?',
       "[x]{y}^", "#:;&", "NULL", "null", "x" * 200]


def read(path, *arguments):
    """The rows as pyarrow sees our copy of them."""
    import pyarrow.parquet as pq
    with Scratch("read") as s:
        harness.ok("copy", path, s("out.parquet"), *arguments)
        return pq.read_table(s("out.parquet"))


def duckdb_table(sql):
    import duckdb
    got = duckdb.connect().sql(sql).arrow()
    return got.read_all() if hasattr(got, "read_all") else got


def rows_of(table, by="id"):
    """Nanoseconds as numbers, which Python's own type of time has not."""
    import pyarrow as pa
    for i, f in enumerate(table.schema):
        if f.type == pa.timestamp("ns"):
            table = table.set_column(i, f.name, table[f.name].cast(pa.int64()))
    return sorted(table.to_pylist(), key=lambda row: row[by])


def same(got, want, by="id", columns=None):
    names = columns or want.column_names
    if got.column_names != names:
        raise AssertionError(f"columns {got.column_names}, wanted {names}")
    for name in names:
        a, b = got.schema.field(name).type, want.schema.field(name).type
        if str(a).replace("large_", "") != str(b).replace("large_", ""):
            raise AssertionError(f"column {name} is {a}, wanted {b}")
    if rows_of(got, by) != rows_of(want, by):
        for x, y in zip(rows_of(got, by), rows_of(want, by)):
            if x != y:
                raise AssertionError(f"{x}, wanted {y}")
        raise AssertionError(f"{got.num_rows} rows, wanted {want.num_rows}")


# ---- partitioned by others ----

def source(keys):
    """id, a value, and the key columns."""
    import pyarrow as pa
    n = max(len(k) for k in keys.values()) * 3
    columns = {"id": pa.array(range(n), pa.int64()), "v": pa.array([i * 0.5 for i in range(n)])}
    for name, values in keys.items():
        columns[name] = pa.array([values[i % len(values)] for i in range(n)])
    return pa.table(columns)


def write_pyarrow(table, keys, folder):
    import pyarrow.dataset as ds
    import pyarrow as pa
    ds.write_dataset(table, folder, format="parquet", partitioning=ds.partitioning(
        pa.schema([table.schema.field(k) for k in keys]), flavor="hive"), max_partitions=4000)


def write_duckdb(table, keys, folder):
    import duckdb
    con = duckdb.connect()
    con.register("t", table)
    con.sql(f"COPY t TO '{folder}' (FORMAT parquet, PARTITION_BY ({', '.join(keys)}))")


def write_polars(table, keys, folder):
    import polars as pl
    os.makedirs(folder)
    frame = pl.from_arrow(table)
    if hasattr(pl, "PartitionBy"):
        frame.lazy().sink_parquet(pl.PartitionBy(folder, key=keys, include_key=False), mkdir=True)
    else:
        frame.write_parquet(folder, partition_by=keys)


WRITERS = {"pyarrow": write_pyarrow, "duckdb": write_duckdb, "polars": write_polars}


def library_of(writer):
    harness.library("pyarrow")
    harness.library(writer)


def odd_texts(writer):
    """What the writer's own reader cannot tell apart, no other can: an empty text is null to those
    that write it so."""
    library_of(writer)
    values = [v for v in ODD if writer == "duckdb" or v != ""]
    table = source({"key": values})
    with Scratch("odd") as s:
        WRITERS[writer](table, ["key"], s("ds"))
        same(read(s("ds"), "--read", "hive_types={'key': VARCHAR}"), table)


TYPED = {"day": [datetime.date(2024, 2, 29), datetime.date(1999, 12, 31), None],
         "n": [7, -3, 0, 2**62], "code": ["01", "10", "007"], "word": ["1", "x", "2"]}


def typed(writer):
    """Types are found as DuckDB finds them in the same folders, over all files."""
    library_of(writer)
    harness.library("duckdb")
    table = source(TYPED)
    with Scratch("typed") as s:
        WRITERS[writer](table, list(TYPED), s("ds"))
        want = duckdb_table(f"FROM read_parquet('{s('ds')}/**/*.parquet', hive_partitioning=true)")
        got = read(s("ds"))
        same(got, want)
        same(read(s("ds", "**", "*.parquet")), want)
        chosen = read(s("ds"), "--read", "hive_types={'n': VARCHAR, day: VARCHAR}")
        if str(chosen.schema.field("n").type) != "string" or \
                str(chosen.schema.field("day").type) != "string":
            raise AssertionError(f"types that were given are {chosen.schema}")
        bare = read(s("ds"), "--read", "hive_partitioning=false")
        if [c for c in bare.column_names if c in TYPED]:
            raise AssertionError(f"keys in {bare.column_names}")


def filename():
    harness.library("pyarrow")
    harness.library("duckdb")
    with Scratch("filename") as s:
        write_pyarrow(source({"k": [1, 2, 3]}), ["k"], s("ds"))
        files = f"read_parquet('{s('ds')}/**/*.parquet', filename=true, hive_partitioning=true)"
        same(read(s("ds"), "--read", "filename=true"), duckdb_table(f"FROM {files}"))
        harness.ok("sql", f"SELECT * FROM {files} WHERE filename LIKE '%k=2%'", "-o",
                   s("o.parquet"))
        same(read(s("o.parquet")), duckdb_table(f"FROM {files} WHERE k = 2"))


def key_in_file():
    """A key that the files have as a column, too: the folder's value, where the column stands."""
    harness.library("pyarrow")
    harness.library("duckdb")
    with Scratch("both") as s:
        import duckdb
        con = duckdb.connect()
        for day in ("2024-01-01", "2024-01-02"):
            os.makedirs(s("ds", f"day={day}"))
            con.sql(f"COPY (SELECT 1 AS id, 'other' AS day, 2.5 AS v) TO "
                    f"'{s('ds')}/day={day}/f.parquet' (FORMAT parquet)")
        want = duckdb_table(f"FROM read_parquet('{s('ds')}/**/*.parquet')")
        same(read(s("ds")), want, "day")
        same(read(s("ds"), "--where", "day = '2024-01-02'"),
             duckdb_table(f"FROM read_parquet('{s('ds')}/**/*.parquet') "
                          "WHERE day = DATE '2024-01-02'"), "day")


# ---- conditions on folders ----

CONDITIONS = [
    ("k = 3", "k = 3"), ("k IN (1, 4) AND v > 2", "k IN (1, 4) AND v > 2"),
    ("day >= '2024-01-03' AND day < '2024-01-05'",
     "day >= DATE '2024-01-03' AND day < DATE '2024-01-05'"),
    ("k IS NULL", "k IS NULL"), ("k IS NOT NULL AND NOT k = 2", "k IS NOT NULL AND NOT k = 2"),
    ("word LIKE 'b%' OR k = 1", "word LIKE 'b%' OR k = 1"),
    ("k = 99", "k = 99"), ("(k = 1 OR v < 3) AND word <> 'a'", "(k = 1 OR v < 3) AND word <> 'a'"),
]
QUERIES = [("year(day) = 2024 AND day(day) % 2 = 0", None), ("k + 1 = 3", None),
           ("upper(word) = 'B' AND v > 1", None), ("k = (SELECT 2)", None),
           ("coalesce(k, 0) = 0", None), ("word || 'x' = 'ax'", None)]


def files_told(report):
    with open(report, encoding="utf-8") as f:
        told = json.load(f)
    rows = told["rows"]
    if rows["in"] != rows["out"] + rows["filtered"] + rows["pruned"]:
        raise AssertionError(f"the books do not close: {rows}")
    return told["files"]["read"], told["files"]["of"]


def conditions():
    harness.library("pyarrow")
    harness.library("duckdb")
    keys = {"k": [1, 2, 3, 4, None], "day": [datetime.date(2024, 1, d) for d in range(1, 8)],
            "word": ["a", "b", "bb"]}
    with Scratch("conditions") as s:
        write_pyarrow(source(keys), list(keys), s("ds"))
        files = f"read_parquet('{s('ds')}/**/*.parquet', hive_partitioning=true)"
        for mine, theirs in CONDITIONS:
            want = duckdb_table(f"FROM {files} WHERE {theirs}")
            with Scratch("c") as c:
                got = read(s("ds"), "--where", mine, "--report", c("r.json"))
                same(got, want)
                n, of = files_told(c("r.json"))
                if of < 21 or n == of:
                    raise AssertionError(f"{mine}: {n} of {of} files were opened")
                harness.ok("sql", f"SELECT * FROM '{s('ds')}/' WHERE {theirs}", "-o",
                           c("q.parquet"))
                same(read(c("q.parquet")), want)
                counted = int(harness.ok("count", s("ds"), "--where", mine).out)
                if counted != want.num_rows:
                    raise AssertionError(f"{mine}: counted {counted} rows")
        for query, _ in QUERIES:
            with Scratch("q") as c:
                harness.ok("sql", f"SELECT * FROM '{s('ds')}/' WHERE {query}", "-o",
                           c("q.parquet"))
                same(read(c("q.parquet")), duckdb_table(f"FROM {files} WHERE {query}"))


def joined():
    """WHERE rules no file out whose rows an outer join keeps."""
    harness.library("pyarrow")
    harness.library("duckdb")
    with Scratch("joined") as s:
        write_pyarrow(source({"k": [1, 2, 3]}), ["k"], s("a"))
        write_pyarrow(source({"m": [1, 2]}), ["m"], s("b"))
        for kind in ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"):
            for where in ("m IS NULL", "m = 1", "k IS NULL", "k = 1", "a.k = 2 AND b.m IS NULL"):
                def query(a, b):
                    return (f"SELECT a.id AS id, k, m FROM {a} AS a {kind} {b} AS b "
                            f"ON a.k = b.m AND a.id = b.id WHERE {where}")
                harness.ok("sql", query(f"'{s('a')}/'", f"'{s('b')}/'"), "-o", s("o.parquet"),
                           "--on-exists", "replace")
                both = [f"read_parquet('{s(x)}/**/*.parquet', hive_partitioning=true)"
                        for x in "ab"]
                got, want = read(s("o.parquet")), duckdb_table(query(*both))

                def order(t):
                    return sorted(t.to_pylist(), key=str)
                if order(got) != order(want):
                    raise AssertionError(f"{kind} WHERE {where}: {order(got)}, {order(want)}")


# ---- files of different columns ----

D = decimal.Decimal
WIDER = [  # values by type as DuckDB writes it; what is read where they meet
    ("TINYINT", "SMALLINT", "SMALLINT"), ("INTEGER", "BIGINT", "BIGINT"),
    ("UTINYINT", "TINYINT", "SMALLINT"), ("UINTEGER", "INTEGER", "BIGINT"),
    ("USMALLINT", "UINTEGER", "UINTEGER"), ("INTEGER", "DECIMAL(4,1)", "DECIMAL(11,1)"),
    ("DECIMAL(4,1)", "DECIMAL(6,3)", "DECIMAL(6,3)"), ("FLOAT", "DOUBLE", "DOUBLE"),
    ("SMALLINT", "DOUBLE", "DOUBLE"), ("INTEGER", "DOUBLE", "DOUBLE"),
    ("TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP"), ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_NS"),
    ("INTEGER[]", "BIGINT[]", "BIGINT[]"),
    ("STRUCT(a INTEGER, b VARCHAR)", "STRUCT(a BIGINT, c DOUBLE)",
     "STRUCT(a BIGINT, b VARCHAR, c DOUBLE)"),
    ("STRUCT(s STRUCT(x TINYINT)[])", "STRUCT(s STRUCT(x INTEGER)[])",
     "STRUCT(s STRUCT(x INTEGER)[])"),
    ("MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, BIGINT)", "MAP(VARCHAR, BIGINT)"),
]
VALUE = {"TINYINT": "-7", "SMALLINT": "1234", "INTEGER": "-123456", "BIGINT": "9007199254740993",
         "UTINYINT": "200", "USMALLINT": "65535", "UINTEGER": "4000000000", "FLOAT": "1.5",
         "DOUBLE": "2.25e100", "DECIMAL(4,1)": "123.4", "DECIMAL(6,3)": "-999.999",
         "TIMESTAMP_MS": "'2024-01-02 03:04:05.678'", "TIMESTAMP": "'1960-01-02 03:04:05.678901'",
         "TIMESTAMP_NS": "'2024-01-02 03:04:05.678901234'", "INTEGER[]": "[1, NULL, -3]",
         "BIGINT[]": "[9007199254740993]", "STRUCT(a INTEGER, b VARCHAR)": "{'a': 1, 'b': 'x'}",
         "STRUCT(a BIGINT, c DOUBLE)": "{'a': 9007199254740993, 'c': 0.5}",
         "STRUCT(s STRUCT(x TINYINT)[])": "{'s': [{'x': 1}, NULL]}",
         "STRUCT(s STRUCT(x INTEGER)[])": "{'s': [{'x': 100000}]}",
         "MAP(VARCHAR, INTEGER)": "MAP {'k': 1}",
         "MAP(VARCHAR, BIGINT)": "MAP {'k': 9007199254740993}"}


def write_types(con, path, of, first, extra):
    con.sql(f"COPY (SELECT {first} + i AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE "
            f"CAST({VALUE[of]} AS {of}) END AS x{extra} FROM range(3000) r(i)) TO '{path}' "
            "(FORMAT parquet)")


def widened(x, y, both):
    """In both orders of files; conditions on the column find the same rows."""
    harness.library("pyarrow")
    duckdb = harness.library("duckdb")
    con = duckdb.connect()
    with Scratch("wide") as s:
        for first, second in ((x, y), (y, x)):
            write_types(con, s("a.parquet"), first, 0, "")
            write_types(con, s("b.parquet"), second, 5000, ", i AS more")
            wanted = duckdb_table(
                f"SELECT id, CAST(x AS {both}) AS x, NULL::BIGINT AS more FROM '{s('a.parquet')}' "
                f"UNION ALL SELECT id, CAST(x AS {both}), more FROM '{s('b.parquet')}'")
            got = read(s("*.parquet"))
            if got.column_names != ["id", "x", "more"] or rows_of(got) != rows_of(wanted):
                if not both.startswith("STRUCT") or sorted_fields(got) != sorted_fields(wanted):
                    raise AssertionError(f"{first}, {second}: {got.slice(0, 3)}")
            if "(" in both and not both.startswith("DEC") or both.endswith("]"):
                continue
            for value in (VALUE[x], VALUE[y]):
                n = int(harness.ok("count", s("*.parquet"), "--where", f"x = {value}").out)
                query = (f"SELECT count(*) FROM (SELECT CAST(x AS {both}) x FROM "
                         f"'{s('a.parquet')}' UNION ALL SELECT CAST(x AS {both}) FROM "
                         f"'{s('b.parquet')}') WHERE x = CAST({value} AS {both})")
                want = con.sql(query).fetchall()[0][0]
                if n != want:
                    raise AssertionError(f"x = {value}: {n} rows, wanted {want}")
            n = int(harness.ok("count", s("*.parquet"), "--where", "more is null").out)
            if n != 3000:
                raise AssertionError(f"{n} rows lack the column")


def sorted_fields(table):
    """Fields of structs by their names: DuckDB's order may be another one."""
    def plain(x):
        if isinstance(x, dict):
            return tuple(sorted((k, plain(v)) for k, v in x.items()))
        return [plain(v) for v in x] if isinstance(x, list) else x
    return [plain(row) for row in rows_of(table)]


CLASHES = [("BIGINT", "DOUBLE"), ("INTEGER", "FLOAT[]"), ("VARCHAR", "INTEGER"),
           ("BOOLEAN", "INTEGER"), ("BLOB", "VARCHAR"), ("DATE", "TIMESTAMP"),
           ("TIMESTAMP", "TIMESTAMPTZ"), ("DECIMAL(38,0)", "DECIMAL(38,5)"),
           ("STRUCT(a INTEGER)", "STRUCT(a VARCHAR)")]


def clash(x, y):
    """No type holds both: an error that names the column and both files."""
    duckdb = harness.library("duckdb")
    con = duckdb.connect()
    with Scratch("clash") as s:
        for name, of in (("a", x), ("b", y)):
            con.sql(f"COPY (SELECT 1 AS id, CAST(NULL AS {of}) AS col) TO "
                    f"'{s(name)}.parquet' (FORMAT parquet)")
        line = harness.refused(harness.narrows("copy", s("*.parquet"), s("out.parquet")), 1)
        for word in ("column col", s("a.parquet"), s("b.parquet")):
            if word not in line:
                raise AssertionError(f"{word} is not in: {line}")
        if os.path.exists(s("out.parquet")):
            raise AssertionError("there is a target")


def policies():
    duckdb = harness.library("duckdb")
    con = duckdb.connect()
    with Scratch("policies") as s:
        con.sql(f"COPY (SELECT 1 AS id, 2 AS x) TO '{s('a.parquet')}' (FORMAT parquet)")
        con.sql(f"COPY (SELECT 1 AS id, 2 AS x, 3 AS y) TO '{s('b.parquet')}' (FORMAT parquet)")
        con.sql(f"COPY (SELECT 1 AS id, 2::BIGINT AS x) TO '{s('c.parquet')}' (FORMAT parquet)")
        for policy, second, fine in (("fail", "a", True), ("fail", "b", False),
                                     ("fail", "c", False), ("add", "b", True),
                                     ("add", "c", False), ("widen", "c", True)):
            ran = harness.narrows("head", s("a.parquet"), s(f"{second}.parquet"),
                                  "--on-schema-change", policy)
            if fine != (ran.code == 0):
                raise AssertionError(f"{policy} {second}: exit {ran.code}: {ran.err}")
            if not fine:
                harness.refused(ran, 1)
        for by_name, fine in (("true", True), ("false", False)):
            files = f"['{s('a.parquet')}', '{s('b.parquet')}']"
            ran = harness.narrows("sql", f"FROM read_parquet({files}, union_by_name = {by_name})")
            if fine != (ran.code == 0):
                raise AssertionError(f"union_by_name = {by_name}: exit {ran.code}: {ran.err}")


def any_order():
    """Columns in another order in each file, at several thread counts and memory limits: the same
    bytes."""
    duckdb = harness.library("duckdb")
    con = duckdb.connect()
    with Scratch("order") as s:
        con.sql(f"COPY (SELECT i AS id, i * 2 AS x, 'v' || i AS y FROM range(50000) r(i)) TO "
                f"'{s('a.parquet')}' (FORMAT parquet, ROW_GROUP_SIZE 10000)")
        con.sql(f"COPY (SELECT 'w' || i AS y, 50000 + i AS id FROM range(50000) r(i)) TO "
                f"'{s('b.parquet')}' (FORMAT parquet)")
        con.sql(f"COPY (SELECT (i % 100)::UTINYINT AS x, 100000 + i AS id, i AS z FROM "
                f"range(50000) r(i)) TO '{s('c.parquet')}' (FORMAT parquet)")
        first = None
        for threads, memory in ((1, "64MiB"), (2, "1GiB"), (8, "256MiB")):
            harness.ok("copy", s("[abc].parquet"), s("o.parquet"), "--threads", str(threads),
                       "--memory", memory, "--on-exists", "replace")
            with open(s("o.parquet"), "rb") as f:
                got = f.read()
            if first not in (None, got):
                raise AssertionError(f"other bytes with {threads} threads and {memory}")
            first = got
        same(read(s("o.parquet")), duckdb_table(
            f"FROM read_parquet(['{s('a.parquet')}', '{s('b.parquet')}', '{s('c.parquet')}'], "
            "union_by_name=true)"))


def by_file():
    """Files read whole, several at a time, and one after the other, cut: the same bytes; rows are
    limited, the last ones found, and a damaged file ends the run in either way."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("ways") as s:
        os.mkdir(s("ds"))
        for i in range(40):
            n = [0, 1, 700, 3000][i % 4]
            table = pa.table({"id": pa.array(range(i * 10000, i * 10000 + n), pa.int64()),
                              "l": pa.array([[k] * (k % 4) for k in range(n)],
                                            pa.list_(pa.int64())),
                              "t": pa.array([f"text {k % 50} of {i}" for k in range(n)])})
            if i % 3 == 0:
                table = table.append_column("more", pa.array(range(n), pa.int32()))
            pq.write_table(table, s("ds", f"{i:02}.parquet"), row_group_size=500,
                           data_page_size=2000)
        for extra in ([], ["--limit", "9000"], ["--select", "t,more"], ["--where", "id % 7 = 3"],
                      ["--where", "id > 200000"]):
            first = None
            for way in ("file", "batch", "auto"):
                for threads, memory in (("1", "64MiB"), ("4", "1GiB")):
                    with Scratch("way") as w:
                        harness.ok("copy", s("ds"), w("o.parquet"), "--process-by", way,
                                   "--threads", threads, "--memory", memory, *extra,
                                   "--report", w("r.json"))
                        with open(w("o.parquet"), "rb") as f:
                            got = f.read()
                    if first not in (None, got):
                        raise AssertionError(f"other bytes: {extra}, by {way}, {threads} threads")
                    first = got
        ends = {harness.ok("tail", s("ds"), "-n", "5", "-f", "csv", "--process-by", way).out
                for way in ("file", "batch")}
        sums = {harness.ok("sql", f"SELECT count(*), sum(id), max(t), sum(len(l)) FROM '{s('ds')}'",
                           "-f", "csv", "--process-by", way).out for way in ("file", "batch")}
        if len(ends) != 1 or len(sums) != 1:
            raise AssertionError(f"{ends} {sums}")
        with open(s("ds", "22.parquet"), "r+b") as f:
            f.seek(4)
            f.write(b"\0" * 200)
        for way in ("file", "batch"):
            line = harness.refused(harness.narrows("copy", s("ds"), s("bad.parquet"),
                                                   "--process-by", way, "--threads", "4"), 1)
            if "22.parquet" not in line or os.path.exists(s("bad.parquet")):
                raise AssertionError(line)


def cases():
    for writer in WRITERS:
        yield f"dataset of {writer}, odd texts", functools.partial(odd_texts, writer)
        yield f"dataset of {writer}, types", functools.partial(typed, writer)
    yield "dataset, file names", filename
    yield "dataset, a key in the files", key_in_file
    yield "dataset, conditions", conditions
    yield "dataset, joined", joined
    for x, y, both in WIDER:
        yield f"widen {x}, {y}", functools.partial(widened, x, y, both)
    for x, y in CLASHES:
        yield f"clash {x}, {y}", functools.partial(clash, x, y)
    yield "schema change policies", policies
    yield "files in any order of columns", any_order
    yield "dataset, by file and by batch", by_file
