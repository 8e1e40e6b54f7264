"""What `plan` says follows the rows, not the limit, and binds the run."""
import json
import os
import re

import harness
from harness import MIB, Scratch, mib, narrows, ok, refused

# Above what a run takes: the leasts of its parts, which hardly ever come together.
ABOVE = 40 * MIB


def told(report):
    with open(report, encoding="utf-8") as f:
        return json.load(f)["plan"]["peak"]


def follows(name, rows, words):
    """With a limit that is far away."""
    with Scratch("plan") as s:
        ok("gen", s("i.parquet"), "--range", "g=20", "--range", f"i={rows // 20}", "--shuffle",
           "--column", "note=string:8..40", "-q")
        ran = ok("copy", s("i.parquet"), s(name), *words, "--memory", "1GiB", "--threads", "2",
                 "--report", s("r.json"), "-q")
        planned = told(s("r.json"))
        if not ran.peak <= planned <= ran.peak + ABOVE:
            raise AssertionError(f"peak {mib(ran.peak)}, planned {mib(planned)}")
        return f"peak {mib(ran.peak)}, planned {mib(planned)}"


def uncounted(rows):
    """Where nobody has counted rows, the writer still wishes for what the bytes say."""
    with Scratch("plan") as s:
        ok("gen", s("i.avro"), "--range", "g=20", "--range", f"i={rows // 20}", "--column",
           "note=string:8..40", "--compression", "null", "-q")
        ok("copy", s("i.avro"), s("o.parquet"), "--memory", "1GiB", "--report", s("r.json"), "-q")
        with open(s("r.json"), encoding="utf-8") as f:
            write = next(x for x in json.load(f)["plan"]["steps"] if x["step"] == "write parquet")
        size = os.path.getsize(s("i.avro"))
        said = f"{mib(write['grant'])} to write {mib(size)}, at least {mib(write['least'])}"
        if write["grant"] < write["least"] / 2 + size or size < write["least"]:
            raise AssertionError(said)
        return said


def wide_least(columns):
    """Partitions of many columns run with the least memory that is named."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("plan") as s:
        rows = 64
        pq.write_table(pa.table({f"c{c}": [i % (c + 2) for i in range(rows)]
                                 for c in range(columns)}), s("i.parquet"))
        words = ["copy", s("i.parquet"), s("out"), "--partition-by", "c0", "-q", "--memory"]
        line = refused(narrows(*words, "8MiB"), 4)
        least = re.search(r"--memory (\d+)MiB", line).group(1)
        ran = ok(*words, f"{least}MiB", "--report", s("r.json"))
        if ran.peak > told(s("r.json")) or ran.peak > int(least) * MIB:
            raise AssertionError(f"peak {mib(ran.peak)} of {least} MiB")
        return f"peak {mib(ran.peak)} of {least} MiB"


def cases():
    yield "a plan follows the rows: copy", lambda: follows("o.parquet", 100000,
                                                           ["--no-keep-pages"])
    yield "a plan follows the rows: partitions", lambda: follows("o", 100000,
                                                                 ["--partition-by", "g"])
    yield "a plan follows the bytes: rows of Avro", lambda: uncounted(800000)
    yield "partitions of 3,000 columns with the least memory", lambda: wide_least(3000)
