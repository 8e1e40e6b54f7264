"""Rules of the planner, each seen from outside: by `plan`, and by what a run read."""
import json
import os

from harness import Scratch, ok

ROWS = 200000

# What a condition leaves out unread, wherever it stands: rows of the one in ten that it asks for.
PUSHED = {
    "constants are folded": "SELECT note FROM big WHERE 1 = 1 AND id >= 60000 * 3",
    "a projection": "SELECT n FROM (SELECT id AS n, upper(note) AS u FROM big) WHERE n >= 180000",
    "a subquery of WITH": "WITH q AS (SELECT id, note FROM big) SELECT note FROM q "
                          "WHERE id >= 180000",
    "the left side of a join": "SELECT b.note FROM big b JOIN small s ON b.v = s.v "
                               "WHERE b.id >= 180000",
    "the right side of a join": "SELECT b.note FROM small s JOIN big b ON b.v = s.v "
                                "WHERE b.id >= 180000",
    "a left join": "SELECT b.note FROM big b LEFT JOIN small s ON b.v = s.v WHERE b.id >= 180000",
    "UNION ALL": "SELECT id FROM (SELECT id FROM big UNION ALL SELECT id FROM big) "
                 "WHERE id >= 180000",
    "an order": "SELECT * FROM (SELECT id, note FROM big ORDER BY note) WHERE id >= 180000",
    "keys of groups": "SELECT * FROM (SELECT id, count(*) FROM big GROUP BY id) WHERE id >= 180000",
    "HAVING of a key": "SELECT id, count(*) FROM big GROUP BY id HAVING id >= 180000",
    "partitions of a window": "SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY id) "
                              "FROM big) WHERE id >= 180000",
}


def made(s):
    ok("gen", s("big.parquet"), "--range", f"id={ROWS}", "--column", "v=int16", "--column",
       "note=string:8..20", "--row-group-size", "10000", "-q")
    ok("gen", s("small.parquet"), "--range", "id=50", "--column", "v=int16", "-q")
    return ["--attach", f"big={s('big.parquet')}", "--attach", f"small={s('small.parquet')}",
            "--memory", "256MiB"]


def planned(sql, words):
    return json.loads(ok("plan", "-f", "json", "sql", sql, *words).out)


def ran(s, sql, words):
    ok("sql", sql, *words, "-o", s("o.parquet"), "--on-exists", "replace", "--report", s("r.json"),
       "-q")
    with open(s("r.json"), encoding="utf-8") as f:
        return json.load(f)


def reads(plan):
    return [p["step"] for p in plan["steps"] if p["step"].startswith("read")]


def conditions():
    with Scratch("rules") as s:
        words, wrong = made(s), []
        for name, sql in PUSHED.items():
            told = "what its conditions rule out is not read" in json.dumps(planned(sql, words))
            pruned = ran(s, sql, words)["rows"]["pruned"]
            if not told or pruned < ROWS * 8 // 10:
                wrong.append(f"{name}: {pruned} rows pruned, {'told' if told else 'not told'}")
        if wrong:
            raise AssertionError("; ".join(wrong))
        return f"through {len(PUSHED)} steps"


def columns():
    with Scratch("rules") as s:
        words = made(s)
        for sql, wanted in (
                ("SELECT x FROM (SELECT *, v + 1 AS x FROM big) ORDER BY x", ["read v"]),
                ("SELECT sum(1) FROM (SELECT id, upper(note) FROM big)", ["read"]),
                ("SELECT count(*) FROM (SELECT id, upper(note) FROM big)", []),
                ("SELECT a.note FROM big a JOIN big b ON a.id = b.v", ["read v", "read id, note"]),
                ("SELECT id FROM big WHERE EXISTS (SELECT * FROM small s WHERE s.v = big.v)",
                 ["read v", "read id, v"])):
            got = reads(planned(sql, words))
            if got != wanted:
                raise AssertionError(f"{sql}: {got}")


def limits():
    """No more than some morsels of the input are read."""
    with Scratch("rules") as s:
        words = made(s)
        for sql in ("SELECT * FROM big LIMIT 10", "SELECT note || 'x' FROM big LIMIT 10 OFFSET 5",
                    "SELECT * FROM (SELECT id + 1 FROM big) LIMIT 3",
                    "SELECT * FROM (SELECT id FROM big UNION ALL SELECT id FROM big) LIMIT 3",
                    "SELECT b.id FROM big b LEFT JOIN small s ON b.v = s.v LIMIT 3"):
            rows = ran(s, sql, words)["rows"]["in"]
            if rows > ROWS // 3:
                raise AssertionError(f"{sql}: {rows} rows were read")


def first_rows():
    """ORDER BY with LIMIT keeps the first rows alone: it needs no spill, whatever comes."""
    with Scratch("rules") as s:
        words = made(s)
        whole = planned("SELECT * FROM big ORDER BY note", words)
        top = planned("SELECT * FROM big ORDER BY note LIMIT 10", words)
        grant = [[p["grant"] for p in x["steps"] if p["step"].startswith("sort")][0]
                 for x in (whole, top)]
        if top["spill"] or not grant[1] < grant[0] / 4:
            raise AssertionError(f"{top['spill']} {grant}")


def counting():
    """Rows are counted by the footer alone, by whichever way they are counted."""
    with Scratch("rules") as s:
        words = made(s)
        for sql, rows in (("SELECT count(*) FROM big", 0), ("SELECT sum(1) FROM big", ROWS)):
            report = ran(s, sql, words)
            if report["bytes_in"] > 70000 or report["rows"]["in"] != rows:
                raise AssertionError(f"{sql}: {report['bytes_in']} bytes read of "
                                     f"{os.path.getsize(s('big.parquet'))}, {report['rows']}")
            out = ok("head", s("o.parquet"), "-f", "csv").out.decode().split()
            if out[1:] != [str(ROWS)]:
                raise AssertionError(f"{sql}: {out}")


def cases():
    yield "rule: conditions go down to the scan", conditions
    yield "rule: columns nobody looks at are not read", columns
    yield "rule: a limit ends the reading", limits
    yield "rule: the first rows of an order are kept alone", first_rows
    yield "rule: a count reads no column", counting
