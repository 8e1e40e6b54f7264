"""What the cases of this suite ask of a run: its peak, and that the peak does not grow."""
from harness import MIB, mib, ok

FLAT = 0.05  # growth allowed, or
SLACK = 2 * MIB


def within(ran, limit, what=""):
    if ran.peak > limit * MIB:
        raise AssertionError(f"{what}peak {mib(ran.peak)} at --memory {limit}MiB")


def sound(path, rows=None):
    """Row groups and rows of a file as its footer and the command's own check tell."""
    ok("verify", path, "-q", timeout=600)
    if rows is not None:
        got = int(ok("count", path).out)
        if got != rows:
            raise AssertionError(f"{got} rows, wanted {rows}")


def grown(peaks):
    return max(peaks) - peaks[0] > max(peaks[0] * FLAT, SLACK)


def flat(name, run, sizes):
    """Peaks of the same job at growing sizes: none above the first by more than allowed. Threads
    meet otherwise each time, and of more meetings the highest is higher. So where single runs
    differ, as much work stands on both sides: the highest of as many runs of a smaller input as
    make up the largest one, ten at most."""
    peaks = [run(size) for size in sizes]
    if grown(peaks):
        peaks = [max([p] + [run(size) for _ in range(min(sizes[-1] // size, 10) - 1)])
                 for p, size in zip(peaks, sizes)]
    note = f"{name}: " + ", ".join(f"{n:,}: {mib(p)}" for n, p in zip(sizes, peaks))
    if grown(peaks):
        raise AssertionError(note)
    return note
