"""Large and odd files for the limits, made once under .data/limits by the peers.

Every function returns a path; a file that is there is taken as it is.
"""
import fcntl
import os
import subprocess
import sys

import harness

FOLDER = os.path.join(harness.DATA, "limits")


def made(name, script, *arguments, timeout=900):
    """Runs `script` (it writes to argv[1]) unless the file is there, or another case makes it."""
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, name)
    with open(path + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            make(path, script, arguments, timeout)
    return path


def make(path, script, arguments, timeout):
    fresh = path + ".new"
    out = subprocess.run([sys.executable, "-c", script, fresh, *map(str, arguments)],
                         capture_output=True, text=True, timeout=timeout)
    if out.returncode:
        if os.path.exists(fresh):
            os.unlink(fresh)
        if "No module named" in out.stderr:
            raise harness.Skip("Python lacks the peers; tools/venv.sh installs them")
        raise RuntimeError(out.stderr[-800:])
    os.replace(fresh, path)


WIDE = r'''
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, columns, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = np.random.default_rng(1)
pool = [pa.array(r.integers(0, 10 ** 6, rows)), pa.array(r.random(rows)),
        pa.array(r.integers(0, 100, rows).astype("int32")),
        pa.array([f"v{x}" for x in r.integers(0, 50, rows)])]
table = pa.table({f"c{i}": pool[i % 4] for i in range(columns)})
with pq.ParquetWriter(path, table.schema, compression="snappy") as w:
    step = max(1, rows // 4)
    for i in range(0, rows, step):
        w.write_table(table.slice(i, step))
'''


def wide(columns, rows):
    return made(f"wide-{columns}-{rows}.parquet", WIDE, columns, rows)


NESTED = r'''
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, rows = sys.argv[1], int(sys.argv[2])
r = np.random.default_rng(1)
names = pa.array([f"sku{i}" for i in range(50000)])
w = None
for start in range(0, rows, 100000):
    n = min(100000, rows - start)
    ends = np.concatenate([[0], np.cumsum(r.integers(0, 6, n))]).astype(np.int32)
    m = int(ends[-1])
    items = pa.StructArray.from_arrays(
        [pa.array(r.integers(0, 1 << 40, m)), pa.array(r.random(m)),
         names.take(pa.array(r.integers(0, 50000, m)))], ["n", "price", "sku"])
    table = pa.table({"id": pa.array(np.arange(start, start + n)),
                      "items": pa.ListArray.from_arrays(pa.array(ends), items)})
    w = w or pq.ParquetWriter(path, table.schema, compression="zstd")
    w.write_table(table)
w.close()
'''


def nested(rows):
    """Records with lists of structs, 100,000 a row group."""
    return made(f"nested-{rows}-by-100000.parquet", NESTED, rows)


MANY = r'''
import os, sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, files, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.makedirs(path, exist_ok=True)
r = np.random.default_rng(1)
for i in range(files):
    pq.write_table(pa.table({"id": np.arange(rows) + i * rows, "x": r.random(rows),
                             "k": r.integers(0, 100, rows)}), f"{path}/f{i:05}.parquet")
'''


def many(files, rows):
    """A folder of small files, about 100 KB each for 6,000 rows."""
    return made(f"many-{files}-{rows}", MANY, files, rows)


DUCKDB_PAGES = r'''
import sys, duckdb
path, codec = sys.argv[1:]
c = duckdb.connect()
c.execute("SET threads = 2")
# 122,880 rows of 850 bytes and more: one page of 100 MiB in each of three columns.
c.execute(f"""COPY (SELECT i AS id, repeat(md5(i::VARCHAR), 26) || i AS a,
                    repeat(md5((i + 1)::VARCHAR), 26) || i AS b,
                    repeat(md5((i + 2)::VARCHAR), 26) || i AS c FROM range(122880) r(i))
              TO '{path}' (FORMAT parquet, COMPRESSION {codec}, ROW_GROUP_SIZE 122880,
                           ROW_GROUP_SIZE_BYTES '4GB')""")
'''


def duckdb_pages(codec):
    return made(f"pages-{codec}.parquet", DUCKDB_PAGES, codec)


DUCKDB_NUMBERS = r'''
import sys, duckdb
c = duckdb.connect()
c.execute("SET threads = 2")
# Row groups of one page a column, of 1 and 2 MB, which zstd puts into windows as large.
c.execute(f"""COPY (SELECT b, b::HUGEINT::DECIMAL(30, 3) AS d FROM
                    (SELECT (hash(i) % 1000000000000)::BIGINT AS b FROM range(2000000) r(i)))
              TO '{sys.argv[1]}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)""")
'''


def duckdb_numbers():
    return made("numbers-zstd.parquet", DUCKDB_NUMBERS)


DICTIONARIES = r'''
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, codec = sys.argv[1:]
r = np.random.default_rng(1)
# Dictionaries of 1 MB before pages of 64 KiB, as an index says.
table = pa.table({"f": r.random(300000), "g": r.random(300000)})
pq.write_table(table, path, compression=codec, row_group_size=300000, data_page_size=1 << 16,
               use_dictionary=True, write_page_index=True)
'''


def dictionaries(codec):
    return made(f"dictionaries-{codec}.parquet", DICTIONARIES, codec)


DICTIONARY = r'''
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, codec, mib = sys.argv[1], sys.argv[2], int(sys.argv[3])
# Entries of 64 KiB, each twice: a dictionary page of `mib` MiB.
n = mib * 16
r = np.random.default_rng(1)
word = lambda i: (b"%08d" % i) + bytes(r.integers(97, 123, 64, dtype="uint8")) * 1023 + b"x" * 56
pool = pa.array([word(i) for i in range(n)], pa.binary())
index = pa.array(np.concatenate([np.arange(n), np.arange(n)]).astype("int32"))
table = pa.table({"id": np.arange(2 * n), "d": pa.DictionaryArray.from_arrays(index, pool)})
schema = pa.schema([("id", pa.int64()), ("d", pa.dictionary(pa.int32(), pa.binary()))])
pq.write_table(table, path, compression=codec, dictionary_pagesize_limit=2 ** 31 - 1,
               row_group_size=2 * n, data_page_size=1 << 20)
m = pq.read_metadata(path).row_group(0).column(1)
assert m.total_uncompressed_size >= mib << 20, m
assert m.total_uncompressed_size < (mib << 20) * 1.5, m
'''


def dictionary(codec, mib):
    return made(f"dictionary-{codec}-{mib}.parquet", DICTIONARY, codec, mib)


ONE_GROUP = r'''
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, mib = sys.argv[1], int(sys.argv[2])
rows = mib << 20 >> 6  # 64 bytes a row; pyarrow puts 2^26 rows into a group at most
r = np.random.default_rng(1)
x, y, z = r.random(rows), r.integers(0, 1000, rows), np.round(r.random(rows), 2)
table = pa.table({"a": np.arange(rows), "b": x, "c": y, "d": z, "e": np.arange(rows) // 7,
                  "f": z, "g": y, "h": x})
pq.write_table(table, path, compression="snappy", use_dictionary=False, row_group_size=rows,
               data_page_size=1 << 20)
m = pq.read_metadata(path)
assert m.num_row_groups == 1 and m.row_group(0).total_byte_size >= mib << 20, m
'''


def one_group(mib):
    """One row group of that many MiB."""
    return made(f"group-{mib}.parquet", ONE_GROUP, mib)


GROWING = r'''
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, rows = sys.argv[1], int(sys.argv[2])
schema = pa.schema([("k", pa.int64()), ("x", pa.float64()), ("s", pa.string()),
                    ("d", pa.decimal128(12, 2))])
r = np.random.default_rng(1)
words = np.array([f"word number {i}" for i in range(5000)])
with pq.ParquetWriter(path, schema, compression="snappy") as w:
    for i in range(0, rows, 100000):
        n = min(100000, rows - i)
        price = pa.array(r.integers(0, 10 ** 6, n)).cast(
            pa.decimal128(21, 2)).cast(pa.decimal128(12, 2))
        w.write_batch(pa.record_batch([pa.array(r.integers(0, 10 ** 9, n)), pa.array(r.random(n)),
                                       pa.array(words[r.integers(0, 5000, n)]), price],
                                      schema=schema))
'''


def growing(rows):
    return made(f"growing-{rows}.parquet", GROWING, rows)
