"""Tables with every flat type, values at the edges, and nulls anywhere; the same every time."""
import datetime
import decimal
import random

import pyarrow as pa

WORDS = ["", "a", "zürich", "日本語", "twelve bytes", "thirteen byte", "x" * 200, "tab\tquote\"",
         "new\nline", "nul\0inside", "emoji 🦩", "same prefix 1", "same prefix 2"]

NULLS = {
    "none": lambda i, r: False,
    "some": lambda i, r: r.random() < 0.1,
    "most": lambda i, r: r.random() < 0.95,
    "all": lambda i, r: True,
    "runs": lambda i, r: i // 1000 % 2 == 1,
    "every_other": lambda i, r: i % 2 == 0,
}


def numbers(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    edges = [low, high, 0, 1, high - 1, low + 1]

    def make(i, r):
        return edges[i % 7] if i % 7 < len(edges) and i % 3 == 0 else r.randint(low, high)
    return make


def real(limit):
    edges = [0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan"), limit, 1 / limit]

    def make(i, r):
        return edges[i % 11] if i % 11 < len(edges) else r.uniform(-1000, 1000)
    return make


def digits(precision, scale):
    def make(i, r):
        top = 10 ** precision - 1
        n = [top, -top, 0, 1, -1][i % 9] if i % 9 < 5 else r.randint(-top, top)
        with decimal.localcontext() as c:
            c.prec = 100
            return decimal.Decimal(n).scaleb(-scale)
    return make


def text(i, r):
    return WORDS[i % 17] if i % 17 < len(WORDS) else f"value {r.randint(0, 10**9)}"


def blob(i, r):
    return bytes(r.randrange(256) for _ in range([0, 1, 12, 13, 40][i % 5]))


def fixed(width):
    return lambda i, r: bytes(r.randrange(256) for _ in range(width))


def day(i, r):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randint(-50000, 50000))


def moment(scale, span=10 ** 9):
    return lambda i, r: r.randint(-span * scale, span * scale)


def time_of(scale):
    return lambda i, r: r.randint(0, 86400 * scale - 1)


def few(values):
    return lambda i, r: values[r.randrange(len(values))]


# name: (Arrow type, maker of one value)
TYPES = {
    "bool": (pa.bool_(), lambda i, r: r.random() < 0.5),
    "int8": (pa.int8(), numbers(8, True)), "int16": (pa.int16(), numbers(16, True)),
    "int32": (pa.int32(), numbers(32, True)), "int64": (pa.int64(), numbers(64, True)),
    "uint8": (pa.uint8(), numbers(8, False)), "uint16": (pa.uint16(), numbers(16, False)),
    "uint32": (pa.uint32(), numbers(32, False)), "uint64": (pa.uint64(), numbers(64, False)),
    "float16": (pa.float16(), real(60000.0)), "float32": (pa.float32(), real(3e38)),
    "float64": (pa.float64(), real(1e308)),
    "decimal9": (pa.decimal128(9, 2), digits(9, 2)),
    "decimal18": (pa.decimal128(18, 4), digits(18, 4)),
    "decimal38": (pa.decimal128(38, 10), digits(38, 10)),
    "decimal76": (pa.decimal256(76, 20), digits(76, 20)),
    "date": (pa.date32(), day),
    "time_ms": (pa.time32("ms"), time_of(10 ** 3)), "time_us": (pa.time64("us"), time_of(10 ** 6)),
    "time_ns": (pa.time64("ns"), time_of(10 ** 9)),
    "ts_ms": (pa.timestamp("ms"), moment(10 ** 3)), "ts_us": (pa.timestamp("us"), moment(10 ** 6)),
    "ts_ns": (pa.timestamp("ns"), moment(10 ** 9)),
    "tz_ms": (pa.timestamp("ms", "UTC"), moment(10 ** 3)),
    "tz_us": (pa.timestamp("us", "UTC"), moment(10 ** 6)),
    "tz_ns": (pa.timestamp("ns", "UTC"), moment(10 ** 9)),
    "utf8": (pa.string(), text), "binary": (pa.binary(), blob),
    "fixed1": (pa.binary(1), fixed(1)), "fixed5": (pa.binary(5), fixed(5)),
    "fixed16": (pa.binary(16), fixed(16)),
    "constant": (pa.int64(), lambda i, r: 42), "rising": (pa.int64(), lambda i, r: i * 3),
    "runs": (pa.int32(), lambda i, r: i // 500), "few": (pa.string(), few(WORDS)),
    "few_int": (pa.int32(), few([7, -1, 2 ** 31 - 1])),
}
# What each option of an encoding may be asked for.
BY_ENCODING = {
    "plain": list(TYPES),
    "delta-binary-packed": ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
                            "uint64", "date", "time_ms", "time_us", "ts_ms", "ts_us", "tz_ns",
                            "constant", "rising", "runs", "few_int"],
    "delta-length-byte-array": ["utf8", "binary", "few"],
    "delta-byte-array": ["utf8", "binary", "few", "fixed5", "fixed16", "float16"],
    "byte-stream-split": ["float16", "float32", "float64", "int32", "int64", "uint32", "fixed5",
                          "fixed16", "rising", "ts_us"],
    "rle": ["bool"],
}


def column(name, rows, nulls="some", seed=1):
    kind, make = TYPES[name]
    r = random.Random(f"{name}-{nulls}-{seed}")
    values = [None if NULLS[nulls](i, r) else make(i, r) for i in range(rows)]
    if kind == pa.float16():
        import numpy
        values = [None if v is None else numpy.float16(v) for v in values]
    return pa.array(values, kind)


def table(names=None, rows=1000, nulls="some", seed=1):
    names = list(names or TYPES)
    return pa.table({n: column(n, rows, nulls, seed) for n in names})
