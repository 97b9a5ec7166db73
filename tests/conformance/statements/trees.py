"""Trees of statements, which can be written in two dialects and made smaller.

A tree is a kind and its parts: texts, trees, and texts that differ by dialect. Where this language and DuckDB mean other
things by the same words, the tree is written otherwise for DuckDB, and says why.
"""


class Both:
    """A text that is another one for DuckDB, for a reason."""

    def __init__(self, ours, duckdb, reason):
        self.ours = ours
        self.duckdb = duckdb
        self.reason = reason


class Tree:
    """A part of a statement; trees of one kind can stand for one another."""

    def __init__(self, kind, *parts, optional=False):
        self.kind = kind
        self.parts = list(parts)
        self.optional = optional

    def write(self, dialect, reasons=None):
        texts = []
        self._write(dialect, texts, reasons if reasons is not None else set())
        return "".join(texts)

    def _write(self, dialect, texts, reasons):
        for part in self.parts:
            if isinstance(part, Tree):
                part._write(dialect, texts, reasons)
            elif isinstance(part, Both):
                texts.append(getattr(part, dialect))
                reasons.add(part.reason)
            else:
                texts.append(part)

    def trees(self):
        """This tree and all below it, from the outside in."""
        yield self
        for part in self.parts:
            if isinstance(part, Tree):
                yield from part.trees()

    def size(self):
        return sum(1 for _ in self.trees())


def listed(kind, trees, separator=", "):
    """A list of trees, of which some may be left out."""
    parts = []
    for at, tree in enumerate(trees):
        parts.extend([separator, tree] if at else [tree])
    whole = Tree(kind, *parts)
    whole.separator = separator
    return whole


CONSTANTS = {
    "int": ["1", "NULL"],
    "float": ["CAST(1 AS DOUBLE)"],
    "text": ["'a'"],
    "bool": ["TRUE", "FALSE"],
    "date": ["DATE '2024-01-31'"],
    "time": ["TIMESTAMP '2024-01-31 00:00:00'"],
}


def smaller(tree):
    """Trees that are a little smaller, the smallest first."""
    found = []
    for place, inner in _places(tree):
        replacements = []
        if inner.optional:
            replacements.append(Tree("nothing"))
        separator = getattr(inner, "separator", None)
        members = [part for part in inner.parts if isinstance(part, Tree)]
        if separator and len(members) > 1:
            for left_out in members:
                replacements.append(listed(inner.kind, [m for m in members if m is not left_out], separator))
        below = [other for other in inner.trees() if other is not inner and other.kind == inner.kind]
        replacements.extend(sorted(below, key=Tree.size))
        if inner.size() > 1:
            replacements.extend(Tree(inner.kind, text) for text in CONSTANTS.get(inner.kind, []))
        for replacement in replacements:
            found.append(_replaced(tree, place, replacement))
    return sorted(found, key=lambda tree: (tree.size(), len(tree.write("ours"))))


def _places(tree, here=()):
    yield here, tree
    for at, part in enumerate(tree.parts):
        if isinstance(part, Tree):
            yield from _places(part, (*here, at))


def _replaced(tree, place, replacement):
    if not place:
        return replacement
    copy = Tree(tree.kind, *tree.parts, optional=tree.optional)
    if hasattr(tree, "separator"):
        copy.separator = tree.separator
    copy.parts[place[0]] = _replaced(tree.parts[place[0]], place[1:], replacement)
    return copy
