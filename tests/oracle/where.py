"""--where against DuckDB: random conditions over generated files and the corpus' flat ones, with
and without anything to prune by."""
import datetime
import decimal
import glob
import json
import os
import random

import compare
import harness
import tables
from harness import Scratch

# DuckDB reads these as another type, or not at all.
UNKNOWN = {"decimal76", "tz_ns", "time_ns"}
COLUMNS = [n for n in tables.TYPES if n not in UNKNOWN]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def moment(value, unit, zone):
    """A count of units since the epoch as the text of a timestamp."""
    per = {"s": 1, "ms": 10 ** 3, "us": 10 ** 6, "ns": 10 ** 9}[unit]
    whole = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=value // per)
    part = f".{value % per:0{len(str(per)) - 1}}" if per > 1 else ""
    return f"{whole:%Y-%m-%d %H:%M:%S}{part}{'+00' if zone else ''}"


def literal(kind, value, r):
    """A Python value as SQL; numbers sometimes moved a little, or between two values."""
    import pyarrow as pa
    if pa.types.is_integer(kind):
        near = value + r.choice([0, 0, 0, 1, -1])
        return r.choice([str(near), str(near), f"{value}.5"])
    if pa.types.is_floating(kind):
        x = float(value)
        return quoted(str(x)) if x != x or abs(x) == float("inf") else repr(x)
    if isinstance(value, decimal.Decimal):
        more = "1" if "." in f"{value:f}" and kind.precision < 38 else ""  # 39 digits: a DOUBLE
        return f"{value:f}" + r.choice(["", "", more])
    if isinstance(value, bool):
        return r.choice(["TRUE", "FALSE"])
    if isinstance(value, bytes):
        return quoted("".join(f"\\x{b:02X}" for b in value))
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return r.choice(["", "DATE "]) + quoted(value.isoformat())
    if isinstance(value, datetime.time):
        return quoted(value.isoformat())
    return quoted(str(value))


class Maker:
    """Random conditions over the columns of a table."""

    def __init__(self, table, seed, nan=True):
        """Without `nan` columns that have it are left out: where bounds do not tell of it, DuckDB
        rules out row groups, or lets all of them pass, and its answer is wrong."""
        import pyarrow as pa
        import pyarrow.types as t
        self.r = random.Random(seed)
        self.columns = []
        for field, column in zip(table.schema, table.columns):
            if t.is_timestamp(field.type):
                unit, zone = field.type.unit, field.type.tz
                numbers = column.cast(pa.int64()).drop_null().to_pylist()
                try:
                    values = [moment(v, unit, zone) for v in numbers]
                except OverflowError:  # beyond the year 9999
                    values = []
            else:
                values = column.drop_null().slice(0, 3000).to_pylist()
            values = [v for v in values if not (isinstance(v, str) and "\0" in v)]
            if not nan and any(v != v for v in values):
                continue
            self.columns.append((field.name, field.type, values))

    def value(self, kind, values):
        return literal(kind, self.r.choice(values), self.r) if values else "NULL"

    def test(self):
        import pyarrow.types as t
        r = self.r
        name, kind, values = r.choice(self.columns)
        name = f'"{name}"'
        shape = r.randrange(12)
        if shape < 5:
            return f"{name} {r.choice(['=', '<>', '<', '<=', '>', '>=', '!='])} " \
                   f"{self.value(kind, values)}"
        if shape == 5:
            return f"{self.value(kind, values)} {r.choice(['<', '>=', '='])} {name}" if values \
                else f"{name} IS NULL"
        if shape == 6:
            listed = [self.value(kind, values) for _ in range(r.randint(1, 6))]
            listed += ["NULL"] if r.random() < 0.1 else []
            return f"{name} {r.choice(['IN', 'NOT IN'])} ({', '.join(listed)})"
        if shape == 7:
            return f"{name} {r.choice(['', 'NOT '])}BETWEEN {self.value(kind, values)} AND " \
                   f"{self.value(kind, values)}"
        if shape == 8:
            return f"{name} IS {r.choice(['', 'NOT '])}NULL"
        if shape == 9:
            return f"{name} IS {r.choice(['', 'NOT '])}DISTINCT FROM {self.value(kind, values)}"
        if shape == 10 and t.is_string(kind) and values:
            word = r.choice(values)
            cut = word[:r.randint(0, len(word))]
            pattern = r.choice([cut + "%", "%" + cut, cut + "_%", "%" + cut + "%", word,
                                cut[:-1] + "_"])
            return f"{name} {r.choice(['LIKE', 'NOT LIKE'])} {quoted(pattern)}"
        if shape == 11 and t.is_boolean(kind):
            return r.choice([name, f"NOT {name}", f"{name} IS NOT TRUE", f"{name} IS FALSE"])
        return f"{name} > {self.value(kind, values)}"

    def condition(self, depth=2):
        r = self.r
        shape = r.random()
        if depth == 0 or shape < 0.35:
            return self.test()
        if shape < 0.5:
            return f"NOT ({self.condition(depth - 1)})"
        word = r.choice([" AND ", " OR "])
        return "(" + word.join(self.condition(depth - 1) for _ in range(r.randint(2, 3))) + ")"


def numbers(path, condition, *arguments):
    """The row numbers that pass, by us."""
    ran = harness.ok("copy", path, "-", "-f", "csv", "--select", "rn", "--where", condition,
                     "--memory", "128MiB", *arguments)
    return [int(line) for line in ran.out.split()[1:]]


def generated_case(names, nulls, seed, rows=20000, count=25, **options):
    """A file with all that can be pruned by, one with nothing, and DuckDB: the same rows."""
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = tables.table(names, rows, nulls, seed)
    if seed % 2:  # sorted: pages have narrow bounds
        table = table.sort_by(next(n for n in names if n != "float16"))
    table = table.append_column("rn", pa.array(range(rows), pa.int64()))
    maker = Maker(table.select(names), seed)
    with Scratch("where") as scratch, duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        rich, poor = scratch("rich.parquet"), scratch("poor.parquet")
        pq.write_table(table, rich, **{"row_group_size": 3000, "write_page_index": True,
                                       "data_page_size": 1024, "write_batch_size": 100, **options})
        pq.write_table(table, poor, row_group_size=rows, write_statistics=False,
                       use_dictionary=seed % 3 == 0)
        ours = scratch("ours.parquet")
        harness.ok("copy", rich, ours, "--row-group-size", "4000", "--data-page-size-limit", "2KiB")
        done = 0
        while done < count:
            condition = maker.condition()
            try:
                want = [x[0] for x in
                        c.execute(f"SELECT rn FROM '{poor}' WHERE {condition} "
                                  "ORDER BY rn").fetchall()]
            except duckdb.ConversionException:  # it would round, or casts what has no room
                continue
            done += 1
            for path in (rich, poor, ours):
                got = numbers(path, condition)
                if got != want:
                    odd = sorted(set(got) ^ set(want))[:5]
                    raise AssertionError(f"{os.path.basename(path)}: {condition}: {len(got)} rows, "
                                         f"wanted {len(want)}; rows {odd}")
        return f"{count} conditions"


def corpus_case(folder, tier):
    """Files of other writers: what passes is what DuckDB says."""
    import duckdb
    import pyarrow as pa
    done = 0
    root = os.path.join(harness.SHARED, "data", folder)
    if not os.path.isdir(root):
        raise harness.Skip(f"no {root}")
    paths = sorted(p for p in glob.glob(os.path.join(root, "**", "*.parquet"), recursive=True))
    with Scratch("where") as scratch, duckdb.connect() as c:
        c.execute("SET threads = 1; SET TimeZone = 'UTC'")
        for path in paths if tier == "all" else paths[::3]:
            try:
                names = json.loads(harness.ok("schema", path, "-f", "json").out)
                table = c.execute(f"FROM '{path}' LIMIT 3000").to_arrow_table()
                if any(pa.types.is_nested(f.type) for f in table.schema) or not table.num_rows:
                    continue
                table = compare.plain(table)
            except Exception:  # not ours to judge here: the corpus suite does
                continue
            if "columns" not in names and not isinstance(names, list):
                continue
            maker = Maker(table, len(os.path.basename(path)), nan=False)
            maker.columns = [x for x in maker.columns
                             if pa.types.is_integer(x[1]) or pa.types.is_string(x[1])
                             or pa.types.is_boolean(x[1]) or pa.types.is_date(x[1])
                             or pa.types.is_floating(x[1])]
            if not maker.columns or len(set(n.lower() for n in table.schema.names)) < len(
                    table.schema.names):
                continue
            for i in range(4):
                condition = maker.condition(1)
                try:
                    want = c.execute(
                        f"SELECT count(*) FROM '{path}' WHERE {condition}").fetchall()[0][0]
                except duckdb.Error:
                    continue
                ran = harness.narrows("count", path, "--where", condition, "--memory", "128MiB")
                if "is compared with" in ran.err or "is not" in ran.err or "CRC" in ran.err \
                        or "has no column" in ran.err or "more than one" in ran.err:
                    continue  # DuckDB reads another type, sees no damage, or changes names
                if ran.code:
                    raise AssertionError(f"{path}: {condition}: {ran.err.strip()}")
                if int(ran.out) != want:
                    raise AssertionError(f"{path}: {condition}: {int(ran.out)} rows, "
                                         f"wanted {want}")
                done += 1
    if not done:
        raise AssertionError("no file was tested")
    return f"{done} conditions"


def bloom_case():
    """DuckDB's bloom filters rule row groups out that bounds do not."""
    import duckdb
    with Scratch("bloom") as scratch, duckdb.connect() as c:
        path, report = scratch("in.parquet"), scratch("r.json")
        c.execute("COPY (SELECT k, 'v' || k AS s, k::DECIMAL(10,2) AS d, k::DOUBLE AS f, "
                  "DATE '2020-01-01' + k::INT AS day, k::FLOAT AS g FROM "
                  "(SELECT (i * 7) % 1000 * 2 AS k FROM range(100000) t(i))) "
                  f"TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 20000)")
        for there, absent in (("k = 500", "k = 501"), ("s = 'v500'", "s = 'v501'"),
                              ("d = 500", "d = 501"), ("f = 500", "f = 501"),
                              ("g = 500", "g = 501"), ("day = '2021-01-01'", "day = '2021-01-02'"),
                              ("s LIKE 'v500'", "s LIKE 'v501'"),
                              ("k IN (501, 500)", "k IN (501, 503, 505)"),
                              ("k = 501 OR s = 'v500'", "k = 501 OR s = 'v501'")):
            for condition, rows, groups in ((there, 100, 0), (absent, 0, 5)):
                got = int(harness.ok("count", path, "--where", condition, "--report", report).out)
                with open(report, encoding="utf-8") as f:
                    pruned = json.load(f)["pruned"]["row_groups"]
                if (got, pruned) != (rows, groups):
                    raise AssertionError(f"{condition}: {got} rows, {pruned} row groups pruned")


def dictionary_case(ours):
    """Dictionaries of chunks without other pages rule row groups out, for any test of values."""
    import pyarrow as pa
    n = 100000
    table = pa.table({
        "k": [(i * 7) % 500 * 2 for i in range(n)],
        "s": [f"v{(i * 7) % 500 * 2}" for i in range(n)],
        "g": [["alpha", "beta", "gamma", "delta", "epsilon"][i // 20000] for i in range(n)],
        "z": ["c" if i % 2 else "a" if i < 50000 else None for i in range(n)]})
    with Scratch("dictionary") as scratch:
        path, report = scratch("in.parquet"), scratch("r.json")
        import pyarrow.parquet as pq
        pq.write_table(table, path, row_group_size=20000)
        if ours:
            harness.ok("copy", path, scratch("o.parquet"), "--row-group-size", "20000")
            path = scratch("o.parquet")
        for condition, rows, groups in (
                ("k = 501", 0, 5), ("k = 500", 200, 0), ("s LIKE '%999%'", 0, 5),
                ("s LIKE '%99_'", 1000, 0), ("g LIKE '%amm%'", 20000, 4), ("z = 'b'", 0, 5),
                ("z <> 'c'", 25000, 2), ("z IS NULL", 25000, 2),
                ("z IS NOT NULL AND g IN ('x', 'gamma')", 15000, 4),
                ("z = 'b' OR k = 500", 200, 0)):
            got = int(harness.ok("count", path, "--where", condition, "--report", report).out)
            with open(report, encoding="utf-8") as f:
                pruned = json.load(f)["pruned"]["row_groups"]
            if (got, pruned) != (rows, groups):
                raise AssertionError(f"{condition}: {got} rows, {pruned} row groups pruned, "
                                     f"wanted {rows} and {groups}")


def pages_case():
    """Of a sorted file, little more is read than the pages that match."""
    with Scratch("sorted") as scratch:
        source, target, report = scratch("in.parquet"), scratch("out.parquet"), scratch("r.json")
        harness.ok("gen", source, "--range", "day=1000:date", "--range", "id=3000", "--column",
                   "a=bigint", "--column", "note=string:4..20", "--compression", "zstd:1")
        ran = harness.ok("copy", source, target, "--where", "day = '1971-01-01' and id < 300",
                         "--report", report)
        with open(report, encoding="utf-8") as f:
            told = json.load(f)
        first = 365 * 3000
        pages = json.loads(harness.ok("inspect", source, "--pages", "-f", "json").out)["pages"]
        at = [p["first_row"] is not None and p["row_group"] * (1 << 20) + p["first_row"]
              for p in pages]
        matching = sum(p["compressed"] for p, row in zip(pages, at)
                       if p["kind"].startswith("DATA")
                       and row < first + 300 and row + p["values"] > first)
        rows = told["rows"]
        if rows["out"] != 300 or rows["in"] != 3000000 or rows["pruned"] < 2900000:
            raise AssertionError(f"rows {rows}: {ran.err}")
        if told["bytes_in"] > 2 * matching:
            raise AssertionError(f"{told['bytes_in']} bytes read, {matching} in matching pages")
        return f"{told['bytes_in'] / matching:.2f} x the matching pages"


def limit_case():
    """--limit, head and tail count behind the condition, whatever the threads."""
    with Scratch("limit") as scratch:
        source = scratch("in.parquet")
        harness.ok("gen", source, "--range", "group=500", "--range", "id=1000")
        for threads in ("1", "2", "8"):
            common = ["--where", "id BETWEEN 990 AND 995", "--threads", threads, "-f", "csv"]
            wanted = [f"{g},{i}" for g in range(500) for i in range(990, 996)]
            for arguments, rows in ((["head", source, "-n", "7"], wanted[:7]),
                                    (["tail", source, "-n", "7"], wanted[-7:]),
                                    (["tail", source, "-n", "9999"], wanted),
                                    (["copy", source, "-", "--limit", "100"], wanted[:100]),
                                    (["copy", source, "-", "--limit", "0"], [])):
                got = harness.ok(*arguments, *common).out.decode().split()[1:]
                if got != rows:
                    raise AssertionError(f"{arguments}, {threads} threads: {got[:8]} ...")


def unpruned_case(folder, tier):
    """With what a file says of itself and without it, the same rows pass: statistics that lie lose
    none where they are not to be believed."""
    import pyarrow as pa
    done = 0
    root = os.path.join(harness.SHARED, "data", folder)
    if not os.path.isdir(root):
        raise harness.Skip(f"no {root}")
    paths = sorted(glob.glob(os.path.join(root, "**", "*.parquet"), recursive=True))
    must = ("h2oai_group_small", "corrupt_stats", "out_of_range_stats", "-checksum", "bloom",
            "index", "stats", "nan")
    with Scratch("where") as scratch:
        for i, path in enumerate(paths):
            if tier != "all" and i % 4 and not any(m in path for m in must):
                continue
            poor = scratch("poor.parquet")
            ran = harness.narrows("copy", path, poor, "--no-statistics", "--no-page-index",
                                  "--no-dictionary", "--on-exists", "replace", "--memory", "128MiB")
            if ran.code:
                continue  # damaged
            table = compare.plain(compare.by_pyarrow(poor).slice(0, 3000))
            if not table.num_rows or len(set(table.schema.names)) < table.num_columns:
                continue
            maker = Maker(table, i)
            maker.columns = [(n, k, v) for n, k, v in maker.columns
                             if not pa.types.is_nested(k) and not pa.types.is_duration(k)]
            if not maker.columns:
                continue  # nested ones alone
            for _ in range(10):
                condition = maker.condition(1)
                want, got = (harness.narrows("count", p, "--where", condition, "--memory", "128MiB")
                             for p in (poor, path))
                if want.code:
                    continue  # of a type whose literals Python writes otherwise
                if got.code or got.out != want.out:
                    raise AssertionError(f"{path}: {condition}: {got.out} {got.err}, without "
                                         f"statistics {want.out}")
                done += 1
    if not done:
        raise AssertionError("no file was tested")
    return f"{done} conditions"


def several_case():
    """Several files, a sample, damaged rows left out: as from a file that was filtered before."""
    condition = "note LIKE '%a%' AND id < 700 OR \"group\" = 3"
    with Scratch("several") as scratch:
        for i in range(3):
            harness.ok("gen", scratch(f"{i}.parquet"), "--range", "group=20", "--range", "id=1000",
                       "--column", "note=string:3..8", "--seed", str(i), "--row-group-size", "3000")
        files = [scratch(f"{i}.parquet") for i in range(3)]
        whole = scratch("whole.parquet")
        harness.ok("copy", *files, whole, "--no-statistics", "--no-page-index")
        for out, sources in (("a.csv", [whole]), ("b.csv", files)):
            harness.ok("copy", *sources, scratch(out), "--where", condition, "--threads", "2")
        harness.ok("copy", whole, scratch("kept.parquet"), "--where", condition)
        for out, source, options in (("c.csv", scratch("kept.parquet"), []),
                                     ("d.csv", whole, ["--where", condition])):
            harness.ok("sample", source, scratch(out), "--first", "5", "--of", "id", "--per",
                       "group", *options)
        for a, b in (("a.csv", "b.csv"), ("c.csv", "d.csv")):
            with open(scratch(a), "rb") as f, open(scratch(b), "rb") as g:
                one, other = f.read(), g.read()
            if one != other or one.count(b"\n") < 100:
                raise AssertionError(f"{a} and {b} differ, {one.count(chr(10).encode())} lines")


def cases(tier):
    yield "where: several files, sample", several_case
    for folder in ("parquet-testing", "parquet-hyparquet", "parquet-duckdb", "parquet-dotnet",
                   "parquet-misc"):
        yield (f"where: pruned or not, {folder}", lambda f=folder: unpruned_case(f, tier), 300)
    yield "where: bloom filters", bloom_case
    yield "where: dictionaries, pyarrow's file", lambda: dictionary_case(False)
    yield "where: dictionaries, our file", lambda: dictionary_case(True)
    yield "where: pages of a sorted file", pages_case
    yield "where: limits behind a condition", limit_case
    seeds = range(1, 13 if tier == "all" else 4)
    for seed in seeds:
        for nulls in ("none", "some", "runs"):
            r = random.Random(f"{seed} {nulls}")
            names = r.sample(COLUMNS, 8)
            yield (f"where: random conditions, nulls {nulls}, seed {seed}",
                   lambda n=names, k=nulls, s=seed: generated_case(n, k, s), 180)
    for folder in ("parquet-testing", "parquet-hyparquet", "parquet-duckdb", "parquet-dotnet",
                   "parquet-go", "parquet-fastparquet", "parquet-misc"):
        yield (f"where: files of {folder}", lambda f=folder: corpus_case(f, tier), 300)
