"""shpool peek and shpool history: sessions seen from outside, as real programs draw them."""

from __future__ import annotations

import json
import re
import shlex
import socket
from typing import Any

import pytest

from shpool.protocol.msgpack import pack
from tests.e2e.harness import CHECKOUT, Place, eventually
from tests.e2e.test_original import OURS, data
from tests.programs import need

BASH = "bash --norc --noprofile -i"


def peek(place: Place, name: str, *options: str) -> str:
    done = place.run("peek", name, *options)
    assert (done.status, done.err) == (0, "")
    return done.out


def history(place: Place, name: str, *options: str) -> str:
    done = place.run("history", name, *options)
    assert (done.status, done.err) == (0, "")
    return done.out


def as_json(place: Place, command: str, name: str, *options: str) -> dict[str, Any]:
    done = place.run(command, name, "--json", *options)
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    found: dict[str, Any] = json.loads(done.out)
    return found


def until(place: Place, name: str, pattern: str) -> str:
    """The screen, once the pattern is on it."""

    def shown() -> str:
        screen = peek(place, name)
        return screen if re.search(pattern, screen, re.MULTILINE) else ""

    return eventually(shown, f"on the screen: {pattern}")


def test_a_shell_that_nobody_is_attached_to(shpool: Place) -> None:
    shpool.raw_session("one", BASH)
    shpool.run("send", "one", "-e", "PS1='> '; clear; printf '\\e[31mr''ed\\e[m\\n\\n'")
    assert until(shpool, "one", "red") == "red\n\n>\n"
    assert peek(shpool, "one", "--ansi") == "\x1b[0;31mred\x1b[m\n\n>\n"
    assert shpool.statuses() == {"one": "Disconnected"}


def test_vim_beside_who_is_attached_with_a_terminal_of_another_size(shpool: Place) -> None:
    text = shpool.root / "text"
    text.write_text("one\n漢字\n\tthree\n")
    vim = shlex.join([need("vim"), "-u", "NONE", "-N", "+set title", str(text)])
    person = shpool.attach("-c", vim, "one", rows=12, cols=50)
    person.expect("three")
    person.resize(9, 40)
    found = eventually(
        lambda: (seen := as_json(shpool, "peek", "one"))["rows"] == 9 and seen, "it is resized"
    )
    assert found["lines"][:5] == ["one", "漢字", "        three", "~", "~"]
    assert (found["cols"], found["alternate"], found["name"]) == (40, True, "one")
    assert found["title"].startswith("text ")
    assert found["cursor"]["row"] == 0
    assert found["quiet_ms"] >= 0


def test_less_shows_a_page_of_its_own(shpool: Place) -> None:
    text = shpool.root / "text"
    text.write_text("".join(f"line {n}\n" for n in range(100)))
    shpool.raw_session("one", BASH)
    shpool.run("send", "one", "-e", "PS1='> '; clear")
    shpool.run("send", "one", "-e", f"{need('less')} {shlex.quote(str(text))}")
    screen = until(shpool, "one", "^line 20$")
    assert screen.startswith("line 0\nline 1\n")
    shpool.run("send", "one", "G")
    assert until(shpool, "one", "^line 99$").startswith("line 77\n")
    shpool.run("send", "one", "q")
    assert until(shpool, "one", "^>$").startswith(">")


def test_a_flood_is_seen_as_far_as_it_has_come(shpool: Place) -> None:
    person = shpool.attach("-c", "seq 100000000", "one")
    person.expect("\r\n9999\r\n")
    for _ in range(3):
        numbers = [int(line) for line in peek(shpool, "one").split()[:-1]]  # half of one, maybe
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        found = as_json(shpool, "history", "one")
        assert found["lines"][: found["mark"] - found["lost"]] == [
            str(number + 1) for number in range(found["lost"], found["mark"])
        ]
        person.expect(r"\n\d+9\r\n")  # it goes on


def test_from_mark_to_mark_nothing_is_missed(shpool: Place) -> None:
    shpool.raw_session("one", BASH)
    mark = 0
    seen: list[str] = []
    for turn in range(3):
        shpool.run("send", "one", "-e", f"for i in {{1..40}}; do echo turn {turn} $i; done")
        until(shpool, "one", f"^turn {turn} 40$")
        found = as_json(shpool, "history", "one", "--since", str(mark))
        assert found["lost"] == 0
        seen += found["lines"]
        mark = found["mark"]
    assert len(seen) == mark
    said = [line for line in seen if line.startswith("turn ")]
    assert said == [f"turn {turn} {n}" for turn in range(3) for n in range(1, 41)][: len(said)]
    assert len(said) > 90
    assert history(shpool, "one", "--since", str(mark)) == ""
    assert history(shpool, "one", "--since", str(mark - 1)) == seen[-1] + "\n"


def test_a_line_is_one_line_however_wide_the_screen_was(shpool: Place) -> None:
    long = "x" * 200
    person = shpool.attach("-c", BASH, "one", rows=5, cols=60)
    person.expect("[$#] ")
    person.send(f"PS1='> '; clear; printf '%s\\n' {long} 1 2 3 4 5\n")
    person.expect("\r\n5\r\n> ")
    person.resize(5, 33)
    eventually(lambda: as_json(shpool, "peek", "one")["cols"] == 33)
    lines = history(shpool, "one").split("\n")
    assert lines[-8:] == [long, "1", "2", "3", "4", "5", ">", ""]
    assert history(shpool, "one", "-n", "2") == "5\n>\n"
    assert "\x1b" not in history(shpool, "one", "--ansi")


def test_where_the_program_in_front_is(shpool: Place) -> None:
    (shpool.root / "below").mkdir()
    shpool.raw_session("one", BASH)
    shpool.run("send", "one", "-e", f"cd {shlex.quote(str(shpool.root / 'below'))}; echo do''ne")
    until(shpool, "one", "^done")
    assert as_json(shpool, "peek", "one")["cwd"] == str(shpool.root / "below")
    shpool.run("send", "one", "-e", "printf '\\e]7;file://host/a%%20b\\e\\\\'; echo do''ne again")
    until(shpool, "one", "^done again")
    assert as_json(shpool, "peek", "one")["cwd"] == "/a b"


def test_ten_thousand_lines(shpool: Place) -> None:
    shpool.configure("output_spool_lines = 10000")
    shpool.raw_session("one", f"sh -c 'seq -f \"%g {'x' * 60}\" 12000; echo end; sleep 1000'")
    until(shpool, "one", "^end")
    lines = history(shpool, "one").split("\n")
    assert [line.split(" ")[0] for line in lines] == [*map(str, range(1979, 12001)), "end", ""]
    assert as_json(shpool, "history", "one")["lost"] == 1978
    assert history(shpool, "one", "--ansi") == "\n".join(lines)


def test_hostile_text_does_no_harm(shpool: Place) -> None:
    hostile = shpool.root / "hostile"
    hostile.write_bytes(
        b"<script>alert(1)</script>\x01\x07\x9b31m\xc2\x9b31m\r\n"
        b"\xe2\x80\xae turned \xe2\x81\xa7\r\n"
        b"\x1b]2;<script>\x07\x1b]8;;javascript:alert(1)\x1b\\click\x1b]8;;\x1b\\\r\n"
        b"\xff\xfe\xed\xa0\x80\xef\xbf\xbe end\r\n"
    )
    person = shpool.attach(
        "-c", f"sh -c 'cat {shlex.quote(str(hostile))}; sleep 1000'", "one", rows=5, cols=4000
    )
    person.expect("end")
    screen = until(shpool, "one", "end")
    assert screen.startswith("<script>alert(1)</script>")
    for form in (screen, peek(shpool, "one", "--ansi"), peek(shpool, "one", "--json")):
        text = re.sub("\x1b\\]8;[^\x00-\x1f]*\x1b\\\\|\x1b\\[[0-9;:]*m", "", form)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    found = as_json(shpool, "peek", "one")
    assert (found["cols"], found["title"]) == (4000, "<script>")
    for form in ("--html", "--svg"):
        for page in (peek(shpool, "one", form), history(shpool, "one", form)):
            assert "<script" not in page
            assert "javascript" not in page
            assert "\ufffe" not in page
            assert "&#60;script&#62;alert(1)&#60;/script&#62;" in page


def test_inside_a_session_a_point_is_its_name(shpool: Place) -> None:
    person = shpool.attach("one")
    person.expect("[$#] ")
    command = shlex.join(shpool.command("peek", ".", "--json"))
    person.send(f"cd {shlex.quote(str(CHECKOUT))}; {command}\n")
    person.expect('"name": "one"')


def test_variables_in_the_name_are_filled_in(shpool: Place) -> None:
    shpool.raw_session("x-1", "sh -c 'echo here; sleep 1000'")
    shpool.run("var", "set", "n", "1")
    until(shpool, "x-1", "here")
    assert peek(shpool, "x-{n}") == history(shpool, "x-{n}") == "here\n"


@pytest.mark.parametrize("command", ["peek", "history"])
def test_a_session_in_mode_simple_keeps_no_screen(shpool: Place, command: str) -> None:
    shpool.configure('session_restore_mode = "simple"')
    shpool.raw_session("one")
    done = shpool.run(command, "one")
    assert (done.status, done.out) == (1, "")
    assert done.err == "shpool: session 'one' keeps no screen: its restore mode is simple\n"


@pytest.mark.parametrize(
    ("words", "status", "err"),
    [
        (["peek", "nope"], 1, "not found: nope\n"),
        (["history", "nope"], 1, "not found: nope\n"),
        (["peek", "."], 1, "not found: .\n"),
        (["peek"], 2, "shpool: peek needs NAME\n"),
        (
            ["peek", "one", "--ansi", "--json"],
            2,
            "shpool: --ansi and --json cannot be used together\n",
        ),
        (
            ["history", "one", "--html", "--svg"],
            2,
            "shpool: --html and --svg cannot be used together\n",
        ),
        (["peek", "one", "--since", "5"], 2, "shpool: unexpected option '--since'\n"),
        (["history", "one", "-n", "x"], 2, "shpool: the option '-n' takes a number, not 'x'\n"),
        (["history", "one", "--since", "9" * 19], 2, "shpool: the option '--since' takes a number"),
    ],
)
def test_bad_input_is_answered_in_words(
    standing: Place, words: list[str], status: int, err: str
) -> None:
    done = standing.run(*words)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(err)


@pytest.mark.parametrize(
    ("answer", "err"),
    [
        (b"", "the daemon hung up without an answer"),
        (pack({}), "cannot make sense of the daemon's answer: Peek is not a map"),
        (pack({"Peek": {}}), "the daemon hung up in the middle of its answer"),
        (pack({"Peek": {}}) + data(b"\x93\x01")[:-1], "the daemon hung up in the middle"),
        (
            pack({"Peek": {}}) + data(b"\x91\x01"),
            "cannot make sense of the daemon's answer: a part",
        ),
        (pack({"Peek": {}}) + b"\xff\0\0\0\0", "cannot make sense of the daemon's answer: a chunk"),
    ],
)
def test_half_an_answer_is_told_of(place: Place, answer: bytes, err: str) -> None:
    place.runtime.mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.socket))
        listener.listen()
        asking = place.popen("peek", "one")
        link = listener.accept()[0]
        link.sendall(OURS)
        assert link.recv(1024)
        link.sendall(answer)
        link.close()
        out, said = asking.communicate(timeout=60)
    place.socket.unlink()
    assert (asking.returncode, out) == (1, b"")
    assert said.decode().startswith(f"shpool: {err}")
