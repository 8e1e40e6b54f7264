"""Folders of Avro and of Arrow files, by other writers, as datasets: keys of the folders, what a
condition on them leaves unopened, and the way back into partitions."""
import json
import os

import harness
from harness import Scratch, ok
from reading_datasets import read, same


def table(day):
    import pyarrow as pa
    return pa.table({"id": pa.array(range(day * 100, day * 100 + 40), pa.int64()),
                     "name": [f"n{i % 7}" if i % 5 else None for i in range(40)]})


def write_arrow(path, day):
    import pyarrow as pa
    with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, table(day).schema) as w:
        w.write_table(table(day))


def write_avro(path, day):
    fastavro = harness.library("fastavro")
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]}]}
    with open(path, "wb") as f:
        fastavro.writer(f, schema, table(day).to_pylist())


def folder_of(write, extension):
    harness.library("pyarrow")
    import pyarrow as pa
    with Scratch("formats") as s:
        for day in range(1, 6):
            os.makedirs(s("ds", f"day=2025-01-0{day}"))
            write(s("ds", f"day=2025-01-0{day}", "part" + extension), day)
        want = pa.concat_tables(
            table(d).append_column("day", pa.array([f"2025-01-0{d}"] * 40).cast(pa.date32()))
            for d in range(1, 6))
        same(read(s("ds")), want)
        # What the condition rules out is no longer of the format, and not opened.
        for day in (1, 4, 5):
            with open(s("ds", f"day=2025-01-0{day}", "part" + extension), "wb") as f:
                f.write(b"none")
        ok("copy", s("ds"), s("o.parquet"), "--where", "day between '2025-01-02' and '2025-01-03'",
           "--report", s("r.json"))
        with open(s("r.json"), encoding="utf-8") as f:
            told = json.load(f)
        if told["files"] != {"read": 2, "of": 5} or told["rows"]["out"] != 80:
            raise AssertionError(f"{told['files']}, {told['rows']}")
        ok("copy", s("o.parquet"), s("out/"), "--partition-by", "day")
        same(read(s("out")), want.slice(40, 80))


def cases():
    yield "a dataset of Arrow files", lambda: folder_of(write_arrow, ".arrow")
    yield "a dataset of Avro files", lambda: folder_of(write_avro, ".avro")
