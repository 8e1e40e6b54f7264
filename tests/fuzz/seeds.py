"""What fuzz targets begin with, beside the inputs kept in fuzz/seeds: small Parquet files, ours and
other writers', and streams of the codecs. Made anew for each run."""
import decimal
import glob
import os
import shutil

import harness

WHOLE_FILES = ("verify", "read", "footer")
LONGEST = 6000


def small_tables():
    """(name, table, how to write it): each with other pages, encodings and nesting."""
    import pyarrow as pa
    n = 60
    numbers = pa.table({"i": pa.array(range(n), pa.int32()),
                        "d": pa.array([x / 4 for x in range(n)]),
                        "t": pa.array([x * 10 ** 6 for x in range(n)], pa.timestamp("us", "UTC"))})
    texts = pa.table({"s": [None if x % 5 == 0 else f"text {x % 7}" for x in range(n)],
                      "b": pa.array([x % 3 == 0 for x in range(n)])})
    nested = pa.table({"l": [[x, None] * (x % 3) for x in range(n)],
                       "s": [None if x % 4 == 0 else {"a": x, "b": [str(x)]} for x in range(n)],
                       "m": pa.array([[(str(k), k) for k in range(x % 3)] for x in range(n)],
                                     pa.map_(pa.string(), pa.int64()))})
    small = {"data_page_size": 64, "write_batch_size": 8, "store_schema": False}
    yield "numbers", numbers, {"write_page_index": True, **small}
    yield "plain", numbers, {"use_dictionary": False, "compression": "none", **small}
    yield "delta", numbers.select(["i", "t"]), {
        "use_dictionary": False, "data_page_version": "2.0", **small,
        "column_encoding": {"i": "DELTA_BINARY_PACKED", "t": "DELTA_BINARY_PACKED"}}
    yield "split", numbers, {"use_dictionary": False, "column_encoding": "BYTE_STREAM_SPLIT"}
    yield "int96", numbers.select(["t"]), {"use_deprecated_int96_timestamps": True}
    yield "texts", texts, {"write_page_index": True, "write_page_checksum": True, **small}
    yield "prefixes", texts.select(["s"]), {"use_dictionary": False,
                                            "column_encoding": "DELTA_BYTE_ARRAY"}
    yield "lengths", texts.select(["s"]), {"use_dictionary": False, "compression": "zstd",
                                           "column_encoding": "DELTA_LENGTH_BYTE_ARRAY"}
    yield "nested", nested, {"data_page_version": "2.0", **small}
    yield "nested1", nested.select(["l", "m"]), {"row_group_size": 20, "compression": "gzip"}


def files(folder):
    """Small files: of pyarrow, of ours, and of the corpus where it is there."""
    try:
        harness.library("pyarrow")
        import pyarrow.parquet as pq
        for name, table, options in small_tables():
            path = os.path.join(folder, name)
            pq.write_table(table, path, **options)
            if os.access(harness.RELEASE, os.X_OK):
                harness.ok("copy", path, f"{path}-own.parquet", "--data-page-size-limit", "1KiB")
    except harness.Skip:
        pass
    for path in glob.glob(os.path.join(harness.SHARED, "data", "parquet-*", "**", "*"),
                          recursive=True):
        if (os.path.isfile(path) and os.path.getsize(path) <= LONGEST
                and not path.endswith((".json", ".jsonl", ".md", ".txt"))):
            shutil.copy(path, os.path.join(folder, f"{len(os.listdir(folder))}-corpus"))


def avro_files(folder):
    """Small Avro files: of fastavro by every codec, and of the corpus where it is there."""
    try:
        harness.library("fastavro")
        import fastavro
        schema = {"type": "record", "name": "r", "fields": [
            {"name": "i", "type": ["null", "long"]}, {"name": "s", "type": "string"},
            {"name": "l", "type": {"type": "array", "items": ["int", "null", "string"]}},
            {"name": "m", "type": {"type": "map", "values": {
                "type": "enum", "name": "e", "symbols": ["A", "B"]}}},
            {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9}}]}
        rows = [{"i": None if i % 3 == 0 else i, "s": f"text {i} " * (i % 4),
                 "l": [i, None, "x"][:i % 4], "m": {"k": "AB"[i % 2]}, "d": decimal.Decimal(i)}
                for i in range(20)]
        for codec in ("null", "deflate", "snappy", "zstandard", "bzip2", "xz"):
            with open(os.path.join(folder, codec), "wb") as f:
                fastavro.writer(f, schema, rows, codec=codec, sync_interval=100)
    except harness.Skip:
        pass
    for path in glob.glob(os.path.join(harness.SHARED, "data", "avro*", "**", "*.avro"),
                          recursive=True):
        if os.path.getsize(path) <= LONGEST:
            shutil.copy(path, os.path.join(folder, f"{len(os.listdir(folder))}-corpus"))


def make(name, folder):
    """Fills the folder with seeds for a target."""
    os.makedirs(folder, exist_ok=True)
    if name in WHOLE_FILES:
        files(folder)
    if name == "avro_file":
        avro_files(folder)
