from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from shpool.names import InvalidName, check_name_template, check_session_name


@pytest.mark.parametrize(
    "name",
    ["main", "a", "...", ".hidden", "-x", "a:b,c", "größe", "日本", "x" * 255, "é" * 127, "שלום"],
)
def test_most_words_are_names(name: str) -> None:
    check_session_name(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "blank session names are not allowed"),
        (" ", "session name ' ' may not have whitespace"),
        ("a b", "session name 'a b' may not have whitespace"),
        ("a\tb", r"session name 'a\tb' may not have whitespace"),
        ("a\n", r"session name 'a\n' may not have whitespace"),
        ("a\u00a0b", r"session name 'a\xa0b' may not have whitespace"),
        ("a\u2003b", r"session name 'a\u2003b' may not have whitespace"),
        ("a/b", "session names may not contain slashes"),
        ("/", "session names may not contain slashes"),
        (".", "session names may not be special directory names"),
        ("..", "session names may not be special directory names"),
        ("\0", r"session name '\x00' may not have control characters"),
        ("a\x1b[2J", r"session name 'a\x1b[2J' may not have control characters"),
        ("a\x7f", r"session name 'a\x7f' may not have control characters"),
        ("a\x9b", r"session name 'a\x9b' may not have control characters"),
        *(
            (
                f"a{control}b",
                f"session name 'a\\u{ord(control):04x}b' may not have characters that change"
                " the direction of text",
            )
            for control in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"
        ),
        ("a\udcff", r"session name 'a\udcff' is not valid UTF-8"),
        ("x" * 256, "session names may not be longer than 255 bytes"),
        ("é" * 128, "session names may not be longer than 255 bytes"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_session_name(name)
    assert str(caught.value) == reason


@pytest.mark.parametrize("template", ["", "main", "{a}-{b}", "{" + "x" * 253 + "}", "/", "."])
def test_most_words_are_templates(template: str) -> None:
    check_name_template(template)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{a} b", "session name template '{a} b' may not have whitespace"),
        ("a\x9b", r"session name template 'a\x9b' may not have control characters"),
        (
            "{a}\u202e",
            r"session name template '{a}\u202e' may not have characters that change the"
            " direction of text",
        ),
        ("{" + "x" * 254 + "}", "session name templates may not be longer than 255 bytes"),
    ],
)
def test_a_template_that_cannot_be_is_refused_with_the_reason(template: str, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_name_template(template)
    assert str(caught.value) == reason


class Seen(str):
    """Text that says when its characters are looked at."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError


@pytest.mark.parametrize("check", [check_session_name, check_name_template])
def test_what_is_too_long_is_refused_before_it_is_looked_at(check: Callable[[str], None]) -> None:
    for name in (Seen("a" * 256), Seen("\n" * 1_000_000)):
        with pytest.raises(InvalidName, match="may not be longer than 255 bytes"):
            check(name)
