"""A `_metadata` file as the source: the files that it names, by whoever wrote it, beside pyarrow;
none of their footers is opened to learn what they are; and what does not agree is told."""
import os
import shutil

import harness
from harness import Scratch, narrows, ok, refused
from reading_datasets import read, same


def table(rows):
    import pyarrow as pa
    return pa.table({"id": pa.array(range(rows), pa.int64()),
                     "k": [f"k{i % 5}" for i in range(rows)],
                     "x": [i / 8 for i in range(rows)]})


def by_pyarrow(folder, rows):
    """As its own documentation shows: the writer collects footers."""
    import pyarrow.parquet as pq
    found = []
    data = table(rows)
    pq.write_to_dataset(data, folder, partition_cols=["k"], metadata_collector=found,
                        row_group_size=100)
    pq.write_metadata(data.drop_columns(["k"]).schema, os.path.join(folder, "_metadata"),
                      metadata_collector=found)


def by_us(folder, rows):
    import pyarrow.parquet as pq
    pq.write_table(table(rows), folder + ".parquet")
    ok("copy", folder + ".parquet", folder + "/", "--partition-by", "k", "--row-group-size", "100",
       "--row-groups-per-file", "2", "--full-metadata", "-q")


def files_of(folder):
    return sorted(os.path.join(path, n) for path, _, names in os.walk(folder) for n in names
                  if n != "_metadata")


def rows_are_those(write):
    harness.library("pyarrow")
    import pyarrow.dataset as ds
    with Scratch("metadata") as s:
        write(s("ds"), 2000)
        name = s("ds", "_metadata")
        want = ds.parquet_dataset(name, partitioning="hive").to_table()
        if want.num_rows != 2000:
            raise AssertionError("the peer reads other rows")
        want = want.set_column(want.column_names.index("k"), "k", want["k"].cast("string"))
        same(read(name), want)
        few = want.filter(__import__("pyarrow.compute").compute.equal(want["k"], "k3"))
        same(read(name, "--where", "k = 'k3'"), few)
        counted = ok("sql", f"SELECT count(*) FROM '{name}' WHERE k = 'k3'", "-f", "csv").out
        if counted != b"count_star()\n400\n":
            raise AssertionError(f"{counted}")
        plan = ok("plan", "copy", name, s("o.parquet")).out.decode()
        if "as _metadata says" not in plan:
            raise AssertionError(plan)


def no_footer_is_opened():
    """All files but the first are no Parquet any more, of the same size: a plan, which looks at all
    of a dataset, sees no difference; who reads them does."""
    harness.library("pyarrow")
    with Scratch("metadata") as s:
        by_us(s("ds"), 2000)
        for path in files_of(s("ds"))[1:]:
            with open(path, "r+b") as f:
                f.write(b"\0" * os.path.getsize(path))
        plan = ok("plan", "copy", s("ds", "_metadata"), s("o.parquet")).out.decode()
        if "2,000\n    10 files, as _metadata says" not in plan:
            raise AssertionError(plan)
        refused(narrows("plan", "copy", s("ds"), s("o.parquet")), 1)
        refused(narrows("copy", s("ds", "_metadata"), s("o.parquet")), 1)


def what_does_not_agree():
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    with Scratch("metadata") as s:
        name = s("ds", "_metadata")

        def told(word):
            line = refused(narrows("copy", name, s("o.parquet")), 1)
            if word not in line:
                raise AssertionError(f"does not say {word}: {line}")

        by_us(s("ds"), 2000)
        path = files_of(s("ds"))[1]
        shutil.copy(path, s("kept"))
        os.unlink(path)
        told("_metadata names it")
        with open(path, "wb") as f:
            f.write(b"PAR1")
        told("_metadata says that pages end at byte")
        pq.write_table(table(3000).select(["id", "x"]), path)
        told("it has 3000 rows, _metadata says 200")
        shutil.copy(s("kept"), path)
        ok("copy", name, s("o.parquet"))
        with open(name, "rb") as f:
            data = f.read()
        inner = os.path.relpath(path, s("ds")).encode()
        with open(name, "wb") as f:
            f.write(data.replace(inner, b"../" + inner[3:]))
        os.unlink(s("o.parquet"))
        told("which is not in its folder")
        for cut in (len(data) // 2, len(data) - 9, 3):
            with open(name, "wb") as f:
                f.write(data[:cut])
            told("_metadata")


def cases():
    yield "_metadata as source: written by pyarrow", lambda: rows_are_those(by_pyarrow)
    yield "_metadata as source: written by narrows", lambda: rows_are_those(by_us)
    yield "_metadata as source: no footer is opened", no_footer_is_opened
    yield "_metadata as source: what does not agree", what_does_not_agree
