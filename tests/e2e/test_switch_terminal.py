"""What a terminal shows, and is left as, when it goes over from one session to another."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, Terminal, eventually
from tests.e2e.test_variables import at
from tests.e2e.window import Window, attached


def start_vim(window: Window, name: str) -> None:
    window.send(f"vim -u NONE -N {name}\n")
    window.until(lambda: window.state()["alternate"])


def has_modes(client: Terminal, modes: list[Any]) -> bool:
    return client.modes() == modes


@BOTH_WAYS
def test_from_an_editor_to_a_shell_and_back(inside: Place) -> None:
    (inside.scratch / "text").write_text("".join(f"line {n}\n" for n in range(100)))
    with attached(inside, "a", "-d", str(inside.scratch)) as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo before\n")
        start_vim(window, "text")
        window.send(":set ruler mouse=a title t_fe= | normal 50G\n")
        window.until(lambda: "50,1" in window.screen()[-1] and window.cursor() == (11, 0))
        before, cursor = window.screen(), window.cursor()
        assert inside.run("switch", "--from", "a", "b").status == 0
        window.until(lambda: at(inside, b=window.pid))
        window.until(lambda: window.cursor_line() == "$")
        assert window.disorder() == ""
        assert not any("line" in row for row in window.screen())
        window.send("seq 5\n")
        window.until(lambda: "5" in window.screen())
        window.send("shpool switch -\n")
        window.until(lambda: at(inside, a=window.pid))
        window.until(
            lambda: (window.screen(), window.cursor()) == (before, cursor), "the editor is again"
        )
        assert window.state()["alternate"]
        assert inside.run("switch", "--from", "a", "b").status == 0
        window.until(lambda: window.cursor_line() == "$")
        window.resize(20, 70)
        assert inside.run("switch", "--from", "b", "a").status == 0
        window.until(lambda: window.state()["alternate"])
        window.until(lambda: "50,1" in window.screen()[-1], "it has the window's size")
        window.send(":q!\n")
        window.until(lambda: not window.state()["alternate"])
        window.until_shown("$ echo before")
        window.send(DETACH)
        assert window.wait() == 0
        assert window.disorder() == ""


@BOTH_WAYS
def test_what_one_session_has_set_is_not_left_to_the_other(inside: Place) -> None:
    inside.raw_session("b", "cat")
    client = inside.attach("a")
    client.ask("printf '\\033[6 q\\033]4;1;#123456\\007\\033[?1003;1006h\\033[?25l'")
    before = len(client.output)
    assert inside.run("switch", "--from", "a", "b").status == 0
    client.send("typed on the way\n")
    eventually(lambda: at(inside, b=client.pid))
    client.expect("typed on the way\r\ntyped on the way\r\n")
    shown = client.output[before:]
    for undone in (b"\x1b[0 q", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?25h", b"\x1b]104\x1b\\"):
        assert undone in shown, undone
    assert client.modes() != client.first_modes


@BOTH_WAYS
def test_a_session_is_drawn_once(inside: Place) -> None:
    other = inside.attach("a")
    other.ask("echo shown o''nce")
    other.send(DETACH)
    assert other.wait() == 0
    with attached(inside, "b") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("shpool switch a\n")
        window.until_shown("shown once")
        window.send("echo beh''ind it\n")
        window.until_shown("behind it")
        assert window.output.count(b"shown once") == 1


def test_a_client_killed_on_its_way_leaves_a_terminal_that_can_be_used(inside: Place) -> None:
    inside.raw_session("b")
    for turn in range(8):
        client = inside.attach("a")
        before = client.first_modes
        client.ask("printf '\\033[?1049h'")
        assert inside.run("switch", "--from", "a", "b").status == 0
        time.sleep(turn / 250)  # the moment
        client.kill()
        eventually(partial(has_modes, client, before))
        client.wait()
        shown = client.output
        assert shown.rfind(b"\x1b[?1049l") > shown.rfind(b"\x1b[?1049h")
        eventually(lambda: set(inside.statuses().values()) == {"Disconnected"})


KEYS = """
[[keybinding]]
binding = "Ctrl-Space Ctrl-l"
action = "switch-last"
[[keybinding]]
binding = "Ctrl-Space Ctrl-q"
action = "detach"
"""
BACK = b"\x00\x0c"


@BOTH_WAYS
def test_a_key_goes_back_and_what_is_typed_behind_it_comes_along(inside: Place) -> None:
    inside.configure(KEYS)
    client = inside.attach("a")
    client.ask("x=first")
    client.send(BACK)
    assert client.ask("echo $x") == "first\n", "there is nowhere to go"
    client.send("shpool switch b\n")
    eventually(lambda: at(inside, b=client.pid))
    assert client.ask("x=second") == ""
    for turn in range(4):
        client.send(BACK + b"echo i''n $x\n")
        client.expect(rb"in (first|second)\r\n")
        assert at(inside, **{"ab"[turn % 2]: client.pid})
        assert client.ask("echo $x") == ("first\n", "second\n")[turn % 2]
    client.send(BACK + DETACH)  # at once, as over a slow connection
    assert client.wait() == 0
    eventually(lambda: inside.statuses() == {"a": "Disconnected", "b": "Disconnected"})
