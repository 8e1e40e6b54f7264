"""The C interface: rows pulled as Arrow streams, streams of pyarrow's as sources, the examples."""
import ctypes
import json
import os
import re
import shutil
import subprocess

import arrow_files
import harness
from harness import MIB, Scratch, Skip

RECORD = 4096  # bytes that hold an nrw_error


class Api:
    """The shared library beside the command, by ctypes."""

    def __init__(self):
        path = os.path.join(os.path.dirname(harness.RELEASE), "libnarrows.so")
        if not os.path.exists(path):
            raise Skip("libnarrows.so is not built")
        self.lib = ctypes.CDLL(path)
        self.lib.nrw_error_print.restype = ctypes.c_size_t

    def call(self, name, *arguments):
        err = ctypes.create_string_buffer(RECORD)
        if getattr(self.lib, name)(*arguments, err) < 0:
            text = ctypes.create_string_buffer(2000)
            self.lib.nrw_error_print(err, text, len(text))
            raise ValueError(text.value.decode())


class Job:
    def __init__(self, verb, *sources, **options):
        self.api = Api()
        self.p = ctypes.c_void_p()
        self.api.call("nrw_job_new", verb.encode(), ctypes.byref(self.p))
        for source in sources:
            self.api.call("nrw_job_source", self.p, source.encode())
        for name, value in options.items():
            self.api.call("nrw_job_option", self.p, name.replace("_", "-").encode(),
                          value.encode())

    def bring(self, name, reader):
        stream = (ctypes.c_void_p * 5)()
        reader._export_to_c(ctypes.addressof(stream))
        self.api.call("nrw_job_source_stream", self.p, name.encode(), stream)
        return self

    def pull(self):
        pa, _ = arrow_files.modules()
        stream = (ctypes.c_void_p * 5)()
        self.api.call("nrw_job_stream", self.p, stream)
        return pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))

    def report(self):
        text = ctypes.c_void_p()
        self.api.call("nrw_job_report", self.p, ctypes.byref(text))
        told = json.loads(ctypes.string_at(text))
        self.api.lib.nrw_free(text)
        return told

    def free(self):
        self.api.lib.nrw_job_free(self.p)


def through(table, rows, verb="copy", query=None, **options):
    pa, _ = arrow_files.modules()
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=rows))
    job = Job(verb, *([query] if query else []), **options).bring("rows", reader)
    out = job.pull()
    result = out.read_all()
    out.close()
    job.free()
    return result


def random_cases(first, n):
    pa, _ = arrow_files.modules()
    for seed in range(first, first + n):
        m = arrow_files.Maker(seed)
        table = m.table()
        # what a type becomes that is kept: by a file, whose tests are their own
        with Scratch("oracle") as s:
            source = arrow_files.write(s("in.arrows"), table, None, True)
            harness.ok("copy", source, s("out.arrows"))
            want = arrow_files.read(s("out.arrows"))
        got = through(table, m.r.choice((None, 1 if len(table) < 200 else 64, 999)),
                      threads=m.r.choice("12"))
        got.validate(full=True)
        arrow_files.same(want, got, f"seed {seed}")
        if not pa.types.is_dictionary(want.schema.field(0).type) and want.num_rows != got.num_rows:
            raise AssertionError(f"seed {seed}: rows")


def slices_case():
    """Arrays that begin anywhere in their buffers: bits, offsets, structs, fixed lists, runs."""
    pa, _ = arrow_files.modules()
    n = 1000
    table = pa.table({
        "bit": pa.array([None if i % 7 == 0 else i % 3 == 0 for i in range(n)]),
        "text": pa.array([None if i % 5 == 0 else "x" * (i % 30) for i in range(n)]),
        "list": pa.array([list(range(i % 4)) for i in range(n)]),
        "fixed": pa.array([[i, i + 1, None] for i in range(n)], pa.list_(pa.int32(), 3)),
        "struct": pa.array([{"a": i, "b": [str(i)]} for i in range(n)]),
        "word": pa.array([f"w{i % 9}" for i in range(n)]).dictionary_encode(),
        "view": pa.array(["y" * (i % 40) for i in range(n)], pa.string_view()),
        "big": pa.array([i * 10**20 for i in range(n)], pa.decimal128(38, 2))})
    for first in (0, 1, 3, 8, 13, 500, 993):
        part = table.slice(first, 17)
        arrow_files.same(part, through(part, None), f"from row {first}")
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([3, 10, 600, 1000], pa.int32()),
                                             pa.array(["a", None, "b", "c"]))
    for first, rows in ((0, 1000), (1, 5), (3, 7), (9, 700), (10, 1), (999, 1)):
        part = runs.slice(first, rows)
        got = through(pa.table({"r": part}), None)["r"].to_pylist()
        if got != part.to_pylist():
            raise AssertionError(f"runs from {first}: {got[:10]}")


def query_case():
    pa, _ = arrow_files.modules()
    table = pa.table({"k": [i % 5 for i in range(10000)], "v": list(range(10000))})
    got = through(table, 700, "sql", "SELECT k, sum(v) AS s FROM rows WHERE v > 99 GROUP BY k "
                  "ORDER BY k")
    want = [sum(v for v in range(100, 10000) if v % 5 == k) for k in range(5)]
    if [int(x) for x in got["s"].to_pylist()] != want:
        raise AssertionError(got)


def expect(text, run):
    try:
        run()
    except Exception as e:  # pylint: disable=broad-except
        if not re.search(text, str(e)):
            raise AssertionError(f"does not say {text!r}: {e}") from None
    else:
        raise AssertionError(f"no error, wanted {text!r}")


def errors_case():
    pa, _ = arrow_files.modules()

    def pull(*arguments, **options):
        job = Job(*arguments, **options)
        out = job.pull()
        try:
            out.read_all()
        finally:
            del out
            job.free()

    def broken():
        yield pa.record_batch({"a": [1, 2]})
        raise RuntimeError("the well is dry")

    def bring(reader, verb="copy", *sources):
        job = Job(verb, *sources).bring("rows", reader)
        out = job.pull()
        try:
            out.read_all()
        finally:
            del out
            job.free()

    schema = pa.schema({"a": pa.int64()})
    expect("nope.parquet.*no such", lambda: pull("sql", "SELECT * FROM 'nope.parquet'"))
    expect("is not a number|cannot|x", lambda: pull("sql", "SELECT CAST('x' AS INTEGER)"))
    expect("verify gives no rows", lambda: pull("verify", "a.parquet"))
    expect("COPY says itself", lambda: pull("sql", "COPY (SELECT 1) TO 'x.parquet'"))
    expect("the well is dry", lambda: bring(
        pa.RecordBatchReader.from_batches(schema, broken())))
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]),
                                                                    pa.array(["x", "y"])])
    expect("union", lambda: bring(pa.RecordBatchReader.from_batches(
        pa.schema({"u": union.type}), [pa.record_batch({"u": union})])))
    expect("read once", lambda: bring(pa.RecordBatchReader.from_batches(
        schema, [pa.record_batch({"a": [1]})]), "sql",
        "SELECT * FROM rows a JOIN rows b USING (a)"))


def early_case():
    """A stream that is let go of ends its job; arrays outlive both."""
    with Scratch("oracle") as s:
        harness.ok("gen", s("a.parquet"), "--range", "id=500000", "--column",
                   "note=string:8..40", "-q")
        job = Job("copy", s("a.parquet"))
        out = job.pull()
        batch = out.read_next_batch()
        out.close()
        del out
        job.free()
        if batch.num_rows < 100 or batch["id"].to_pylist()[:3] != [0, 1, 2]:
            raise AssertionError(batch)
        batch.validate(full=True)
        job = Job("head", s("a.parquet"), rows="5")
        out = job.pull()
        if out.read_all()["id"].to_pylist() != [0, 1, 2, 3, 4]:
            raise AssertionError("head")
        told = job.report()
        if told["rows"]["out"] != 5 or told["status"] != 0:
            raise AssertionError(told)
        out.close()
        job.free()


def example(name, *arguments, **options):
    program = os.path.join(os.path.dirname(harness.RELEASE), f"example_{name}")
    return harness.measure([harness.need(program), *arguments], **options)


def rows_case():
    """The memory of a program that pulls does not follow the input. How far its two threads are
    apart differs from run to run: the medians of five are compared, the highest with the limit."""
    with Scratch("oracle") as s:
        peaks = []
        for rows in (5_000_000, 50_000_000):
            path = s(f"{rows}.parquet")
            harness.ok("gen", path, "--range", f"id={rows}", "--column", "note=string:8..40", "-q")
            runs = [example("rows", f"SELECT id, note FROM '{path}'", "40MiB") for _ in range(5)]
            want = f"{rows} rows in "
            total = f"sum {rows * (rows - 1) // 2}\n"
            for ran in runs:
                if not ran.out.decode().startswith(want) or not ran.out.decode().endswith(total):
                    raise AssertionError(f"exit {ran.code}: {ran.out!r} {ran.err}")
            peaks.append(sorted(ran.peak for ran in runs))
        middle = [p[len(p) // 2] for p in peaks]
        if middle[1] > max(middle[0] * 1.05, middle[0] + 2 * MIB) or peaks[1][-1] > 56 * MIB:
            raise AssertionError(f"peaks {[[harness.mib(p) for p in of] for of in peaks]}")
        ran = example("rows", "SELECT 1 AS")
        if ran.code != 1 or not ran.err.startswith("rows: character"):
            raise AssertionError(ran.err)


def through_case():
    with Scratch("oracle") as s:
        ran = example("through", "n % 3 = 0", s("o.parquet"))
        if ran.code or "3,334 out" not in ran.out.decode():
            raise AssertionError(f"exit {ran.code}: {ran.out!r} {ran.err}")
        out = harness.ok("sql", f"SELECT count(*), min(n), max(n), sum(n) FROM '{s('o.parquet')}'",
                         "-f", "csv").out.decode().split("\n")[1]
        squares = [n * n for n in range(0, 10000, 3)]
        if out != f"{len(squares)},0,{max(squares)},{sum(squares)}":
            raise AssertionError(out)
        ran = example("through", "n %% 3", s("p.parquet"))
        if ran.code != 1 or os.path.exists(s("p.parquet")):
            raise AssertionError(f"exit {ran.code}: {ran.err}")


def header_case():
    """The headers alone, as C11 and as C++, without an extension."""
    include = os.path.join(harness.ROOT, "include")
    text = "#include <narrows/narrows.h>\nint main(void) { return nrw_version() == 0; }\n"
    for compiler, language, standard in (("cc", "c", "c11"), ("clang", "c", "c11"),
                                         ("c++", "c++", "c++11")):
        if not shutil.which(compiler):
            raise Skip(f"there is no {compiler}")
        ran = subprocess.run([compiler, "-x", language, f"-std={standard}", "-pedantic", "-Wall",
                              "-Wextra", "-Werror", "-fsyntax-only", "-I", include, "-"],
                             input=text, text=True, capture_output=True)
        if ran.returncode:
            raise AssertionError(f"{compiler}: {ran.stderr[:500]}")


def cases(tier):
    yield "C streams: random tables in and out", lambda: random_cases(9000, 5)
    if tier != "quick":
        yield "C streams: more random tables", lambda: random_cases(9100, 300), 900
    yield "C streams: slices", slices_case
    yield "C streams: a query over one", query_case
    yield "C streams: errors", errors_case
    yield "C streams: let go of early", early_case
    yield "C streams: memory of a program that pulls", rows_case, 300
    yield "C streams: an operator and a source", through_case
    yield "C headers", header_case
