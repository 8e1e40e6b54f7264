"""Facts of a column's values, as the expected files of the corpus give them.

A value comes from a line that `narrows copy FILE - -f json` printed; the expected type (Arrow's
name) says how to read it. Each value becomes a canonical Python value and a canonical text.
"""
import json
import re
import struct
import zlib
from decimal import Decimal, getcontext

getcontext().prec = 120

NESTED = ("struct", "list", "map", "large_list", "fixed_size_list", "list_view", "run_end")


class Number(str):
    """A JSON number as it was written."""


def parse_line(line):
    """The columns of a line as a list of (name, value); numbers keep their text."""
    return json.loads(line, object_pairs_hook=lambda pairs: pairs, parse_int=Number,
                      parse_float=Number, parse_constant=Number)


def plain_type(name):
    """The type without a dictionary around it and without sizes that do not matter."""
    m = re.match(r"dictionary<values=(.*?), indices", name)
    name = m.group(1) if m else name
    return {"large_string": "string", "string_view": "string", "large_binary": "binary",
            "binary_view": "binary"}.get(name, name)


def is_nested(name):
    return plain_type(name).split("<")[0] in NESTED


def shortest32(x):
    """The shortest decimal text that gives this 32-bit float back, as a float."""
    for digits in range(6, 10):
        text = f"{x:.{digits}g}"
        try:
            if struct.unpack("f", struct.pack("f", float(text)))[0] == x:
                return float(text)
        except OverflowError:
            continue
    return x


def read_float(value, kind):
    x = float(value)
    if kind == "float" and x == x and abs(x) != float("inf"):
        return shortest32(struct.unpack("f", struct.pack("f", x))[0])
    return x


def read_blob(text):
    r"""Bytes from DuckDB's text of a blob: printable ASCII, the rest as \xAB."""
    out = bytearray()
    for m in re.finditer(r"\\x([0-9A-Fa-f]{2})|([^\\])|(\\)", text, re.S):
        if m.group(1):
            out.append(int(m.group(1), 16))
        elif m.group(2) and ord(m.group(2)) < 128:
            out += m.group(2).encode()
        else:
            raise ValueError(f"not a blob's text: {text[:60]!r}")
    return bytes(out)


def read_interval(text):
    """Parquet's INTERVAL from "1 year 2 months 3 days 00:00:01.5"; None: it is not like that."""
    m = re.fullmatch(r"(?:(\d+) years? ?)?(?:(\d+) months? ?)?(?:(\d+) days? ?)?"
                     r"(?:(\d+):(\d+):(\d+)(?:\.(\d+))?)?", text)
    if not m or not text:
        return None
    years, months, days, h, minutes, s = (int(x or 0) for x in m.groups()[:6])
    ms = ((h * 60 + minutes) * 60 + s) * 1000 + int(((m.group(7) or "") + "000")[:3])
    return struct.pack("<3I", years * 12 + months, days, ms)


def read_moment(text, zone):
    """2024-01-31 12:34:56.500+00 -> 2024-01-31T12:34:56.5 (Z where `zone`)."""
    era = text.endswith(" (BC)") or " (BC) " in text
    text = re.sub(r"(\+00(:00)?|Z)$", "", text.replace(" (BC)", "")).replace(" ", "T", 1)
    if era:  # 1 BC is the year 0 of ISO 8601
        year, rest = text.split("-", 1)
        text = f"{'-' if year > '0001' else ''}{int(year) - 1:04}-{rest}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text + ("Z" if zone else "")


def read_value(value, kind, text_blobs=False):
    """A parsed JSON value as a canonical Python value of the expected type."""
    if value is None:
        return None
    if kind == "bool":
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no boolean")
        return value
    if re.match(r"u?int\d+$", kind):
        if not isinstance(value, Number):
            raise ValueError(f"{value!r} is no number")
        return int(value)
    if kind in ("double", "float", "halffloat"):
        if not isinstance(value, Number):
            raise ValueError(f"{value!r} is no number")
        return read_float(value, kind)
    if kind.startswith("decimal"):
        if not isinstance(value, Number):
            raise ValueError(f"{value!r} is no number")
        scale = int(re.search(r",\s*(-?\d+)\)", kind).group(1))
        digits = Decimal(value)
        shown = digits.scaleb(scale)
        if shown != shown.to_integral_value():
            raise ValueError(f"{value} has more than {scale} places")
        return Decimal((1 if digits.is_signed() else 0,
                        tuple(map(int, str(abs(int(shown))))), -scale))
    if isinstance(value, (Number, bool)):
        raise ValueError(f"{value!r} is no text")
    if kind == "binary" or kind.startswith("fixed_size_binary"):
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value) and \
                kind == "fixed_size_binary[16]":
            return bytes.fromhex(value.replace("-", ""))
        if kind == "fixed_size_binary[12]" and read_interval(value):
            return read_interval(value)
        return value.encode() if text_blobs else read_blob(value)
    if kind.startswith("timestamp"):
        return read_moment(value, "tz=" in kind)
    if kind.startswith("time"):
        return read_moment(value, False)
    return value


def text_of(value, kind):
    """The text that goes into the checksum."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        if value == int(value) and abs(value) < 1e15:
            return str(int(value))
        return repr(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def column_facts(values, kind):
    """The facts of canonical values, in the form of the expected files."""
    there = [v for v in values if v is not None]
    facts = {"values": len(there), "nulls": len(values) - len(there)}
    if kind == "null" or not there:
        return facts
    facts["distinct"] = len({text_of(v, kind) for v in there})
    facts["crc"] = sum(zlib.crc32(text_of(v, kind).encode()) for v in there) % (1 << 32)
    if kind == "bool":
        facts["true"] = sum(there)
        return facts
    if isinstance(there[0], float):
        facts["nan"] = sum(v != v for v in there)
        facts["inf"] = sum(v in (float("inf"), float("-inf")) for v in there)
        finite = [v for v in there if v == v and abs(v) != float("inf")]
        facts["sum"] = sum(finite)
        if finite:
            facts["min"], facts["max"] = min(finite), max(finite)
        return facts
    if isinstance(there[0], (int, Decimal)):
        facts["min"], facts["max"] = text_of(min(there), kind), text_of(max(there), kind)
        total = sum(int(v.scaleb(-v.as_tuple().exponent)) if isinstance(v, Decimal) else v
                    for v in there)
        if isinstance(there[0], Decimal):
            places = -there[0].as_tuple().exponent
            total = Decimal((1 if total < 0 else 0, tuple(map(int, str(abs(total)))), -places))
        facts["sum"] = text_of(total, kind)
        return facts
    if isinstance(there[0], bytes):
        facts["bytes"] = sum(map(len, there))
        facts["min"], facts["max"] = min(there).hex()[:128], max(there).hex()[:128]
        return facts
    if kind in ("string", "json"):
        facts["bytes"] = sum(len(v.encode("utf-8", "surrogatepass")) for v in there)
        low = min(there, key=lambda v: v.encode("utf-8", "surrogatepass"))
        high = max(there, key=lambda v: v.encode("utf-8", "surrogatepass"))
        facts["min"], facts["max"] = low[:64], high[:64]
        return facts
    order = sorted(there, key=lambda v: v.rstrip("Z"))
    facts["min"], facts["max"] = order[0], order[-1]
    return facts


def same(name, wanted, got):
    if got is None:
        return wanted in (None, 0)
    if name == "sum" and isinstance(got, float):
        return abs(float(wanted) - got) <= 1e-6 * max(1.0, abs(got))
    if name in ("sum", "min", "max"):
        if isinstance(got, float):
            if isinstance(wanted, str):
                wanted = float(wanted)
            return wanted == got
        try:
            return str(wanted) == got or Decimal(str(wanted)) == Decimal(got)
        except ArithmeticError:
            return str(wanted) == got
    return wanted == got


def differences(column, values, kind):
    """What of an expected column's facts the values do not show."""
    got = column_facts(values, kind)
    wrong = []
    for name in ("values", "nulls", "min", "max", "sum", "nan", "inf", "true", "bytes", "distinct",
                 "crc"):
        if name in column and not same(name, column[name], got.get(name)):
            wrong.append(f"{name} is {got.get(name)!r}, expected {column[name]!r}")
    return wrong


def expected_row_value(value, kind):
    """A value of an expected .jsonl line in the canonical form, to compare with read_value()."""
    if value is None:
        return None
    if kind in ("double", "float", "halffloat"):
        return read_float(value, kind)
    if re.match(r"u?int\d+$", kind):
        return int(value)
    if kind.startswith("decimal"):
        return Decimal(value)
    if kind == "binary" or kind.startswith("fixed_size_binary"):
        return bytes.fromhex(value) if re.fullmatch(r"([0-9a-f]{2})*", value) else value
    if kind.startswith("time"):
        return read_moment(value, "tz=" in kind)
    return value


def equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b)
    if isinstance(a, str) and isinstance(b, str):
        return a == b or (a.rstrip("Z") == b.rstrip("Z") and re.match(r"[\d-]+T[\d:.]+Z?$", a))
    return a == b
