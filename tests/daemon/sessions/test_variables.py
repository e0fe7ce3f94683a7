from __future__ import annotations

import pytest

from shpool.daemon.sessions.variables import TooManyVariables, Variables
from shpool.protocol.chunks import MAX_PAYLOAD
from shpool.protocol.replies import MaybeSwitch


def told(variables: Variables) -> bytes:
    return variables.message().to_bytes()


def test_what_is_set_is_told_and_what_is_removed_is_not() -> None:
    variables = Variables({"a": "1"})
    assert variables.change("b", "2") == MaybeSwitch([("a", "1"), ("b", "2")]).to_bytes()
    assert variables.change("a", None) == MaybeSwitch([("b", "2")]).to_bytes()
    assert variables.change("zzz", None) == told(variables)
    assert variables.values == {"b": "2"}


def test_one_that_is_set_again_keeps_its_place() -> None:
    variables = Variables({"a": "1", "b": "2"})
    variables.change("a", "3")
    assert list(variables.values.items()) == [("a", "3"), ("b", "2")]


def test_what_no_client_could_be_told_is_refused_and_changes_nothing() -> None:
    variables = Variables({"a": "1"})
    room = MAX_PAYLOAD - len(variables.change("b", "x" * 1000)) + 1000
    assert len(variables.change("b", "x" * room)) <= MAX_PAYLOAD
    before = told(variables)
    with pytest.raises(TooManyVariables, match=f"may not take more than {MAX_PAYLOAD} bytes"):
        variables.change("b", "x" * (room + 10))
    assert told(variables) == before
