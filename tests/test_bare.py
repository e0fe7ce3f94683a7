"""Sources without docstrings and comments: the same to Python, and on the same lines."""

from __future__ import annotations

import ast

import pytest

from shpool import pack
from shpool.bare import bare

SOURCES = pack.sources()


def without_docstrings(source: bytes) -> str:
    """What Python makes of it, where each thing begins included."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if hasattr(node, "end_lineno"):
            vars(node).update(end_lineno=None, end_col_offset=None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return ast.dump(tree, include_attributes=True)


@pytest.mark.parametrize("name", SOURCES)
def test_to_python_it_is_the_same_on_the_same_lines(name: str) -> None:
    made = bare(SOURCES[name])
    assert without_docstrings(made) == without_docstrings(SOURCES[name])
    assert made.count(b"\n") == SOURCES[name].count(b"\n")
    assert bare(made) == made


def test_what_is_in_a_string_stays() -> None:
    source = b'''\
# -*- coding: utf-8 -*-
# the second
# a comment
def f(x):
    """Said of it."""
    # why
    return """
# no comment
    """ + f"""
  # nor this {x}
"""
class A:
    r"""Nothing
    else."""
'''
    assert (
        bare(source)
        == b'''\
# -*- coding: utf-8 -*-
# the second

def f(x):
    ""

    return """
# no comment
    """ + f"""
  # nor this {x}
"""
class A:
    ""

'''
    )
