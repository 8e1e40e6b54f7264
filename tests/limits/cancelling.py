"""SIGINT in the middle of each kind of operator: the run ends at once, nothing is left."""
import os
import signal
import subprocess
import time

import harness
from harness import Scratch, Skip

# Seconds of processor time, of all threads, between the signal and the end; a slow machine only
# makes them last longer.
MOST = 1.0

# Each runs for far longer than it is waited for; what the query is at after so many seconds of its
# own processor time is in the name.
JOBS = {
    "sort, rows come": ("SELECT * FROM big ORDER BY note", 0.2),
    "sort, runs are merged": ("SELECT * FROM big ORDER BY note, id", 3.0),
    "group by": ("SELECT note, count(*) FROM big GROUP BY 1", 0.5),
    "group by, parts": ("SELECT note, id, count(*) FROM big GROUP BY 1, 2", 3.0),
    "join that spills": ("SELECT x.id, y.note FROM big x JOIN big y ON x.note = y.note", 3.0),
    "pairs of a cross join": ("SELECT count(*) FROM big x JOIN big y ON x.id + y.id < 0", 1.0),
    "rows of a cross join": ("SELECT sum(x.id) FROM big x, big y", 1.0),
    "window": ("SELECT id, sum(id) OVER (ORDER BY note ROWS BETWEEN 50000 PRECEDING AND CURRENT "
               "ROW) FROM big", 2.0),
    "partitioned write": ("COPY (SELECT *, id % 20000 AS p FROM big) TO '{out}/ds/' "
                          "(FORMAT parquet, PARTITION_BY (p))", 1.5),
}


def cpu_of(pid):
    """Seconds of user and system time of a process; None: it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / os.sysconf(
        "SC_CLK_TCK")


def interrupted(name, rows):
    sql, after = JOBS[name]
    with Scratch("cancel") as s:
        os.mkdir(s("out"))
        os.mkdir(s("spill"))
        harness.ok("gen", s("big.parquet"), "--range", f"id={rows}", "--column",
                   "note=string:8..40", "--shuffle", "-q", timeout=120)
        target = [] if "{out}" in sql else ["-o", s("out", "o.parquet")]
        process = subprocess.Popen(
            [harness.need(harness.RELEASE), "sql", sql.format(out=s("out")), "--attach",
             f"big={s('big.parquet')}", "--memory",
             "512MiB" if name == "window" else "32MiB", "--spill-dir", s("spill"), *target,
             "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 100
        while (cpu := cpu_of(process.pid)) is not None and cpu < after:
            time.sleep(0.01)
        before = cpu_of(process.pid)
        if before is None:
            raise AssertionError(f"ended alone: {process.communicate()[1].decode()[-300:]}")
        process.send_signal(signal.SIGINT)
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.01)
        _, status, used = ended
        err = process.stderr.read().decode()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == 0:
            raise Skip("it was done before it could be interrupted")
        took = used.ru_utime + used.ru_stime - before
        if process.returncode != 130 or "interrupted" not in err:
            raise AssertionError(f"exit {process.returncode}: {err}")
        if took > MOST:
            raise AssertionError(f"worked for {took:.2f} s behind the signal")
        if os.listdir(s("out")) or os.listdir(s("spill")):
            raise AssertionError(f"left: {os.listdir(s('out'))} {os.listdir(s('spill'))}")
        return f"{took * 1000:.0f} ms of processor time"


def cases(full):
    for name in JOBS:
        if full or name in ("pairs of a cross join", "window"):
            yield (f"SIGINT: {name}",
                   lambda n=name: interrupted(n, 3000000 if full else 300000), 300)
