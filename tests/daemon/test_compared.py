"""What a new program makes of the state before it says that it can take over."""

from __future__ import annotations

import io
from typing import Any

import pytest

from shpool.daemon.compared import compare
from shpool.daemon.handed_on import KNOWN
from shpool.daemon.values import StateError, write_value

HEAD = ["head", {"format": 1, "needs": 1, "program": "shpool-py 1"}]
TERMINAL = {"whole_history": [500, [[3, b"a\nb\nc"], [1, b"d"]]], "y": 2}
SESSION = {"name": "one", "env": {b"A": b"1"}, "picture": ["model", {"backlog": {}}]}
SESSION["picture"][1]["backlog"]["terminal"] = TERMINAL  # type: ignore[index]
DESCRIPTORS = ["descriptors", [[7, "pty", ["pty", 3]], [9, "socket", ["file", 1, 2, 0]]]]


def state(*things: Any) -> bytes:
    out = io.BytesIO()
    for thing in (*things, ["end", len(things)]):
        write_value(out.write, thing)
    return out.getvalue()


def session(**changes: Any) -> list[Any]:
    return ["session", {**SESSION, **changes}]


WHOLE = state(HEAD, ["daemon", {"umask": 18}], session(), ["client", {"pid": 5}], DESCRIPTORS)


def lost(*things: Any, same_format: bool = True) -> str:
    """What is said of a program that would write these again."""
    with pytest.raises(StateError) as caught:
        compare(WHOLE, state(*things), KNOWN, same_format=same_format)
    return str(caught.value)


@pytest.mark.parametrize("same_format", [True, False])
def test_what_is_the_same_again_is_whole(same_format: bool) -> None:
    compare(WHOLE, WHOLE, KNOWN, same_format=same_format)


def test_another_version_is_another_head_and_may_have_other_attributes() -> None:
    head = ["head", {"format": 1, "needs": 1, "program": "shpool-py 2"}]
    clients = ["client", {"pid": 5, "mood": "good"}]
    compare(
        WHOLE,
        state(head, ["daemon", {"umask": 18}], session(), clients, DESCRIPTORS),
        KNOWN,
        same_format=True,
    )
    compare(
        state(HEAD, session(colour="blue"), ["robot", {}], DESCRIPTORS),
        state(head, session(), DESCRIPTORS),
        KNOWN,
        same_format=True,
    )


NOT = "what would be written of the state is not what was read: "


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": "two"}, "session.name"),
        ({"env": {}}, "session.env"),
        ({"env": {b"B": b"1"}}, "session.env"),
        ({"env": {b"A": b"2"}}, "session.env.b'A'"),
        ({"picture": ["simple", {}]}, "session.picture"),
        ({"picture": None}, "session.picture"),
        ({"picture": ["model", {"backlog": {"terminal": {**TERMINAL, "y": 3}}}]}, "terminal.y"),
    ],
)
def test_what_is_another_value_in_the_same_format_is_lost(
    changes: dict[str, Any], where: str
) -> None:
    said = lost(
        HEAD, ["daemon", {"umask": 18}], session(**changes), ["client", {"pid": 5}], DESCRIPTORS
    )
    assert said.startswith(NOT)
    assert said.endswith(where)


def test_who_is_not_there_any_more_is_lost() -> None:
    for same in (True, False):
        said = lost(HEAD, ["daemon", {"umask": 18}], session(), DESCRIPTORS, same_format=same)
        assert said == "not as much would be written of the state as was read"
        said = lost(HEAD, session(), ["client", {}], DESCRIPTORS, same_format=same)
        assert said == "not as much would be written of the state as was read"


def test_in_another_format_sessions_lines_and_descriptors_count() -> None:
    daemon, client = ["daemon", {"mask": "022"}], ["client", {"process": 5}]
    compare(
        WHOLE,
        state(HEAD, daemon, session(env=[]), client, DESCRIPTORS),
        KNOWN,
        same_format=False,
    )
    two = lost(HEAD, daemon, session(name="two"), client, DESCRIPTORS, same_format=False)
    assert two == f"{NOT}the sessions"
    fewer = {**TERMINAL, "whole_history": [500, [[3, b"a\nb\nc"]]]}
    shorter = session(picture=["model", {"backlog": {"terminal": fewer}}])
    said = lost(HEAD, daemon, shorter, client, DESCRIPTORS, same_format=False)
    assert said == f"{NOT}the lines of session 'one'"
    one = ["descriptors", DESCRIPTORS[1][:1]]
    said = lost(HEAD, daemon, session(), client, one, same_format=False)
    assert said == f"{NOT}the descriptors"
