"""The rules of tools/lint.py, a case each; and the runner of the tests."""
import os
import sys

import harness
import runner

sys.path.insert(0, os.path.join(harness.ROOT, "tools"))
import lint  # noqa: E402


def check(rule):
    found = [f"{path}:{line}: {what}" for path, line, _, what in lint.run([rule])]
    if found:
        rest = f"\nand {len(found) - 30} more" if len(found) > 30 else ""
        raise AssertionError("\n".join(found[:30]) + rest)


def cases(_tier):
    for rule in lint.RULES:
        yield rule, lambda rule=rule: check(rule), 120
    yield "a worker that dies while it tells", runner.check, 60
