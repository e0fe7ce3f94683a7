"""What may import what: the rules of the house, read from the source."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = CHECKOUT / "shpool"


class Import(NamedTuple):
    module: str  # that imports
    imported: str
    when: str  # "loading", "called", or "checking" for what only a type checker follows


def statements(
    tree: ast.AST, when: str = "loading"
) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """Every import statement, and when it takes effect."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, when
        elif isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            yield from statements(ast.Module(child.body, []), "checking")
            yield from statements(ast.Module(child.orelse, []), when)
        elif isinstance(child, ast.FunctionDef):
            yield from statements(child, "called")
        else:
            yield from statements(child, when)


def module_name(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    path = CHECKOUT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports_of(path: Path) -> Iterator[Import]:
    module = module_name(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for statement, when in statements(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        else:
            base = statement.module or ""
            if statement.level:
                above = package.split(".")[: len(package.split(".")) - statement.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            inner = [f"{base}.{alias.name}" for alias in statement.names]
            names = [name if is_module(name) else base for name in inner]
        for name in dict.fromkeys(names):
            yield Import(module, name, when)


@functools.cache
def all_imports() -> list[Import]:
    return [found for path in sorted(PACKAGE.rglob("*.py")) for found in imports_of(path)]


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def offending(*importers: str) -> list[Import]:
    return [found for found in all_imports() if within(found.module, *importers)]


def test_every_kind_of_import_is_found() -> None:
    assert len({found.module for found in all_imports()}) > 40
    for expected in (
        Import("shpool.client.attach", "shpool.client.tty", "loading"),
        Import("shpool.client.attach", "shpool.client.context", "checking"),
        Import("shpool.client.wanted", "shpool.durations", "called"),
        Import("shpool.client.list", "json", "called"),
    ):
        assert expected in all_imports()


@pytest.mark.parametrize("package", ["shpool.protocol", "shpool.terminal"])
def test_the_wire_and_the_model_do_no_input_or_output(package: str) -> None:
    outside = {
        *("asyncio", "fcntl", "io", "multiprocessing", "os", "pathlib", "pty", "resource"),
        *("select", "selectors", "signal", "socket", "subprocess", "tempfile", "termios"),
        *("threading", "time", "tty"),
    }
    assert [found for found in offending(package) if found.imported in outside] == []


def test_the_model_knows_nothing_of_ours() -> None:
    assert [
        found
        for found in offending("shpool.terminal")
        if within(found.imported, "shpool") and not within(found.imported, "shpool.terminal")
    ] == []


def test_the_files_of_the_model_do_not_import_each_other_in_circles() -> None:
    inside = [f for f in offending("shpool.terminal") if within(f.imported, "shpool.terminal")]
    left = {name for found in inside for name in (found.module, found.imported)}
    while bottom := {
        name for name in left if not any(f.module == name and f.imported in left for f in inside)
    }:
        left -= bottom
    assert left == set()


def test_the_wire_knows_nothing_of_ours_but_the_root_of_errors() -> None:
    assert [
        found
        for found in offending("shpool.protocol")
        if within(found.imported, "shpool")
        and not within(found.imported, "shpool.protocol", "shpool.errors")
    ] == []


def test_client_and_daemon_never_import_each_other() -> None:
    assert [f for f in offending("shpool.client") if within(f.imported, "shpool.daemon")] == []
    assert [f for f in offending("shpool.daemon") if within(f.imported, "shpool.client")] == []


def test_imports_point_downward() -> None:
    upper = ("shpool.client", "shpool.daemon")
    top = ("shpool.cli", "shpool.__main__")
    assert [
        found
        for found in all_imports()
        if not within(found.module, *upper, *top)
        and within(found.imported, *upper, *top, "shpool.protocol", "shpool.terminal")
        and not (
            within(found.module, "shpool.protocol", "shpool.terminal")
            and within(found.imported, found.module.rpartition(".")[0], found.module)
        )
    ] == []
    assert [
        found
        for found in all_imports()
        if within(found.imported, *top) and found.module != "shpool.__main__"
    ] == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_nothing_but_the_standard_library_is_needed_at_run_time() -> None:
    assert [
        found
        for found in all_imports()
        if found.imported.partition(".")[0] not in {"shpool", *sys.stdlib_module_names}
    ] == []


def test_typing_is_free_at_run_time() -> None:
    assert [
        found
        for found in all_imports()
        if found.when != "checking"
        and within(found.imported, "typing", "collections.abc", "dataclasses")
    ] == []


def needs(*when: str) -> dict[str, set[str]]:
    """What each module of ours imports on these occasions."""
    found: dict[str, set[str]] = {}
    for each in all_imports():
        if each.when in when:
            found.setdefault(each.module, set()).add(each.imported)
    return found


NEEDS = needs("loading")


def reached(start: str, needs: dict[str, set[str]] = NEEDS) -> set[str]:
    """What is loaded by way of `start`."""
    seen: set[str] = set()
    pending = [start]
    while pending:
        for name in needs.get(pending.pop(), ()):
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return seen


def test_no_module_is_in_a_circle_with_another_one() -> None:
    """What only a type checker follows counts too: who needs another's type knows the other."""
    every = needs("loading", "called", "checking")
    assert [name for name in every if name in reached(name, every)] == []


ROOMS = {
    "loop": ("loop",),
    "programs": ("loop", "programs"),
    "sessions": ("loop", "programs", "sessions"),
    "clients": ("loop", "programs", "sessions", "clients"),
}


# What is no part of what any room is about.
EVERYWHERE = ("shpool.daemon.life", "shpool.daemon.carried")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_daemon_knows_only_those_below_it(room: str) -> None:
    allowed = [f"shpool.daemon.{below}" for below in ROOMS[room]]
    assert [
        found
        for found in offending(f"shpool.daemon.{room}")
        if within(found.imported, "shpool.daemon")
        and not within(found.imported, *allowed, *EVERYWHERE)
    ] == []


def test_a_daemon_has_loaded_itself_whole_before_it_serves() -> None:
    first = {"shpool.daemon.server", "shpool.daemon.take_over"}  # of a new one, and a replaced one
    loaded = first.union(*(reached(name) for name in first))
    modules = {module_name(path) for path in PACKAGE.rglob("*.py") if path.stem != "__init__"}
    assert {name for name in modules if within(name, "shpool.daemon", "shpool.terminal")} <= loaded
    assert [
        found
        for found in all_imports()
        if found.when == "called" and found.module in loaded and found.imported not in loaded
    ] == []


def test_only_the_command_line_loads_by_name() -> None:
    assert {
        module_name(path)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id in ("__import__", "importlib")
    } == {"shpool.cli"}
