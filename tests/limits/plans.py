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


# Some spill what no plan said: rows of many partitions, all of one file, groups of one row.
WRITES = {
    "COPY (SELECT * FROM i) TO '{}' (FORMAT parquet, PARTITION_BY (g))": 24,
    "COPY (SELECT *, i % 20 AS k FROM i) TO '{}' (FORMAT parquet, PARTITION_BY (k))": 32,
    "COPY (SELECT *, i AS a, x AS b, x + 1 AS c, x - 1 AS d FROM i) TO '{}.parquet'": 26,
    "COPY (SELECT g, i, x, count(*) AS n FROM i GROUP BY g, i, x) TO '{}.parquet'": 40,
}


def spilled(rows):
    """Memory is little, the run passes, and spills no more than was said."""
    with Scratch("plan") as s:
        ok("gen", s("i.parquet"), "--range", "g=200", "--range", f"i={rows // 200}", "--shuffle",
           "--column", "x=int64", "-q")
        seen = []
        for n, (query, memory) in enumerate(WRITES.items()):
            for threads in (1, 8):
                ran = ok("sql", query.format(s(f"o{n}-{threads}")), "--attach",
                         f"i={s('i.parquet')}", "--memory", f"{memory}MiB", "--threads",
                         str(threads), "--report", s("r.json"), "-q", timeout=120)
                with open(s("r.json"), encoding="utf-8") as f:
                    said = json.load(f)
                os.unlink(s("r.json"))
                seen.append(f"{mib(said['spilled'])} of {mib(said['plan']['spill'])}")
                if said["spilled"] > said["plan"]["spill"] or ran.peak > said["plan"]["peak"]:
                    raise AssertionError(f"{query}, {threads} threads: spilled {seen[-1]}")
        return ", ".join(seen)


def no_column():
    """Rows without anything that is read of them."""
    with Scratch("plan") as s:
        ok("gen", s("i.parquet"), "--range", "g=20", "-q")
        out = ok("sql", "SELECT 7 AS k FROM i", "--attach", f"i={s('i.parquet')}", "-f", "csv").out
        if out != b"k\n" + b"7\n" * 20:
            raise AssertionError(f"{out}")


def threads():
    """Of a query no more threads are planned than have something to do."""
    asks = {"SELECT sum(i) AS s FROM i": 1,
            "SELECT i, note FROM i ORDER BY note": 8,
            "SELECT count(*) AS n FROM i WHERE note LIKE '%a%b%' OR note LIKE '%c%d%'": 4}
    with Scratch("plan") as s:
        ok("gen", s("i.parquet"), "--range", "i=600000", "--column", "note=string:8..40", "-q")
        for every in ("", "all"):
            for query, most in asks.items():
                said = ok("plan", "sql", query, "--attach", f"i={s('i.parquet')}", "--threads", "8",
                          "--memory", "1GiB", env={"NARROWS_CREW": every}).out.decode()
                n = int(re.search(r"batches in flight, (\d+) threads", said).group(1))
                if not (n == 8 if every else min(most, 2) <= n <= most):
                    raise AssertionError(f"{query}: {n} threads")


def cases():
    yield "threads follow what there is to do", threads
    yield "a plan where no column is read", no_column
    yield "a plan follows the rows: copy", lambda: follows("o.parquet", 100000,
                                                           ["--no-keep-pages"])
    yield "a plan follows the rows: partitions", lambda: follows("o", 100000,
                                                                 ["--partition-by", "g"])
    yield "a plan follows the bytes: rows of Avro", lambda: uncounted(800000)
    yield "a plan says what writing spills", lambda: spilled(800000), 300
    yield "partitions of 3,000 columns with the least memory", lambda: wide_least(3000)
