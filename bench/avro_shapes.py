#!/usr/bin/env python3
"""The shapes of jetliner's own benchmark, all of a file as Arrow, one thread against its one:
simple, wide (100 columns), complex (nested), and 5 of the 100 columns.

    bench/avro_shapes.py [--rows 1000000] [--rounds 3] [--shape simple,wide,complex]

fastavro writes the files, snappy, when they are not there. Ours is the whole process, which writes
Arrow's stream to nowhere; jetliner's is its reading into memory alone.
"""
import argparse
import importlib.util
import os
import subprocess
import sys

import bench
from bench import harness

MAKE = r'''
import sys, fastavro
target, shape, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
KINDS = ["long", "string", "double", "int", "boolean", "float", "bytes"]
MAKERS = [lambda i, j: i * 100 + j, lambda i, j: f"val_{i}_{j}", lambda i, j: i * 1.5 + j,
          lambda i, j: (i + j) * 31 % 2001 - 1000, lambda i, j: (i + j) % 2 == 0,
          lambda i, j: (i + j) / 4, lambda i, j: b"bytes_%d_%d" % (i, j)]
CITIES = ("Rome", "Oslo", "Lima", "Bonn", "Cork")

def record(name, *fields):
    return {"type": "record", "name": name,
            "fields": [{"name": f, "type": t} for f, t in fields]}
SIMPLE = record("simple", ("id", "long"), ("name", "string"), ("amount", "int"),
                ("weight", "float"), ("price", "double"), ("flag", "boolean"))
WIDE = record("wide", *((f"col_{j}", KINDS[j % 7]) for j in range(100)))
COMPLEX = record(
    "complex", ("id", "long"), ("name", "string"),
    ("address", record("address", ("street", "string"), ("city", "string"), ("zip", "string"),
     ("coordinates", ["null", record("coordinates", ("lat", "double"), ("lon", "double"))]))),
    ("contacts", {"type": "array", "items": record("contact", ("type", "string"),
                                                   ("value", "string"), ("primary", "boolean"))}),
    ("tags", {"type": "array", "items": "string"}),
    ("metadata", {"type": "map", "values": "string"}), ("score", ["null", "double"]))

def simple(i):
    return {"id": i, "name": "user_%08d" % i, "amount": i * 7919 % 2000001 - 1000000,
            "weight": i % 1000 / 8, "price": i * 0.37, "flag": i % 2 == 0}

def wide(i):
    return {f"col_{j}": MAKERS[j % 7](i, j) for j in range(100)}

def nested(i):
    where = {"lat": i % 180 - 90.0, "lon": i % 360 - 180.0}
    return {"id": i, "name": f"user_{i}",
            "address": {"street": f"{i} Main Street", "city": CITIES[i % 5],
                        "zip": "%05d" % (i % 100000), "coordinates": None if i % 2 else where},
            "contacts": [{"type": "email", "value": f"user{i}.{k}@example.com",
                          "primary": k == 0} for k in range(i % 4)],
            "tags": [f"tag_{k}" for k in range(i % 6)],
            "metadata": {f"key_{k}": f"value_{i}" for k in range(i % 4)},
            "score": i / 10 if i % 3 else None}
schema, make = {"simple": (SIMPLE, simple), "wide": (WIDE, wide),
                "complex": (COMPLEX, nested)}[shape]
with open(target, "wb") as f:
    fastavro.writer(f, fastavro.parse_schema(schema), map(make, range(rows)), codec="snappy")
'''

JETLINER = r'''
import os
os.environ["POLARS_MAX_THREADS"] = "1"
import jetliner
def work(argv):
    jetliner.read_avro(argv[0], **({"columns": argv[1].split(",")} if argv[1] else {}))
'''

FIVE = "col_0,col_20,col_40,col_60,col_80"


def source_of(shape, rows):
    path = os.path.join(bench.folder(), f"shape-{shape}-{rows}.avro")
    if not os.path.exists(path):
        harness.log(f"  making {path}")
        subprocess.run([bench.PYTHON, "-c", MAKE, f"{path}.part", shape, str(rows)], check=True)
        bench.take_name(f"{path}.part", path)
    return path


def measure(title, path, columns, rounds):
    """{name: (seconds, peak, ratio)}"""
    select = ("--select", columns) if columns else ()
    programs = [bench.ours("narrows", "copy", path, "/dev/null", "-f", "arrow", "--threads", "1",
                           "--memory", "64MiB", "-q", *select, timeout=900)]
    if importlib.util.find_spec("jetliner"):
        programs.append(bench.peer("jetliner", JETLINER, path, columns))
    return bench.run(title, programs, rounds, source=path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", default="simple,wide,complex")
    args = parser.parse_args()
    wanted = []

    def faster(name, found):
        if "jetliner" in found:
            wanted.append((f"{name}: faster than jetliner", found["jetliner"][2] > 1))
        else:
            print("jetliner is not installed: it is left out")
    for shape in args.shape.split(","):
        path = source_of(shape, args.rows)
        full = measure(f"{shape}, {args.rows:,} rows", path, "", args.rounds)
        faster(shape, full)
        if shape != "wide":
            continue
        five = measure(f"5 of 100 columns, {args.rows:,} rows", path, FIVE, args.rounds)
        faster("5 of 100 columns", five)
        cost = five["narrows"][0] / full["narrows"][0]
        wanted.append((f"5 of 100 columns cost {cost:.0%} of all", cost <= 0.3))
    return bench.verdict(wanted)


if __name__ == "__main__":
    sys.exit(main())
