"""The message of the day: printed before a new session's first output, or shown in a pager."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import attached
from tests.programs import need

# A pager that says what it was given, passes on what is typed, and ends with q.
PAGER = f"""#!{sys.executable} -IS
import os, signal, sys, tty

def size(*_):
    found = os.get_terminal_size()
    os.write(1, b"size %d %d\\r\\n" % (found.lines, found.columns))

def hung_up(*_):
    with open(sys.argv[0] + ".log", "a") as log:
        log.write("hung up\\n")
    sys.exit()

tty.setraw(0)
signal.signal(signal.SIGWINCH, size)
signal.signal(signal.SIGHUP, hung_up)
name, term = os.environ["SHPOOL_SESSION_NAME"], os.environ["TERM"]
print(f"{{len(sys.argv) - 1}} argument, in {{name}} with {{term}}", end="\\r\\n")
with open(sys.argv[1]) as text:
    print(text.read().replace("\\n", "\\r\\n"), end="paging\\r\\n", flush=True)
while (key := os.read(0, 1)) not in (b"q", b""):
    os.write(1, b"key %02x\\r\\n" % key[0])
os.write(1, b"left\\r\\n")
"""

TEXT = "first line\n\x1b[1mbold\x1b[m line\nlast line"


def configure(place: Place, motd: str, text: str = TEXT) -> None:
    (place.scratch / "motd").write_text(text)
    place.configure(f'motd_args = ["motd={place.scratch}/motd", "motd_dir=/nowhere"]\n{motd}')
    place.start()


def pager(place: Place, every: str = "") -> Path:
    """A configuration with our pager; its path."""
    path = place.scratch / "pager"
    path.write_text(PAGER)
    path.chmod(0o755)
    shown = f'\nshow_every = "{every}"' if every else ""
    configure(place, f'[motd.pager]\nbin = "{path}"{shown}')
    return path


def pagers(place: Place) -> int:
    return sum("/pager " in words for words in place.processes().values())


# ---- never, and dump


def test_by_default_nothing_is_shown(place: Place) -> None:
    configure(place, "")
    client = place.attach("-c", "echo only this", "one")
    assert client.wait() == 0
    assert client.text() == "only this\n"


def test_a_dump_comes_before_the_first_output_of_a_new_session_only(place: Place) -> None:
    configure(place, 'motd = "dump"')
    client = place.attach("one")
    client.expect(rb"^first line\r\n\x1b\[1mbold\x1b\[m line\r\nlast line\r\n.*\$ ")
    client.send(DETACH)
    assert client.wait() == 0
    (place.scratch / "motd").write_text("another text")
    again = place.attach("one")
    assert again.ask("echo in") == "in\n"
    assert "another text" not in again.text()


def test_a_dump_is_part_of_the_screen(place: Place) -> None:
    configure(place, 'motd = "dump"')
    with attached(place, "one") as window:
        window.until(lambda: window.screen()[:4] == ["first line", "bold line", "last line", "$"])
        window.send(DETACH)
        assert window.wait() == 0
    with attached(place, "one") as window:
        window.until(lambda: window.screen()[:4] == ["first line", "bold line", "last line", "$"])


def test_a_dump_of_nothing_is_nothing(place: Place) -> None:
    configure(place, 'motd = "dump"', "")
    client = place.attach("-c", "echo only this", "one")
    assert client.wait() == 0
    assert client.text() == "only this\n"


def test_a_dump_for_a_session_made_in_the_background_waits_for_its_first_look(
    place: Place,
) -> None:
    configure(place, 'motd = "dump"')
    assert place.run("attach", "-b", "one").status == 0
    with attached(place, "one") as window:
        window.until(lambda: window.screen()[:4] == ["first line", "bold line", "last line", "$"])


# ---- pager


def test_a_pager_is_left_for_the_shell(place: Place) -> None:
    pager(place)
    with attached(place, "one") as window:
        window.until_shown("paging")
        assert window.screen()[:5] == [
            "1 argument, in one with xterm",
            "first line",
            "bold line",
            "last line",
            "paging",
        ]
        assert window.state()["attributes"] == [{}], "escape sequences are taken out"
        window.send("q")
        window.until_shown("left")
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo in the sh''ell\n")
        window.until_shown("in the shell")


@pytest.mark.parametrize("mode", ["raw", "cooked"])
@pytest.mark.parametrize("typed", ["echo in the sh''ell\n", "echo in the sh''ell"])
def test_what_is_typed_while_the_pager_ends_is_for_the_shell(
    place: Place, mode: str, typed: str
) -> None:
    path = pager(place)
    # Does not end before something is there to be read, and does not read it.
    path.write_text(f"""#!{sys.executable} -IS
import select, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
print("left", flush=True)
select.select([0], [], [])
if "{mode}" == "cooked":
    termios.tcsetattr(0, termios.TCSANOW, before)
""")
    client = place.attach("one")
    client.expect("left")
    client.send(typed)
    client.expect(r"\$ .*echo in the sh''ell")
    if not typed.endswith("\n"):
        client.send("\n")
    client.expect("in the shell\r\n")


def test_keys_typed_while_the_pager_ends_may_be_a_key_binding(place: Place) -> None:
    path = pager(place)
    path.write_text(f"""#!{sys.executable} -IS
import select, tty
tty.setraw(0)
print("left", flush=True)
select.select([0], [], [])
""")
    client = place.attach("one")
    client.expect("left")
    client.send(DETACH)
    assert client.wait() == 0
    assert place.statuses() == {"one": "Disconnected"}


def test_a_pager_is_shown_at_every_attach(place: Place) -> None:
    pager(place)
    for _ in range(2):
        with attached(place, "one") as window:
            window.until_shown("paging")
            window.send("q")
            window.until(lambda: window.cursor_line() == "$")
            window.send(DETACH)
            assert window.wait() == 0


def test_a_pager_is_shown_once_in_a_while_for_all_sessions(place: Place) -> None:
    pager(place, "1d")
    with attached(place, "one") as window:
        window.until_shown("paging")
        window.send("q")
        window.until(lambda: window.cursor_line() == "$")
    for name in ("one", "two"):
        client = place.attach("-f", name)
        assert client.ask("echo in") == "in\n"
        assert "paging" not in client.text()


def test_a_pager_follows_the_size_of_the_terminal(place: Place) -> None:
    pager(place)
    with attached(place, "one", rows=20, cols=70) as window:
        window.until_shown("paging")
        window.resize(10, 50)
        window.until(lambda: "size 10 50" in window.everything())
        window.send("q")
        window.until(lambda: window.cursor_line() == "$")
        assert "10 50" in window.ask("stty size")


def test_key_bindings_mean_nothing_in_a_pager(place: Place) -> None:
    pager(place)
    with attached(place, "one") as window:
        window.until_shown("paging")
        window.send(DETACH)
        window.until_shown("key 11")
        assert place.statuses() == {"one": "Attached"}
        window.send("q")
        window.until(lambda: window.cursor_line() == "$")
        window.send(DETACH)
        assert window.wait() == 0


@pytest.mark.parametrize("how", ["the window is closed", "detached from elsewhere", "SIGTERM"])
def test_a_pager_is_hung_up_when_its_client_goes(place: Place, how: str) -> None:
    path = pager(place)
    with attached(place, "one") as window:
        window.until_shown("paging")
        if how == "the window is closed":
            window.hang_up()
        elif how == "SIGTERM":
            os.kill(window.pid, signal.SIGTERM)
            assert window.wait() == 128 + signal.SIGTERM
        else:
            assert place.run("detach", "one").status == 0
            assert window.wait() == 0
    eventually(lambda: pagers(place) == 0, "the pager ends")
    assert Path(f"{path}.log").read_text() == "hung up\n"
    assert place.statuses() == {"one": "Disconnected"}


def test_a_session_killed_while_its_client_pages_ends_both(place: Place) -> None:
    pager(place)
    with attached(place, "one") as window:
        before = window.first_modes
        window.until_shown("paging")
        place.kill("one")
        assert window.wait() == 128 + signal.SIGHUP
        assert window.modes() == before
    eventually(lambda: pagers(place) == 0, "the pager ends")
    assert place.statuses() == {}


def test_what_the_program_writes_while_the_user_pages_is_there_afterwards(place: Place) -> None:
    pager(place)
    program = f"sh -c 'echo first words; echo so > {place.scratch}/said; cat'"
    with attached(place, "-c", program, "one") as window:
        window.until_shown("paging")
        assert "first words" not in "\n".join(window.everything())
        window.send("q")
        window.until_shown("first words")
        window.send("and live\n")
        window.until(lambda: window.everything().count("and live") == 2)
        assert window.everything().count("first words") == 1


def test_a_shell_that_dies_while_its_client_pages_ends_both(place: Place) -> None:
    pager(place)
    with attached(place, "-c", "sh -c 'echo last words; exit 3'", "one") as window:
        assert window.wait() == 3
        assert "last words" in window.text()
    eventually(lambda: pagers(place) == 0, "the pager ends")


def test_without_a_text_no_pager_is_started(place: Place) -> None:
    path = pager(place)
    (place.scratch / "motd").write_text("")
    client = place.attach("one")
    assert client.ask("echo in") == "in\n"
    assert path.exists()
    assert "paging" not in client.text()


@pytest.mark.parametrize("program", ["/nowhere/pager", "no-such-pager", "/etc/passwd"])
def test_a_pager_that_cannot_be_started_is_logged_and_the_shell_is_there(
    place: Place, program: str
) -> None:
    configure(place, f'[motd.pager]\nbin = "{program}"')
    client = place.attach("one")
    assert client.ask("echo in") == "in\n"
    place.logged(f"the message of the day is not shown: cannot run '{re.escape(program)}'")


def test_less_as_the_pager_gives_the_screen_back(place: Place) -> None:
    configure(place, f'[motd.pager]\nbin = "{need("less")}"')
    with attached(place, "one") as window:
        window.until_shown("last line")
        window.send("q")
        window.until(lambda: window.cursor_line() == "$")
        assert window.disorder() == ""
        window.send("echo half")
        window.until(lambda: window.cursor_line() == "$ echo half")
        window.send(DETACH)
        assert window.wait() == 0
    with attached(place, "one") as window:
        window.until_shown("last line")
        window.send("q")
        window.until(lambda: window.cursor_line() == "$ echo half")


def test_in_the_background_no_pager_is_left(place: Place) -> None:
    pager(place)
    assert place.run("attach", "-b", "one").status == 0
    eventually(lambda: pagers(place) == 0, "the pager ends")
    assert place.statuses() == {"one": "Disconnected"}
