from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shpool.shellwords import WordError, split_words
from tests.programs import need


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n ", []),
        ("ls -l", ["ls", "-l"]),
        ("  ls\t-l\n/  ", ["ls", "-l", "/"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("a'b'\"c\"d", ["abcd"]),
        ("'' \"\"", ["", ""]),
        ("'it'\\''s'", ["it's"]),
        (r'"\$HOME \`x\` \" \\"', ['$HOME `x` " \\']),
        (r'"\a \n \' \ "', [r"\a \n \' " + "\\ "]),
        (r"'\a'", [r"\a"]),
        ("a\\\nb", ["ab"]),
        ('"a\\\nb"', ["ab"]),
        ("'a\\\nb'", ["a\\\nb"]),
        ("a \\\n b", ["a", "b"]),
        ("\\\n", []),
        ("a\\", ["a\\"]),
        ("\\", ["\\"]),
        ("a # b", ["a"]),
        ("#a\nb", ["b"]),
        ("a#b '#c' \\#d", ["a#b", "#c", "#d"]),
        ("''#a", ["#a"]),
        ("# it's \\\na", ["a"]),
        ("\\\n# a", []),
        ("a; b | c && d > e $f *", ["a;", "b", "|", "c", "&&", "d", ">", "e", "$f", "*"]),
        ("größe 'ü b'", ["größe", "ü b"]),
        ("a\rb\x0cc\u00a0d", ["a\rb\x0cc\u00a0d"]),
    ],
)
def test_words_are_split_as_a_shell_does(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize("text", ["'", '"', "a 'b", 'a "b', '"\\"', '"\\', "'a' \"'"])
def test_quotes_that_are_not_closed_are_an_error(text: str) -> None:
    with pytest.raises(WordError, match="missing closing"):
        split_words(text)


def split_by(shell: str, text: str) -> list[str] | None:
    """The words that a real shell makes of `text`, None for a syntax error."""
    need(shell)
    script = """eval "set -- $1" || exit; for word do printf '%s\\0' "$word"; done"""
    done = subprocess.run(
        [shell, "-c", script, "sh", text], capture_output=True, check=False, timeout=20
    )
    if done.returncode:
        return None
    return done.stdout.decode().split("\0")[:-1]


def split_here(text: str) -> list[str] | None:
    try:
        return split_words(text)
    except WordError:
        return None


# A newline that is not quoted would end the shell's command, so there is none in `loose`, and in
# `quoted` only where it is quoted and no comment can have begun. Nor is there anything to expand.
loose = st.text("ab '\"\\\t#é", max_size=12)
in_double_quotes = st.lists(st.sampled_from(["a", " ", "'", "\n", *map("\\".__add__, '$`"\\\na')]))
quoted = st.lists(
    st.sampled_from(["a", " ", "\t", "\\\n", "\\$", "\\`", "\\ ", "\\'", '\\"', "\\a", "\\#"])
    | st.text('a$`"\\\n', max_size=4).map("'{}'".format)
    | in_double_quotes.map("".join).map('"{}"'.format),
    max_size=8,
).map("".join)


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
@settings(max_examples=150, deadline=None)
@given(text=loose | quoted)
@example(text="a\\\n#b")
@example(text="a \\\n#b")
@example(text="a\\")
def test_the_words_are_those_of_a_real_shell(shell: str, text: str) -> None:
    assert split_here(text) == split_by(shell, text)
