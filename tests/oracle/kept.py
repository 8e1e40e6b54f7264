"""Pages copied undecoded: the copy reads equal to all peers, says of its values what the source
said, and where pages cannot be kept the command says why."""
import functools
import json
import os

import compare
import harness
import nested_tables
import tables
from harness import Scratch

ROWS = 5000


def kept(report):
    """Pages kept, over all columns."""
    with open(report, encoding="utf-8") as f:
        told = json.load(f)
    rows = told["rows"]
    if rows["in"] != rows["out"] + rows["filtered"] + rows["rejected"] + rows["pruned"]:
        raise AssertionError(f"the books do not close: {rows}")
    return sum(c["pages_kept"] for c in told["columns"])


def copy(*arguments):
    """Pages kept by a copy; the target is the last of the paths."""
    with Scratch("report") as s:
        harness.ok("copy", *arguments, "--report", s("r.json"), "--on-exists", "replace")
        return kept(s("r.json"))


def must_keep(*arguments):
    n = copy(*arguments, "--keep-pages")
    if not n:
        raise AssertionError("no page was kept")
    return n


def statistics(path):
    """What footer and column index say, chunk by chunk."""
    import pyarrow.parquet as pq
    meta = pq.read_metadata(path)
    for g in range(meta.num_row_groups):
        for c in range(meta.num_columns):
            chunk = meta.row_group(g).column(c)
            s = chunk.statistics
            yield (g, chunk.path_in_schema, chunk.num_values,
                   s and (s.null_count, s.has_min_max and (s.min_raw, s.max_raw)))


def spoken(path):
    """Bloom filters and size statistics by column; two counts of levels say what null counts do."""
    told = json.loads(harness.ok("inspect", path, "-f", "json").out)
    return {c["name"]: [c["bloom_filters"], c["text_bytes"], c["repetition_levels"],
                        c["definition_levels"] if len(c["definition_levels"]) > 2 else []]
            for c in told["columns"]}


def same_spoken(source, target):
    want, got = spoken(source), spoken(target)
    if want != got:
        wrong = [n for n in want if want[n] != got[n]]
        raise AssertionError(f"{wrong}: {[got[n] for n in wrong]}, not {[want[n] for n in wrong]}")
    return want


def same_statistics(source, target):
    import pyarrow.parquet as pq
    for want, got in zip(statistics(source), statistics(target), strict=True):
        if want != got:
            raise AssertionError(f"statistics {got}, the source has {want}")
    meta = pq.read_metadata(target)
    for c in range(meta.num_columns):
        if not meta.row_group(0).column(c).has_offset_index:
            raise AssertionError(f"column {c} has no page index")


def same(source, target, readers=("pyarrow", "duckdb", "polars")):
    compare.same_files(source, target, readers)
    harness.ok("verify", target)


def pyarrow_case(codec, version, **options):
    """All types, with nulls, in row groups of some pages."""
    import pyarrow.parquet as pq
    with Scratch("kept") as s:
        source, target = s("in.parquet"), s("out.parquet")
        names = storable()
        table = tables.table(names, rows=ROWS)
        pq.write_table(table, source, compression=codec, row_group_size=4000,
                       max_rows_per_page=1500, data_page_version=f"{version}.0",
                       use_dictionary=version == "1", **options)
        pages = must_keep(source, target, "--compression", codec, "--parquet-version", version,
                          "--row-group-size", "4000")
        same(source, target, ["pyarrow"])
        same_statistics(source, target)
        if not any(c[1] for c in same_spoken(source, target).values()):
            raise AssertionError("no column has size statistics")
        return f"{len(names)} columns, {pages} pages"


@functools.lru_cache
def storable():
    """Columns of `tables` that pyarrow stores as we would, found by asking for each alone."""
    import pyarrow.parquet as pq
    found = []
    with Scratch("storable") as s:
        for name in tables.table(rows=1).schema.names:
            pq.write_table(tables.table([name], rows=100), s("i.parquet"))
            ran = harness.narrows("copy", s("i.parquet"), s("o.parquet"), "--keep-pages",
                                  "--compression", "snappy", "--on-exists", "replace")
            if ran.code == 0:
                found.append(name)
            elif "would be stored" not in ran.err and "is BOOLEAN" not in ran.err and \
                    "version 1 of the format lacks" not in ran.err:
                raise AssertionError(ran.err)
    if len(found) < 20:
        raise AssertionError(f"only {found}")
    return found


def duckdb_case():
    duckdb = harness.library("duckdb")
    with Scratch("kept") as s:
        source, target = s("in.parquet"), s("out.parquet")
        with duckdb.connect() as c:
            c.execute(f"""COPY (SELECT range AS id, range % 97 AS few, random() AS x,
                CASE WHEN range % 7 > 0 THEN 'text ' || range % 5000 END AS s,
                (range * 37 % 100000)::DECIMAL(12, 2) AS p,
                DATE '2020-01-01' + (range % 900)::INT AS d,
                range % 3 = 0 AS b FROM range(340000)) TO '{source}'
                (FORMAT parquet, COMPRESSION zstd)""")
        pages = must_keep(source, target)
        same(source, target)
        same_statistics(source, target)
        if not same_spoken(source, target)["s"][0] or looked_up(target) != looked_up(source):
            raise AssertionError("the bloom filters do not rule out what they did")
        return f"{pages} pages"


def looked_up(path):
    """Row groups that nothing but a bloom filter can rule out: the value lies between others."""
    with Scratch("looked") as s:
        harness.ok("copy", path, s("o.csv"), "--where", "s = 'text 10x'", "--report", s("r.json"))
        with open(s("r.json"), encoding="utf-8") as f:
            told = json.load(f)["pruned"]
        if not told["row_groups"]:
            raise AssertionError(f"nothing was ruled out: {told}")
        return told["row_groups"]


def nested_case(version):
    """Lists, structs, maps: rows of pages by the offset index, or by the headers of version 2."""
    import pyarrow.parquet as pq
    pages = counted = 0
    for seed in range(3):
        with Scratch("kept") as s:
            source, target = s("in.parquet"), s("out.parquet")
            table = nested_tables.table(seed, 2800)
            pq.write_table(table, source, compression="zstd", write_page_index=version == "1",
                           data_page_version=f"{version}.0", use_dictionary=version == "1",
                           max_rows_per_page=1400)
            ran = harness.narrows("copy", source, target, "--keep-pages", "--parquet-version",
                                  version, "--report", s("r.json"))
            if ran.code:
                if "would be stored" not in ran.err and "encodings that" not in ran.err:
                    raise AssertionError(ran.err)
                continue
            pages += kept(s("r.json"))
            nested_tables.check(source, target, table.schema.names)
            counted += sum(bool(c[3]) for c in same_spoken(source, target).values())
            harness.ok("verify", target)
    if not pages or not counted:
        raise AssertionError(f"{pages} pages were kept, levels of {counted} columns are counted")
    return f"{pages} pages"


def pages_of(path):
    """The bytes of all chunks, in front of index and footer."""
    import pyarrow.parquet as pq
    meta = pq.read_metadata(path)
    chunks = [meta.row_group(g).column(i) for g in range(meta.num_row_groups)
              for i in range(meta.num_columns)]
    ends = [(c.dictionary_page_offset if c.has_dictionary_page else c.data_page_offset)
            + c.total_compressed_size for c in chunks]
    with open(path, "rb") as f:
        return f.read(max(ends))


def own_case():
    """The pages that we wrote are kept byte for byte; also those without a checksum, which is then
    made. Sizes of pages are not taken over, so index and footer are shorter."""
    with Scratch("kept") as s:
        gen = ["--range", "g=100", "--range", "id=900", "--column", "s=string:4..20", "--nulls",
               "s=0.2", "--column", "x=double", "-q"]
        for version in ("1", "2"):
            harness.ok("gen", s("a.parquet"), *gen, "--parquet-version", version, "--on-exists",
                       "replace")
            harness.ok("gen", s("bare.parquet"), *gen, "--no-page-checksum", "--parquet-version",
                       version, "--on-exists", "replace")
            want = pages_of(s("a.parquet"))
            for source in ("a.parquet", "bare.parquet"):
                must_keep(s(source), s("b.parquet"), "--parquet-version", version)
                if pages_of(s("b.parquet")) != want:
                    raise AssertionError(f"{source}, version {version}: other pages")
                harness.ok("verify", s("b.parquet"))


def merge_case():
    """Columns of several files, in another order, beside DuckDB's answer."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    duckdb = harness.library("duckdb")
    with Scratch("kept") as s:
        for i in range(3):
            table = pa.table({"k": pa.array(range(i * 200000, (i + 1) * 200000)),
                              "s": pa.array([f"v{n % 1000}" for n in range(200000)]),
                              "x": pa.array([n / 7 for n in range(200000)])})
            pq.write_table(table, s(f"{i}.parquet"), compression="zstd")
        pages = must_keep(s("*.parquet"), s("out.pq"), "--select", "x,k")
        with duckdb.connect() as c:
            c.execute("SET threads = 1")
            want = c.execute(f"SELECT x, k FROM '{s('*.parquet')}'").to_arrow_table()
        got = pq.read_table(s("out.pq"))
        compare.same_tables(want, got, "merged")
        harness.ok("verify", s("out.pq"))
        groups = pq.read_metadata(s("out.pq")).num_row_groups
        if groups != 3:
            raise AssertionError(f"{groups} row groups of 3")
        return f"{pages} pages"


def pruning_case():
    """A condition leaves out of the copy what it leaves out of the source."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("kept") as s:
        table = pa.table({"k": pa.array(range(600000)),
                          "s": pa.array([f"{n:08}" for n in range(600000)])})
        for name, options in (("index", {"write_page_index": True}), ("headers", {})):
            pq.write_table(table, s(f"{name}.parquet"), compression="zstd", row_group_size=200000,
                           **options)
            must_keep(s(f"{name}.parquet"), s(f"{name}.kept.parquet"))
        told = []
        for name in ("index", "index.kept", "headers.kept"):
            harness.ok("copy", s(f"{name}.parquet"), s("o.parquet"), "--where",
                       "k between 250000 and 250010 or s = '00499999'", "--report", s("r.json"),
                       "--on-exists", "replace")
            with open(s("r.json"), encoding="utf-8") as f:
                told.append(json.load(f)["pruned"])
        if told.count(told[0]) != 3 or not told[0]["pages"] or not told[0]["row_groups"]:
            raise AssertionError(f"left out: {told}")
        return str(told[0])


def choice_case():
    """When pages are kept unasked, and what takes decoding."""
    with Scratch("kept") as s:
        a, o = s("a.parquet"), s("o.parquet")
        harness.ok("gen", a, "--range", "id=50000", "--column", "s=string:4..20", "-q")
        for options, expected in (
                ([], True), (["--select", "s"], True), (["--compression", "zstd"], True),
                (["--kv-metadata", "a=b"], True), (["--no-page-index"], True),
                (["--row-group-size", "50000"], True),
                (["--no-keep-pages"], False), (["--compression", "zstd:3"], False),
                (["--compression", "snappy"], False), (["--compression", "s=none"], False),
                (["--compression-level", "3"], False), (["--row-group-size", "49999"], False),
                (["--data-page-size-limit", "128KiB"], False), (["--encoding", "id=plain"], False),
                (["--parquet-version", "2"], False), (["--limit", "7"], False),
                (["--no-dictionary"], False), (["--where", "id < 3"], False),
                (["--on-bad-row", "quarantine"], False)):
            if bool(copy(a, o, *options)) != expected:
                raise AssertionError(f"{options}: pages were {'not ' * expected}kept")
            harness.ok("verify", o)
            ran = harness.narrows("copy", a, o, *options, "--keep-pages", "--on-exists", "replace")
            if options != ["--no-keep-pages"] and (ran.code == 0) != expected:
                raise AssertionError(f"{options} --keep-pages: exit {ran.code}: {ran.err}")
            if ran.code and "keep-pages" not in harness.refused(ran, 2):
                raise AssertionError(ran.err)


def damage_case():
    """A page that is damaged is found with its place, whether it has a checksum or not."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = pa.table({"k": pa.array(range(200000)), "x": pa.array([n / 7 for n in range(200000)])})
    with Scratch("kept") as s:
        source, target = s("in.parquet"), s("out.parquet")
        for checksum in (True, False):
            for codec in ("zstd", "snappy"):
                pq.write_table(table, source, compression=codec, write_page_checksum=checksum,
                               use_dictionary=False)
                chunk = pq.read_metadata(source).row_group(0).column(1)
                with open(source, "r+b") as f:
                    f.seek(chunk.data_page_offset + chunk.total_compressed_size // 2)
                    f.write(b"\x00" if checksum else b"\xff" * 300)
                line = harness.refused(harness.narrows("copy", source, target, "--keep-pages",
                                                       "--compression", codec))
                for word in ("in.parquet", "row group 0", "column x", "page", "byte"):
                    if word not in line:
                        raise AssertionError(f"does not say {word}: {line}")
                if os.path.exists(target):
                    raise AssertionError("a failed run left a target")
    return line[:120]


def cases(tier):
    full = tier == "all"
    for codec in ("none", "snappy", "zstd", "gzip", "brotli") if full else ("snappy", "zstd"):
        for version in ("1", "2"):
            yield (f"pages kept: pyarrow's, {codec}, version {version}",
                   lambda c=codec, v=version: pyarrow_case(c, v), 180)
    yield "pages kept: pyarrow's with page index", lambda: pyarrow_case(
        "zstd", "1", write_page_index=True), 180
    yield "pages kept: pyarrow's with page index and checksums", lambda: pyarrow_case(
        "zstd", "1", write_page_index=True, write_page_checksum=True), 180
    yield "pages kept: DuckDB's", duckdb_case
    for version in ("1", "2"):
        yield f"pages kept: nested, version {version}", lambda v=version: nested_case(v), 180
    yield "pages kept: our own", own_case
    yield "pages kept: merged and projected", merge_case
    yield "pages kept: conditions on the copy", pruning_case
    yield "pages kept: when", choice_case
    yield "pages kept: damage", damage_case
