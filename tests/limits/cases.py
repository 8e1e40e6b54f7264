"""The ceiling is the process: peak resident memory (VmHWM) of the command, against its limit.

Every case measures the command itself by limits/peak.c. Files come from limits/files.py.
"""
import hashlib
import json
import os
import re

import arrow_limits
import avro_limits
import cancelling
import files
import hanging
import harness
import made_texts
import many_datasets
import plan_bounds
import plans
import query_limits
import uneven
import verifying
from checks import flat, sound, within
from harness import MIB, Scratch, mib, narrows, ok, refused


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while part := f.read(1 << 20):
            h.update(part)
    return h.hexdigest()


# Pages are decoded, also where they could be kept.
DECODED = ["copy", "--no-keep-pages"]


def groups_of(path):
    import pyarrow.parquet as pq
    m = pq.ParquetFile(path).metadata
    return [(m.row_group(i).num_rows, m.row_group(i).total_byte_size)
            for i in range(m.num_row_groups)]


def copied(source, limit, *options, rows=None, timeout=600):
    with Scratch("limits") as s:
        ran = ok(*DECODED, source, s("out.parquet"), "--memory", f"{limit}MiB", *options,
                 timeout=timeout)
        within(ran, limit)
        sound(s("out.parquet"), rows)
    return f"peak {mib(ran.peak)} of {limit} MiB, {ran.seconds:.1f} s"


# ---- start ----

def start_up():
    """--version in 5 ms and 6 MiB: the best of 30, which other load disturbs least."""
    runs = [ok("--version") for _ in range(30)]
    seconds = min(r.seconds for r in runs)
    peak = max(r.peak for r in runs)
    if seconds > 0.005 or peak > 6 * MIB:
        raise AssertionError(f"{seconds * 1000:.1f} ms, {mib(peak)}")
    return f"{seconds * 1000:.1f} ms, {mib(peak)}"


# ---- many columns, many files ----

def least_told(source):
    """The least that works is what the refusal says; 80 % of it is refused."""
    with Scratch("least") as s:
        line = refused(narrows(*DECODED, source, s("o.parquet"), "--memory", "8MiB"), 4)
        said = re.search(r"--memory (\d+(?:\.\d+)?)\s*MiB", line)
        if not said:
            raise AssertionError(f"the refusal names no limit: {line}")
        least = float(said.group(1))
        ran = ok(*DECODED, source, s("least.parquet"), "--memory", f"{said.group(1)}MiB",
                 timeout=600)
        if ran.peak > least * MIB:
            raise AssertionError(f"peak {mib(ran.peak)} at the least limit, {least} MiB")
        refused(narrows(*DECODED, source, s("less.parquet"), "--memory",
                        f"{int(least * 0.8 * 1024)}KiB"), 4)
    return f"least {least:g} MiB"


def wide(columns, rows):
    """Works at 128 MiB, and at the least."""
    source = files.wide(columns, rows)
    note = copied(source, 128, rows=rows)
    return f"{note}; {least_told(source)}"


def dictionaries():
    """Dictionaries that do not fit and are larger than any page are decoded by stream, too."""
    return "; ".join(f"{codec}: {least_told(files.dictionaries(codec))}"
                     for codec in ("brotli", "zstd", "gzip"))


def many_files(count):
    folder = files.many(count, 6000)
    with Scratch("many") as s:
        ran = ok(*DECODED, os.path.join(folder, "*.parquet"), s("out.parquet"), "--memory", "64MiB",
                 timeout=600)
        within(ran, 64)
        sound(s("out.parquet"), count * 6000)
        groups = groups_of(s("out.parquet"))
        if any(n != 1 << 20 for n, _ in groups[:-1]):
            raise AssertionError(f"row groups of {[n for n, _ in groups]} rows")
    return f"peak {mib(ran.peak)}, {len(groups)} row groups"


# ---- oversize pages ----

def duckdb_pages(codec):
    return copied(files.duckdb_pages(codec), 32, rows=122880)


def duckdb_numbers():
    """Threads that are each in a row group of their own, with pages that hardly fit beside each
    other: one decodes by stream what has no room."""
    import duckdb
    source, told = files.duckdb_numbers(), set()
    for columns in ("sum(b)", "sum(d)", "sum(b), sum(d)"):
        want = duckdb.connect().execute(f"SELECT {columns} FROM '{source}'").fetchone()
        for memory in (16, 32, 64, 1024):
            for threads in (1, 2, 8):
                ran = ok("sql", f"SELECT {columns} FROM '{source}'", "--memory", f"{memory}MiB",
                         "--threads", str(threads), "-f", "csv")
                got = ran.out.decode().splitlines()[1]
                if got != ",".join(map(str, want)):
                    raise AssertionError(f"{columns}, {memory} MiB, {threads} threads: {got}")
                within(ran, memory)
                told.add(mib(ran.peak))
    return f"peaks {min(told, key=lambda x: float(x.split()[0]))} to " \
           f"{max(told, key=lambda x: float(x.split()[0]))}"


def duckdb_pages_where():
    """Pages larger than memory are decompressed once, also where a condition looks first."""
    return copied(files.duckdb_pages("zstd"), 32, "--where", "a > 'f' OR id < 100", timeout=60)


def dictionary(codec, size):
    return copied(files.dictionary(codec, size), 64, rows=size * 32)


# ---- one large row group ----

def one_group(size):
    source = files.one_group(size)
    with Scratch("group") as s:
        seconds = {}
        for threads in ("1", "2"):
            ran = ok(*DECODED, source, s(f"{threads}.parquet"), "--memory", "128MiB", "--threads",
                     threads, timeout=900)
            within(ran, 128, f"{threads} threads: ")
            seconds[threads] = ran.seconds
        if digest(s("1.parquet")) != digest(s("2.parquet")):
            raise AssertionError("bytes differ between 1 and 2 threads")
    ratio = seconds["1"] / seconds["2"]
    note = f"peak {mib(ran.peak)}, 2 threads {ratio:.2f} x 1 thread"
    if len(os.sched_getaffinity(0)) < 2:
        return note + " (one CPU)"
    if size >= 4096 and ratio < 1.6:
        raise AssertionError(note)
    return note


# ---- growth ----

def copy_grows(sizes, options=()):
    def run(rows):
        with Scratch("grow") as s:
            ran = ok(*DECODED, files.growing(rows), s("o.parquet"), "--memory", "64MiB", *options,
                     timeout=900)
            within(ran, 64)
            return ran.peak
    return flat("rows", run, sizes)


def kept_pages(report):
    with open(report, encoding="utf-8") as f:
        told = json.load(f)
    return sum(c["pages_kept"] for c in told["columns"]), told["plan"]["peak"]


def kept_grows(sizes):
    """Pages kept: one window of memory, however long the file, and less than the plan says."""
    def run(rows):
        with Scratch("kept") as s:
            ok(*DECODED, files.growing(rows), s("i.parquet"), timeout=900)
            ran = ok("copy", s("i.parquet"), s("o.parquet"), "--keep-pages", "--memory", "32MiB",
                     "--report", s("r.json"), timeout=900)
            within(ran, 32)
            sound(s("o.parquet"), rows)
            pages, planned = kept_pages(s("r.json"))
            if not pages or ran.peak > planned:
                raise AssertionError(f"{pages} pages kept, peak {mib(ran.peak)} of {planned}")
            return ran.peak
    return flat("rows kept", run, sizes)


def kept_large():
    """Pages above the window, with and without a checksum, at the least memory that will do."""
    import pyarrow.parquet as pq
    table = pq.read_table(files.growing(200_000), columns=["k", "x", "s"])
    with Scratch("kept") as s:
        notes = []
        for checksum in (True, False):
            source = s(f"{checksum}.parquet")
            pq.write_table(table, source, compression="none", use_dictionary=False,
                           data_page_size=3 << 19, write_batch_size=1 << 17,
                           max_rows_per_page=1 << 20, write_page_checksum=checksum)
            words = ["copy", source, s("o.parquet"), "--keep-pages", "--compression", "none",
                     "--on-exists", "replace"]
            line = refused(narrows(*words, "--memory", "4MiB"), 4)
            least = re.search(r"--memory (\d+(?:\.\d+)?)MiB", line).group(1)
            ran = ok(*words, "--memory", f"{least}MiB")
            within(ran, float(least))
            sound(s("o.parquet"), 200_000)
            notes.append(f"peak {mib(ran.peak)} of {least} MiB")
    return "; ".join(notes)


def same_kept():
    source = files.growing(2_000_000)
    with Scratch("kept") as s:
        ok(*DECODED, source, s("i.parquet"))
        return same_bytes(lambda path: ["copy", "--keep-pages", s("i.parquet"), path], SAME,
                          [{}] + LEVELS)


def nested_grows(sizes):
    """Lists of structs, every value looked at."""
    def run(rows):
        ran = ok("stats", files.nested(rows), "--memory", "64MiB", "-f", "json", timeout=900)
        within(ran, 64)
        if ran.out.count(f'"count":{rows}'.encode()) != 2:
            raise AssertionError(ran.out[:300])
        return ran.peak
    return flat("records", run, sizes)


def nested_copy_grows(sizes):
    def run(rows):
        with Scratch("grow") as s:
            ran = ok(*DECODED, files.nested(rows), s("o.parquet"), "--memory", "64MiB",
                     "--row-group-size", "50000", timeout=900)
            within(ran, 64)
            return ran.peak
    return flat("records", run, sizes)


def gen_grows(sizes, options=()):
    def run(rows):
        with Scratch("grow") as s:
            ran = ok("gen", s("o.parquet"), "--range", f"group={rows // 10**4}", "--range",
                     "id=100", "--range", "row=100", "--memory", "64MiB", *options, timeout=900)
            within(ran, 64)
            return ran.peak
    return flat("rows", run, sizes)


def sample_grows(sizes):
    """Rows grow, groups do not: the state stays as it is."""
    def run(rows):
        with Scratch("grow") as s:
            ok("gen", s("i.parquet"), "--range", "group=100", "--range", "id=100", "--range",
               f"part={rows // 10**7}", "--range", "row=1000", "-q", timeout=900)
            ran = ok("sample", s("i.parquet"), s("o.parquet"), "--first", "10", "--of", "id",
                     "--per", "group", "--memory", "32MiB", timeout=900)
            within(ran, 32)
            return ran.peak
    return flat("rows", run, sizes)


def every_limit():
    source = files.growing(2_000_000)
    return "; ".join(copied(source, limit, rows=2_000_000) for limit in (32, 64, 128, 256))


def state_spilled():
    """Groups times first that do not fit: rows wait in the spill file, the same ones stay."""
    with Scratch("state") as s:
        ok("gen", s("i.parquet"), "--range", "group=3000000", "--range", "id=2", "--shuffle",
           "-q", timeout=300)
        words = ["sample", s("i.parquet"), s("o.parquet"), "--first", "1", "--of", "id", "--per",
                 "group", "--on-exists", "replace", "--report", s("r.json")]
        ok(*words, "--memory", "2GiB", timeout=300)
        want = digest(s("o.parquet"))
        ran = ok(*words, "--memory", "32MiB", timeout=300)
        within(ran, 32)
        if digest(s("o.parquet")) != want:
            raise AssertionError("other bytes with less memory")
        with open(s("r.json"), encoding="utf-8") as f:
            told = json.load(f)
        step = next(step for step in told["plan"]["steps"] if step["how"] == "spills")
        if not 0 < told["spilled"] <= step["spill"]:
            raise AssertionError(f"spilled {told['spilled']:,}, planned {step['spill']:,}")
        return (f"peak {mib(ran.peak)}, spilled {mib(told['spilled'])}, planned "
                f"{mib(step['spill'])}")


# ---- the job ----

def the_job(groups):
    """The job of the first page, at 32 MiB: rows, row groups, pages left alone."""
    with Scratch("job") as s:
        ranges = ["--range", f"group={groups}", "--range", "id=1000", "--range", "row=1000"]
        made = ok("gen", s("data.parquet"), *ranges, "--memory", "32MiB", timeout=300)
        within(made, 32, "gen: ")
        ran = ok("sample", s("data.parquet"), s("output.parquet"), "--first", "10", "--of", "id",
                 "--per", "group", "--memory", "32MiB", "--report", s("r.json"), timeout=300)
        within(ran, 32, "sample: ")
        rows = groups * 10 * 1000
        sound(s("output.parquet"), rows)
        sizes = groups_of(s("output.parquet"))
        if len(sizes) > max(1, -(-rows // 10**6)):
            raise AssertionError(f"{len(sizes)} row groups for {rows:,} rows")
        if ran.cpu > 0.5 + groups * 0.005:
            raise AssertionError(f"sample took {ran.cpu:.1f} s of CPU")
        share = untouched(s("r.json"), s("data.parquet"))
        check_job(s("output.parquet"), groups)
    return (f"gen {made.seconds:.2f} s, {mib(made.peak)}; sample {ran.seconds:.2f} s, "
            f"{mib(ran.peak)}; {share}")


def untouched(report, source):
    """The report's share of the pages of row that were decompressed: at most 11 %."""
    done, pages = harness.pages_of(report, source, "row")
    if done > 0.11 * pages:
        raise AssertionError(f"{done} of {pages} pages of row were decompressed")
    return f"{done} of {pages} pages of row"


def check_job(path, groups):
    import numpy as np
    import pyarrow.parquet as pq
    file, at = pq.ParquetFile(path), 0
    for batch in file.iter_batches(1 << 20):
        i = np.arange(at, at + batch.num_rows)
        for column, wanted in zip(batch.columns, (i // 10000, i // 1000 % 10, i % 1000)):
            if not np.array_equal(column.to_numpy(), wanted):
                raise AssertionError(f"rows from {at} on differ")
        at += batch.num_rows
    if at != groups * 10000:
        raise AssertionError(f"{at} rows")


# ---- same bytes ----

SAME = [["--threads", "1"], ["--threads", "2"], ["--threads", "8"], ["--memory", "32MiB"],
        ["--memory", "64MiB"], ["--memory", "1GiB"]]


def same_bytes(make, variants, environments=({},)):
    seen = {}
    with Scratch("same") as s:
        for n, options in enumerate(variants):
            for environment in environments:
                path = s(f"{n}.parquet")
                ok(*make(path), *options, env=environment, timeout=300)
                label = " ".join(options + [f"{k}={v}" for k, v in environment.items()])
                seen.setdefault(digest(path), []).append(label)
                os.unlink(path)
    if len(seen) != 1:
        raise AssertionError("different bytes: " + " | ".join("; ".join(v) for v in seen.values()))
    return f"{sum(map(len, seen.values()))} runs"


LEVELS = [{"NARROWS_CPU": level} for level in ("scalar", "avx2", "avx512", "avx512_vbmi")]


def same_copy(version):
    source = files.growing(2_000_000)
    extra = ["--parquet-version", version]
    return same_bytes(lambda path: [*DECODED, source, path, *extra], SAME)


def same_cpu():
    source = files.growing(200_000)
    def make(version):
        return lambda path: [*DECODED, source, path, "--parquet-version", version]
    return "; ".join(same_bytes(make(v), [[]], [{}] + LEVELS) for v in ("1", "2"))


def where_case(sizes):
    """The rows that pass are held by their columns alone; text of any width cuts batches."""
    with Scratch("where") as s:
        ok("gen", s("i.parquet"), "--range", "g=20", "--range", "id=10000", "--column",
           "note=string:0..4000", "-q", "--compression", "snappy", timeout=300)
        peaks = []
        for limit in (32, 64, 128):
            ran = ok("copy", s("i.parquet"), s("o.parquet"), "--memory", f"{limit}MiB", "--where",
                     "note LIKE '%ab%' OR id < 100", "--on-exists", "replace", timeout=300)
            within(ran, limit)
            peaks.append(mib(ran.peak))
            ran = ok("count", s("i.parquet"), "--memory", f"{limit}MiB", "--where",
                     "note > 'm' AND note NOT LIKE '%z'", timeout=300)
            within(ran, limit)
    return "peaks " + ", ".join(peaks) + "; " + copy_grows(sizes, WHERE)


def where_footer():
    """A footer that is larger than the first read is read once."""
    with Scratch("where") as s:
        columns = [w for c in "abcd" for w in ("--column", f"{c}=int64")]
        ok("gen", s("i.parquet"), "--range", "i=400000", *columns, "--row-group-size", "400", "-q")
        described = json.loads(ok("inspect", s("i.parquet"), "-f", "json").out)
        ok("copy", s("i.parquet"), s("o.parquet"), "--where", "i BETWEEN 200000 AND 200050",
           "--memory", "64MiB", "--report", s("r.json"), "-q")
        with open(s("r.json"), encoding="utf-8") as f:
            read = json.load(f)["bytes_in"]
        footer = described["footer_bytes"]
        if footer < 256 << 10 or read > footer + (128 << 10):
            raise AssertionError(f"{read:,} bytes were read, the footer has {footer:,}")
        return f"{read:,} bytes were read, the footer has {footer:,}"


WHERE = ["--where", "NOT (k IS NULL OR k < 1000) AND s LIKE '%7%' OR d BETWEEN 3 AND 500000.5"]


def same_where():
    """Which rows pass does not depend on threads, memory, or the CPU."""
    with Scratch("same") as s:
        ok("gen", s("i.parquet"), "--range", "g=100", "--range", "id=5000", "--column", "x=double",
           "--column", "note=string:3..30", "--column", "p=decimal(20,3)", "--nulls", "x=0.1", "-q",
           "--row-group-size", "100000", timeout=300)
        condition = "(x > 0.25 OR note LIKE '%b%') AND p NOT BETWEEN 1 AND 10000000 AND id <> 77"
        return same_bytes(lambda path: ["copy", s("i.parquet"), path, "--where", condition,
                                        "--limit", "200000"], SAME, [{}] + LEVELS)


def same_gen():
    return same_bytes(lambda path: ["gen", path, "--range", "group=50", "--range", "id=200",
                                    "--range", "row=100", "--shuffle", "--nulls", "id=0.05",
                                    "--column", "note=string:8..40"], SAME, [{}])


def same_sample():
    with Scratch("same") as s:
        ok("gen", s("i.parquet"), "--range", "group=100", "--range", "id=100", "--range",
           "row=200", "--shuffle", "-q")
        return same_bytes(lambda path: ["sample", s("i.parquet"), path, "--first", "10", "--of",
                                        "id", "--per", "group"], SAME, [{}] + LEVELS)


QUERIES = {
    "groups": "SELECT grp, id, count(*) AS n, sum(x) AS s, min(note) AS t FROM '{}' GROUP BY ALL",
    "distinct text": "SELECT DISTINCT note FROM '{}'",
    "a sort": "SELECT id, x, note FROM '{}' ORDER BY x, id DESC",
    "windows": "SELECT id, x, rank() OVER (PARTITION BY grp ORDER BY x, id) AS r FROM '{}'",
    "a join": "SELECT a.id, a.x, b.n FROM '{0}' a LEFT JOIN (SELECT grp, count(*) AS n FROM '{0}' "
              "GROUP BY grp) b ON a.grp = b.grp WHERE a.id % 7 = 3",
}


def query_input(path, rows):
    ok("gen", path, "--range", "grp=1000", "--range", f"id={rows // 1000}", "--column", "x=double",
       "--column", "note=string:4..12", "--shuffle", "--nulls", "x=0.1", "-q", timeout=300)


def query_grows(name, rows):
    """What does not fit is spilled: the peak stays under the ceiling, ten times the rows too."""
    def run(n):
        with Scratch("query") as s:
            query_input(s("i.parquet"), n)
            ran = ok("sql", QUERIES[name].format(s("i.parquet")), "-o", s("o.parquet"), "--memory",
                     "64MiB", timeout=900)
            within(ran, 64)
            return ran.peak
    peaks = [run(n) for n in rows]
    return ", ".join(f"{n:,}: {mib(p)}" for n, p in zip(rows, peaks))


def same_query(name):
    with Scratch("same") as s:
        query_input(s("i.parquet"), 300_000)
        return same_bytes(lambda path: ["sql", QUERIES[name].format(s("i.parquet")), "-o", path],
                          [["--threads", "1", "--memory", "1GiB"],
                           ["--threads", "2", "--memory", "48MiB"],
                           ["--threads", "8", "--memory", "128MiB"]])


def regrouped():
    """How rows arrive does not matter: the same rows from other row groups and pages."""
    import pyarrow.parquet as pq
    table = pq.read_table(files.growing(200_000))
    seen = {}
    with Scratch("same") as s:
        for rows, page, dictionary_on in ((200_000, 1 << 20, True), (7_777, 4096, True),
                                          (65_536, 1 << 16, False), (1_000, 1 << 20, False)):
            source, target = s("i.parquet"), s("o.parquet")
            pq.write_table(table, source, row_group_size=rows, data_page_size=page,
                           use_dictionary=dictionary_on)
            ok(*DECODED, source, target, "--on-exists", "replace")
            seen.setdefault(digest(target), []).append(f"{rows} rows, {page} B pages, "
                                                       f"dictionary {dictionary_on}")
    if len(seen) != 1:
        raise AssertionError("different bytes: " + " | ".join("; ".join(v) for v in seen.values()))


def cases(tier):
    full = tier == "all"
    yield "start-up", start_up, 90, harness.ALONE
    yield f"the job, {'10^9' if full else '10^8'} rows, 32 MiB", lambda: the_job(
        1000 if full else 100), 600
    yield "copy at 32, 64, 128, 256 MiB", every_limit, 300
    yield from arrow_limits.cases(tier)
    yield from avro_limits.cases(tier)
    yield from query_limits.cases(tier == "all")
    yield from hanging.cases(tier == "all")
    yield from cancelling.cases(tier == "all")
    yield from plans.cases()
    yield from made_texts.cases()
    yield from uneven.cases()
    yield from verifying.cases()
    yield from plan_bounds.cases()
    yield "1,600 columns", lambda: wide(1600, 100_000 if full else 5_000), 900
    yield "10,000 columns", lambda: wide(10_000, 1_000), 900
    yield f"{1000 if full else 200} files of 100 KB", lambda: many_files(
        1000 if full else 200), 900
    yield from many_datasets.cases()
    yield "dictionaries of 1 MB, pages of 64 KiB", dictionaries, 120
    yield "pages of 2 MB, row groups side by side", duckdb_numbers, 300
    yield "pages of 100 MiB, zstd", lambda: duckdb_pages("zstd"), 300
    yield "pages of 100 MiB, a condition", duckdb_pages_where, 300
    if full:
        for codec in ("uncompressed", "snappy", "gzip", "brotli", "lz4_raw"):
            yield f"pages of 100 MiB, {codec}", lambda c=codec: duckdb_pages(c), 300
    page = 1024 if full else 192
    for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
        if full or codec in ("snappy", "zstd"):
            yield f"a dictionary page of {page} MiB, {codec}", lambda c=codec: dictionary(
                c, page), 900
    group = 4096 if full else 512
    yield f"one row group of {group} MiB", lambda: one_group(group), 1800, harness.ALONE
    x10, x100 = (10**8, 10**9), (10**8, 10**9, 10**10)
    # from four row groups on: with fewer not all that a pipeline keeps in flight is there yet
    rows = (4 * 10**6, 4 * 10**7, 2 * 10**8) if full else (4 * 10**6, 4 * 10**7)
    yield "copy: input grows", lambda: copy_grows(rows), 1800
    yield "copy, version 2: input grows", lambda: copy_grows(
        rows, ["--parquet-version", "2"]), 1800
    yield "pages kept: input grows", lambda: kept_grows(rows), 1800
    yield "pages kept: larger than memory", kept_large, 120
    yield "nested: input grows", lambda: nested_grows(
        (10**6, 10**7) if full else (10**6, 4 * 10**6)), 900
    yield "copy, nested: input grows", lambda: nested_copy_grows(
        (10**6, 10**7) if full else (10**6, 4 * 10**6)), 900
    # two rows of three pass: the smaller input, too, fills a row group
    yield "where: input grows", lambda: where_case(rows), 1800
    yield "where: a large footer", where_footer
    yield "gen: output grows", lambda: gen_grows(x100 if full else (10**7, 10**8)), 1800
    if full:
        yield "gen --shuffle: output grows", lambda: gen_grows(x10, ["--shuffle"]), 1800
    yield "sample: input grows", lambda: sample_grows(x100 if full else x10), 1800
    yield "sample: state that does not fit", state_spilled, 600
    yield "same bytes: copy", lambda: same_copy("1"), 300
    yield "same bytes: copy, version 2", lambda: same_copy("2"), 300
    yield "same bytes: pages kept", same_kept, 300
    yield "same bytes: CPU levels", same_cpu, 300
    yield "same bytes: where", same_where, 600
    yield "same bytes: gen", same_gen, 300
    yield "same bytes: sample", same_sample, 300
    yield "same bytes: however rows arrive", regrouped, 300
    for name in QUERIES:
        asked = (10**6, 10**7) if full else (3 * 10**5, 3 * 10**6)
        yield f"queries: {name}", lambda n=name, r=asked: query_grows(n, r), 1800
        yield f"same bytes: queries, {name}", lambda n=name: same_query(n), 300
