"""Thrift's compact protocol as plain values, for what no library shows of a file: a struct is a
dict by field number, a list a list. Written from the specification, apart from ours."""
import struct


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def zigzag(self):
        n = self.varint()
        return n >> 1 ^ -(n & 1)

    def value(self, kind, element=False):
        if kind in (1, 2):
            return self.byte() == 1 if element else kind == 1
        if kind == 3:
            return struct.unpack("b", bytes([self.byte()]))[0]
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 7:
            self.at += 8
            return struct.unpack_from("<d", self.data, self.at - 8)[0]
        if kind == 8:
            n = self.varint()
            self.at += n
            return self.data[self.at - n:self.at]
        if kind in (9, 10):
            head = self.byte()
            n = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15, True) for _ in range(n)]
        if kind == 12:
            return self.struct()
        raise AssertionError(f"thrift type {kind}")

    def struct(self):
        fields, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            fields[last] = self.value(head & 15)


def footer(path):
    """FileMetaData, and all bytes of the file."""
    with open(path, "rb") as f:
        data = f.read()
    length = struct.unpack_from("<I", data, len(data) - 8)[0]
    return Reader(data, len(data) - 8 - length).struct(), data


def leaves(path):
    """The logical types of all leaves, by name."""
    meta, _ = footer(path)
    return {e[4].decode(): e for e in meta[2]}


def chunks(path):
    """(path in the schema, ColumnChunk) of all row groups in order."""
    meta, _ = footer(path)
    return [(b".".join(c[3][3]).decode(), c) for g in meta[4] for c in g[1]]


def indexes(path):
    """(path in the schema, ColumnIndex or None, OffsetIndex) of the same."""
    meta, data = footer(path)
    for group in meta[4]:
        for c in group[1]:
            column = Reader(data, c[6]).struct() if 6 in c else None
            yield b".".join(c[3][3]).decode(), column, Reader(data, c[4]).struct()
