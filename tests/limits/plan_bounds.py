"""How many rows a step may give at most: what `plan` says follows from metadata, and it holds."""
import json

import harness
from harness import Scratch

ROWS = 20000
TABLES = {
    "big": f"SELECT i AS id, i % 1000 AS k, 'key ' || i % 1000 AS name, 50 AS v, "
           f"50::DECIMAL(9,2) AS m, DATE '2020-12-31' + (i % 730)::INTEGER AS d "
           f"FROM range({ROWS}) t(i)",
    "side": "SELECT i AS k, 'side ' || i AS name, 'w ' || i * 7919 AS w FROM range(1000) t(i)",
}
JOINED = "big b JOIN side s ON b.k = s.k"
# (query, the step, its rows at most)
BOUNDS = [
    # keys of one side of a join, or that are equal to some of that side
    (f"SELECT s.k, s.name, w, sum(v) FROM {JOINED} GROUP BY ALL", "group by 3", 1000),
    (f"SELECT b.k, s.name, w, sum(v) FROM {JOINED} GROUP BY ALL", "group by 3", 1000),
    (f"SELECT b.name, s.name, sum(v) FROM {JOINED} GROUP BY ALL", "group by 2", ROWS * 1000),
    (f"SELECT b.name, upper(s.name) || s.w, sum(v) FROM {JOINED} WHERE b.k < 0 GROUP BY ALL",
     "group by 2", ROWS * 1000),
    (f"SELECT upper(s.name) || s.w, sum(v) FROM {JOINED} GROUP BY ALL", "group by 1", 1000),
    # and nothing, for rows that meet nobody
    ("SELECT s.name, count(*) FROM big b LEFT JOIN side s ON b.id = s.k GROUP BY ALL",
     "group by 1", 1001),
    # numbers between two, the years they lie in, and null
    ("SELECT k, count(*) FROM big GROUP BY ALL", "group by 1", 1001),
    ("SELECT year(d), count(*) FROM big GROUP BY ALL", "group by 1", 5),
    # as many groups as have enough rows to come to so much
    ("SELECT name FROM big GROUP BY name HAVING count(*) >= 20 ORDER BY 1", "sort by 1", 1001),
    ("SELECT name FROM big GROUP BY name HAVING 999 < sum(v) ORDER BY 1", "sort by 1", 1002),
    ("SELECT name FROM big GROUP BY name HAVING sum(m) >= 1000 AND max(k) > 0 ORDER BY 1",
     "sort by 1", 1001),
    ("SELECT name FROM big GROUP BY name HAVING sum(v) < 999 ORDER BY 1", "sort by 1", ROWS),
    ("SELECT name FROM big GROUP BY name HAVING sum(-v) > -1001 ORDER BY 1", "sort by 1", ROWS),
    ("SELECT name FROM big GROUP BY name HAVING count(*) > -1 ORDER BY 1", "sort by 1", ROWS),
]


def bounded():
    with Scratch("bounds") as s:
        words = []
        for name, sql in TABLES.items():
            harness.ok("sql", sql, "-o", s(f"{name}.parquet"), "-q")
            words += ["--attach", f"{name}={s(f'{name}.parquet')}"]
        for sql, step, most in BOUNDS:
            harness.ok("sql", sql, *words, "-f", "csv", "-q", "--report", s("r.json"))
            with open(s("r.json"), encoding="utf-8") as f:
                told = json.load(f)
            found = [x for x in told["plan"]["steps"] if x["step"].startswith(step)][-1]
            if not found["rows_bound"] or found["rows"] != most or told["rows"]["out"] > most:
                raise AssertionError(f"{sql}: {found}, {told['rows']['out']} rows")
        return f"{len(BOUNDS)} queries"


def cases():
    yield "rows that steps give at most", bounded, 60
