"""The cmocka programs, a case each: under the sanitizers, and with --tier all without them, too."""
import os
import re
import subprocess

import harness


def programs():
    folder = os.path.join(harness.ROOT, "tests", "unit")
    return sorted(n[:-2] for n in os.listdir(folder) if re.fullmatch(r"test_\w+\.c", n))


def run(folder, name):
    program = harness.need(os.path.join(harness.ROOT, folder, name))
    with harness.Scratch(name) as scratch:
        out = subprocess.run([program], cwd=scratch.path, capture_output=True, text=True,
                             errors="replace", env=dict(os.environ, TMPDIR=scratch.path))
    text = out.stdout + out.stderr
    if out.returncode:
        wrong = [l for l in text.splitlines()
                 if "FAILED" in l or "rror" in l or "[   LINE" in l or "SUMMARY" in l]
        raise AssertionError(f"exit {out.returncode}\n" + "\n".join(wrong[:25]))
    n = re.search(r"\[  PASSED  \] (\d+)", text)
    return f"{n.group(1)} tests" if n else ""


def cases(tier):
    kinds = [("asan", "build-asan")]
    if tier == "all":
        kinds += [("debug", "build-debug"), ("tsan", "build-tsan")]
    for label, folder in kinds:
        for name in programs():
            yield f"{name}, {label}", lambda f=folder, n=name: run(f, n), 300
