"""A text as a terminal pastes it, with nothing in it that ends the paste."""

import re

import pytest

from shpool.keys.pasting import pasted

# As one request can bring.
_MOST = 1 << 20


def paste(text: str) -> str:
    """What is pasted between the markers."""
    data = pasted(text, bracketed=True).decode()
    assert data.startswith("\x1b[200~")
    assert data.endswith("\x1b[201~")
    return data[len("\x1b[200~") : -len("\x1b[201~")]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x1b[201~b\x1b[200~c", "abc"),
        ("a\x9b201~b\x9b200~c", "abc"),
        ("a\x1b[20\x9b200~1~b~", "ab~"),
        ("\x1b\x1b[201~[200~", ""),
        ("~\x1b[202~\x1b[20~\x9b21~1~", "~\x1b[202~\x1b[20~\x9b21~1~"),
        ("é\x9b201~\xe9", "éé"),
    ],
)
def test_no_marker_is_left_whatever_stands_in_it(text: str, left: str) -> None:
    assert paste(text) == left


def test_markers_in_one_another_as_deep_as_a_text_is_long_are_taken_out_in_one_go() -> None:
    # One at a time this takes most of an hour, in which the daemon does nothing else.
    deep = _MOST // len("\x1b[201~")
    assert paste("\x1b[20" * deep + "1~" * deep + "z") == "z"
    assert re.search("20[01]~", paste("\x1b[20" * deep + "1~" * (deep - 1))) is None
