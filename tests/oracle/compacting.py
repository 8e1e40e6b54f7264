"""compact: the same rows in the same order in fewer files, and nothing else touched."""
import json
import os

import harness
from datasets_written import files_of
from harness import Scratch


def rows_of(folder):
    """All rows in the order of the files' names."""
    duckdb = harness.library("duckdb")
    with duckdb.connect() as c:
        c.execute("SET threads = 1; SET preserve_insertion_order = true")
        return c.sql(f"SELECT * EXCLUDE filename FROM read_parquet('{folder}/**/*.parquet', "
                     "hive_partitioning = true, filename = true)").fetchall()


def small_files(s, *options):
    harness.ok("gen", s("in.parquet"), "--range", "country=3:string", "--range", "id=20000",
               "--column", "price=decimal(8,2)", "--column", "note=string:8..40", "--nulls",
               "note=0.1", "--on-exists", "replace")
    harness.ok("copy", s("in.parquet"), s("ds/"), "--partition-by", "country", "--row-group-size",
               "2000", "--row-groups-per-file", "1", *options)


def merged_case(options, keeps):
    with Scratch("compact") as s:
        small_files(s, *options)
        before = rows_of(s("ds"))
        plan = harness.ok("plan", "compact", s("ds")).out.decode()
        if "merge 30 files into 3" not in plan:
            raise AssertionError(plan)
        harness.ok("compact", s("ds"), "--memory", "64MiB", "--report", s("r.json"), *keeps)
        if rows_of(s("ds")) != before:
            raise AssertionError("other rows, or another order")
        names = sorted(files_of(s("ds")))
        if names != [f"country=country_{i}/part-00000.parquet" for i in range(3)]:
            raise AssertionError(names)
        harness.ok("verify", s("ds"))
        found = json.loads(harness.ok("inspect", os.path.join(s("ds"), names[0]), "-f",
                                      "json").out)
        want = options[1].split(":")[0] if options else "zstd"
        if found["codecs"] != [want] or found["rows"] != 20000:
            raise AssertionError(found)
        with open(s("r.json"), encoding="utf-8") as f:
            report = json.load(f)
        if (report["rows"]["in"], report["rows"]["out"]) != (60000, 60000):
            raise AssertionError(report["rows"])
        again = harness.ok("compact", s("ds"), "--report", s("r.json"))
        with open(s("r.json"), encoding="utf-8") as f:
            if json.load(f)["rows"]["in"] != 0:
                raise AssertionError(f"merged files are merged again: {again.err}")


def large_files_case():
    """Large files stay as they are, byte by byte, and part the groups; so do other files."""
    with Scratch("compact") as s:
        small_files(s)
        folder = os.path.join(s("ds"), "country=country_1")
        harness.ok("copy", s("in.parquet"), os.path.join(folder, "part-00004.parquet"),
                   "--on-exists", "replace", "--where", "country = 'country_1'", "--select",
                   "id,price,note")
        with open(os.path.join(folder, "notes.csv"), "w", encoding="ascii") as f:
            f.write("mine\n")
        before, kept = rows_of(s("ds")), files_of(s("ds"))
        size = os.path.getsize(os.path.join(folder, "part-00004.parquet"))
        harness.ok("compact", s("ds"), "--file-size-bytes", str(2 * size - 2))
        if rows_of(s("ds")) != before:
            raise AssertionError("other rows, or another order")
        now = files_of(s("ds"))
        names = sorted(n for n in now if "country_1" in n)
        if names != [f"country=country_1/{n}" for n in
                     ("notes.csv", "part-00000.parquet", "part-00004.parquet",
                      "part-00005.parquet")]:
            raise AssertionError(names)
        for name in (names[0], names[2]):
            if now[name] != kept[name]:
                raise AssertionError(f"{name} was touched")


def same_bytes_case():
    with Scratch("compact") as s:
        for i, options in enumerate((["--threads", "1"], ["--threads", "8", "--memory", "48MiB"],
                                     ["--memory", "1GiB"])):
            small_files(s, "--on-exists", "replace")
            harness.ok("compact", s("ds"), *options)
            if i == 0:
                want = files_of(s("ds"))
            elif files_of(s("ds")) != want:
                raise AssertionError(f"other bytes with {options}")


def refusals_case():
    with Scratch("compact") as s:
        harness.refused(harness.narrows("compact"), 2)
        harness.refused(harness.narrows("compact", s("nothing")), 2)
        small_files(s)
        path = os.path.join(s("ds"), "country=country_2", "part-00007.parquet")
        with open(path, "r+b") as f:
            f.truncate(os.path.getsize(path) - 9)
        before = files_of(s("ds"))
        line = harness.refused(harness.narrows("compact", s("ds")), 1)
        if "part-00007.parquet" not in line or files_of(s("ds")) != before:
            raise AssertionError(f"{line}; the dataset was touched or the file is not named")


def cases(_tier):
    yield "compact: merged", lambda: merged_case([], [])
    yield "compact: the codec of the files", lambda: merged_case(["--compression", "snappy"], [])
    yield "compact: another codec", lambda: merged_case(["--compression", "gzip:1"],
                                                        ["--no-keep-pages"])
    yield "compact: large files and others", large_files_case
    yield "compact: the same bytes", same_bytes_case
    yield "compact: refusals", refusals_case
