#!/usr/bin/env python3
"""Runs the tests, one line a case, and closes with `N passed, N failed, N skipped`.

    tests/run.py [--tier quick|all] [--only SUITE]... [--match TEXT] [--list] [--no-build]

Suites, in order: build lint unit corpus oracle cli limits faults fuzz. A suite is a module
tests/SUITE/cases.py with `cases(tier)`, which yields (name, function), (name, function, seconds)
or (name, function, seconds, ALONE), for what measures time. A case passes when its function
returns, is skipped when it raises harness.Skip, and fails on anything else. Cases run in worker
processes, so that a hang or a crash costs one case.
"""
import argparse
import importlib.util
import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
import warnings
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

SUITES = ["build", "lint", "unit", "corpus", "oracle", "cli", "limits", "faults", "fuzz"]
SERIAL = {"build", "lint"}
DEFAULT_SECONDS = 90
# Here queries run on as many threads as pay, elsewhere on all: so threads meet in small inputs too.
ASKED = {"cli", "limits"}

Case = namedtuple("Case", "suite name function seconds alone")


def load(suite):
    path = os.path.join(harness.ROOT, "tests", suite, "cases.py")
    if not os.path.exists(path):
        return None
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(f"{suite}_cases", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def collect(suite, tier):
    module = load(suite)
    if module is None:
        return []
    found = []
    for case in module.cases(tier):
        name, function = case[0], case[1]
        found.append(Case(suite, name, function, case[2] if len(case) > 2 else DEFAULT_SECONDS,
                          harness.ALONE in case[3:] or suite in SERIAL))
    return found


def run_one(case):
    """(status, text) of a case, in this process."""
    os.environ["NARROWS_CREW"] = "" if case.suite in ASKED else "all"
    try:
        note = case.function()
        return "ok", note or ""
    except harness.Skip as e:
        return "skip", str(e)
    except AssertionError as e:
        return "FAIL", str(e) or traceback.format_exc(limit=-1)
    except Exception:  # noqa: BLE001  # a broken test is a failed test
        return "FAIL", traceback.format_exc(limit=-3)


def worker(cases, numbers, results):
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgrp()
    while True:
        number = numbers.recv()
        if number is None:
            return
        started = time.monotonic()
        status, text = run_one(cases[number])
        data = pickle.dumps((status, text, time.monotonic() - started))
        with open(results, "wb", closefd=False) as f:
            f.write(len(data).to_bytes(8, "little") + data)


class Worker:
    def __init__(self, cases):
        self.cases = cases
        self.process = None
        self.number = None
        self.deadline = 0

    def give(self, number):
        if self.process is None:
            self.start()
        self.number = number
        self.came = b""
        self.deadline = time.monotonic() + self.cases[number].seconds
        self.numbers.send(number)

    def start(self):
        other, self.numbers = multiprocessing.Pipe(False)
        self.results, end = os.pipe()
        os.set_blocking(self.results, False)
        self.process = multiprocessing.get_context("fork").Process(
            target=worker, args=(self.cases, other, end))
        self.process.start()
        other.close()
        os.close(end)

    def read(self):
        """The result, once all of it has come: who sends it may die halfway, while a child of his
        still holds the pipe."""
        try:
            while more := os.read(self.results, 1 << 16):
                self.came += more
        except BlockingIOError:
            pass
        size = int.from_bytes(self.came[:8], "little")
        return pickle.loads(self.came[8:]) if 8 <= len(self.came) == 8 + size else None

    def collect(self):
        """The result, or None while it runs."""
        late = time.monotonic() > self.deadline
        alive = self.process.is_alive()
        result = self.read()
        if result is not None or (alive and not late):
            return result
        self.kill()
        seconds = self.cases[self.number].seconds
        return ("FAIL", f"took more than {seconds} s" if late else "the test process died", seconds)

    def kill(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except OSError:
            pass
        self.process.join()
        self.process = None
        self.numbers.close()
        os.close(self.results)

    def close(self):
        if self.process is not None:
            try:
                self.numbers.send(None)
            except OSError:
                pass
            self.process.join(5)
            self.kill()


def run_suite(cases, jobs, show):
    if not cases:
        return
    workers = [Worker(cases) for _ in range(min(jobs, len(cases)))]
    waiting = list(range(len(cases)))
    busy = []
    try:
        while waiting or busy:
            for w in workers:
                if w not in busy and waiting:
                    w.give(waiting.pop(0))
                    busy.append(w)
            done = False
            for w in list(busy):
                result = w.collect()
                if result is not None:
                    busy.remove(w)
                    show(cases[w.number], *result)
                    done = True
            if not done:
                time.sleep(0.005)
    finally:
        for w in workers:
            w.kill() if w in busy else w.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tier", choices=["quick", "all"], default="quick")
    parser.add_argument("--only", action="append", choices=SUITES, metavar="SUITE")
    parser.add_argument("--match", help="only cases with this text in their name")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--failures", action="store_true", help="print only what is not ok")
    parser.add_argument("-j", type=int, default=min(2, len(os.sched_getaffinity(0))))
    args = parser.parse_args()

    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    failed = []

    def show(case, status, text, seconds):
        counts[status] += 1
        name = f"{case.suite}: {case.name}"
        if status == "FAIL":
            failed.append(name)
        if status == "ok" and args.failures:
            return
        text = text.strip()
        if status == "FAIL" and "\n" in text:
            text = "\n    " + text.replace("\n", "\n    ")
        took = f" [{seconds:.1f} s]" if seconds >= 1 else ""
        print(f"{status:4} {name}{took}{': ' + text if text else ''}", flush=True)

    started = time.monotonic()
    for suite in args.only or SUITES:
        if suite == "build" and args.no_build:
            continue
        cases = [c for c in collect(suite, args.tier) if not args.match or args.match in c.name]
        if args.list:
            for c in cases:
                print(f"{c.suite}: {c.name}")
            continue
        run_suite([c for c in cases if c.alone], 1, show)
        run_suite([c for c in cases if not c.alone], args.j, show)
    if args.list:
        return 0
    if failed:
        print("\nfailed:")
        for name in failed:
            print(f"  {name}")
    print(f"\n{time.monotonic() - started:.0f} s")
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped", flush=True)
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
