"""verify runs with what its plan names, whatever the codec, the pages and the values are."""
import re

import harness
from harness import Scratch, mib

ROWS = 20000
CODECS = ("none", "snappy", "gzip", "zstd", "brotli", "lz4")
FILES = {
    "small pages": {"data_page_size": 4096, "row_group_size": 1 << 20},
    "large pages, no dictionaries": {"data_page_size": 8 << 20, "use_dictionary": False},
    "small row groups": {"row_group_size": 5000, "data_page_version": "2.0"},
    "large dictionaries": {"dictionary_pagesize_limit": 8 << 20, "write_page_checksum": True},
}


def table():
    import random
    import pyarrow as pa
    r = random.Random(5)
    texts = ["".join(r.choices("abcdefgh ", k=r.randint(100, 3000))) for _ in range(700)]
    return pa.table({
        "id": pa.array(range(ROWS)),
        "key": pa.array([i * 7919 % 50021 for i in range(ROWS)], pa.int64()),
        "long": [texts[i * 31 % 700] if i % 9 else None for i in range(ROWS)],
        "bytes": [b"%d" % (i * 104729) for i in range(ROWS)],
        "list": [list(range(i % 5)) for i in range(ROWS)],
        "map": pa.array([[(f"k{j}", j) for j in range(i % 3)] for i in range(ROWS)],
                        pa.map_(pa.string(), pa.int64())),
    })


def sized(text):
    """Bytes of a size as plans print it, a tenth of a MiB more as that is rounded."""
    number, unit = re.search(r"would run from ([\d.]+) ([KMG]iB)", text).groups()
    unit = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]
    return int(float(number) * unit) + unit // 10


def least(codec):
    harness.library("pyarrow")
    import pyarrow.parquet as pq
    seen = []
    with Scratch("limits") as s:
        made = table()
        for name, how in FILES.items():
            pq.write_table(made, s("in.parquet"), compression=codec, **how)
            for threads in "1", "8":
                words = ["verify", s("in.parquet"), "--threads", threads, "--memory"]
                memory = sized(harness.ok("plan", *words, "1GiB").out.decode())
                ran = harness.narrows(*words, f"{memory >> 10}KiB", "-q")
                if ran.code or ran.peak > memory:
                    raise AssertionError(f"{name}, {threads} threads, {mib(memory)}: exit "
                                         f"{ran.code}, peak {mib(ran.peak)}: {ran.err[-300:]}")
            seen.append(f"{name} {mib(memory)}")
    return ", ".join(seen)


def cases():
    for codec in CODECS:
        yield f"verify with the least memory: {codec}", lambda c=codec: least(c), 300
