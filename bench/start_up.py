#!/usr/bin/env python3
"""How long `narrows --version` takes and what it holds: the median of 50 starts."""
import statistics
import sys

import bench
from bench import harness


def main():
    runs = [harness.ok("--version") for _ in range(50)]
    seconds = statistics.median(r.seconds for r in runs)
    peak = max(r.peak for r in runs)
    print(f"start-up: narrows --version\n{bench.versions()}; {bench.machine()}; 50 rounds")
    print(f"median {seconds * 1000:.2f} ms, peak RSS {harness.mib(peak)}")
    return bench.verdict([("5 ms at most", seconds <= 0.005),
                          ("6 MiB at most", peak <= 6 * harness.MIB)])


if __name__ == "__main__":
    sys.exit(main())
