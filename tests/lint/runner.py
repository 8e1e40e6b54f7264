"""tests/run.py itself: a worker that dies while it tells a result costs one case."""
import os
import signal
import sys
import time

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests"))
import run  # noqa: E402


def dies_halfway(_cases, _numbers, results):
    """Half of a result, and a child that keeps the pipe open."""
    os.setpgrp()
    os.write(results, (1 << 20).to_bytes(8, "little") + b"half")
    if os.fork() == 0:
        os.setpgrp()
        time.sleep(3)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


def results_of(work):
    run.worker, kept = work, run.worker
    told = []
    try:
        cases = [run.Case("x", str(n), lambda: "x" * 300000, 20, False) for n in range(2)]
        run.run_suite(cases, 1, lambda _, status, text, seconds: told.append((status, text)))
    finally:
        run.worker = kept
    return told


def check():
    told = results_of(dies_halfway)
    if told != [("FAIL", "the test process died")] * 2:
        raise AssertionError(f"of a worker that died: {told}")
    told = results_of(run.worker)
    if told != [("ok", "x" * 300000)] * 2:
        raise AssertionError(f"of a worker that lives: {str(told)[:200]}")
