"""Every command from outside at programs that people run, with and without somebody attached whose
terminal has another size, and in a flood; and nobody notices.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import Any, NamedTuple

import pytest

from tests.e2e.harness import Place, eventually
from tests.e2e.test_follow import Following
from tests.e2e.window import attached
from tests.programs import need


class Program(NamedTuple):
    """What is run, when it is ready, what is sent to it twice, what that shows, how it is ended."""

    argv: list[str]
    ready: str
    sent: list[str]
    seen: str
    end: list[str]


SHELL_END = ["-e", "exit"]

PROGRAMS = {
    "bash": Program(
        ["bash", "--norc", "--noprofile", "-i"], "[#$] $", ["-e", "echo s''een"], "seen", SHELL_END
    ),
    "zsh": Program(["zsh", "-f", "-i"], "[#%] $", ["-e", "echo s''een"], "seen", SHELL_END),
    "fish": Program(
        ["fish", "--no-config", "-i"], "[#>] $", ["-e", "echo s''een"], "seen", SHELL_END
    ),
    "vim": Program(
        ["vim", "-u", "NONE", "-N"],
        "^~ *$",
        ["-k", "o", "see", "-k", "Left", "-k", "Right", "n", "-k", "Escape"],
        "seen",
        [":q!", "-e"],
    ),
    "less": Program(["less", "FILE"], "^row 1$", ["/row 15[0]", "-e"], "row 150", ["q"]),
    "python3": Program(
        [sys.executable, "-q"], "^>>> $", ["-e", "--paste", "'se' + 'en'"], "'seen'", ["-k", "C-d"]
    ),
}


def noted(place: Place, name: str) -> Any:
    """What List says of it, but for how long nobody has typed at the clients, and what runs."""
    row = place.sessions()[name]
    del row["foreground_pid"]
    for each in [*row["attachments"], *row["watchers"]]:
        del each["idle_ms"]
    return row


def as_json(place: Place, *words: str) -> dict[str, Any]:
    done = place.run(*words, "--json")
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    found: dict[str, Any] = json.loads(done.out)
    return found


def command_of(place: Place, program: Program) -> str:
    argv = [need(program.argv[0]), *program.argv[1:]]
    file = place.root / "file"
    file.write_text("".join(f"row {number}\n" for number in range(1, 400)))
    return shlex.join([str(file) if word == "FILE" else word for word in argv])


def look_and_type(place: Place, program: Program, following: Following) -> list[str]:
    """Use every command once; the screen as it is then."""
    before = noted(place, "one")
    subscriber = place.subscribe()
    mark = str(as_json(place, "send", "one", *program.sent)["mark"])
    line = f"^{re.escape(program.seen)} *$"  # vim writes the blanks too
    assert place.run("wait", "one", "--text", line, "--since", mark).out == "one\ttext\n"
    assert place.run("wait", "one", "--quiet", "50ms").out == "one\tquiet\n"
    eventually(lambda: "-- INSERT" not in place.run("peek", "one").out, "vim is done")
    following.until(program.seen[-2:].encode())  # as terminals are sent it, some keys alone
    plain = place.run("peek", "one").out
    assert program.seen in plain.split("\n")
    assert place.run("history", "one").out.endswith(plain)
    assert program.seen in re.sub(r"\x1b\[[0-9;:]*m", "", place.run("peek", "one", "--ansi").out)
    for form in ("--html", "--svg"):
        # The cell under the cursor is an element of its own, in an image on a line of its own.
        shown = re.sub(r"<[^>]*>|\n", "", place.run("peek", "one", form).out)
        assert program.seen.replace("'", "&#39;") in shown
    found = as_json(place, "peek", "one")
    lines: list[str] = found["lines"]
    assert "".join(f"{each}\n" for each in lines) == plain
    size = before["attachments"] and (
        before["attachments"][0]["rows"],
        before["attachments"][0]["cols"],
    )
    assert (found["rows"], found["cols"]) == (size or (24, 80))
    place.expect_events(subscriber)
    assert noted(place, "one") == before
    return lines


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_is_looked_at_and_typed_into(shpool: Place, program: Program) -> None:
    shpool.configure('shell = "/bin/sh"', env={"INPUTRC": "/dev/null"})
    shpool.raw_session("one", command_of(shpool, program))
    assert shpool.run("wait", "one", "--text", program.ready).status == 0
    following = Following(shpool, "one")
    look_and_type(shpool, program, following)
    with attached(shpool, "one", rows=30, cols=100) as person:
        person.until_shown(program.seen)
        eventually(lambda: as_json(shpool, "peek", "one")["rows"] == 30, "it has the new size")
        lines = look_and_type(shpool, program, following)
        person.until_screen(lines)
        assert shpool.run("send", "one", *program.end).status == 0
        assert shpool.run("wait", "one", "--exit").out == "one\texit\n"
        assert person.wait() == 0
    assert following.end() == (0, "")


def test_a_flood_is_looked_at_and_stopped(shpool: Place) -> None:
    shpool.raw_session("one", "bash --norc --noprofile -i")
    shpool.run("send", "one", "-e", "PS1='> '")
    with attached(shpool, "one", rows=30, cols=100) as person:
        assert shpool.run("wait", "one", "--attached").out == "one\tattached\n"
        before = noted(shpool, "one")
        mark = str(as_json(shpool, "send", "one", "-e", "seq 100000000 900000000")["mark"])
        found = shpool.run("wait", "one", "--text", r"^\d{9}$", "--since", mark)
        assert (found.status, found.out) == (0, "one\ttext\n")
        assert re.fullmatch(r"(shpool: \d+ lines from MARK on are gone\n)?", found.err)
        first = as_json(shpool, "peek", "one")
        numbers = [each for each in first["lines"] if each]
        assert len(numbers) >= 28
        assert all(re.fullmatch(r"\d{1,9}|> seq.*", each) for each in numbers)
        newest = int(shpool.run("history", "one", "-n", "2").out.split("\n")[0])
        later = str(newest + 1_000_000)
        assert shpool.run("wait", "one", "--text", rf"^{later[:5]}\d{{4}}$").status == 0
        assert as_json(shpool, "peek", "one")["mark"] > first["mark"]
        assert noted(shpool, "one") == before
        assert shpool.run("send", "one", "-k", "C-c").status == 0
        assert shpool.run("wait", "one", "--text", r"^> $").status == 0
        person.until(lambda: person.cursor_line().rstrip() == ">")
