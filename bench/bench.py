"""What the benches share: running us and the peers in turn, and printing the table.

A peer's time is what its work takes inside its process, without its start and imports; ours is
the whole process. Peak memory is the whole process for all. Runs are paired: every round runs all
programs once, and ratios are medians of the rounds' ratios.
"""
import json
import os
import platform
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
import harness  # noqa: E402

PYTHON = sys.executable
FOLDER = os.path.join(harness.DATA, "bench")


def folder():
    os.makedirs(FOLDER, exist_ok=True)
    return FOLDER


def lineitem(scale):
    """The lineitem table of TPC-H at this scale, snappy; made when it is not there."""
    script = os.path.join(harness.ROOT, "tools", "testdata.sh")
    made = subprocess.run([script, scale], check=True, capture_output=True, text=True).stdout
    return os.path.join(harness.ROOT, made.strip())


def machine():
    """One line on where this ran."""
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="ascii") as f:
            model = next((l.split(":")[1].strip() for l in f if l.startswith("model name")), model)
        with open("/proc/meminfo", encoding="ascii") as f:
            kib = int(f.readline().split()[1])
    except OSError:
        kib = 0
    return f"{len(os.sched_getaffinity(0))} CPUs ({model}), {kib / (1 << 20):.0f} GiB"


def versions():
    found = []
    ours = harness.narrows("--version", timeout=10)
    found.append(ours.out.decode().strip() or "narrows")
    from importlib import metadata
    for name in ("duckdb", "polars", "pyarrow"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            pass
    return ", ".join(found)


class Program:
    """One contestant: a name and how to run it once."""

    def __init__(self, name, run):
        self.name, self.run = name, run


def ours(name, *arguments, **options):
    def run():
        ran = harness.ok(*arguments, **options)
        return ran.seconds, ran.peak
    return Program(name, run)


class GaveUp(Exception):
    """A peer could not do its work; the seconds until it said so."""

    def __init__(self, seconds):
        super().__init__(seconds)
        self.seconds = seconds


def peer(name, script, *arguments, timeout=900, gives_up=None):
    """A Python script that does `work(argv)` and prints the seconds it took. With the exit code
    `gives_up` it has printed how long it tried."""
    text = ("import sys, time\n" + script +
            "\nt = time.monotonic()\nwork(sys.argv[1:])\nprint(time.monotonic() - t)\n")

    def run():
        ran = harness.measure([PYTHON, "-c", text, *arguments], timeout)
        if gives_up and ran.code == gives_up:
            raise GaveUp(float(ran.out.split()[-1]))
        if ran.code:
            raise RuntimeError(f"{name}: {ran.err.strip()[-600:]}")
        return float(ran.out.split()[-1]), ran.peak
    return Program(name, run)


def take_name(part, path):
    """A file that was made gets its name, and leaves the page cache: it lies there in the small
    pieces it was written in, and reading those takes longer than reading what was read before."""
    with open(part, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    os.replace(part, path)


def settle(source):
    """What one program wrote is on the disk before the next begins, and the input in the page
    cache: the first of a round would read a cold file for the others."""
    os.sync()
    if source:
        with open(source, "rb") as f:
            while f.read(1 << 20):
                pass


def run(title, programs, rounds, before=None, after=None, source=None):
    """Runs all programs `rounds` times in turn and prints the table; the first is ours. `source` is
    the file that all read.

    `before(program)` clears what is in the way; `after(program)` checks the answer and may return a
    text for the table. Returns {name: (median seconds, largest peak, ratio to the first)}.
    """
    times = {p.name: [] for p in programs}
    peaks = {p.name: 0 for p in programs}
    notes = {p.name: "" for p in programs}
    for number in range(rounds):
        for p in programs:
            if before:
                before(p)
            settle(source)
            seconds, peak = p.run()
            times[p.name].append(seconds)
            peaks[p.name] = max(peaks[p.name], peak)
            if after:
                notes[p.name] = after(p) or ""
            harness.log(f"  round {number + 1}, {p.name}: {harness.human_seconds(seconds)}, "
                        f"{harness.mib(peak)} {notes[p.name]}")
    print(f"\n{title}")
    print(f"{versions()}; {machine()}; {rounds} rounds")
    width = max(len(p.name) for p in programs)
    print(f"{'':{width}}  {'median':>9}  {'ratio':>7}  {'peak RSS':>10}")
    results = {}
    first = times[programs[0].name]
    for p in programs:
        median = statistics.median(times[p.name])
        ratio = statistics.median(t / f for t, f in zip(times[p.name], first))
        results[p.name] = (median, peaks[p.name], ratio)
        print(f"{p.name:{width}}  {harness.human_seconds(median):>9}  {ratio:>6.1f}x  "
              f"{harness.mib(peaks[p.name]):>10}  {notes[p.name]}")
    sys.stdout.flush()
    return results


def verdict(wanted):
    """Prints each (what, holds) and returns the exit code."""
    for what, holds in wanted:
        print(f"{'holds ' if holds else 'BROKEN'}  {what}")
    return 0 if all(holds for _, holds in wanted) else 1


def parquet_rows(path):
    out = subprocess.run([PYTHON, "-c", "import sys, pyarrow.parquet as p\n"
                          "m = p.read_metadata(sys.argv[1])\nprint(m.num_rows, m.num_row_groups)",
                          path], capture_output=True, text=True, check=True)
    return tuple(map(int, out.stdout.split()))


def report(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
