"""What all tests and benches share: where things are, and running a command under measurement."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("NARROWS_DATA", os.path.join(ROOT, ".data"))
SHARED = os.path.abspath(os.environ.get("NARROWS_SHARED", os.path.join(ROOT, "..", "shared")))
RELEASE = os.environ.get("NARROWS", os.path.join(ROOT, "build", "narrows"))
# Sanitizers watch this one, and faults can be injected into it.
SANITIZED = os.environ.get("NARROWS_ASAN", os.path.join(ROOT, "build-asan", "narrows"))
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:allocator_may_return_null=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99"}
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
ALONE = "alone"  # of a case: nothing runs beside it


class Skip(Exception):
    """Raised by a case that cannot run here; the text says why."""


@dataclass
class Ran:
    """One finished command."""
    code: int       # exit code; -N: killed by signal N
    out: bytes
    err: str
    seconds: float
    cpu: float
    peak: int       # bytes of VmHWM
    timed_out: bool = False

    @property
    def first_line(self):
        return self.err.strip().split("\n")[0]


def peak_tool():
    """The measuring program, built when first needed."""
    source = os.path.join(ROOT, "tests", "limits", "peak.c")
    os.makedirs(DATA, exist_ok=True)
    tool = os.path.join(DATA, "peak")
    if not os.path.exists(tool) or os.path.getmtime(tool) < os.path.getmtime(source):
        fresh = f"{tool}.{os.getpid()}.{threading.get_ident()}"
        subprocess.run(["cc", "-O2", "-o", fresh, source], check=True)
        os.replace(fresh, tool)
    return tool


def measure(command, timeout=60, env=None, cwd=None, stdin=None, stdout=None, preexec=None):
    """Runs a command to its end, or kills it when the time is over."""
    handle, result = tempfile.mkstemp(prefix="narrows-peak-")
    os.close(handle)
    environment = dict(os.environ, **(env or {}))
    started = time.monotonic()
    process = subprocess.Popen(
        [peak_tool(), result] + [str(c) for c in command], cwd=cwd, env=environment,
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=stdout if stdout is not None else subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=preexec)
    late = False
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        late = True
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    with open(result, encoding="ascii") as f:
        fields = f.read().split()
    os.unlink(result)
    text = err.decode("utf-8", "replace")
    if late or len(fields) != 6:
        return Ran(-9, out or b"", text, time.monotonic() - started, 0, 0, late)
    wall, user, system, rss, code, sig = map(int, fields)
    return Ran(-sig if sig else code, out or b"", text, wall / 1e6, (user + system) / 1e6,
               rss * KIB)


def need(path):
    """The command to test, or Skip."""
    if not os.access(path, os.X_OK):
        raise Skip(f"{os.path.relpath(path, ROOT)} is not built")
    return path


def narrows(*arguments, timeout=60, binary=None, **options):
    """Runs the command. Arguments that are None are left out."""
    program = need(binary or RELEASE)
    return measure([program] + [a for a in arguments if a is not None], timeout, **options)


def ok(*arguments, **options):
    """Runs the command and wants success; a note on the failure otherwise."""
    ran = narrows(*arguments, **options)
    if ran.code != 0:
        words = " ".join(str(a) for a in arguments if a is not None)
        why = "took too long" if ran.timed_out else f"exit {ran.code}"
        raise AssertionError(f"narrows {words}: {why}: {ran.err.strip()[-400:]}")
    return ran


def refused(ran, code=1):
    """A run that must end with one sentence on stderr and this exit code."""
    if ran.timed_out:
        raise AssertionError("took too long")
    if ran.code < 0:
        raise AssertionError(f"killed by signal {-ran.code} ({signal.Signals(-ran.code).name})")
    codes = code if isinstance(code, tuple) else (code,)
    if ran.code not in codes:
        raise AssertionError(f"exit {ran.code}, wanted {code}: {ran.err.strip()[-300:]}")
    lines = [line for line in ran.err.strip().split("\n") if line]
    if len(lines) != 1 or not lines[0].startswith("narrows: "):
        raise AssertionError(f"wanted one line 'narrows: ...', got: {ran.err.strip()[-300:]!r}")
    if lines[0].rstrip().endswith("."):
        raise AssertionError(f"message ends with a full stop: {lines[0]}")
    return lines[0]


def pages_of(report, source, name):
    """(decompressed, all) data pages of a column: by `--report`, and by the file itself."""
    with open(report, encoding="utf-8") as f:
        told = [c for c in json.load(f)["columns"] if c["name"] == name]
    if not told:
        raise AssertionError(f"the report tells no pages of {name}")
    pages = json.loads(ok("inspect", source, "--pages", "-f", "json").out)["pages"]
    return told[0]["pages_decompressed"], sum(
        p["column"] == name and p["kind"].startswith("DATA_PAGE") for p in pages)


class Scratch:
    """A folder of its own for a case, removed afterwards. NARROWS_KEEP=1 keeps it."""

    def __init__(self, name="case"):
        os.makedirs(DATA, exist_ok=True)
        self.path = tempfile.mkdtemp(prefix=f"scratch-{name}-", dir=DATA)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not os.environ.get("NARROWS_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)

    def __call__(self, *parts):
        return os.path.join(self.path, *parts)


def library(name):
    """A module of the virtual environment, or Skip."""
    try:
        return __import__(name)
    except ImportError as e:
        raise Skip(f"Python has no {name}; tools/venv.sh installs it") from e


def mib(n):
    return f"{n / MIB:.1f} MiB"


def human_seconds(s):
    return f"{s:.2f} s" if s >= 0.1 else f"{s * 1000:.1f} ms"


def log(text):
    print(text, file=sys.stderr, flush=True)
