"""--read schema=FILE: files read by another schema than theirs, beside fastavro."""
import copy
import json

import avro_files
import harness
import facts
from avro_files import avro
from harness import Scratch

PROMOTED = {"int": ("long", "float", "double"), "long": ("float", "double"),
            "float": ("double",), "string": ("bytes",), "bytes": ("string",)}
ADDED = (("long", 7), ("string", "a default of more than twelve bytes"), (["null", "int"], None),
         ({"type": "array", "items": "string"}, ["one", "and another that is longer"]),
         ({"type": "map", "values": "double"}, {"k": 1.5}), ("bytes", "\u00ff\u0001"),
         ({"type": "enum", "name": "added_enum", "symbols": ["A", "B"]}, "B"),
         ({"type": "record", "name": "added_record", "fields": [
             {"name": "x", "type": "int"}, {"name": "y", "type": "string", "default": "why not, so"}
         ]}, {"x": 3, "y": "in full, as fastavro wants it"}), ("double", 0.25), ("boolean", True))


class Changer:
    """Another schema that the file can be read by."""

    def __init__(self, r):
        self.r = r
        self.added = set()
        self.seen = set()

    def type(self, t):
        r = self.r
        if isinstance(t, str):
            return r.choice(PROMOTED[t]) if t in PROMOTED and t not in ("bytes", "string") and \
                r.random() < 0.4 else t
        if isinstance(t, list):
            return t
        if t["type"] == "array":
            return dict(t, items=self.type(t["items"]))
        if t["type"] == "map":
            return dict(t, values=self.type(t["values"]))
        return self.record(t) if t["type"] == "record" else t

    def field(self, f):
        r = self.r
        new = dict(f, type=self.type(f["type"]))
        if r.random() < 0.15:
            new["aliases"] = [f["name"]]
            new["name"] = f["name"] + "_new"
        if not isinstance(new["type"], list) and r.random() < 0.2:
            new["type"] = ["null", new["type"]]
        return new

    def record(self, t):
        r = self.r
        fields = [self.field(f) for f in t["fields"] if r.random() < 0.85 or defines(f["type"])]
        for n, (type_, default) in enumerate(ADDED):
            if r.random() < 0.12 and n not in self.added:
                self.added.add(n)
                fields.append({"name": f"added{n}", "type": type_, "default": default})
        if not references(t):
            r.shuffle(fields)
        return dict(t, fields=fields or t["fields"])


def defines(t):
    """Whether a type that others may use by name is in t."""
    return '"enum"' in json.dumps(t)


def references(t):
    return defines(t)


def random_cases(first, n):
    harness.library("fastavro")
    import fastavro
    for seed in range(first, first + n):
        m = avro_files.Maker(seed)
        t = m.record()
        schema = avro.Schema(t)
        rows = [m.value(schema, t)[0] for _ in range(30)]
        if ambiguous(schema, t):
            continue
        other = Changer(m.r).record(copy.deepcopy(t))
        with Scratch("oracle") as scratch:
            source = avro_files.write(scratch("in.avro"), t, rows, "null", 500)
            with open(source, "rb") as f:
                wanted = list(fastavro.reader(f, avro_files.plain(other)))
            avro_files.with_schema(source, t)
            with open(scratch("other.avsc"), "w", encoding="utf-8") as f:
                json.dump(other, f)
            try:
                ran = harness.ok("copy", source, "-", "-f", "json", "--read",
                                 f"schema={scratch('other.avsc')}")
                if ran.out.count(b"\n") != len(wanted):
                    raise AssertionError(f"{ran.out.count(10)} rows of {len(wanted)}")
                Loose(other).rows(ran.out.decode(), wanted)
                alone(source, scratch("other.avsc"), ran.out, other)
            except AssertionError as e:
                raise AssertionError(f"seed {seed}: {e}; file {t}; schema {other}") from e


def ambiguous(schema, t):
    """Whether a union has a branch that an earlier one may be promoted from: fastavro takes the
    first that will do, Java and we the one of the same type."""
    if isinstance(t, list):
        kinds = [schema.resolve(b)[0] for b in t]
        return any(k in PROMOTED.get(later, ()) for n, k in enumerate(kinds)
                   for later in kinds[n + 1:]) or any(ambiguous(schema, b) for b in t)
    if not isinstance(t, dict):
        return False
    inner = [f["type"] for f in t.get("fields", [])] + [t[k] for k in ("items", "values") if k in t]
    return any(ambiguous(schema, x) for x in inner)


def alone(source, schema, rows, other):
    """One column by itself."""
    name = other["fields"][-1]["name"]
    one = harness.ok("copy", source, "-", "-f", "json", "--select", name, "--read",
                     f"schema={schema}")
    if [facts.parse_line(x) for x in one.out.decode().splitlines()] != \
            [facts.parse_line(x)[-1:] for x in rows.decode().splitlines()]:
        raise AssertionError(f"--select {name} differs")


class Loose(avro.Comparison):
    """Values of fastavro that it read without logical types: decimals are bytes, as it has them."""

    def value(self, type_, ours, want, plain=False, around=frozenset()):
        kind, t = self.schema.resolve(type_)
        if kind == "bytes" and isinstance(want, str):  # a default as the schema has it
            want = want.encode("latin-1")
        if kind in ("bytes", "fixed") and isinstance(want, bytes) and ours is not None and \
                avro.is_decimal(kind, t):
            from decimal import Decimal
            number = int.from_bytes(want, "big", signed=True)
            return Decimal(ours) == Decimal(number).scaleb(-t.get("scale", 0))
        if t and kind == "fixed" and t.get("logicalType") == "uuid" and isinstance(want, bytes):
            import uuid
            return uuid.UUID(ours) == uuid.UUID(bytes=want)
        return super().value(type_, ours, want, plain, around)


def record(*fields, name="r"):
    return {"type": "record", "name": name, "fields": [
        dict(zip(("name", "type", "default"), f)) for f in fields]}


ENUM = {"type": "enum", "name": "e", "symbols": ["A", "B", "C"]}
LESS = {"type": "enum", "name": "e", "symbols": ["C", "A"], "default": "A"}

# file, values, schema, what comes or the sentence
RULES = {
    "enum with a default": (record(("x", ENUM)), [{"x": "B"}, {"x": "C"}], record(("x", LESS)),
                            ["A", "C"]),
    "enum without": (record(("x", ENUM)), [{"x": "B"}],
                     record(("x", dict(ENUM, symbols=["A"]))), "has no symbol B"),
    "null to a union": (record(("x", "null")), [{"x": None}], record(("x", ["null", "int"])),
                        [None]),
    "a union to its branch": (record(("x", ["null", "int", "string"])), [{"x": 5}, {"x": 6}],
                              record(("x", "long")), [5, 6]),
    "a union to another branch": (record(("x", ["null", "int", "string"])), [{"x": "a"}],
                                  record(("x", "long")), "has no place in the schema"),
    "null to none": (record(("x", ["null", "int"])), [{"x": None}], record(("x", "int")),
                     "null has no place"),
    "one to a union of several": (record(("x", "int")), [{"x": 5}],
                                  record(("x", ["string", "long", "null"])),
                                  [{"string": None, "long": 5}]),
    "text as bytes": (record(("x", "string")), [{"x": "a"}], record(("x", "bytes")), ["a"]),
    "a default in a default": (
        record(("x", "int")), [{"x": 1}],
        record(("y", record(("a", "int"), ("b", "string", "given by the field itself"),
                            name="inner"), {"a": 3})),
        [{"a": 3, "b": "given by the field itself"}]),
    "no default": (record(("x", "int")), [{"x": 1}], record(("y", "int")), "no field y"),
    "no promotion": (record(("x", "double")), [{"x": 1.0}], record(("x", "float")),
                     "cannot be read as"),
    "another name": (record(("x", "int")), [{"x": 1}], record(("x", "int"), name="s"),
                     "cannot be read as"),
    "a wrong default": (record(("x", "int")), [{"x": 1}], record(("y", "int", "one")),
                        "a default of the schema is no int"),
    "not a record": ("int", [5], "double", [5]),
}


def rule_case(name):
    file, values, schema, wanted = RULES[name]
    with Scratch("oracle") as scratch:
        source = avro_files.write(scratch("in.avro"), file, values, "deflate", 16000)
        with open(scratch("other.avsc"), "w", encoding="utf-8") as f:
            json.dump(schema, f)
        ran = harness.narrows("copy", source, "-", "-f", "json", "--read",
                              f"schema={scratch('other.avsc')}")
        if isinstance(wanted, str):
            line = harness.refused(ran, code=(1, 2))
            if wanted not in line:
                raise AssertionError(line)
            return line
        rows = [list(json.loads(x).values())[0] for x in ran.out.decode().splitlines()]
        if ran.code or rows != wanted:
            raise AssertionError(f"{rows} {ran.err}")
    return None


def cases(tier):
    parts, each = (20, 50) if tier == "all" else (4, 15)
    for n in range(parts):
        yield (f"avro resolution: random schemas, part {n + 1}",
               lambda first=20000 + n * each: random_cases(first, each), 600)
    for name in RULES:
        yield f"avro resolution: {name}", lambda x=name: rule_case(x)
