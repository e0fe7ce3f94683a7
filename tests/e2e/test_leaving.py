"""However a client ends, the terminal it ran in is as usable as before."""

import os
import shlex
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import Window, attached, outside
from tests.programs import need

pytestmark = BOTH_WAYS

# A program that turns on whatever can be turned on, ends up in the middle of a sequence, and
# then only waits.
EVERYTHING = (
    r"\033[?1049h\033[?1h\033=\033[?25l\033[?1000h\033[?1003h\033[?1006h\033[?1004h\033[?2004h"
    r"\033[?2026h\033[5;20r\033[?6h\033[?7l\033[4h\033[20h\033[?5h\033[>4;2m\033[>1u"
    r"\033(0\033[1;7;31;44mlqqk\033]8;;http://example.org/\033\\on\033]2;half a title"
)


def _program(place: Place) -> str:
    script = place.scratch / "everything"
    script.write_text(f"#!/bin/sh\nprintf 'ready\\n{EVERYTHING}'\nexec sleep 1000\n")
    script.chmod(0o755)
    return str(script)


def _keys(place: Place, window: Window) -> None:
    window.send(DETACH)


def _detach(place: Place, window: Window) -> None:
    assert place.run("detach", "one").status == 0


def _sigterm(place: Place, window: Window) -> None:
    os.kill(window.pid, signal.SIGTERM)


def _sighup(place: Place, window: Window) -> None:
    os.kill(window.pid, signal.SIGHUP)


def _stop(place: Place, window: Window) -> None:
    assert place.stop() == 0


def _kill(place: Place, window: Window) -> None:
    place.kill_daemon()


def _end(place: Place, window: Window) -> None:
    place.kill("one")


WAYS: dict[str, tuple[Callable[[Place, Window], None], int]] = {
    "by the detach keys": (_keys, 0),
    "by a detach from elsewhere": (_detach, 0),
    "by SIGTERM to the client": (_sigterm, 128 + signal.SIGTERM),
    "by SIGHUP to the client": (_sighup, 128 + signal.SIGHUP),
    "as the daemon is stopped": (_stop, 1),
    "as the daemon is killed": (_kill, 1),
    "as the session is killed": (_end, 128 + signal.SIGHUP),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["screen", "simple"])
def test_the_terminal_is_clean_after_leaving(place: Place, way: str, mode: str) -> None:
    place.configure(f'session_restore_mode = "{mode}"')
    place.start()
    leave, status = WAYS[way]
    with attached(place, "-c", _program(place), "one") as window:
        before = window.first_modes
        window.expect("half a title")
        assert window.is_raw()
        leave(place, window)
        assert window.wait() == status
        assert window.disorder() == ""
        assert window.modes() == before
        window.show(b"next")
        assert window.cursor_line().endswith("next")
        assert window.screen()[0] == "ready"


@pytest.mark.parametrize("mode", ["screen", "simple"])
def test_a_switch_leaves_nothing_of_one_session_for_the_next(place: Place, mode: str) -> None:
    place.configure(f'session_restore_mode = "{mode}"')
    place.start()
    place.run("var", "set", "which", "one")
    place.raw_session("two", "sh -c 'while read x; do echo got $x; done'")
    with attached(place, "-c", _program(place), "{which}") as window:
        before = window.first_modes
        window.expect("half a title")
        place.run("var", "set", "which", "two")
        eventually(lambda: place.statuses().get("two") == "Attached")
        window.send("it\n")
        window.until_shown("got it")
        assert window.disorder() == ""
        assert window.is_raw()
        window.send(DETACH)
        assert window.wait() == 0
        assert window.modes() == before


@pytest.mark.parametrize("way", list(WAYS)[:6])
def test_mouse_reports_under_way_do_not_land_in_the_shell_outside(place: Place, way: str) -> None:
    place.start()
    leave, _ = WAYS[way]
    with outside(place) as window:
        window.send(f"shpool attach -c {_program(place)} one\n")
        window.expect("half a title")
        (row,) = place.sessions()["one"]["attachments"]
        # The client's own pid, so that signals go where a user would send them.
        shell, window.process.pid = window.process.pid, row["pid"]
        try:
            window.send(b"\x1b[<35;10;10M" * 20)
            leave(place, window)
            window.send(b"\x1b[<35;11;11M" * 20)
        finally:
            window.process.pid = shell
        window.until(lambda: window.cursor_line() == "outside$")
        window.send("echo typed''ahead\n")
        window.until_shown("typedahead")
        shown = "\n".join(window.everything())
        assert "outside$ echo typed''ahead\n" in shown
        assert "35;1" not in shown
        assert window.disorder() == ""


def test_a_prompt_after_leaving_stands_on_a_line_of_its_own(place: Place) -> None:
    place.start()
    with outside(place) as window:
        window.send("shpool attach one\n")
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo half typed")
        window.until(lambda: window.cursor_line() == "$ echo half typed")
        window.send(DETACH)
        window.until(lambda: window.cursor_line() == "outside$")
        assert window.screen()[:3] == [
            "outside$ shpool attach one",
            "$ echo half typed",
            "outside$",
        ]


def test_leaving_a_full_screen_program_brings_back_what_stood_there_before(place: Place) -> None:
    place.start()
    with outside(place) as window:
        window.send("echo be''fore\n")
        window.until_shown("before")
        window.send(f"shpool attach -c {_program(place)} one\n")
        window.expect("half a title")
        window.send(DETACH)
        window.until(lambda: window.cursor_line() == "outside$")
        shown = [row for row in window.screen() if row]
        assert shown[:2] == ["outside$ echo be''fore", "before"]
        assert shown[-2:] == ["ready", "outside$"]


def test_a_terminal_that_answers_nothing_does_not_delay_the_end(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    client.send(DETACH)
    assert client.wait() == 0
    assert b"\x1b[5n" not in client.output


def test_a_terminal_that_reported_is_asked_for_what_is_under_way(shpool: Place) -> None:
    client = shpool.attach("-c", r"""sh -c 'printf "\033[?1000hready"; sleep 1000'""", "one")
    client.expect("ready")
    client.send(DETACH)
    client.expect(rb"\x1b\[5n")
    client.send(b"\x1b[M !!\x1b[0n")
    assert client.wait() == 0


@pytest.mark.parametrize("mode", ["screen", "simple"])
@pytest.mark.parametrize("way", WAYS)
def test_in_tmux_too_the_prompt_comes_where_the_cursor_was(
    place: Place, way: str, mode: str
) -> None:
    tmux = need("tmux")
    place.configure(f'session_restore_mode = "{mode}"')
    place.start()
    leave, _ = WAYS[way]
    setup = place.scratch / "outside.sh"
    setup.write_text("PS1='outside$ '; unset HISTFILE\n")
    words = [tmux, "-S", str(place.scratch / "tmux"), "-f", "/dev/null"]
    shell = f"bash --noprofile --rcfile {setup} -i"
    with Window(place, [*words, "new", shell, ";", "set", "status", "off"]) as window:
        try:
            window.until_shown("outside$")
            # tmux remembers where the cursor was when the alternate screen was last entered.
            window.send("printf '\\033[?1049h\\033[?1049l'\n")
            window.until(lambda: window.cursor() == (1, len("outside$ ")))
            command = place.command("attach", "-c", "sh -c 'seq 5; cat'", "one")
            window.send(shlex.join(command) + "\n")
            window.until(lambda: window.screen()[window.cursor()[0] - 1] == "5")
            (row,) = place.sessions()["one"]["attachments"]
            inside, window.process.pid = window.process.pid, row["pid"]
            try:
                leave(place, window)
            finally:
                window.process.pid = inside
            window.until(lambda: window.cursor_line() == "outside$")
            shown = [line for line in window.screen() if line]
            at = shown.index("5")
            assert shown[at - 4 : at + 1] == ["1", "2", "3", "4", "5"]
            assert shown[-1] == "outside$"
        finally:
            subprocess.run([*words, "kill-server"], check=False, capture_output=True)
