"""Nested files of the peers, read by us: all rows as JSON, parts by their paths, some rows."""
import json
import random

import harness
from harness import Scratch

ROWS = 4000


def rows(seed=4):
    """Rows of every nesting: lists, lists of lists, structs, lists of structs, maps, and mixes."""
    r = random.Random(seed)

    def maybe(make, often=0.15):
        return None if r.random() < often else make()

    def several(make):
        return maybe(lambda: [maybe(make, 0.2) for _ in range(r.choice([0, 0, 1, 2, 3, 9]))])

    def number():
        return r.randrange(1000)

    def text():
        return "text " * r.randrange(4) + str(r.randrange(60))

    def record():
        return {"x": maybe(number), "s": maybe(text)}

    for i in range(ROWS):
        yield {"id": i, "l": several(number), "ll": several(lambda: several(text)),
               "st": maybe(record), "ls": several(record),
               "m": maybe(lambda: [(str(k), maybe(record)) for k in range(r.randrange(4))]),
               "sl": maybe(lambda: {"a": several(r.random),
                                    "b": maybe(lambda: {"c": several(lambda: r.random() < 0.5)})})}


def table():
    harness.library("pyarrow")
    import pyarrow as pa
    record = pa.struct([("x", pa.int64()), ("s", pa.string())])
    types = {"id": pa.int64(), "l": pa.list_(pa.int32()), "ll": pa.list_(pa.list_(pa.string())),
             "st": record, "ls": pa.list_(record), "m": pa.map_(pa.string(), record),
             "sl": pa.struct([("a", pa.list_(pa.float64())),
                              ("b", pa.struct([("c", pa.list_(pa.bool_()))]))])}
    all_rows = list(rows())
    return pa.table({name: pa.array([row[name] for row in all_rows], t)
                     for name, t in types.items()})


def as_json(row):
    return dict(row, m=None if row.get("m") is None else dict(row["m"])) if "m" in row else row


def printed(source, *arguments):
    ran = harness.ok("copy", source, "-", "-f", "json", *arguments)
    return [json.loads(line) for line in ran.out.decode().splitlines()]


def same(got, wanted):
    for i, (a, b) in enumerate(zip(got, wanted)):
        if a != b:
            raise AssertionError(f"row {i} is {a}, expected {b}")
    if len(got) != len(wanted):
        raise AssertionError(f"{len(got)} rows, expected {len(wanted)}")


def part(value, names):
    """What a path leads to; lists on the way stay."""
    if value is None or not names:
        return value
    if isinstance(value, list):
        return [part(v, names) for v in value]
    return part(value[names[0]], names[1:])


def check_parts(source, wanted):
    for path in ("st.s", "ls.x", "sl.b.c", "sl.b"):
        names = path.split(".")
        same(printed(source, "--select", f"id,{path}"),
             [{"id": row["id"], names[-1]: part(row[names[0]], names[1:])} for row in wanted])
    same([row["value"] for row in printed(source, "--select", "m.value")],
         [None if row["m"] is None else list(row["m"].values()) for row in wanted])


def check(source):
    wanted = [as_json(row) for row in rows()]
    same(printed(source, "--memory", "128MiB"), wanted)
    same(printed(source, "--memory", "24MiB", "--threads", "1"), wanted)
    check_parts(source, wanted)
    tail = harness.ok("tail", source, "-n", "3", "-f", "json").out.decode().splitlines()
    same([json.loads(line) for line in tail], wanted[-3:])
    first = harness.ok("sample", source, "-", "--first", "1", "--per", "st.x", "-f", "json",
                       "--select", "id,ls,m")
    seen, few = set(), []
    for row in wanted:
        key = part(row["st"], ["x"])
        if key not in seen:
            seen.add(key)
            few.append({name: row[name] for name in ("id", "ls", "m")})
    same([json.loads(line) for line in first.out.decode().splitlines()], few)
    harness.ok("verify", source)
    if int(harness.ok("count", source).out) != ROWS:
        raise AssertionError("count is wrong")


def by_pyarrow(**options):
    with Scratch("nested") as scratch:
        source = scratch("in.parquet")
        made = table()
        import pyarrow.parquet as pq
        pq.write_table(made, source, row_group_size=1500,
                       **{"data_page_size": 2000, "write_batch_size": 64, **options})
        check(source)


def by_duckdb():
    harness.library("duckdb")
    import duckdb
    made = table()  # by its name in the query
    with Scratch("nested") as scratch:
        source = scratch("in.parquet")
        duckdb.sql(f"COPY (SELECT * FROM made) TO '{source}' (FORMAT parquet)")
        check(source)


def by_polars():
    harness.library("polars")
    import polars
    made = table().drop_columns(["m"])
    with Scratch("nested") as scratch:
        source = scratch("in.parquet")
        polars.from_arrow(made).write_parquet(source, data_page_size=3000, row_group_size=1500)
        wanted = [{k: v for k, v in row.items() if k != "m"} for row in rows()]
        same(printed(source), wanted)
        harness.ok("verify", source)


def one_leaf():
    """A part reads its own leaf's bytes alone."""
    with Scratch("nested") as scratch:
        source, report = scratch("in.parquet"), scratch("report.json")
        made = table()
        import pyarrow.parquet as pq
        pq.write_table(made, source, compression="none", use_dictionary=False)
        leaves = pq.ParquetFile(source).metadata.row_group(0)
        sizes = {leaves.column(i).path_in_schema: leaves.column(i).total_uncompressed_size
                 for i in range(leaves.num_columns)}
        harness.ok("copy", source, scratch("out.csv"), "--select", "ls.s", "--report", report)
        with open(report, encoding="utf-8") as f:
            column = json.load(f)["columns"][0]
        own = sizes["ls.list.element.s"]
        if column["name"] != "s" or not 0.9 * own < column["bytes_decompressed"] <= own:
            raise AssertionError(f"{column}, the leaf has {own} bytes")


def cases(tier):
    for version in ("1.0", "2.0"):
        for codec in ("none", "zstd") if tier == "quick" else ("none", "snappy", "zstd", "gzip"):
            yield (f"pyarrow's nested files: {codec}, data pages {version}",
                   lambda v=version, c=codec: by_pyarrow(data_page_version=v, compression=c))
    yield "pyarrow's nested files: page index, checksums", lambda: by_pyarrow(
        write_page_index=True, write_page_checksum=True)
    yield "pyarrow's nested files: no dictionary", lambda: by_pyarrow(use_dictionary=False)
    yield "pyarrow's nested files: lists named as before", lambda: by_pyarrow(
        use_compliant_nested_type=False)
    yield "DuckDB's nested files", by_duckdb
    yield "Polars' nested files", by_polars
    yield "a part of a nested column reads its leaf alone", one_leaf
