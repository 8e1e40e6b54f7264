"""`sample --first N --of LIST --per LIST`, in plain Python: what it means, row by row."""


def key(values):
    """Values as IS NOT DISTINCT FROM compares them: null is null, NaN is NaN, -0 is 0."""
    out = []
    for v in values:
        if isinstance(v, float):
            v = "nan" if v != v else v + 0.0
        out.append((v is None, v))
    return tuple(out)


def sample(columns, rows, first, of=None, per=None):
    """The numbers of the rows that stay, rising. `columns` gives the values of a name."""
    of_columns = [columns[c] for c in of or []]
    per_columns = [columns[c] for c in per or []]
    groups = {}
    kept = []
    for row in range(rows):
        group = key(c[row] for c in per_columns)
        if not of:
            seen = groups.get(group, 0)
            groups[group] = seen + 1
            if seen < first:
                kept.append(row)
            continue
        ids = groups.setdefault(group, set())
        name = key(c[row] for c in of_columns)
        if name not in ids:
            if len(ids) == first:
                continue
            ids.add(name)
        kept.append(row)
    return kept
