"""GROUP BY of a key that the input is clustered by, as row groups' statistics show: groups leave
while rows come. Against DuckDB, the same bytes for all threads and limits; and statistics that lie
are an error."""
import hashlib
import json
import struct

import harness
from harness import Scratch

ROWS, GROUP, APART = 264000, 22000, 22400
OPTIONS = [["--memory", "1GiB", "--threads", "1"], ["--memory", "32MiB", "--threads", "2"],
           ["--memory", "64MiB", "--threads", "8"]]

# Shuffled inside of each row group; a row group may begin with the key that the one before ends
# with. kn: nulls anywhere; down: falling; f: bounds say nothing of NaN.
TABLE = """
SELECT k, CASE WHEN k % 11 = 3 THEN NULL ELSE k END AS kn,
       DATE '2040-01-01' - (k // 9)::INT AS down,
       'key ' || lpad((k // 3)::VARCHAR, 40, '0') AS s, (k / 7)::DECIMAL(12, 3) AS dec,
       CASE WHEN k % 1000 = 1 THEN 'nan'::DOUBLE ELSE k::DOUBLE END AS f,
       (i * 7919) % 1009 AS x, 'value ' || (i * 104729) % 99991 AS w
FROM (SELECT i, (i + {shift}) // 7 AS k FROM range({rows}) t(i))
ORDER BY i // {group}, hash(i)
"""

# name, query, whether groups leave before all rows came
QUERIES = [
    ("a number", "SELECT k, count(*) AS n, sum(x) AS s, min(w) AS w FROM '{t}' GROUP BY k", True),
    ("nulls among the keys", "SELECT kn, count(*) AS n, sum(x) AS s, max(w) AS w FROM '{t}' "
                             "GROUP BY kn", True),
    ("falling dates", "SELECT down, count(*) AS n, avg(x) AS a FROM '{t}' GROUP BY down", True),
    ("texts", "SELECT s, count(DISTINCT x) AS n, first(w ORDER BY w) AS w FROM '{t}' GROUP BY s",
     True),
    ("decimals", "SELECT dec, sum(x) AS s FROM '{t}' GROUP BY dec", True),
    ("floats", "SELECT f, count(*) AS n FROM '{t}' GROUP BY f", False),
    ("two keys", "SELECT x % 3 AS y, k // 2 AS z, k, sum(x) AS s FROM '{t}' GROUP BY ALL", False),
    ("two keys, apart", "SELECT w, k, count(*) AS n FROM '{apart}' GROUP BY w, k", True),
    ("two keys, nulls", "SELECT w, kn, count(*) AS n FROM '{apart}' GROUP BY w, kn", False),
    ("a key that is computed", "SELECT k // 2 AS z, count(*) AS n FROM '{t}' GROUP BY z", False),
    ("no bounds", "SELECT k, count(*) AS n FROM '{unsaid}' GROUP BY k", False),
    ("behind filters", "SELECT k, count(*) AS n, sum(x) AS s FROM (SELECT k, x, x + k AS y FROM "
                       "'{t}' WHERE k > 20000 AND k % 5 <> 1) WHERE y % 2 = 0 GROUP BY k", True),
    ("HAVING", "SELECT k, sum(x) AS s FROM '{t}' GROUP BY k HAVING sum(x) % 3 = 0", True),
    ("DISTINCT", "SELECT DISTINCT s FROM '{t}'", True),
    ("an order behind it", "SELECT k, sum(x) AS s FROM '{t}' GROUP BY k ORDER BY s, k LIMIT 500",
     True),
    ("groups of groups", "SELECT n, count(*) AS m FROM (SELECT k, sum(x) AS n FROM '{t}' "
                         "GROUP BY k) GROUP BY n", True),
    ("both sides of a join", "SELECT a.k, a.n, b.m FROM (SELECT k, sum(x) AS n FROM '{t}' "
                             "GROUP BY k) a FULL JOIN (SELECT kn, max(x) AS m FROM '{t}' "
                             "GROUP BY kn) b ON a.k = b.kn", True),
    ("one behind the other", "SELECT k, sum(x) AS n FROM '{t}' GROUP BY k UNION ALL "
                             "SELECT k, count(*) FROM '{apart}' GROUP BY k", True),
    ("files that overlap", "SELECT k, count(*) AS n, sum(x) AS s FROM '{folder}/*.parquet' "
                           "GROUP BY k", True),
]

QUICK = ("nulls among the keys", "falling dates", "texts", "two keys, apart", "behind filters",
         "files that overlap")


def make(s):
    import duckdb
    import pyarrow.parquet as pq
    c = duckdb.connect()
    c.execute("SET threads = 1")

    def table(rows, shift, group=GROUP):
        return c.execute(TABLE.format(rows=rows, shift=shift, group=group)).to_arrow_table()

    whole = table(ROWS, 5)
    pq.write_table(whole, s("t.parquet"), row_group_size=GROUP)
    pq.write_table(whole, s("unsaid.parquet"), row_group_size=GROUP, write_statistics=False)
    # 7 * 3200 rows: no key is in two row groups
    pq.write_table(table(12 * APART, 0, APART), s("apart.parquet"), row_group_size=APART)
    s_folder = s("folder")
    harness.os.makedirs(s_folder)
    for i, shift in enumerate((0, 84000, 168000, 252000)):
        pq.write_table(table(88000, shift), f"{s_folder}/{i}.parquet", row_group_size=GROUP)
    return c, {"t": s("t.parquet"), "unsaid": s("unsaid.parquet"), "apart": s("apart.parquet"),
               "folder": s_folder}


def run(query, s, options):
    target, report = s("o.parquet"), s("report.json")
    ran = harness.measure([harness.RELEASE, "sql", query, "-o", target, "--on-exists", "replace",
                           "--report", report] + options, timeout=240)
    assert ran.code == 0, f"{query} {options}: exit code {ran.code}: {ran.err[-300:]}"
    ceiling = int(options[1][:-3]) * (1024 if "G" in options[1] else 1)
    assert ran.peak <= ceiling << 20, f"{options}: peak {ran.peak >> 20} MiB"
    with open(target, "rb") as f, open(report) as g:
        return hashlib.sha256(f.read()).hexdigest(), json.load(g)


def is_marked(report):
    return any("clustered by" in step.get("detail", "") for step in report["plan"]["steps"])


def queries_case(tier):
    with Scratch("clustered") as s:
        c, names = make(s)
        chosen = QUERIES if tier == "all" else [q for q in QUERIES if q[0] in QUICK]
        for i, (name, query, marked) in enumerate(chosen):
            query = query.format(**names)
            some = OPTIONS if tier == "all" else [OPTIONS[0], OPTIONS[1 + i % 2]]
            ran = [run(query, s, options) for options in some]
            assert len({r[0] for r in ran}) == 1, f"{name}: bytes depend on memory or threads"
            for r in ran:
                assert is_marked(r[1]) == marked, f"{name}: {r[1]['plan']['steps']}"
            mine = f"FROM '{s('o.parquet')}'"
            for x, y in ((f"({query})", mine), (mine, f"({query})")):
                n = c.execute(f"SELECT count(*) FROM ({x} EXCEPT ALL {y})").fetchone()[0]
                assert n == 0, f"{name}: {n} rows differ"
        return f"{len(chosen)} queries"


# What rises inside of row groups, too: groups leave in the order of the input. Orders are those of
# the rows, by their number: as they are; or shuffled in such a way that the key falls once, where
# blocks of rows meet. kn: nulls anywhere; few: a key goes over several row groups.
RISING = """
SELECT k, CASE WHEN hash(i) % 11 = 3 THEN NULL ELSE k END AS kn, i // 100000 AS few,
       DATE '2040-01-01' - (k // 9)::INT AS down,
       'key ' || lpad((k // 3)::VARCHAR, 40, '0') AS s, (k / 7)::DECIMAL(12, 3) AS dec,
       (i * 7919) % 1009 AS x, (x / 4)::DOUBLE AS f, 'value ' || (i * 104729) % 99991 AS w
FROM (SELECT i, (i + {shift}) * 10 // {tenths} AS k FROM range({rows}) t(i)) ORDER BY {order}
"""
FALLING = "i // {group}, i % {group} // {block} = {first} DESC, i"

# name, query, keys whose order is the input's
RISING_QUERIES = [
    ("a number", "SELECT k, count(*) AS n, count(kn) AS m, sum(x) AS s, sum(f) AS f, min(w) AS w "
                 "FROM '{t}' GROUP BY k", "k"),
    ("of few rows", "SELECT k, count(*) AS n, avg(x) AS a, sum(x) FILTER (x > 500) AS s "
                    "FROM '{few}' GROUP BY k", "k"),
    ("nulls among the keys", "SELECT kn, count(*) AS n, sum(x) AS s, max(w) AS w FROM '{t}' "
                             "GROUP BY kn", "kn"),
    ("falling dates", "SELECT down, count(*) AS n, avg(x) AS a FROM '{t}' GROUP BY down", "down"),
    ("texts", "SELECT s, count(DISTINCT x) AS n, first(w ORDER BY w) AS w FROM '{t}' GROUP BY s",
     "s"),
    ("decimals", "SELECT dec, sum(x) AS s FROM '{t}' GROUP BY dec", "dec"),
    ("across row groups", "SELECT few, count(*) AS n, sum(x) AS s FROM '{t}' GROUP BY few", "few"),
    ("two keys", "SELECT k, k // 2 AS z, sum(x) AS s FROM '{apart}' GROUP BY k, z", "k"),
    ("two keys, the other one changes", "SELECT k, x % 2 AS z, sum(x) AS s FROM '{apart}' "
                                        "GROUP BY k, z", None),
    ("behind filters", "SELECT k, count(*) AS n FROM '{t}' WHERE (k < 9000 OR k > 20000) "
                       "AND x % 3 = 0 GROUP BY k", "k"),
    ("falls once", "SELECT k, count(*) AS n, sum(x) AS s, list(x ORDER BY i) AS l FROM (SELECT *, "
                   "x + 1 AS i FROM '{falls}') GROUP BY k", None),
    ("falls behind the mark", "SELECT k, count(*) AS n, sum(x) AS s FROM '{mark}' GROUP BY k",
     None),
]

RISING_QUICK = ("nulls among the keys", "across row groups", "falls behind the mark")


def make_rising(s, wanted):
    import duckdb
    import pyarrow.parquet as pq
    c = duckdb.connect()
    c.execute("SET threads = 1")
    names, wide = {}, 3 * GROUP

    def write(name, tenths=70, order="i", rows=ROWS, group=wide, shift=5):
        names[name] = s(f"{name}.parquet")
        if f"{{{name}}}" in wanted:
            rows = c.execute(RISING.format(tenths=tenths, rows=rows, order=order,
                                           shift=shift)).to_arrow_table()
            pq.write_table(rows, names[name], row_group_size=group)

    write("t")
    write("few", 13)
    write("apart", 70, "i", 12 * APART, 3 * APART, 0)
    write("falls", 70, FALLING.format(group=wide, block=GROUP, first=1))
    # the last rows of a row group, which have the key that the next one begins with, stand before
    # others
    write("mark", 70, f"i // {wide}, i % {wide} < {GROUP} + 77, i % {wide} < {wide} - 4, i")
    return c, names


def rising_case(tier):
    """Groups leave in the order of the input where their key rises, whatever is spilled."""
    import pyarrow.parquet as pq
    with Scratch("clustered") as s:
        chosen = [q for q in RISING_QUERIES if tier == "all" or q[0] in RISING_QUICK]
        c, names = make_rising(s, " ".join(q[1] for q in chosen))
        spilled = 0
        for name, query, key in chosen:
            query = query.format(**names)
            some = OPTIONS + [["--memory", "26MiB", "--threads", "3"]]
            ran = [run(query, s, options) for options in (some if tier == "all" else some[::3])]
            assert len({r[0] for r in ran}) == 1, f"{name}: bytes depend on memory or threads"
            assert is_marked(ran[0][1]), f"{name}: {ran[0][1]['plan']['steps']}"
            spilled = max([spilled] + [r[1]["spilled"] for r in ran])
            mine = f"FROM '{s('o.parquet')}'"
            for x, y in ((f"({query})", mine), (mine, f"({query})")):
                n = c.execute(f"SELECT count(*) FROM ({x} EXCEPT ALL {y})").fetchone()[0]
                assert n == 0, f"{name}: {n} rows differ"
            if key:
                keys = pq.read_table(s("o.parquet"), columns=[key])[key].to_pylist()
                keys = keys[:-1] if keys[-1] is None else keys
                assert keys == sorted(keys, reverse=key == "down"), f"{name}: not the input's order"
        assert tier != "all" or spilled > 1 << 20, f"nothing was spilled: {spilled}"
        return f"{len(chosen)} queries, spilled {spilled >> 10} KiB"


def spilled_case():
    """What lies between two marks may be larger than memory, too."""
    with Scratch("clustered") as s:
        c, names = make(s)
        query = ("SELECT w, k, x, sum(x) AS a, min(w) AS b, avg(x) AS d FROM '{apart}' "
                 "GROUP BY w, k, x").format(**names)
        ran = [run(query, s, o) for o in (OPTIONS[0], ["--memory", "26MiB", "--threads", "2"])]
        assert ran[0][0] == ran[1][0], "bytes depend on memory"
        spilled = [r[1]["spilled"] for r in ran]
        assert spilled[1] > max(spilled[0], 1 << 20), f"spilled {spilled}"
        assert is_marked(ran[0][1])
        n = c.execute(f"SELECT count(*) FROM (({query}) EXCEPT ALL FROM '{s('o.parquet')}')")
        assert n.fetchone()[0] == 0
        return f"spilled {spilled[1] >> 10} KiB"


def lie(path, true, told):
    """Writes another bound for one in a footer."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<I", data[-8:-4])[0]
    footer = data[-8 - size:]
    want, put = struct.pack("<q", true), struct.pack("<q", told)
    assert footer.count(want) > 0, "no such bound"
    with open(path, "wb") as f:
        f.write(data[:-8 - size] + footer.replace(want, put))


def lying_case():
    import pyarrow as pa
    import pyarrow.parquet as pq
    with Scratch("clustered") as s:
        odd = {5: (1234567, 5 * GROUP), 7: (98765432, 8 * GROUP - 1)}
        for at, (value, told) in odd.items():  # below an earlier mark, above the next one
            keys = list(range(12 * GROUP))
            keys[at * GROUP + (0 if value < told else GROUP - 1)] = value
            if value == 1234567:
                keys = [k + 2000000 if k != value else k for k in keys]
                told += 2000000
            pq.write_table(pa.table({"k": pa.array(keys, pa.int64())}), s("t.parquet"),
                           row_group_size=GROUP)
            query = f"SELECT k, count(*) AS n FROM '{s('t.parquet')}' GROUP BY k"
            assert not harness.os.path.exists(s("o.parquet"))
            lie(s("t.parquet"), value, told)
            for options in OPTIONS:
                ran = harness.narrows("sql", query, "-o", s("o.parquet"), *options)
                harness.refused(ran, (1, 2, 3, 4, 5))
                assert "not within the bounds" in ran.err and "t.parquet" in ran.err, ran.err
                assert not harness.os.path.exists(s("o.parquet"))


def cases(tier):
    yield "groups of a clustered key", lambda: queries_case(tier), 300
    yield "groups of a key that rises", lambda: rising_case(tier), 300
    if tier == "all":
        yield "groups of a clustered key that spill", spilled_case, 300
    yield "statistics of a clustered key that lie", lying_case, 60
