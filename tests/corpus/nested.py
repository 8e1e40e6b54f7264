"""Columns of the expected files as trees, and rows spread over their levels.

The expected facts stand in a flat list of paths ("a", "a.item", "a.item.x"), each level behind the
one around it: `item` is a list's element, `key` and `value` are a map's.
"""
import facts

LISTS = ("list", "large_list", "fixed_size_list", "list_view")


class Node:
    """A column or a level of one, with what was spread over it."""

    def __init__(self, column):
        self.column, self.children = column, []
        self.path = column["path"]
        self.kind = facts.plain_type(column["type"]).split("<")[0] \
            if facts.is_nested(column["type"]) else facts.plain_type(column["type"])
        self.clear()

    def clear(self):
        """`seen`: a leaf's values, lengths of lists and maps, whether structs are there."""
        self.seen = []
        for child in self.children:
            child.clear()

    def is_leaf(self):
        return self.kind not in LISTS + ("map", "struct")

    def name(self, parent):
        return self.path[len(parent.path) + 1:]

    def leaves(self):
        return [self] if self.is_leaf() else [x for c in self.children for x in c.leaves()]

    def levels(self):
        return [self] + [x for c in self.children for x in c.levels()]


def trees(columns):
    """The top-level columns; a path belongs to the last nested one that it continues."""
    top, open_ = [], []
    for column in columns:
        node = Node(column)
        while open_ and not node.path.startswith(open_[-1].path + "."):
            open_.pop()
        (open_[-1].children if open_ else top).append(node)
        if not node.is_leaf():
            open_.append(node)
    return top


def as_key(text, kind):
    """A map's key, which JSON has as text, as the value it was."""
    if kind == "bool":
        return text == "true"
    number = kind.startswith(("int", "uint", "decimal")) or kind in ("double", "float", "halffloat")
    return facts.Number(text) if number else text


def spread(node, value, ours):
    """A value of the node's column over its levels. `ours`: as narrows prints it."""
    if node.is_leaf():
        node.seen.append(value)
        return
    if value is None:
        node.seen.append(None)
        return
    if node.kind == "struct":
        node.seen.append(True)
        if len(value) != len(node.children):
            raise AssertionError(f"{node.path}: {len(value)} fields, "
                                 f"expected {len(node.children)}")
        for child, (name, inner) in zip(node.children, value):
            if name != child.name(node):
                raise AssertionError(f"{node.path} has {name!r}, expected {child.name(node)!r}")
            spread(child, inner, ours)
        return
    node.seen.append(len(value))
    for element in value:
        if node.kind != "map":
            spread(node.children[0], element, ours)
            continue
        key, inner = element
        if ours and node.children[0].is_leaf():
            key = as_key(key, node.children[0].kind)
        spread(node.children[0], key, ours)
        spread(node.children[1], inner, ours)


def check_levels(node):
    """The counts of what is no leaf."""
    for level in node.levels():
        if level.is_leaf():
            continue
        got = {"values": sum(x is not None for x in level.seen),
               "nulls": sum(x is None for x in level.seen)}
        if level.kind != "struct":
            got["items"] = sum(x or 0 for x in level.seen)
        for name, count in got.items():
            if name in level.column and level.column[name] != count:
                raise AssertionError(f"{level.path} ({level.kind}): {name} is {count}, "
                                     f"expected {level.column[name]}")
