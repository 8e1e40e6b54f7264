"""Every preset that the other suites need builds, without a warning."""
import os
import subprocess

import harness


def build(preset, *options):
    jobs = os.environ.get("JOBS", str(len(os.sched_getaffinity(0))))
    folder = "build" if preset == "release" else f"build-{preset}"
    wanted = ["--target", "narrows", "narrows_shared", "write_dataset", "example_rows",
              "example_through"]
    targets = wanted if preset == "release" else []
    for command in (["cmake", "--preset", preset, *options],
                    ["cmake", "--build", folder, f"-j{jobs}", *targets]):
        out = subprocess.run(command, cwd=harness.ROOT, capture_output=True, text=True,
                             errors="replace")
        text = out.stdout + out.stderr
        if out.returncode or "warning:" in text:
            lines = [l for l in text.splitlines()
                     if "error" in l or "warning" in l or "FAILED" in l]
            raise AssertionError("\n".join(lines[:20]) or out.stderr[-800:])


def cases(tier):
    yield "release, gcc", lambda: build("release"), 900
    yield "clang, sanitizers, fuzz targets", lambda: build("asan"), 900
    if tier == "all":
        yield "debug, gcc", lambda: build("debug"), 900
        yield "thread sanitizer, gcc", lambda: build("tsan"), 900
