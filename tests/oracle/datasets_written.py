"""Datasets that we write: read by pyarrow, DuckDB and Polars, keys and their types included; odd
values; what happens to what is there; the same bytes whatever threads and memory."""
import glob
import hashlib
import json
import os
import resource

import compare
import harness
import tables
from harness import Scratch

ODD = ["01", "a=b", "a/b", "", " ", "  x ", None, "\u00e9\u4e16", "%41", "a%b", ".", "..",
       "'\"?#[]{}*:\\", "__HIVE_DEFAULT_PARTITION__", "plain",
       "x" * 60, "\u00e9" * 30, "+ &", "\t\n"]


def files_of(folder):
    """Paths in the dataset and the hash of each file."""
    found = {}
    for path in glob.glob(os.path.join(glob.escape(folder), "**", "*"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


def source_of(scratch, rows=20000):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    path = scratch("in.parquet")
    table = tables.table(["int32", "utf8", "date", "few", "few_int", "float64"], rows)
    pq.write_table(table, path)
    return path


def sorted_rows(relation):
    return sorted(repr(row) for row in relation.fetchall())


def same_in_duckdb(c, source, folder, columns, types):
    """The source's rows, which DuckDB must find in the dataset, the types of keys being told."""
    want = sorted_rows(c.sql(f"SELECT {columns} FROM '{source}'"))
    got = sorted_rows(c.sql(f"SELECT {columns} FROM read_parquet('{folder}/**/*.parquet', "
                            f"hive_partitioning = true, hive_types = {types})"))
    if got != want:
        raise AssertionError("DuckDB reads other rows")
    return want


def readers_case():
    """Keys come back with their values and types in four readers."""
    duckdb = harness.library("duckdb")
    polars = harness.library("polars")
    pandas = harness.library("pandas")
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.dataset as ds
    with Scratch("dataset") as s, duckdb.connect() as c:
        source = source_of(s)
        ran = harness.ok("copy", source, s("out/"), "--partition-by", "few,few_int",
                         "--common-metadata", "--full-metadata", "--report", s("r.json"))
        columns = "int32, utf8, date, float64, few, few_int"
        want = same_in_duckdb(c, source, s("out"), columns, "{'few_int': INTEGER}")
        keys = pa.schema([("few", pa.string()), ("few_int", pa.int32())])
        arrow = ds.dataset(s("out"), format="parquet", partitioning=ds.partitioning(
            keys, flavor="hive")).to_table()
        read = c.sql(f"SELECT {columns} FROM arrow")
        if sorted_rows(read) != want:
            raise AssertionError("pyarrow reads other rows")
        arrow = ds.parquet_dataset(os.path.join(
            s("out"), "_metadata"), partitioning=ds.partitioning(keys, flavor="hive")).to_table()
        if sorted_rows(c.sql(f"SELECT {columns} FROM arrow")) != want:
            raise AssertionError("pyarrow reads other rows by _metadata")
        frame = polars.read_parquet(s("out") + "/**/*.parquet", hive_partitioning=True,
                                    hive_schema={"few": polars.String, "few_int": polars.Int32})
        arrow = frame.to_arrow()
        if sorted_rows(c.sql(f"SELECT {columns} FROM arrow")) != want:
            raise AssertionError("Polars reads other rows")
        frame = pandas.read_parquet(s("out"), dtype_backend="pyarrow",
                                    partitioning=ds.partitioning(keys, flavor="hive"))
        arrow = pa.Table.from_pandas(frame, preserve_index=False)
        if sorted_rows(c.sql(f"SELECT {columns} FROM arrow")) != want:
            raise AssertionError("pandas reads other rows")
        with open(s("r.json"), encoding="utf-8") as f:
            report = json.load(f)
        targets = report["targets"]
        if targets["folders"] != len(targets["each"]) or sum(
                t["rows"] for t in targets["each"]) != report["rows"]["out"]:
            raise AssertionError(f"the books of the folders do not close: {ran.err}")
        import pyarrow.parquet as pq
        common = pq.read_schema(os.path.join(s("out"), "_common_metadata"))
        if common.names != ["int32", "utf8", "date", "float64"]:
            raise AssertionError(f"_common_metadata has {common.names}")


def odd_case():
    """Odd values of keys make folders that every reader understands."""
    duckdb = harness.library("duckdb")
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq
    with Scratch("dataset") as s, duckdb.connect() as c:
        table = pa.table({"k": pa.array(ODD * 3), "n": pa.array(range(3 * len(ODD)), pa.int64())})
        pq.write_table(table, s("in.parquet"))
        harness.ok("copy", s("in.parquet"), s("out/"), "--partition-by", "k")
        key = pa.schema([("k", pa.string())])
        got = ds.dataset(s("out"), format="parquet",
                         partitioning=ds.partitioning(key, flavor="hive")).to_table()
        # pyarrow 26 and DuckDB 2 take an empty text for null, pyarrow also the text that means it
        want = {n: k for k, n in zip(ODD * 3, range(3 * len(ODD)))}
        for k, n in zip(got["k"].to_pylist(), got["n"].to_pylist()):
            if (k or None) != (want[n] or None) and want[n] != "__HIVE_DEFAULT_PARTITION__":
                raise AssertionError(f"pyarrow: {k!r}, wanted {want[n]!r}")
        rows = c.sql(f"SELECT k, n FROM read_parquet('{s('out')}/**/*.parquet', "
                     "hive_partitioning = true, hive_types = {'k': VARCHAR})").fetchall()
        if len(rows) != len(want):
            raise AssertionError(f"DuckDB reads {len(rows)} rows of {len(want)}")
        for k, n in rows:
            if (k or None) != (want[n] or None):
                raise AssertionError(f"DuckDB: {k!r}, wanted {want[n]!r}")


def long_case():
    """A name that no folder can have is an error, and nothing is left of the run."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("dataset") as s:
        pq.write_table(pa.table({"k": ["a", "x" * 300], "n": [1, 2]}), s("in.parquet"))
        line = harness.refused(harness.narrows("copy", s("in.parquet"), s("out/"),
                                               "--partition-by", "k"), 1)
        if "255" not in line or os.listdir(s.path) != ["in.parquet"]:
            raise AssertionError(f"{line}; there are {os.listdir(s.path)}")


def policies_case():
    duckdb = harness.library("duckdb")
    with Scratch("dataset") as s, duckdb.connect() as c:
        def rows(where="true"):
            return c.sql(f"SELECT count(*) FROM read_parquet('{s('out')}/**/*.parquet', "
                         f"hive_partitioning = true) WHERE {where}").fetchall()[0][0]

        def write(where, *options, code=0):
            ran = harness.narrows("copy", s("in.parquet"), s("out/"), "--partition-by", "g",
                                  "--where", where, *options)
            if ran.code != code:
                raise AssertionError(f"{options}: exit {ran.code}: {ran.err}")

        harness.ok("gen", s("in.parquet"), "--range", "g=5", "--range", "id=100")
        write("g < 3")
        write("g < 4", code=1)
        assert rows() == 300
        write("g < 4", "--on-exists", "skip")
        assert rows() == 300
        write("g >= 2 and id < 10", "--on-exists", "append")
        assert (rows(), rows("g = 2"), rows("g = 4")) == (330, 110, 10)
        write("g = 2 and id < 5", "--on-exists", "replace-partitions")
        assert (rows(), rows("g = 2"), rows("g = 1")) == (225, 5, 100)
        write("g = 2 and id < 7", "--on-exists", "overwrite-or-ignore")
        assert (rows(), rows("g = 2")) == (227, 7)
        write("g = 0 and id < 3", "--on-exists", "replace")
        assert rows() == 3
        left = [n for n in os.listdir(s.path) if n not in ("in.parquet", "out")]
        assert not left, left


def same_bytes_case():
    """Threads, memory and the way of writing change nothing, and COPY writes the same."""
    with Scratch("dataset") as s:
        source = source_of(s)
        words = ["--partition-by", "few,month(date) AS m", "--row-group-size", "700",
                 "--row-groups-per-file", "2"]
        harness.ok("copy", source, s("a/"), *words)
        want = files_of(s("a"))
        if len(want) < 30:
            raise AssertionError(f"only {len(want)} files")
        for i, options in enumerate((["--threads", "1"], ["--threads", "8"],
                                     ["--memory", "64MiB"], ["--memory", "1GiB"],
                                     ["--memory", "32MiB", "--threads", "1"])):
            harness.ok("copy", source, s(f"b{i}/"), *words, *options)
            if files_of(s(f"b{i}")) != want:
                raise AssertionError(f"other files with {options}")
        harness.ok("sql", f"COPY (FROM '{source}') TO '{s('c')}' (FORMAT parquet, PARTITION_BY "
                   "(few, month(date) AS m), ROW_GROUP_SIZE 700, ROW_GROUPS_PER_FILE 2)")
        if files_of(s("c")) != want:
            raise AssertionError("COPY writes other files")


def cut_case():
    """Files end at row groups, by size or number; names sort as they were written."""
    with Scratch("dataset") as s:
        harness.ok("gen", s("in.parquet"), "--range", "id=40000", "--column", "note=string:8..40")
        for words in (["--row-groups-per-file", "3"], ["--file-size-bytes", "100KiB"]):
            harness.ok("copy", s("in.parquet"), s("out/"), "--row-group-size", "1000", *words,
                       "--filename-pattern", "x{i:03}.parquet", "--on-exists", "replace")
            names = sorted(os.listdir(s("out")))
            if names[:2] != ["x000.parquet", "x001.parquet"] or len(names) < 5:
                raise AssertionError(names)
            if words[0] == "--file-size-bytes":
                sizes = [os.path.getsize(os.path.join(s("out"), n)) for n in names]
                if max(sizes) > 100 << 10 or min(sizes[:-1]) < 60 << 10:
                    raise AssertionError(sizes)
            harness.ok("copy", *(os.path.join(s("out"), n) for n in names), s("all.parquet"),
                       "--on-exists", "replace", "--no-keep-pages")
            harness.ok("copy", s("in.parquet"), s("want.parquet"), "--on-exists", "replace",
                       "--no-keep-pages")
            compare.same_files(s("want.parquet"), s("all.parquet"), ["pyarrow"])


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def partitions_case(partitions, rows, memory):
    """One file of one row group for each, in memory and descriptors that do not grow with them."""
    with Scratch("dataset") as s:
        harness.ok("gen", s("in.parquet"), "--range", f"k={partitions}", "--range", f"i={rows}",
                   "--column", "note=string:8..40", "--shuffle")
        ran = harness.measure([harness.RELEASE, "copy", s("in.parquet"), s("out/"),
                               "--partition-by", "k", "--memory", f"{memory}MiB", "--report",
                               s("r.json"), "-q"], timeout=600, preexec=few_descriptors)
        if ran.code or ran.peak > memory << 20:
            raise AssertionError(f"exit {ran.code}, peak {harness.mib(ran.peak)}: {ran.err}")
        with open(s("r.json"), encoding="utf-8") as f:
            report = json.load(f)
        got = (report["targets"]["files"], report["row_groups"], report["rows"]["out"])
        if got != (partitions, partitions, partitions * rows):
            raise AssertionError(f"files, row groups, rows: {got}")
        counted = int(harness.ok("count", s("out/"), timeout=300).out)
        if counted != partitions * rows:
            raise AssertionError(f"{counted} rows are there")
        return f"{harness.mib(ran.peak)}, {ran.cpu:.1f} s of CPU"


def nested_case():
    """Rows with lists and structs, of more partitions than are written to at once: they are sorted,
    where little memory makes that so; the files are the same."""
    duckdb = harness.library("duckdb")
    with Scratch("dataset") as s, duckdb.connect() as c:
        c.sql("COPY (SELECT ((i * 7919) % 600)::INTEGER AS k, i, [x * i FOR x IN range(i % 5)] AS "
              "l, CASE WHEN i % 7 > 0 THEN {'a': i, 'b': ['text ' || x FOR x IN range(i % 3)]} END "
              f"AS r FROM range(60000) t(i)) TO '{s('in.parquet')}'")
        seen = []
        for i, (memory, threads) in enumerate((("1GiB", "1"), ("1GiB", "4"), ("32MiB", "2"))):
            ran = harness.ok("copy", s("in.parquet"), s(f"out{i}/"), "--partition-by", "k",
                             "--memory", memory, "--threads", threads, "-q")
            if i == 2 and ran.peak > 32 << 20:
                raise AssertionError(f"peak {harness.mib(ran.peak)}")
            seen.append(files_of(s(f"out{i}")))
        if len(seen[0]) != 600 or seen[1:] != seen[:1] * 2:
            raise AssertionError(f"{len(seen[0])} files, not the same ones in other memory")
        same_in_duckdb(c, s("in.parquet"), s("out2"), "i, l, r, k", "{'k': INTEGER}")


def cases(tier):
    yield "datasets written: 30 partitions at 32 MiB", lambda: partitions_case(30, 1000, 32)
    yield "datasets written: 3,000 partitions", lambda: partitions_case(3000, 100, 64), 300
    if tier == "all":
        yield "datasets written: 50,000 partitions", lambda: partitions_case(
            50000, 2000, 128), 1800
    yield "datasets written: four readers, metadata, books", readers_case
    yield "datasets written: nested rows, 600 partitions", nested_case
    yield "datasets written: odd keys", odd_case
    yield "datasets written: a key of 300 characters", long_case
    yield "datasets written: what is there", policies_case
    yield "datasets written: the same bytes", same_bytes_case
    yield "datasets written: files cut by size and number", cut_case
