"""Avro values: what `copy FILE - -f json` prints beside what the file is said to hold.

The two are walked together by the file's schema. What is wanted is spelled as in the .jsonl files
of the corpus, or is a value as fastavro takes it: bytes or their hex, numbers or moments as text.
"""
import datetime
import json
import re
import struct
import uuid
from decimal import Decimal

import facts

PRIMITIVE = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
EPOCH = datetime.datetime(1970, 1, 1)
PER_SECOND = {"millis": 1000, "micros": 10**6, "nanos": 10**9}


class Schema:
    """A schema whose named types can be found again."""

    def __init__(self, root):
        self.named = {}
        self.root = root
        self.collect(root, "")

    def collect(self, t, space):
        if isinstance(t, list):
            for branch in t:
                self.collect(branch, space)
        elif isinstance(t, dict):
            if isinstance(t["type"], (dict, list)):
                self.collect(t["type"], space)
            if "name" in t and t["type"] in ("record", "error", "enum", "fixed"):
                dotted = t["name"].rpartition(".")
                space = dotted[0] or t.get("namespace", space)
                self.named[dotted[2]] = self.named[f"{space}.{dotted[2]}"] = t
            for f in t.get("fields", []):
                self.collect(f["type"], space)
            for key in ("items", "values"):
                if key in t:
                    self.collect(t[key], space)

    def resolve(self, t):
        """(kind, type) with named types and {"type": {...}} looked through."""
        while True:
            if isinstance(t, list):
                return "union", t
            if isinstance(t, str):
                if t in PRIMITIVE:
                    return t, {"type": t}
                t = self.named[t if t in self.named else t.rpartition(".")[2]]
            elif isinstance(t["type"], str) and t["type"] in PRIMITIVE + (
                    "record", "error", "enum", "array", "map", "fixed"):
                return t["type"].replace("error", "record"), t
            else:
                t = t["type"]


def moment(logical, value):
    """A whole number of a logical type as text."""
    if logical == "date":
        return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=value))
    per = PER_SECOND[logical.rpartition("-")[2]]
    text = (EPOCH + datetime.timedelta(seconds=value // per)).strftime("%Y-%m-%dT%H:%M:%S")
    if value % per:
        text += f".{value % per:0{len(str(per)) - 1}}".rstrip("0")
    return text.rpartition("T")[2] if logical.startswith("time-") else text


def same_whole(t, ours, want):
    logical = t.get("logicalType", "")
    if re.fullmatch("date|time-(millis|micros)|(local-)?timestamp-(millis|micros|nanos)", logical):
        if isinstance(want, int) or isinstance(want, facts.Number):
            want = moment(logical, int(want))
        elif not isinstance(want, str):
            want = want.isoformat().replace("+00:00", "")
            want = want.rstrip("0").rstrip(".") if "." in want else want
        return facts.read_moment(ours, False) == want.rstrip("Z")
    return isinstance(ours, facts.Number) and int(ours) == int(want)


def same_float(kind, ours, want):
    if want is None or ours is None:
        return want is ours
    one, two = (facts.read_float(x, kind) for x in (ours, want))
    return one == two or (one != one and two != two)


def is_decimal(kind, t):
    """Whether the type's precision makes it one; else it is bytes."""
    precision, scale = t.get("precision", 0), t.get("scale", 0)
    room = int((8 * t["size"] - 1) * 0.30103) if kind == "fixed" else 76
    return t.get("logicalType") == "decimal" and 0 < precision <= min(76, room) and \
        0 <= scale <= precision


def zigzag(data):
    """(number, bytes it takes)"""
    x = n = 0
    while True:
        x |= (data[n] & 127) << 7 * n
        n += 1
        if data[n - 1] < 128:
            return (x >> 1) ^ -(x & 1), n


def same_bytes(kind, t, ours, want):
    logical = t.get("logicalType", "")
    if is_decimal(kind, t):
        return Decimal(ours) == Decimal(str(want))
    if logical == "uuid" and kind == "fixed" and t["size"] == 16:
        return uuid.UUID(ours) == (want if isinstance(want, uuid.UUID) else uuid.UUID(
            bytes=want) if isinstance(want, bytes) else uuid.UUID(want))
    if logical == "duration" and kind == "fixed" and t["size"] == 12:
        parts = struct.unpack("<3I", facts.read_interval(ours) or bytes(12))
        if isinstance(want, bytes):
            return parts == struct.unpack("<3I", want)
        want = dict(want)
        return parts == tuple(int(want[k]) for k in ("months", "days", "milliseconds"))
    data = want if isinstance(want, bytes) else bytes.fromhex(want)
    if logical == "big-decimal" and kind == "bytes":
        length, n = zigzag(data)
        number = int.from_bytes(data[n:n + length], "big", signed=True)
        return Decimal(ours) == Decimal(number).scaleb(-zigzag(data[n + length:])[0])
    return facts.read_blob(ours) == data


class Comparison:
    def __init__(self, schema, tagged=False):
        self.schema = Schema(schema)
        self.tagged = tagged  # a union's value that is wanted is (branch, value)

    def union(self, branches, ours, want, plain, around):
        if self.tagged:
            tag, want = want
            return self.branch(branches, tag, ours, want, plain, around)
        return any(self.branch(branches, i, ours, want, plain, around)
                   for i in range(len(branches)))

    def branch(self, branches, i, ours, want, plain, around):
        """Whether branch i is there with that value; `plain`: inside of JSON text."""
        kinds = [self.schema.resolve(b)[0] for b in branches]
        others = [n for n, k in enumerate(kinds) if k != "null"]
        try:
            if kinds[i] == "null":
                return want is None and ours is None
            if len(others) > 1 and not plain:
                if not isinstance(ours, list) or len(ours) != len(others):
                    return False
                there = [n for n, (_, v) in zip(others, ours) if v is not None]
                if there != [i]:
                    return False
                ours = ours[others.index(i)][1]
            return self.value(branches[i], ours, want, plain, around)
        except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError):
            return False

    def record(self, t, ours, want, plain, around):
        fields = t["fields"]
        plain = plain or id(t) in around
        want = dict(want)
        if len(ours) != len(fields):
            return False
        return all(name == f["name"] and
                   self.value(f["type"], v, want[f["name"]], plain, around | {id(t)})
                   for f, (name, v) in zip(fields, ours))

    def value(self, type_, ours, want, plain=False, around=frozenset()):
        kind, t = self.schema.resolve(type_)
        if kind == "union":
            return self.union(t, ours, want, plain, around)
        if kind == "null" or ours is None:
            return ours is None and (want is None or kind in ("float", "double"))
        if kind == "boolean":
            return ours is want
        if kind in ("int", "long"):
            return same_whole(t, ours, want)
        if kind in ("float", "double"):
            return same_float(kind, ours, want)
        if kind in ("bytes", "fixed"):
            return same_bytes(kind, t, ours, want)
        if kind == "string" and t.get("logicalType") == "uuid":
            return uuid.UUID(ours) == uuid.UUID(str(want))
        if kind in ("string", "enum"):
            return ours == want and not isinstance(ours, facts.Number)
        if kind == "record":
            return self.record(t, ours, want, plain, around)
        if kind == "array" and t.get("logicalType") == "map":  # keys are text to JSON
            entry = {f["name"]: f["type"] for f in self.schema.resolve(t["items"])[1]["fields"]}
            return len(ours) == len(want) and all(
                self.value(entry["value"], v, w["value"], plain, around)
                for (_, v), w in zip(ours, want))
        if kind == "array":
            return len(ours) == len(want) and all(
                self.value(t["items"], a, b, plain, around) for a, b in zip(ours, want))
        pairs = want.items() if isinstance(want, dict) else want
        return len(ours) == len(pairs) and all(
            k == key and self.value(t["values"], v, w, plain, around)
            for (k, v), (key, w) in zip(ours, pairs))

    def rows(self, text, wanted, start=0):
        """Lines of JSON against rows; the first `len(wanted)` of them from `start` on."""
        kind, t = self.schema.resolve(self.schema.root)
        lines = text.splitlines()[start:]
        for n, want in enumerate(wanted):
            ours = facts.parse_line(lines[n])
            if kind != "record":
                ours, want_value = ours[0][1], want
                if isinstance(want, list) and want and isinstance(want[0], (list, tuple)) and \
                        want[0][0] == "value":
                    want_value = want[0][1]
                good = self.value(self.schema.root, ours, want_value)
            else:
                good = self.value(t, ours, want)
            if not good:
                raise AssertionError(f"row {start + n} is {lines[n][:600]}, expected "
                                     f"{json.dumps(want, default=str)[:600]}")
