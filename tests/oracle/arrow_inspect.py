"""What inspect says of Arrow files and streams, against pyarrow: rows, record batches, how columns
lie, nulls, bytes, dictionaries, metadata."""
import json
import os
import subprocess

import harness
from arrow_files import Maker, modules
from harness import Scratch

FOLDER = os.path.join(harness.SHARED, "data", "arrow-ipc")
OTHERS = {"halffloat": "float16", "float": "float32", "double": "float64", "string": "utf8",
          "large_string": "large_utf8", "string_view": "utf8_view"}


def stored(t):
    """The word for a type of pyarrow."""
    import pyarrow as pa
    if isinstance(t, pa.BaseExtensionType):
        return stored(t.storage_type)
    if pa.types.is_dictionary(t):
        return f"dictionary<{t.index_type}, {stored(t.value_type)}>"
    if pa.types.is_union(t):
        return "union"
    word = str(t).split("<")[0].split("[")[0].split("(")[0]
    return OTHERS.get(word, word)


def plain(a):
    import pyarrow as pa
    return a.storage if isinstance(a, pa.ExtensionArray) else a


def batches_of(path):
    """The schema and the record batches."""
    pa, ipc = modules()
    with open(path, "rb") as f:
        data = pa.py_buffer(f.read())
    if data.slice(0, 6).to_pybytes() == b"ARROW1":
        r = ipc.open_file(data)
        return r.schema, [r.get_batch(i) for i in range(r.num_record_batches)]
    r = ipc.open_stream(data)
    return r.schema, list(r)


def text(value):
    return value.decode("utf-8", "replace")


def pairs(metadata):
    return sorted((text(k), text(v)) for k, v in (metadata or {}).items()
                  if not k.startswith(b"ARROW:extension"))


def told_pairs(rows):
    return sorted((row["key"], row["value"]) for row in rows
                  if not row["key"].startswith("ARROW:extension"))


def inspect(path):
    ran = harness.narrows("inspect", path, "--columns", "--row-groups", "--metadata", "-f", "json")
    return ran, json.loads(ran.out) if ran.code == 0 else None


def same(what, ours, theirs):
    if ours != theirs:
        raise AssertionError(f"{what}: {ours}, pyarrow says {theirs}")


def has_class(field, batches):
    """Pyarrow has none for some intervals."""
    try:
        return [b.column(field) for b in batches] is not None
    except KeyError:
        return False


def compare_column(told, field, arrays, exact):
    name = field.name
    same(f"{name}: stored", told["stored"], stored(field.type))
    if told["nulls"] is not None and not told["stored"].endswith("union"):
        same(f"{name}: nulls", told["nulls"], sum(plain(a).null_count for a in arrays))
    if told["entries"] is not None and arrays:
        same(f"{name}: entries", told["entries"], len(plain(arrays[-1]).dictionary))
    size = sum(b.size for a in arrays for b in plain(a).buffers() if b)
    if told["bytes"] != size if exact else told["bytes"] < size:
        raise AssertionError(f"{name}: {told['bytes']} bytes, pyarrow has {size}")


def compare(path, exact=False):
    """What is said of the file, which pyarrow reads."""
    ran, told = inspect(path)
    if not told:
        raise AssertionError(ran.err)
    schema, batches = batches_of(path)
    same("rows", told["rows"], sum(b.num_rows for b in batches))
    same("columns", told["n_columns"], len(schema))
    same("record batches", [b["rows"] for b in told["record_batches"]],
         [b.num_rows for b in batches])
    same("record batches", told["n_record_batches"], len(batches))
    same("bytes", told["bytes"], os.path.getsize(path))
    same("columns", [c["name"] for c in told["columns"]], schema.names)
    packed = told["codec"] != "none"
    for i, field in enumerate(schema):
        if packed:
            told["columns"][i]["bytes"] = 1 << 60
        if not has_class(i, batches):
            continue
        compare_column(told["columns"][i], field, [b.column(i) for b in batches],
                       exact and not packed)
    same("metadata", told_pairs(told["metadata"]), pairs(schema.metadata))
    same("metadata of columns", told_pairs(told.get("column_metadata", [])),
         sorted(p for f in schema for p in pairs(f.metadata)))
    return told


def corpus():
    """Every file of other writers: what one of the two refuses is an error with a place."""
    looked = refused = 0
    for folder, _, names in os.walk(FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            if "expected" in path or name.endswith((".md", ".json", ".jsonl", ".gz")):
                continue
            ran, told = inspect(path)
            if not told:
                harness.refused(ran, ran.code)
                refused += 1
                continue
            try:
                batches_of(path)
            except Exception:  # pylint: disable=broad-except
                continue
            try:
                if "fuzz" not in path:
                    compare(path)
            except AssertionError as e:
                raise AssertionError(f"{os.path.relpath(path, FOLDER)}: {e}") from e
            looked += 1
    if not looked:
        raise AssertionError("no files")
    return f"{looked} files, {refused} refused"


def written(count):
    """Random tables, in some record batches, as files and streams, by pyarrow."""
    pa, ipc = modules()
    with Scratch("arrow") as s:
        for seed in range(count):
            table = Maker(seed).table()
            table = table.replace_schema_metadata({"seed": str(seed), "ä": "ö" * seed})
            codec = (None, "lz4", "zstd")[seed % 3]
            path = s(f"{seed}.arrow")
            make = ipc.new_stream if seed % 2 else ipc.new_file
            options = ipc.IpcWriteOptions(compression=codec)
            with make(path, table.schema, options=options) as w:
                w.write_table(table, max_chunksize=1000)
            told = compare(path, exact=True)
            if told["rows"]:
                same("codec", told["codec"], codec or "none")
            same("layout", told["layout"], "stream" if seed % 2 else "file")
            ends = [b["end"] for b in told["record_batches"]]
            starts = [b["start"] for b in told["record_batches"]]
            if any(a > b for a, b in zip(ends, starts[1:])) or any(
                    b > os.path.getsize(path) for b in ends):
                raise AssertionError(f"record batches lie at {starts} to {ends}")
        return f"{count} tables"


def several():
    """A line each, of whatever formats; and what there is not is said."""
    with Scratch("arrow") as s:
        harness.ok("gen", s("a.arrow"), "--rows", "3000", "--column", "x=int", "-q")
        harness.ok("copy", s("a.arrow"), s("b.arrows"), "--compression", "zstd", "--batch-size",
                   "1000", "-q")
        for name in ("c.parquet", "d.avro"):
            harness.ok("copy", s("a.arrow"), s(name), "-q")
        files = [s(n) for n in ("a.arrow", "b.arrows", "c.parquet", "d.avro")]
        lines = harness.ok("inspect", *files).out.decode().splitlines()
        same("lines", [line.split()[1:5] for line in lines[1:]],
             [["arrow", "3,000", "1", "1"], ["arrow", "3,000", "3", "1"],
              ["parquet", "3,000", "1", "1"], ["avro", "3,000", "1", "1"]])
        told = [json.loads(line) for line in
                harness.ok("inspect", *files, "-f", "json").out.splitlines()]
        same("rows", [t["rows"] for t in told], [3000] * 4)
        for path, one in zip(files, told):
            with open(path, "rb") as f:
                piped = subprocess.run([harness.RELEASE, "inspect", "-", "-f", "json"],
                                       input=f.read(), check=True, stdout=subprocess.PIPE)
            same("rows through a pipe", json.loads(piped.stdout)["rows"], one["rows"])
        for option in ("--pages", "--columns", "--row-groups"):
            for path in (files[0], files[3]):
                ran = harness.narrows("inspect", path, option)
                meant = path.endswith("arrow") and option != "--pages"
                same(f"{option} of {path}", ran.code, 0 if meant else 2)
                if not meant and f"{option} is for Parquet" not in ran.err:
                    raise AssertionError(ran.err)
        return f"{len(files)} files"


def cases(tier):
    if os.path.isdir(FOLDER):
        yield "inspect of Arrow: files of others", corpus, 300
    yield "inspect of Arrow: random tables", lambda: written(300 if tier == "all" else 40), 300
    yield "inspect of Arrow: several files", several, 60
