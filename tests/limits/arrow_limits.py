"""Arrow under the ceiling: files, record batches and streams of any size, read and written."""
import harness
from checks import flat, within
from harness import Scratch, ok


def grown(scratch, rows, name, *options):
    path = scratch(name)
    ok("gen", path, "--range", f"id={rows}", "--column", "price=decimal(12,2)", "--column",
       "note=string:8..40", "--nulls", "note=0.1", "--memory", "256MiB", "-q", *options,
       timeout=600)
    return path


def copy_grows(codec, sizes):
    """From file to file at 64 MiB: the peak does not follow the number of record batches."""
    def run(rows):
        with Scratch("arrow") as s:
            source = grown(s, rows, "in.arrow", "--compression", codec)
            ran = ok("copy", source, s("out.arrow"), "--memory", "64MiB", "--compression", codec,
                     timeout=900)
            within(ran, 64)
            got = int(ok("count", s("out.arrow"), timeout=100).out)
            if got != rows:
                raise AssertionError(f"{got} rows, wanted {rows}")
            return ran.peak
    return flat(f"copy, {codec}", run, sizes)


def batch_grows(codec, sizes):
    """One record batch, ten times as large: its columns are read in ranges."""
    harness.library("pyarrow")
    import pyarrow as pa
    import pyarrow.ipc as ipc

    def run(rows):
        table = pa.table({"id": pa.array(range(rows)),
                          "text": pa.array([f"value number {i}" for i in range(rows)])})
        with Scratch("arrow") as s:
            with ipc.new_file(s("in.arrow"), table.schema,
                              options=ipc.IpcWriteOptions(compression=codec)) as w:
                w.write_table(table)
            ran = ok("copy", s("in.arrow"), s("out.arrow"), "--memory", "32MiB", timeout=600)
            within(ran, 32)
            return ran.peak
    return flat(f"one batch, {codec}", run, sizes)


def pipe_grows(sizes):
    """A stream through standard input and output at 64 MiB."""
    def run(rows):
        with Scratch("arrow") as s:
            source = grown(s, rows, "in.arrows")
            with open(source, "rb") as f, open(s("out"), "wb") as to:
                ran = ok("copy", "-", "-", "-f", "arrow", "--memory", "64MiB", stdin=f, stdout=to,
                         timeout=600)
            within(ran, 64)
            return ran.peak
    return flat("pipe", run, sizes)


def cases(tier):
    x = 10 if tier == "all" else 4
    for codec in ("none", "zstd"):
        yield f"arrow, {codec}: input grows", lambda c=codec: copy_grows(
            c, (10**6, 10**7) if tier == "all" else (4 * 10**5, 4 * 10**6)), 900
    for codec in (None, "lz4", "zstd"):
        yield f"arrow, a record batch of any size, {codec}", lambda c=codec: batch_grows(
            c, (3 * 10**5, x * 3 * 10**5)), 900
    yield "arrow: a stream grows", lambda: pipe_grows((4 * 10**5, 4 * 10**6)), 600
