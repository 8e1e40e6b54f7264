"""Files by other writers: good ones give the expected values, bad ones a sentence.

The files and their expected facts lie in ../shared/data (NARROWS_SHARED says where else).
"""
import collections
import glob
import json
import os
import re
import subprocess

import arrow
import avro
import bombs
import corpus_datasets
import facts
import harness
import nested
import refusal
import sanitized
import sql
from harness import Scratch, Skip

DATA = os.path.join(harness.SHARED, "data")
GOOD = ["parquet-testing", "parquet-hyparquet", "parquet-duckdb", "parquet-dotnet", "parquet-go",
        "parquet-fastparquet", "parquet-misc"]
BAD = "parquet-malformed"
# Columns that are bytes to one reader and text to another: an ENUM is text to us.
TEXT_OR_BYTES = ("binary",)

DUCKDB_TYPE = {
    "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER",
    "int64": "BIGINT", "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER",
    "uint64": "UBIGINT", "float": "FLOAT", "double": "DOUBLE", "date32[day]": "DATE",
    "string": "VARCHAR", "binary": "BLOB",
}


def listing(folder):
    """(path of the data file, its expected facts' path) of a folder of the corpus."""
    root = os.path.join(DATA, folder)
    base = os.path.join(root, "expected")
    for path in sorted(glob.glob(os.path.join(base, "**", "*.json"), recursive=True)):
        yield os.path.join(root, os.path.relpath(path, base)[:-5]), path


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def wanted_rows(expected):
    """The first rows, spelled in the .jsonl beside the facts; none where that is not there."""
    lines = expected["_path"][:-5] + ".jsonl"
    if not os.path.exists(lines):
        return []
    with open(lines, encoding="utf-8") as f:
        return [json.loads(line, parse_float=facts.Number, parse_int=facts.Number,
                           object_pairs_hook=list) for line in f]


def reading(expected):
    """Options with which a file is read as its facts were."""
    return ["--read", "int96=us"] if "INT96 as microseconds" in (expected.get("read_by") or "") \
        else []


def is_nested(expected):
    return any(facts.is_nested(c.get("type") or "") for c in expected.get("columns") or [])


def check_column(column, kind, values):
    if kind == "string" and any(not isinstance(v, (str, type(None))) or isinstance(v, facts.Number)
                                for v in values):
        return None  # JSON stands as JSON, not as text: compared row by row
    try:
        canonical = [facts.read_value(v, kind) for v in values]
        wrong = facts.differences(column, canonical, kind)
    except ValueError as e:
        canonical, wrong = None, [str(e)]
    if wrong and kind == "string":  # JSON text, printed as the JSON it is
        try:
            return check_column(column, "json", [v and json.dumps(v) for v in values])
        except AssertionError:
            pass
    if wrong and kind in TEXT_OR_BYTES:
        as_text = [facts.read_value(v, kind, True) for v in values]
        if not facts.differences(column, as_text, kind):
            return as_text
    if wrong:
        raise AssertionError(f"column {column['path']} ({column['type']}): " + "; ".join(wrong))
    return canonical


def renamed(got, name, columns):
    """Names that are equal but for case get a number, as DuckDB writes them."""
    names = [re.sub(r"\.\d+$", "", c["path"]).lower() for c in columns]
    return names.count(name.lower()) > 1 and re.fullmatch(re.escape(name) + r"_\d+", got)


def spread_all(node, values, ours):
    node.clear()
    for value in values:
        nested.spread(node, value, ours)


def check_lines(node, canonical, values, wanted):
    """The first rows, level by level. canonical: of each leaf, all values in order."""
    spread_all(node, values, True)
    got = [level.seen for level in node.levels()]
    spread_all(node, wanted, False)
    for level, ours in zip(node.levels(), got):
        if not level.is_leaf():
            if ours != level.seen:
                raise AssertionError(f"{level.path}: {ours[:20]}, expected {level.seen[:20]}")
            continue
        for n, want in enumerate(level.seen):
            want = facts.expected_row_value(want, level.kind)
            if canonical[level.path] is None:
                want, have = want if want is None else facts.parse_line(want), ours[n]
            else:
                have = canonical[level.path][n]
            if not facts.equal(want, have):
                raise AssertionError(f"value {n} of {level.path}: {have!r}, expected {want!r}")


def check_values(source, expected):
    """What `copy FILE - -f json` prints, against every fact and every expected row."""
    arguments = ["copy", source, "-", "-f", "json", "--memory", "128MiB"]
    if reading(expected):
        harness.refused(harness.narrows(*arguments, timeout=55))
    ran = harness.ok(*arguments, *reading(expected), timeout=55)
    rows = [facts.parse_line(line) for line in ran.out.decode("utf-8").splitlines() if line]
    columns = nested.trees(expected["columns"])
    if len(rows) != expected["rows"] and columns:
        raise AssertionError(f"{len(rows)} rows, expected {expected['rows']}")
    wanted = wanted_rows(expected)
    if rows and any(len(r) != len(columns) for r in rows):
        raise AssertionError(f"{len(rows[0])} columns, expected {len(columns)}")
    for i, node in enumerate(columns):
        name = re.sub(r"\.\d+$", "", node.path)
        if rows and rows[0][i][0] not in (node.path, name) and not renamed(
                rows[0][i][0], name, [c.column for c in columns]):
            raise AssertionError(f"column {i} is {rows[0][i][0]!r}, expected {node.path!r}")
        values = [r[i][1] for r in rows]
        spread_all(node, values, True)
        nested.check_levels(node)
        canonical = {leaf.path: check_column(leaf.column, leaf.kind, leaf.seen)
                     for leaf in node.leaves()}
        check_lines(node, canonical, values[:len(wanted)], [w[i][1] for w in wanted])


def schema_columns(document):
    """The list of {name, type} objects somewhere in `schema -f json`."""
    if isinstance(document, list):
        if document and all(isinstance(x, dict) and "name" in x and "type" in x for x in document):
            return document
        parts = document
    elif isinstance(document, dict):
        parts = document.values()
    else:
        return None
    return next((found for found in map(schema_columns, parts) if found), None)


def check_schema(source, expected):
    ran = harness.ok("schema", source, "-f", "json", timeout=10)
    document = [json.loads(line) for line in ran.out.decode().splitlines()
                if line.strip()] if ran.out.count(b"\n{") else json.loads(ran.out)
    columns = schema_columns(document) or []
    top = nested.trees(expected["columns"])
    if len(columns) != len(top):
        raise AssertionError(f"schema names {len(columns)} columns, expected {len(top)}")
    for got, node in zip(columns, top):
        kind, column = node.kind, node.column
        shape = {"struct": r"STRUCT\(.*\)$", "map": r"MAP\(.*\)$", "list": r".*\[\]$"}.get(
            "list" if kind in nested.LISTS else kind)
        if shape and not re.match(shape, got["type"]):
            raise AssertionError(f"column {column['path']}: type {got['type']}, expected a {kind}")
        wanted = DUCKDB_TYPE.get(kind)
        if kind.startswith("decimal"):
            wanted = re.sub(r"decimal\d+\((\d+), (-?\d+)\)", r"DECIMAL(\1,\2)", kind)
        # Text and bytes with a meaning of their own have names of their own.
        fine = {"VARCHAR": ("JSON", "UUID", "ENUM"), "BLOB": ("ENUM", "BSON", "VARCHAR")}
        if wanted and got["type"] != wanted and got["type"] not in fine.get(wanted, ()):
            raise AssertionError(f"column {column['path']}: type {got['type']}, expected {wanted}")


def compatible(kind, got, by_duckdb):
    """Whether pyarrow's type of what we wrote stands for the expected type."""
    got = facts.plain_type(got)
    got = re.sub(r"extension<arrow\.uuid>", "fixed_size_binary[16]", got)
    got = re.sub(r"extension<arrow\.json.*>", "string", got)
    if kind == got or {kind, got} <= {"string", "fixed_size_binary[16]", "binary"}:
        return True
    if kind.startswith("timestamp") and got.startswith("timestamp"):
        # Readers differ on the zone of the old converted types; [s] has no place in the format.
        return re.sub(r", tz=.*?\]", "]", kind) == re.sub(r", tz=.*?\]", "]", got) or \
            kind.startswith("timestamp[s") or by_duckdb
    if kind.startswith("time") and got.startswith("time") and by_duckdb:
        return True  # DuckDB has microseconds alone
    if kind.startswith("decimal") and got.startswith("decimal"):
        return kind.split("(")[1] == got.split("(")[1]
    return kind.startswith("fixed_size_binary[12]") or kind == "null"


def check_rewrite(source, expected):
    """A copy of the file, read by pyarrow: same types, same nulls."""
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    with Scratch("corpus") as scratch:
        target = scratch("out.parquet")
        harness.ok("copy", source, target, "--memory", "128MiB", "-q", "--no-keep-pages",
                   *reading(expected), timeout=55)
        table = pq.ParquetFile(target)
        meta, schema = table.metadata, table.schema_arrow
        if meta.num_rows != expected["rows"] and expected["columns"]:
            raise AssertionError(f"copy has {meta.num_rows} rows, expected {expected['rows']}")
        for i, column in enumerate(expected["columns"]):
            kind = facts.plain_type(column["type"])
            by_duckdb = expected.get("read_by") == "duckdb"
            if not compatible(kind, str(schema.field(i).type), by_duckdb):
                raise AssertionError(f"copy's column {column['path']} is {schema.field(i).type}, "
                                     f"expected {column['type']}")
            nulls = table.read([schema.names[i]]).column(0).null_count \
                if schema.names.count(schema.names[i]) == 1 else column["nulls"]
            if nulls != column["nulls"] and kind != "null":
                raise AssertionError(f"copy's column {column['path']} has {nulls} nulls, "
                                     f"expected {column['nulls']}")


def check_nested_rewrite(source, expected):
    """A copy is sound and holds what the source is said to hold."""
    with Scratch("corpus") as scratch:
        out = scratch("out.parquet")
        harness.ok("copy", source, out, "--memory", "128MiB", "--no-keep-pages",
                   *reading(expected), timeout=55)
        harness.ok("verify", out, timeout=55)
        check_values(out, dict(expected, read_by=""))


def keep(source, expected, target):
    """A copy whose pages were kept, or why they were not: with the file's own codec, as version 1
    or 2."""
    found = json.loads(harness.ok("inspect", source, "-f", "json", timeout=55).out)
    codec = (found["codecs"] or ["none"])[0]
    for version in ("1", "2"):
        ran = harness.narrows("copy", source, target, "--keep-pages", "--memory", "128MiB", "-q",
                              "--compression", codec, "--parquet-version", version,
                              *reading(expected), timeout=55)
        if ran.code == 0:
            return None
        why = harness.refused(ran, 2)
        if "pages cannot be kept" not in why and "there is no codec" not in why:
            raise AssertionError(f"{os.path.basename(source)}: {why}")
    return re.sub(r".*be kept: |; without.*|column \S+|[\d,]+", "", why)


def kept(sources):
    """Every file whose pages can be kept: the copy is sound and equals the source's facts."""
    reasons = collections.Counter()
    n = 0
    for source, expected in sources:
        with Scratch("kept") as scratch:
            target = scratch("out.parquet")
            why = keep(source, expected, target)
            reasons[why] += why is not None
            if why is None:
                n += 1
                harness.ok("verify", target, timeout=55)
                check_values(target, dict(expected, read_by=""))
    if not n:
        raise AssertionError(f"no file of {len(sources)}: {reasons}")
    return f"{n} of {len(sources)} files"


def beyond(source, expected):
    """More digits than any type has: the bytes come as they are, with every row."""
    ran = harness.ok("copy", source, "-", "-f", "json")
    if ran.out.count(b"\n") != expected["rows"]:
        raise AssertionError("rows are missing")
    return "as bytes"


def good(source, expected):
    if expected["file"] == "bigdecimal.parquet" and expected["columns"][0]["type"] == "double":
        return beyond(source, expected)  # DECIMAL(77,38)
    check_values(source, expected)
    check_schema(source, expected)
    counted = int(harness.ok("count", source, timeout=10).out)
    if counted != expected["rows"]:
        raise AssertionError(f"count says {counted}, expected {expected['rows']}")
    if is_nested(expected):
        check_nested_rewrite(source, expected)
    elif expected["columns"]:
        check_rewrite(source, expected)
    return None


def verified(source, sound):
    """`verify` finds something and says where, in bounded memory; nothing where rows are right."""
    ran = harness.narrows("verify", source, "--memory", "64MiB", timeout=10)
    refusal.bounded(ran)
    lines = ran.out.decode("utf-8", "replace").splitlines()
    if ran.code == 0 and sound:
        return
    if ran.code != 1 or len(lines) < 2:
        raise AssertionError(f"verify: exit {ran.code}: {lines[:3]} {ran.err.strip()[-200:]}")
    for line in lines[:-1]:
        refusal.placed(line, source)


def refuse(source, words=None):
    ran = harness.narrows("copy", source, "-", "-f", "json", "--memory", "64MiB", timeout=10,
                          stdout=subprocess.DEVNULL)
    refusal.bounded(ran)
    line = harness.refused(ran)
    refusal.placed(line, source)
    if words and not re.search(words, line, re.I):
        raise AssertionError(f"the message does not say {words}: {line}")
    verified(source, False)
    return line[:200]


def bad(source, expected):
    """An error with its place, or the rows where they are an answer."""
    ran = harness.narrows("copy", source, "-", "-f", "json", "--memory", "64MiB", timeout=10)
    refusal.bounded(ran)
    if ran.code == 0 and "rows" in expected["expect"]:
        if "the rows below" in expected["expect"] and "columns" in expected:
            check_values(source, expected)
        verified(source, True)
        return "rows"
    refusal.placed(harness.refused(ran), source)
    verified(source, False)
    return None


def avro_good(source, expected):
    """Rows as expected, counted, verified, and the same again from a Parquet copy."""
    ran = harness.ok("copy", source, "-", "-f", "json", "--memory", "128MiB")
    rows = ran.out.count(b"\n")
    if rows != expected["rows"]:
        raise AssertionError(f"{rows} rows, expected {expected['rows']}")
    avro.Comparison(expected["meta"]["schema"]).rows(
        ran.out.decode("utf-8"), wanted_rows(expected))
    counted = int(harness.ok("count", source, timeout=10).out)
    if counted != expected["rows"]:
        raise AssertionError(f"count says {counted}, expected {expected['rows']}")
    harness.ok("verify", source, "--memory", "128MiB")
    if expected["rows"] == 0:
        return
    with Scratch("corpus") as scratch:
        out = scratch("out.parquet")
        harness.ok("copy", source, out, "--memory", "128MiB")
        again = harness.ok("copy", out, "-", "-f", "json", "--memory", "128MiB")
        if again.out != ran.out:
            raise AssertionError("the copy in Parquet has other rows")


def avro_cases():
    for source, path in listing("avro"):
        name = f"avro/{os.path.relpath(source, os.path.join(DATA, 'avro'))}"
        yield name, lambda s=source, e=dict(load(path), _path=path): avro_good(s, e)
    for source, path in listing("avro-malformed"):
        name = f"avro-malformed/{os.path.relpath(source, os.path.join(DATA, 'avro-malformed'))}"
        yield name, lambda s=source: avro_bad(s), 40


def avro_bad(source):
    """A sentence with the place, from copy and from verify."""
    line = refuse(source)
    if not re.search(r", byte [\d,]+: |: not an Avro file", line):
        raise AssertionError(f"no place in: {line}")
    found = harness.narrows("verify", source, timeout=10)
    if found.code != 1 or b"fault" not in found.out:
        raise AssertionError(f"verify: exit code {found.code}, {found.out[:300]!r}")
    return line


def cases(tier):
    yield from bombs.cases(tier)
    yield from corpus_datasets.cases()
    yield from sql.cases(tier)
    if not os.path.isdir(DATA):
        def missing():
            raise Skip(f"no {os.path.relpath(DATA, harness.ROOT)}")
        for folder in GOOD + [BAD]:
            yield folder, missing
        return
    sound = []
    for folder in GOOD:
        for source, path in listing(folder):
            name = f"{folder}/{os.path.relpath(source, os.path.join(DATA, folder))}"
            expected = dict(load(path), _path=path)
            if "corrupt-checksum" in name:
                yield name, lambda s=source: refuse(s, "column")
            elif not expected["expect"].startswith("the rows"):
                words = "encrypt" if "crypt" in (expected.get("note") or "") else None
                yield name, lambda s=source, w=words: refuse(s, w)
            elif "dict-malformed" in name:
                yield name, lambda s=source, e=expected: bad(s, dict(e, expect="or the rows below"))
            else:
                sound.append((source, expected))
                yield name, lambda s=source, e=expected: good(s, e)
    for n in range(4):
        yield f"pages kept, part {n + 1}", lambda p=sound[n::4]: kept(p), 600
    yield from avro_cases()
    yield from arrow.cases(DATA, listing, load, check_values)
    for source, path in listing(BAD):
        name = f"{BAD}/{os.path.relpath(source, os.path.join(DATA, BAD))}"
        yield name, lambda s=source, e=dict(load(path), _path=path): bad(s, e), 40
    seeds = []
    for folder in GOOD + [BAD]:
        paths = [source for source, _ in listing(folder)]
        if folder != BAD:
            seeds += [p for p in paths if os.path.getsize(p) < 20000]
        parts = 4 if folder == BAD else 1
        for n in range(parts):
            yield (f"{folder}, sanitizers" + (f", part {n + 1}" if parts > 1 else ""),
                   lambda p=paths[n::parts], m=6 if tier == "all" else 3 if folder == BAD else 2:
                   sanitized.check(p, m), 600)
    for n in range(4):
        yield f"changed at random, sanitizers, part {n + 1}", lambda p=seeds[n::4]: \
            sanitized.mutated(p, 2000 if tier == "all" else 120), 900
