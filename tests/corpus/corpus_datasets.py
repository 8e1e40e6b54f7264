"""Datasets by other writers, read as one table: ../shared/data/parquet-datasets."""
import json
import os
import re

import harness
from harness import Scratch

DATA = os.path.join(harness.SHARED, "data", "parquet-datasets")
TYPE = {"int32": "int32", "int64": "int64", "string": "string", "binary": "binary"}
# What pyarrow and DuckDB say of two keys that differ, we say, too.
CLASH = re.compile(r"has folders of other keys than .*: (part|partition|date)\b")


def table_of(name):
    """All rows, by us, as pyarrow reads what we write. Values of keys are text there."""
    import pyarrow.parquet as pq
    with Scratch("datasets") as s:
        harness.ok("copy", os.path.join(DATA, name), s("out.parquet"), "--read",
                   "hive_types_autocast=false")
        return pq.read_table(s("out.parquet"))


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def check(name, facts):
    harness.library("pyarrow")
    if "expect" in facts:
        line = harness.refused(harness.narrows("count", os.path.join(DATA, name), "--where",
                                               "true"), 1)
        if not CLASH.search(line):
            raise AssertionError(f"the key is not named: {line}")
        return
    table = table_of(name)
    if table.num_rows != facts["rows"]:
        raise AssertionError(f"{table.num_rows} rows, wanted {facts['rows']}")
    want = {c["path"]: c for c in facts["columns"]}
    if set(table.column_names) != set(want):
        raise AssertionError(f"columns {table.column_names}, wanted {sorted(want)}")
    for column, fact in want.items():
        values = [plain(v) for v in table[column].to_pylist()]
        there = [v for v in values if v is not None]
        got = (str(table.schema.field(column).type), len(values) - len(there), min(there),
               max(there), len(set(there)))
        told = (fact["type"], fact["nulls"], fact["min"], fact["max"], fact["distinct"])
        if got != told:
            raise AssertionError(f"{column}: {got}, wanted {told}")
        if "sum" in fact and str(sum(there)) != fact["sum"]:
            raise AssertionError(f"{column}: sum {sum(there)}, wanted {fact['sum']}")
    if "sorted_rows" in facts:
        def order(row):
            return json.dumps(row, sort_keys=True)
        rows = [{c: plain(v) for c, v in row.items()} for row in table.to_pylist()]
        if sorted(map(order, rows)) != sorted(map(order, facts["sorted_rows"])):
            raise AssertionError(f"rows {rows}, wanted {facts['sorted_rows']}")


def cases():
    path = os.path.join(DATA, "expected.json")
    if not os.path.exists(path):
        def skipped():
            raise harness.Skip(f"{DATA} is not there")
        yield "datasets", skipped
        return
    with open(path, encoding="utf-8") as f:
        facts = json.load(f)
    for name, one in facts.items():
        yield f"dataset {name}", lambda name=name, one=one: check(name, one)
