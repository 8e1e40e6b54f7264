"""The files of bench/parquet_decode.py: a column, a physical type, an encoding; uncompressed."""
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 4_000_000
NULLS = 10  # one row in so many, at random


def _random():
    return np.random.default_rng(7)


def _whole(kind, rows):
    """Whole numbers of three bytes, as keys and amounts are."""
    return pa.array(_random().integers(0, 1 << 24, rows).astype(kind))


def _few(values, rows):
    """Values of a dictionary of some thousand entries."""
    entries = values(4000)
    return entries.take(pa.array(_random().integers(0, len(entries), rows).astype("int32")))


def _real(kind, rows):
    return pa.array(_random().normal(1000, 100, rows).astype(kind))


def _digest(rows):
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), rows, [None, pa.py_buffer(_random().bytes(16 * rows))])


def _amount(digits, rows):
    words = np.zeros((rows, 2), "int64")
    words[:, 0] = _random().integers(0, 1 << 24, rows)
    return pa.Array.from_buffers(pa.decimal128(digits, 2), rows, [None, pa.py_buffer(words)])


def _text(least, most, rows):
    """Words of the letters a to p; the length says between which bounds."""
    lengths = _random().integers(least, most + 1, rows)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype("int32")
    letters = _random().integers(97, 113, int(ends[-1])).astype("uint8")
    return pa.StringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(letters))


def _sorted_text(rows):
    """As paths and URLs are in sorted files: long common beginnings."""
    return pa.array([f"https://example.org/section-{i // 1000:05}/article-{i:09}"
                     for i in range(rows)])


def _lists(rows):
    lengths = _random().integers(0, 8, rows // 4)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype("int32")
    return pa.ListArray.from_arrays(pa.array(ends), _whole("int64", int(ends[-1])))


def _structs(rows):
    rows //= 4
    return pa.StructArray.from_arrays(
        [_whole("int32", rows), _real("float64", rows), _text(1, 12, rows)], ["a", "b", "c"])


TYPES = {
    "int32": lambda n: _whole("int32", n),
    "int64": lambda n: _whole("int64", n),
    "float": lambda n: _real("float32", n),
    "double": lambda n: _real("float64", n),
    "fixed(16)": lambda n: _digest(n // 2),
    "decimal int32": lambda n: _amount(9, n),
    "decimal int64": lambda n: _amount(18, n),
    "decimal fixed": lambda n: _amount(38, n // 2),
    "short text": lambda n: _text(1, 12, n // 2),
    "long text": lambda n: _text(13, 60, n // 4),
    "sorted text": lambda n: _sorted_text(n // 4),
    "boolean": lambda n: pa.array(_random().integers(0, 2, n).astype(bool)),
    "boolean runs": lambda n: pa.array(np.repeat(_random().integers(0, 2, n // 100), 100)
                                       .astype(bool)),
    "list<int64>": _lists,
    "struct": _structs,
}
LINES = [
    ("int32", "PLAIN"), ("int32", "RLE_DICTIONARY"), ("int32", "DELTA_BINARY_PACKED"),
    ("int32", "BYTE_STREAM_SPLIT"),
    ("int64", "PLAIN"), ("int64", "RLE_DICTIONARY"), ("int64", "DELTA_BINARY_PACKED"),
    ("int64", "BYTE_STREAM_SPLIT"),
    ("float", "PLAIN"), ("float", "RLE_DICTIONARY"), ("float", "BYTE_STREAM_SPLIT"),
    ("double", "PLAIN"), ("double", "RLE_DICTIONARY"), ("double", "BYTE_STREAM_SPLIT"),
    ("fixed(16)", "PLAIN"), ("fixed(16)", "RLE_DICTIONARY"), ("fixed(16)", "BYTE_STREAM_SPLIT"),
    ("fixed(16)", "DELTA_BYTE_ARRAY"),
    ("decimal int32", "PLAIN"), ("decimal int64", "PLAIN"), ("decimal int64", "RLE_DICTIONARY"),
    ("decimal fixed", "PLAIN"), ("decimal fixed", "RLE_DICTIONARY"),
    ("decimal fixed", "BYTE_STREAM_SPLIT"),
    ("short text", "PLAIN"), ("short text", "RLE_DICTIONARY"),
    ("short text", "DELTA_LENGTH_BYTE_ARRAY"), ("short text", "DELTA_BYTE_ARRAY"),
    ("long text", "PLAIN"), ("long text", "RLE_DICTIONARY"),
    ("long text", "DELTA_LENGTH_BYTE_ARRAY"), ("long text", "DELTA_BYTE_ARRAY"),
    ("sorted text", "DELTA_BYTE_ARRAY"),
    ("boolean", "PLAIN"), ("boolean", "RLE"), ("boolean runs", "RLE"),
    ("list<int64>", "PLAIN"), ("struct", "PLAIN"),
]


def _with_nulls(array):
    """One value in NULLS away, where the column itself can be null."""
    gone = pa.array(_random().integers(0, NULLS, len(array)) == 0)
    if pa.types.is_nested(array.type):
        return pa.array(array.to_pylist(), array.type, mask=gone.to_numpy(False))
    import pyarrow.compute as pc
    return pc.if_else(gone, pa.scalar(None, array.type), array)


def make(folder, kind, encoding, nulls):
    """The path of a line's file, made when it is not there."""
    name = f"{kind}-{encoding}-{'nulls' if nulls else 'full'}.parquet"
    path = os.path.join(folder, "".join(c if c.isalnum() or c in "-._" else "_" for c in name))
    if os.path.exists(path):
        return path
    dictionary = encoding == "RLE_DICTIONARY"
    array = _few(TYPES[kind], ROWS) if dictionary else TYPES[kind](ROWS)
    if nulls:
        array = _with_nulls(array)
    table = pa.Table.from_arrays([array], schema=pa.schema([pa.field("c", array.type, nulls)]))
    if pa.types.is_nested(array.type):
        encodings = None
    else:
        encodings = None if dictionary else {"c": encoding}
    pq.write_table(table, path + ".part", compression="none", use_dictionary=dictionary,
                   column_encoding=encodings, store_decimal_as_integer=True)
    os.replace(path + ".part", path)
    return path
