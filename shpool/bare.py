"""Sources without what only people read: nearly half of what would have to be packed.

Lines keep their numbers, so that a traceback from there can be read beside the sources here.
"""

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def bare(source: bytes) -> bytes:
    """A module without docstrings, and without lines that are comments; the same to Python."""
    tree = ast.parse(source)
    lines = source.split(b"\n")
    inside = {number for start, end in _long_strings(tree) for number in range(start, end)}
    for number, line in enumerate(lines):
        # The first two may say how the file is to be read (PEP 263), or run.
        if number > 1 and number not in inside and line.lstrip().startswith(b"#"):
            lines[number] = b""
    for start, end in _docstrings(tree):
        first, last = lines[start].lstrip(), lines[end].rstrip()
        if first.startswith((b'"', b'r"')) and last.endswith(b'"'):
            lines[start : end + 1] = [lines[start][: -len(first)] + b'""'] + [b""] * (end - start)
    return b"\n".join(lines)


def _long_strings(tree: ast.Module) -> "Iterator[tuple[int, int]]":
    """Lines that begin in the middle of a string, counted from 0."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            yield node.lineno, node.end_lineno or node.lineno


def _docstrings(tree: ast.Module) -> "Iterator[tuple[int, int]]":
    """The first and the last line of each, counted from 0."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            first = node.body[0] if node.body else None
            value = first.value if isinstance(first, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.lineno - 1, (value.end_lineno or value.lineno) - 1
