"""Clients in terminals of other sizes than the session's: what is drawn on them, and how they are
left.

The judge of what is shown is another emulator (window.py).
"""

import os
import signal

from shpool.terminal import window as part
from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import Window, attached, outside
from tests.programs import need
from tests.terminal.drawing import screen, wrong_cells

VIM = "vim -u NONE -i NONE -N -n"


def wrong(driver: Window, drawn: Window) -> str:
    """Where a drawn terminal does not show what is in it of the driver's screen, in words; the
    part that has the driver's cursor in it, if that is visible."""
    program, seen = driver.state(), drawn.state()
    if not seen["alternate"]:
        return "not drawn on"
    window = part.Window(seen["rows"], seen["cols"])
    one, two = program["cursor"], seen["cursor"]
    if one["hidden"] != two["hidden"]:
        return "one cursor is hidden"
    if not one["hidden"]:
        window.top = one["y"] - two["y"]
        window.left = one["x"] - two["x"]
    if min(window.top, window.left) < 0:
        return "the cursor is elsewhere"
    return wrong_cells(screen(program), seen, window)


def until_in_step(driver: Window, *drawn: Window) -> None:
    for each in drawn:
        each.until(lambda each=each: not wrong(driver, each), "it shows what the driver's shows")  # type: ignore[misc]


def at_prompt(inside: Place, name: str = "one", rows: int = 24, cols: int = 80) -> Window:
    """Who made the session, at its prompt."""
    window = attached(inside, name, rows=rows, cols=cols)
    window.until(lambda: window.cursor_line() == "$")
    return window


def joined(inside: Place, rows: int, cols: int) -> Window:
    """Who has joined session one from another one: it drives, until another one types."""
    return go_over(inside, at_prompt(inside, f"lobby-{rows}", rows, cols))


def go_over(inside: Place, window: Window) -> Window:
    before = len(inside.sessions()["one"]["attachments"])
    window.send("shpool switch -x one\n")
    eventually(lambda: len(inside.sessions()["one"]["attachments"]) > before, "it has joined")
    return window


def do(driver: Window, keys: str, sign: str, *drawn: Window) -> None:
    """Type, and wait until that has come about, on all terminals."""
    driver.send(keys)
    driver.until_shown(sign)
    until_in_step(driver, *drawn)


@BOTH_WAYS
def test_who_has_another_size_sees_what_the_driver_sees(inside: Place) -> None:
    need("vim")
    need("htop")
    text = inside.scratch / "text"
    text.write_text("".join(f"line {n}\t{'漢字' * (n % 20)} end\n" for n in range(1, 201)))
    with (
        at_prompt(inside) as driver,
        joined(inside, 10, 40) as small,
        joined(inside, 30, 100) as large,
    ):
        do(driver, "echo in the sh''ell\n", "in the shell", small, large)
        do(driver, f"{VIM} {text}\n", "line 1 ", small, large)
        do(
            driver,
            ":syntax on\n:set number hlsearch mouse=a\n/line 9\n",
            " 9 line 9 ",
            small,
            large,
        )
        do(driver, "150G$", "line 150", small, large)
        do(driver, "O\t漢字かな 👍 e\u0301\x1b", "かな", small, large)
        do(driver, ":sp\n\x06\x06", "line 160", small, large)
        assert driver.state()["modes"]["mouse"] != "NONE"
        assert small.state()["modes"]["mouse"] == large.state()["modes"]["mouse"] == "NONE"
        driver.resize(15, 60)
        until_in_step(driver, small, large)
        small.resize(6, 30)
        large.resize(16, 61)
        until_in_step(driver, small, large)
        do(driver, ":qa!\n", "in the shell", small, large)
        do(driver, "htop -d 100\n", "F1Help", small, large)
        assert small.state()["cursor"]["hidden"]
        do(driver, "q", "in the shell", small, large)
        region = r"printf '\033[3;9r\033[9H%s\n' $(seq 40 60); printf '\033[rdo''ne\n'"
        do(driver, f"{region}\n", "done", small, large)
        do(driver, "seq 30000; echo co''unted\n", "counted", small, large)
        large.resize(15, 60)  # as the driver's: passed on what comes
        large.until(lambda: not large.state()["alternate"])
        do(driver, "echo th''is\n", "this", small)
        large.until(lambda: large.screen() == driver.screen())
        small.send(DETACH)
        assert small.wait() == 0
        assert small.disorder() == ""
        assert "$ shpool switch -x one" in small.everything()
        driver.send("exit 3\n")
        assert driver.wait() == large.wait() == 3
        assert large.disorder() == ""


@BOTH_WAYS
def test_who_shares_in_another_size_drives_by_turns_and_misses_no_line(inside: Place) -> None:
    with (
        at_prompt(inside) as first,
        joined(inside, 12, 50) as second,
    ):
        until_in_step(second, first)
        do(second, "seq 101 140; echo fr''om\n", "from", first)
        first.send("echo go''es\n")
        first.until(lambda: not first.state()["alternate"])
        first.until_shown("goes")
        until_in_step(first, second)
        do(first, "seq 201 240; echo o''n\n", "on", second)
        second.send("echo he''re\n")
        second.until(lambda: not second.state()["alternate"])
        second.until_shown("here")
        until_in_step(second, first)
        second.send(DETACH)
        assert second.wait() == 0
        first.until(lambda: not first.state()["alternate"])
        first.until_shown("here")
        shown = [line for line in first.everything() if line.isdecimal()]
        assert shown == [str(n) for n in (*range(101, 141), *range(201, 241))]
        first.send(DETACH)
        assert first.wait() == 0
    with attached(inside, "one", rows=30, cols=90) as again:
        again.until_shown("here")
        assert again.state()["alternate"] is False


def joined_from_outside(inside: Place) -> Window:
    """The same in a terminal that a shell of the user's own runs on."""
    window = outside(inside, 10, 40)
    window.send("shpool attach lobby\n")
    window.until(lambda: window.cursor_line() == "$")
    return go_over(inside, window)


@BOTH_WAYS
def test_a_drawn_terminal_is_left_usable_when_the_daemon_is_gone(inside: Place) -> None:
    with at_prompt(inside) as driver, joined_from_outside(inside) as drawn:
        do(driver, "echo wo''rd\n", "word", drawn)
        inside.kill_daemon()
        drawn.until_shown("outside$")
        drawn.until(lambda: drawn.disorder() == "")


def test_a_drawn_terminal_whose_client_was_stopped_is_drawn_over(inside: Place) -> None:
    with at_prompt(inside) as driver, joined_from_outside(inside) as drawn:
        do(driver, "echo wo''rd\n", "word", drawn)
        found = inside.processes().items()
        (pid,) = (pid for pid, words in found if words.rstrip().endswith("attach lobby"))
        os.kill(pid, signal.SIGSTOP)
        drawn.until_shown("Stopped")
        driver.send("echo mo''re\n")
        driver.until_shown("more")
        drawn.send("bg\n")  # where it is stopped again
        drawn.until_shown("&")
        drawn.send("fg\n")
        until_in_step(driver, drawn)
        os.kill(pid, signal.SIGTERM)
        drawn.until_shown("outside$")
        drawn.until(lambda: drawn.disorder() == "")


def test_while_nothing_changes_a_drawn_terminal_wakes_nobody(inside: Place) -> None:
    with at_prompt(inside) as driver, joined(inside, 10, 40) as drawn:
        do(driver, "echo wo''rd\n", "word", drawn)
        assert inside.wake_ups_in_a_second() == 0
