"""shpool send: typing into a session from outside, as real programs read it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.e2e.harness import CHECKOUT, Place, eventually
from tests.programs import need


def told(place: Place, name: str) -> Path:
    return place.root / name


def content(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def test_a_line_is_typed_into_a_shell_and_enter_is_pressed(shpool: Place) -> None:
    shpool.run("attach", "-b", "one")
    out = told(shpool, "out")
    assert shpool.run("send", "one", "-e", "echo", "a  b", f">{shlex.quote(str(out))}").status == 0
    assert eventually(lambda: content(out)) == "a b\n"
    assert shpool.statuses() == {"one": "Disconnected"}


@pytest.mark.parametrize("text", ["Enter", "C-c", "{nothing", "-e", "$(x) `y` \\ ' \" é \t"])
def test_text_is_typed_exactly_and_never_taken_for_a_key(shpool: Place, text: str) -> None:
    out = told(shpool, "out")
    reader = f"sh -c 'stty raw -echo; cat >{shlex.quote(str(out))}'"
    shpool.raw_session("one", reader)
    eventually(out.exists, "cat runs")
    assert shpool.run("send", "one", "--", text).status == 0
    assert eventually(lambda: content(out)) == text


def test_keys_reach_vim_as_its_terminal_would_send_them(shpool: Place) -> None:
    out = told(shpool, "file")
    vim = shlex.join([need("vim"), "-u", "NONE", "-N", str(out)])
    person = shpool.attach("-c", vim, "one")
    person.expect(r"file")
    keys = ["-k", "i", "one", "-k", "Enter", "three", "-k", "Up", "-k", "End", "-k", "Enter"]
    assert shpool.run("send", "one", *keys, "two", "-k", "Escape", ":wq", "-e").status == 0
    assert person.wait() == 0
    assert out.read_text() == "one\ntwo\nthree\n"


def test_what_stdin_has_is_typed_last(shpool: Place) -> None:
    shpool.run("attach", "-b", "one")
    out = told(shpool, "out")
    line = f"echo there >{shlex.quote(str(out))}\n"
    assert shpool.run("send", "one", "--stdin", stdin=line.encode()).status == 0
    assert eventually(lambda: content(out)) == "there\n"
    assert shpool.run("send", "one", "--stdin", stdin=b"\xff").err == (
        "shpool: what is to be typed is not UTF-8\n"
    )


def test_a_paste_is_a_paste_to_a_shell_that_wants_to_know(shpool: Place) -> None:
    person = shpool.attach("-c", "bash --norc --noprofile -i", "one")
    person.expect("[$#] ")
    person.send("bind 'set enable-bracketed-paste on'\n")
    person.expect(r"\x1b\[\?2004h")
    assert shpool.run("send", "one", "--paste", "echo i''n\necho tw''o\n").status == 0
    person.expect("echo tw''o")
    assert b"in\r\n" not in person.output  # nothing is run before Enter
    assert shpool.run("send", "one", "-e").status == 0
    person.expect("two\r\n")


def test_inside_a_session_a_point_is_its_name(shpool: Place) -> None:
    person = shpool.attach("one")
    person.expect("[$#] ")
    command = shlex.join(shpool.command("send", ".", "-e", "echo sen''t"))
    person.send(f"cd {shlex.quote(str(CHECKOUT))}; {command}\n")
    person.expect("\r\nsent\r\n")


def test_variables_in_the_name_are_filled_in(shpool: Place) -> None:
    shpool.run("attach", "-b", "x-1")
    shpool.run("var", "set", "n", "1")
    assert shpool.run("send", "x-{n}", "true", "-e").status == 0


def test_a_program_that_does_not_read_is_told_of(shpool: Place) -> None:
    ready = told(shpool, "ready")
    shpool.raw_session("one", f"sh -c 'stty raw; touch {shlex.quote(str(ready))}; sleep 1000'")
    eventually(ready.exists)
    done = shpool.run("send", "one", "-t", "100ms", "--stdin", stdin=b"x" * 200_000)
    assert done.status == 1
    assert done.err.startswith("shpool: session 'one' does not read its input; ")
    assert done.err.endswith(" bytes were typed\n")


def test_a_line_too_long_for_the_kernel_is_refused(shpool: Place) -> None:
    shpool.raw_session("one", "sleep 1000")
    done = shpool.run("send", "one", "x" * 5000)
    assert (done.status, done.err) == (
        1,
        "shpool: session 'one' reads lines of at most 4,095 bytes now\n",
    )


@pytest.mark.parametrize(
    ("words", "status", "err"),
    [
        (["nope", "x"], 1, "not found: nope\n"),
        (["."], 1, "not found: .\n"),
        (["one", "-k", "Foo"], 2, "shpool: there is no key 'Foo'; there are Enter Tab "),
        (["one", "-t", "5"], 2, "shpool: could not parse '5' as duration: no unit"),
        (
            ["one", "x" * 100_000 + "y" * 20_000, *["z" * 100_000] * 9],
            1,
            "shpool: a message has at most 1,000,000 bytes\n",
        ),
        ([], 2, "shpool: send needs NAME [TEXT...]\n"),
    ],
)
def test_bad_input_is_answered_in_words(
    standing: Place, words: list[str], status: int, err: str
) -> None:
    done = standing.run("send", *words)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(err)
