"""Commands as shells take them, tried in the shells themselves where they are there."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from shpool.keys.commands import command_line, pasted_command, same_command
from shpool.keys.pasting import CannotPaste

WORDS = [
    *(
        "a",
        "",
        "it's",
        '"',
        "a  b",
        "$HOME",
        "*",
        "~",
        "=ls",
        "a=b",
        "x!y",
        "#",
        "\\",
        "\\n",
        "'\\''",
    ),
    *(
        "tab\there",
        "two\nlines",
        "\t",
        "\x1b[m\x7f",
        "a\rb\x03c'\x13",
        "\x9b201~é",
        "\x1b[201~",
        "\n\t\n",
        "é漢",
        "-x",
        "(",
        "{a,b}",
        "%1",
        ";|&<>",
        "`x`",
        "^x",
    ),
]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_words_are_what_a_shell_makes_of_them(shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed: apt install {shell}")
    line = command_line(["printf", "%s\\0", *WORDS], None, shell)
    done = subprocess.run([path, "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == WORDS


def test_words_that_need_no_quotes_have_none() -> None:
    for shell in ("bash", "fish"):
        words = ["make", "-j8", "--color=always", "a/b.c", "x:y,z", "user@host", "50%", "a_b+c"]
        assert command_line(words, None, shell) == " ".join(words)
        for word in ("a=b", "=a", "--x==a", "--x=~"):
            assert command_line([word], None, shell) == f"'{word}'"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_nothing_that_a_terminal_or_a_paste_keeps_for_itself_stands_in_words(shell: str) -> None:
    line = command_line(["".join(map(chr, (*range(1, 9), *range(11, 32), 127, 0x9B)))], None, shell)
    assert line.isprintable()


def test_fish_gets_no_tab_and_no_line_end_between_quotes() -> None:
    assert command_line(["a\tb\nc"], None, "fish") == "'a'\\t'b'\\n'c'"


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("for x in 1\n\techo $x\nend", "for x in 1\n echo $x\nend"),
        ("echo 'a\tb'\tc", "echo 'a'\\t'b' c"),
        ('echo "a\tb"', 'echo "a"\\t"b"'),
        ("echo \\'\t'\t'", "echo \\' ''\\t''"),
        ('echo "it\'s\t"', 'echo "it\'s"\\t""'),
        ("# it's\tso\necho '\t'", "# it's so\necho ''\\t''"),
        ("echo '# \t'", "echo '# '\\t''"),
        ("echo '\x1b[m'\x01a", "echo ''\\x1b'[m'\\x01a"),
        ("echo a", "echo a"),
    ],
)
def test_a_line_for_fish_has_no_tabs_that_it_would_drop(line: str, taken: str) -> None:
    assert command_line([], line, "fish") == taken
    assert command_line([], line, "bash") == line


def test_a_command_is_pasted_and_entered() -> None:
    assert pasted_command("a\nb", bracketed=True) == b"\x1b[200~a\rb\x1b[201~\r"
    assert pasted_command("a b", bracketed=False) == b"a b\r"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a\nb", "the command has several lines: "),
        ("a!", "the command has ! in it: "),
        ("a\tb", "the command has a control character in it: "),
        ("a\x7f", "the command has a control character in it: "),
    ],
)
def test_without_bracketed_paste_a_shell_is_given_one_plain_line(text: str, what: str) -> None:
    with pytest.raises(CannotPaste, match=what):
        pasted_command(text, bracketed=False)


@pytest.mark.parametrize(
    ("told", "ours", "same"),
    [
        ("ls -l", "ls -l", True),
        ("ls  -l ", "ls -l", True),
        ("ls", "ls -l", False),
        ("for x in 1; do echo; done", "for x in 1\ndo echo\ndone", True),
        ("echo a", "echo a\necho b", True),
        ("echo b", "echo a\necho b", False),
        ("x" * 4000, "x" * 9000, True),
        ("y" * 4000, "x" * 9000, False),
    ],
)
def test_a_shell_may_tell_of_our_command_in_other_words(told: str, ours: str, same: bool) -> None:
    assert same_command(told, ours) is same
