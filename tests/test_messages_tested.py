"""Every message that a user can see stands, by its text, in some test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = CHECKOUT / "shpool"
TESTS = CHECKOUT / "tests"

# Calls that say something to a user, beside the errors: the function's or method's name.
SAYING = {"error", "warn", "write", "refuse", "_refuse", "complain"}

# A part of a message with fewer letters than this says too little to be looked for.
FEW_LETTERS = 6


class Message(NamedTuple):
    path: str
    line: int
    parts: tuple[str, ...]  # what is the same each time, between what is filled in


def error_classes(trees: dict[Path, ast.Module]) -> set[str]:
    """The names of all exceptions of ours."""
    bases: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                names = {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
                bases[node.name] = names
    found = {"Exception", "ValueError", "OSError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found & bases.keys()


def parts_of(node: ast.AST) -> tuple[str, ...]:
    """The literal parts of a string, or of strings that are joined or chosen between."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    if isinstance(node, ast.JoinedStr):
        return tuple(part for value in node.values for part in parts_of(value))
    if isinstance(node, ast.BinOp):
        return parts_of(node.left) + parts_of(node.right)
    if isinstance(node, ast.IfExp):
        return parts_of(node.body) + parts_of(node.orelse)
    return ()


def called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def is_said(node: ast.Call) -> bool:
    if called(node) == "write":
        return ast.unparse(node.func) == "sys.stderr.write"
    return called(node) in SAYING


def messages() -> Iterator[Message]:
    trees = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    errors = error_classes(trees)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if called(node) not in errors and not is_said(node):
                continue
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            parts = tuple(part for value in values for part in parts_of(value))
            telling = tuple(part for part in parts if telling_part(part))
            if telling:
                yield Message(str(path.relative_to(CHECKOUT)), node.lineno, telling)


def telling_part(part: str) -> bool:
    return len(re.sub(r"[^a-zA-Z]", "", part)) >= FEW_LETTERS


def plain(text: str) -> str:
    """Without what a regular expression has besides, and without what stands around words."""
    return re.sub(r"\s+", " ", text.replace("\\", "")).strip(" :;,.()'\"\n")


def text_in_tests() -> str:
    """Every string in every test but this one."""
    found: list[str] = []
    for path in sorted(TESTS.rglob("*.py")):
        if path == Path(__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant):
                if isinstance(node.value, str):
                    found.append(plain(node.value))
                elif isinstance(node.value, bytes):
                    found.append(plain(node.value.decode("latin-1")))
    return "\n".join(found)


def test_every_message_is_in_a_test_by_its_text() -> None:
    text = text_in_tests()
    untested = [
        f"{message.path}:{message.line}: {part!r}"
        for message in messages()
        for part in message.parts
        if plain(part) not in text
    ]
    print("\n".join(untested))
    assert untested == []


def test_messages_of_every_kind_are_found() -> None:
    found = {part for message in messages() for part in message.parts}
    for part in (
        "cannot open a pty: ",  # raised
        "invalid session name ",  # answered
        "events: evicted a subscriber that is ",  # logged
        " already has a terminal attached",  # printed
    ):
        assert any(part in each for each in found), part
    assert len(found) > 150
