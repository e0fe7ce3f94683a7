"""The one file that is taken to hosts: what is in it, and how large it is."""

from __future__ import annotations

import ast
import io
import os
import zipfile
from pathlib import Path

import pytest

from shpool import pack
from shpool.client.ssh.bare import bare
from shpool.client.ssh.package import THERE, Package

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


def test_it_is_small_and_has_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = Package()
    data = package.data()
    assert len(data) <= 400_000
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert set(file.namelist()) == {"__main__.py", *SOURCES}
        assert file.read(THERE).decode() == package.there()
    assert "comment" not in package.there()
    path = tmp_path / f"cache/shpool/{package.name}.pyz"
    assert path.read_bytes() == data
    path.write_bytes(b"kept")
    assert package.data() == b"kept"  # it is made once
    for age, old in enumerate(("a", "b", "c")):
        (path.parent / f"shpool-1-{old}.pyz").write_bytes(b"")
        os.utime(path.parent / f"shpool-1-{old}.pyz", (age, age))
    path.unlink()
    assert package.data() == data
    assert sorted(os.listdir(path.parent)) == sorted([path.name, "shpool-1-c.pyz"])
