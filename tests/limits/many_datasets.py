"""Many files: a condition on their folders leaves most of them unopened; what is kept of each is
little."""
import datetime
import io
import json
import os

import harness
from harness import MIB, Scratch, mib, ok

FILES = 10_000
PICKED = ("2003-05-05", "2003-05-07")  # three days


def small_file():
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    out = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array(range(100), pa.int64()),
                             "s": [f"v{i % 7}" for i in range(100)],
                             "x": [i * 1.5 for i in range(100)]}), out)
    return out.getvalue()


def make(folder, n, content):
    """A file a day."""
    for i in range(n):
        day = datetime.date(2000, 1, 1) + datetime.timedelta(i)
        path = os.path.join(folder, f"dt={day}")
        os.makedirs(path)
        with open(os.path.join(path, "part.parquet"), "wb") as f:
            f.write(content(str(day)))


def picked(day):
    return PICKED[0] <= day <= PICKED[1]


def days():
    return [str(datetime.date(2003, 5, d)) for d in (5, 6, 7)]


def three_of_many():
    """The other files are no Parquet: whoever opened one of them would fail. Time is told, beside
    that of a walk through the same folders, and judged by nobody: it is the machine's."""
    content = small_file()
    where = f"dt between '{PICKED[0]}' and '{PICKED[1]}'"
    query = f"SELECT count(*) FROM '%s/' WHERE dt BETWEEN DATE '{PICKED[0]}' AND '{PICKED[1]}'"
    with Scratch("days") as s:
        make(s("ds"), FILES, lambda day: content if picked(day) else b"none")
        ran = ok("copy", s("ds"), s("o.parquet"), "--where", where, "--memory", "32MiB",
                 "--report", s("r.json"))
        with open(s("r.json"), encoding="utf-8") as f:
            told = json.load(f)
        if told["files"] != {"read": 3, "of": FILES} or told["rows"]["out"] != 300:
            raise AssertionError(f"{told['files']}, {told['rows']}")
        if ran.peak > 32 * MIB:
            raise AssertionError(f"peak {mib(ran.peak)}")
        runs = [ok("sql", query % s("ds"), "-f", "csv") for _ in range(5)]
        if {r.out for r in runs} != {b"count_star()\n300\n"}:
            raise AssertionError(f"{runs[0].out}")
        plan = ok("plan", "copy", s("ds"), s("p.parquet"), "--where", where)
        if "3 of 10,000 files" not in plan.out.decode():
            raise AssertionError(f"the plan does not say it: {plan.out.decode()}")
        read = sum(os.path.getsize(s("ds", f"dt={d}", "part.parquet")) for d in days())
        if told["bytes_in"] > 2 * read:
            raise AssertionError(f"{told['bytes_in']} bytes were read of files of {read}")
        walks = [harness.measure(["find", s("ds"), "-type", "f"]) for _ in range(5)]
        used, walked = min(r.cpu for r in runs), min(w.cpu for w in walks)
        return f"{used:.3f} s of processor, find {walked:.3f} s, peak {mib(ran.peak)}"


def all_of_many():
    """Ten times as many files take a name and a number each: some hundred bytes."""
    content = small_file()
    with Scratch("files") as s:
        peaks = []
        for n in (FILES // 10, FILES):
            make(s(f"{n}"), n, lambda day: content)
            ran = ok("copy", s(f"{n}"), s("o.parquet"), "--on-exists", "replace", "--memory",
                     "32MiB", timeout=300)
            if int(ok("count", s("o.parquet")).out) != n * 100:
                raise AssertionError("rows are lost")
            if ran.peak > 32 * MIB:
                raise AssertionError(f"{n} files: peak {mib(ran.peak)}")
            peaks.append(ran.peak)
        each = (peaks[1] - peaks[0]) / (FILES - FILES // 10)
        if each > 512:
            raise AssertionError(f"{each:.0f} bytes for each file: {mib(peaks[0])}, "
                                 f"{mib(peaks[1])}")
        return f"{mib(peaks[0])}, {mib(peaks[1])}: {each:.0f} bytes a file"


def cases():
    yield "3 of 10,000 files by their folders", three_of_many, 300
    yield "10,000 files", all_of_many, 300
