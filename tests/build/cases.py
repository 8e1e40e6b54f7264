"""Every preset that the other suites need builds, without a warning."""
import os
import subprocess

import harness


def build(preset, *options):
    jobs = os.environ.get("JOBS", str(len(os.sched_getaffinity(0))))
    folder = "build" if preset == "release" else f"build-{preset}"
    targets = ["--target", "narrows", "narrows_shared", "example_rows",
               "example_through"] if preset == "release" else []
    for command in (["cmake", "--preset", preset, *options],
                    ["cmake", "--build", folder, f"-j{jobs}", *targets]):
        out = subprocess.run(command, cwd=harness.ROOT, capture_output=True, text=True,
                             errors="replace")
        if out.returncode:
            lines = [l for l in (out.stdout + out.stderr).splitlines()
                     if "error" in l or "warning" in l or "FAILED" in l]
            raise AssertionError("\n".join(lines[:20]) or out.stderr[-800:])


def cases(_tier):
    yield "release", lambda: build("release"), 900
    yield "debug, gcc, warnings are errors", lambda: build("debug"), 900
    yield ("clang, warnings are errors, sanitizers, fuzz targets", lambda: build("asan"), 900)
