"""The fuzz targets: first every seed and every finding kept in fuzz/seeds, then a short run that is
the same every time. FUZZ_SECONDS says how long with --tier all."""
import glob
import os
import subprocess

import harness
import seeds

FOLDER = os.path.join(harness.ROOT, "fuzz")


def build():
    jobs = os.environ.get("JOBS", str(len(os.sched_getaffinity(0))))
    for command in (["cmake", "--preset", "asan"],
                    ["cmake", "--build", "build-asan", f"-j{jobs}"]):
        out = subprocess.run(command, cwd=harness.ROOT, capture_output=True, text=True,
                             errors="replace")
        if out.returncode:
            raise AssertionError((out.stdout + out.stderr)[-1500:])


def run(name, seconds):
    program = harness.need(os.path.join(harness.ROOT, "build-asan", f"fuzz_{name}"))
    with harness.Scratch("fuzz") as scratch:
        os.mkdir(scratch("found"))
        seeds.make(name, scratch("made"))
        kept = [d for d in (os.path.join(FOLDER, "seeds", name),) if os.path.isdir(d)]
        command = [program, "-seed=1", f"-max_total_time={seconds}", "-timeout=30",
                   "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0",
                   f"-artifact_prefix={scratch.path}/", scratch("found"),
                   scratch("made"), *kept]
        out = subprocess.run(command, cwd=scratch.path, capture_output=True, text=True,
                             errors="replace")
        if out.returncode:
            lines = out.stderr.splitlines()
            wrong = [l for l in lines if "ERROR" in l or "SUMMARY" in l or "    #" in l][:16]
            keep = os.path.join(harness.DATA, "crashes", name)
            os.makedirs(keep, exist_ok=True)
            for found in os.listdir(scratch.path):
                if os.path.isfile(scratch(found)):
                    os.replace(scratch(found), os.path.join(keep, found))
            raise AssertionError("\n".join(wrong) + f"\ninput kept under {keep}")
        runs = [l.split()[-1] for l in out.stderr.splitlines() if "number_of_executed" in l]
        return f"{runs[0]} inputs" if runs else ""


def cases(tier):
    names = sorted(os.path.basename(p)[5:-2] for p in glob.glob(os.path.join(FOLDER, "fuzz_*.c")))
    if not names:
        return
    seconds = int(os.environ.get("FUZZ_SECONDS", "60")) if tier == "all" else 7
    yield "build", build, 900
    for name in names:
        yield name, lambda n=name: run(n, seconds), seconds + 120
