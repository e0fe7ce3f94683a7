"""The terminal in the daemon's hands: every way in which that could go wrong."""

import array
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from shpool.protocol import chunks
from shpool.protocol.msgpack import pack
from tests.e2e.harness import DETACH, Peer, Place, Terminal, attach_header, eventually
from tests.e2e.window import OUTSIDE, Window, attached, outside
from tests.programs import need


def name_of(terminal: Terminal) -> str:
    """The path of the terminal's device."""
    return os.readlink(f"/proc/{terminal.pid}/fd/0")


def holds(place: Place, terminal: str) -> bool:
    """Whether the daemon has the terminal open."""
    folder = f"/proc/{place.daemon_pid}/fd"
    for entry in os.listdir(folder):
        try:
            if os.readlink(f"{folder}/{entry}") == terminal:
                return True
        except FileNotFoundError:
            pass  # closed meanwhile
    return False


def client_pid(place: Place, name: str = "one") -> int:
    (row,) = place.sessions()[name]["attachments"]
    found: int = row["pid"]
    return found


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")


# ---- taken, and given back


def test_the_daemon_has_the_terminal_while_it_is_attached(shpool: Place) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        name = name_of(window)
        assert holds(shpool, name)
        before = shpool.descriptors()
        window.send(DETACH)
        assert window.wait() == 0
        assert not holds(shpool, name)
        assert (
            shpool.descriptors() == before - 3
        )  # the connection, the terminal, its client's state


def test_a_key_says_that_it_is_not_passed_and_may_change_at_any_time(place: Place) -> None:
    place.start()
    for passes in (False, True, False):
        place.passes = passes
        place.configure()
        client = place.attach("one")
        assert client.ask("echo here") == "here\n"
        assert holds(place, name_of(client)) == passes
        client.send(DETACH)
        assert client.wait() == 0


def test_the_daemons_word_counts_when_its_configuration_is_another(place: Place) -> None:
    other = place.scratch / "other.toml"
    other.write_text(place.config_file.read_text())
    place.passes = False
    place.configure()
    place.start()
    client = place.terminal("--config-file", str(other), "attach", "one")
    assert client.ask("echo here") == "here\n"
    assert not holds(place, name_of(client))


def test_it_is_given_back_before_whoever_waits_for_its_end_hears_of_the_clients(
    shpool: Place,
) -> None:
    script = need("script")
    command = shlex.join(shpool.command("attach", "one"))
    terminal = shpool.program([script, "-qec", command, "/dev/null"])
    assert terminal.ask("echo in script") == "in script\n"
    terminal.send("exit 7\n")
    assert terminal.wait() == 7


# ---- refused


def test_input_and_output_on_different_terminals_stay_the_clients(shpool: Place) -> None:
    other = shpool.program(["sh", "-c", "stty -echo; echo up; exec cat"])
    other.expect("up")
    script = f"exec {shlex.join(shpool.command('attach', 'one'))} > {name_of(other)}"
    terminal = shpool.program(["sh", "-c", script])
    other.expect(r"\$ ")
    terminal.send("echo shown el''sewhere\n")
    other.expect("shown elsewhere")
    assert not holds(shpool, name_of(other))
    assert not holds(shpool, name_of(terminal))


def test_the_alias_of_a_terminal_is_refused_and_works(shpool: Place) -> None:
    script = f"exec {shlex.join(shpool.command('attach', 'one'))} </dev/tty >/dev/tty"
    terminal = shpool.program(["sh", "-c", script])
    assert terminal.ask("echo still here") == "still here\n"
    assert not holds(shpool, "/dev/tty")


@pytest.fixture
def offers() -> Iterator[dict[str, list[int]]]:
    """Descriptors that are no terminals of a client's."""
    master, slave = pty.openpty()
    reading, writing = os.pipe()
    null = os.open("/dev/null", os.O_RDWR)
    file = os.memfd_create("file")
    multiplexer = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    yield {
        "a pipe": [reading],
        "its other end": [writing],
        "/dev/null": [null],
        "a file": [file],
        "a pty master": [master],
        "another": [multiplexer],
        "a socket": [listener.fileno()],
        "several": [slave] * 9,
        "a terminal that is not raw in a moment": [slave],
    }
    listener.close()
    for fd in (master, slave, reading, writing, null, file, multiplexer):
        os.close(fd)


def send_with(peer: Peer, data: bytes, fds: list[int]) -> None:
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
    peer.sock.sendmsg([data], [rights])


@pytest.mark.parametrize(
    "what",
    [
        *("a pipe", "its other end", "/dev/null", "a file", "a pty master", "another", "a socket"),
    ],
)
def test_what_is_no_terminal_is_dropped(
    shpool: Place, offers: dict[str, list[int]], what: str
) -> None:
    shpool.raw_session("one", "cat")
    before = shpool.descriptors()
    for turn in range(3):
        peer = shpool.peer()
        send_with(peer, pack(attach_header("one")), offers[what])
        assert peer.message() == {"status": {"Attached": {"warnings": []}}}
        peer.send(b"as chunks %d\n" % turn)
        peer.output_until(b"as chunks %d" % turn)
        peer.close()
        eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
    eventually(lambda: shpool.descriptors() <= before)


def test_descriptors_that_come_with_anything_else_are_dropped(
    shpool: Place, offers: dict[str, list[int]]
) -> None:
    shpool.raw_session("one", "cat")
    before = shpool.descriptors()
    for data in (pack("List"), pack(attach_header("bad name")), pack("Nonsense"), b"\xc1"):
        for fds in (offers["a file"], offers["several"]):
            peer = shpool.peer()
            send_with(peer, data, fds)
            peer.remainder()
            peer.close()
    # Each piece of a request may bring one; a client that goes away leaves none.
    request = pack(attach_header("one"))
    peer = shpool.peer()
    for start in range(0, 60, 10):
        send_with(peer, request[start : start + 10], offers["a file"])
    eventually(lambda: shpool.descriptors() > before)
    peer.close()
    eventually(lambda: shpool.descriptors() <= before)


def test_a_client_with_a_terminal_that_says_nonsense_is_hung_up_on(shpool: Place) -> None:
    shpool.raw_session("one", "cat")
    before = shpool.descriptors()
    master, slave = pty.openpty()
    try:
        peer = shpool.peer()
        send_with(peer, pack(attach_header("one")), [slave])
        reply = peer.message()
        assert reply == {"status": {"Attached": {"warnings": []}}, "terminal_passed": True}
        peer.send(chunks.frame(chunks.MODES, b"short"))
        peer.send(b"\xff" * 10)
        assert peer.remainder() is not None
        assert shpool.statuses() == {"one": "Disconnected"}
        eventually(lambda: shpool.descriptors() <= before)
        shpool.logged("an attached client is hung up on: a chunk of the unknown kind 255")
    finally:
        os.close(master)
        os.close(slave)


# ---- stopped


@pytest.fixture(params=["bash", "dash"])
def shell(request: pytest.FixtureRequest, place: Place) -> Iterator[Window]:
    """An interactive shell with job control, in which the client is a job."""
    program = need(request.param)
    argv = [program, *OUTSIDE[1:]] if request.param == "bash" else [program, "-i"]
    place.start()
    setup = place.scratch / "profile"
    command = shlex.join([sys.executable, "-m", "shpool"])
    setup.write_text(f'shpool() {{ {command} "$@"; }}\n')
    with Window(place, argv, env={"PS1": "outside$ ", "ENV": str(setup)}) as window:
        window.until(lambda: window.cursor_line() == "outside$")
        if request.param == "bash":
            window.send(f". {setup}\n")
        yield window


def test_a_stopped_client_leaves_the_keys_and_the_screen_to_the_shell_outside(
    place: Place, shell: Window
) -> None:
    go = place.scratch / "go"
    script = place.scratch / "program"
    script.write_text(
        f"#!/bin/sh\necho ready; until [ -e {go} ]; do sleep 0.02; done; echo from in''side\n"
        f": > {go}.done; while read x; do echo got $x; done\n"
    )
    script.chmod(0o755)
    shell.send(f"shpool attach -c {script} one\n")
    shell.until_shown("ready")
    pid = client_pid(place)
    assert holds(place, name_of(shell))
    os.kill(pid, signal.SIGSTOP)
    # dash leaves the modes as they are, so its lines begin where the last one ended.
    shell.until(lambda: shell.cursor_line().endswith("outside$"))
    go.touch()
    eventually((place.scratch / "go.done").exists)
    # Each key by itself: the first one that the daemon took would be missing.
    for key in "echo for the out''side":
        shell.send(key)
    shell.send("\n")
    shell.until_shown("for the outside")
    assert not any("from inside" in row for row in shell.screen())
    shell.send("fg\n")
    shell.until_shown("from inside")
    shell.send("it\n")
    shell.until_shown("got it")
    shell.send(DETACH)
    shell.until(lambda: shell.cursor_line() == "outside$")
    assert shell.disorder() == ""


def test_a_client_that_is_asked_to_stop_gives_the_session_back(place: Place, shell: Window) -> None:
    shell.send("shpool attach one\n")
    shell.until(lambda: shell.cursor_line() == "$")
    shell.send("echo half typed")
    shell.until(lambda: shell.cursor_line() == "$ echo half typed")
    os.kill(client_pid(place), signal.SIGTSTP)
    shell.until(lambda: shell.cursor_line() == "outside$")
    assert place.statuses() == {"one": "Disconnected"}
    shell.send("fg\n")
    shell.until(lambda: shell.cursor_line() == "$ echo half typed")
    assert place.statuses() == {"one": "Attached"}


def test_a_client_started_in_the_background_takes_nothing_until_it_is_in_front(
    place: Place,
) -> None:
    place.start()
    with outside(place) as window:
        window.send("shpool attach one & echo pid $!\n")
        window.until(lambda: re.search(r"^pid \d+", "\n".join(window.screen()), re.MULTILINE))
        pid = int(re.findall(r"^pid (\d+)", "\n".join(window.screen()), re.MULTILINE)[-1])
        eventually(lambda: is_stopped(pid))
        assert place.statuses() == {}
        window.send("echo keys for out''side\n")
        window.until_shown("keys for outside")
        window.send("fg\n")
        eventually(lambda: place.statuses() == {"one": "Attached"})
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo keys for in''side\n")
        window.until_shown("keys for inside")


def test_modes_that_somebody_else_set_are_set_right_again(shpool: Place) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        modes = window.modes()
        modes[3] |= termios.ICANON | termios.ECHO | termios.ISIG
        termios.tcsetattr(window.master, termios.TCSANOW, modes)
        window.send("x")  # which ends up in a line that is never ended
        window.send("\n")
        window.until(window.is_raw)
        window.send("echo r''ight\n")
        window.until_shown("right")


# ---- killed


EVERYTHING = (
    r"\033[?1049h\033[?1h\033=\033[?25l\033[?1000h\033[?1006h\033[?2004h\033[5;20r\033[1;7m"
)


def program(place: Place) -> str:
    script = place.scratch / "everything"
    script.write_text(f"#!/bin/sh\nprintf '{EVERYTHING}ready'\nexec sleep 1000\n")
    script.chmod(0o755)
    return str(script)


def test_a_killed_client_leaves_a_terminal_that_can_be_used(shpool: Place) -> None:
    with outside(shpool) as window:
        window.send(f"shpool attach -c {program(shpool)} one\n")
        window.expect("ready")
        name = name_of(window)
        os.kill(client_pid(shpool), signal.SIGKILL)
        window.until(lambda: window.disorder() == "")
        eventually(lambda: not holds(shpool, name))
        window.send("echo us''able\n")
        window.until_shown("usable")
        assert shpool.statuses() == {"one": "Disconnected"}


def test_where_nobody_else_does_it_the_modes_are_restored(shpool: Place) -> None:
    script = f"{shlex.join(shpool.command('attach', '-c', program(shpool), 'one'))}; exec sleep 99"
    with Window(shpool, ["sh", "-c", script]) as window:
        before = window.modes()
        window.expect("ready")
        assert window.modes() != before
        os.kill(client_pid(shpool), signal.SIGKILL)
        window.until(lambda: window.modes() == before and window.disorder() == "")


def test_modes_that_somebody_else_set_after_a_clients_death_stay(shpool: Place) -> None:
    command = shlex.join(shpool.command("attach", "-c", program(shpool), "one"))
    script = f"{command}; stty cooked -echo; exec sleep 99"
    with Window(shpool, ["sh", "-c", script]) as window:
        window.expect("ready")
        name = name_of(window)
        os.kill(client_pid(shpool), signal.SIGKILL)
        window.until(lambda: window.modes()[3] & termios.ICANON)
        theirs = window.modes()
        eventually(lambda: not holds(shpool, name))
        assert window.modes() == theirs
        assert not theirs[3] & termios.ECHO


def test_a_window_that_is_closed_leaves_the_daemon_at_rest(shpool: Place) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        name = name_of(window)
        window.hang_up()
        eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
        assert not holds(shpool, name)
        assert shpool.wake_ups_in_a_second() == 0


def test_a_terminal_that_hangs_up_without_its_client_ends_the_attachment(shpool: Place) -> None:
    shpool.raw_session("one", "cat")
    master, slave = pty.openpty()
    peer = shpool.peer()
    send_with(peer, pack(attach_header("one")), [slave])
    assert peer.message()["terminal_passed"] is True
    os.close(slave)
    os.close(master)
    eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
    assert shpool.wake_ups_in_a_second() == 0


# ---- a daemon that does not answer


@pytest.fixture
def silent(place: Place) -> Iterator[socket.socket]:
    """A listener in the daemon's place; the test is the daemon."""
    place.socket.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.socket))
        listener.listen()
        yield listener
    place.socket.unlink()


GREETING = pack({"version": "0.4.2"})


def asked(listener: socket.socket) -> socket.socket:
    """The connection of a client that has asked to attach, and waits for the answer."""
    link, _ = listener.accept()
    link.sendall(GREETING)
    assert link.recv(100) == b"\xa7GetVars"
    link.sendall(pack({"switch_to": None, "vars": []}))
    link.close()
    link, _ = listener.accept()
    link.sendall(GREETING)
    assert b"Attach" in link.recv(1000)
    return link


def takes_signals(client: Terminal) -> bool:
    return bool(client.modes()[3] & termios.ISIG)


def test_a_client_that_waits_in_vain_can_be_interrupted(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.modes()
    with asked(silent):
        assert client.is_raw()
        eventually(lambda: takes_signals(client))
        client.send(b"\x03")
        assert client.wait() == 128 + signal.SIGINT
    assert client.modes() == before
    assert client.output in (b"", b"^C\r\n")  # it showed no session, so there is nothing to undo


def test_a_client_that_waits_for_a_greeting_can_be_told_to_end(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.modes()
    link, _ = silent.accept()
    link.sendall(GREETING)
    link.recv(100)
    link.sendall(pack({"switch_to": None, "vars": []}))
    link.close()
    with silent.accept()[0]:
        eventually(client.is_raw)
        os.kill(client.pid, signal.SIGTERM)
        assert client.wait() == 128 + signal.SIGTERM
    assert client.modes() == before


def test_a_daemon_that_answers_late_hears_that_the_modes_have_changed(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    with asked(silent) as link:
        eventually(lambda: takes_signals(client))
        link.sendall(pack({"status": {"Created": {"warnings": []}}, "terminal_passed": True}))
        reader = chunks.ChunkReader()
        kinds: list[int] = []
        while len(kinds) < 2:
            kinds += [kind for kind, _ in reader.feed(link.recv(1000))]
        assert kinds == [chunks.BACK, chunks.MODES]
        assert client.is_raw()
        assert not takes_signals(client)
        link.sendall(chunks.frame_exit_status(5))
    assert client.wait() == 5


# ---- floods


def numbered(output: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb"line (\d+)\r\n", output)]


def test_a_detach_in_the_middle_of_a_flood_loses_nothing(shpool: Place) -> None:
    command = "sh -c 'echo ready; read x; seq -f \"line %.0f\" 3000000; cat'"
    client = shpool.attach("-c", command, "one")
    client.expect("ready")
    client.send("\n")
    client.expect("line 1000\r\n")
    client.send(DETACH)
    assert client.wait() == 0
    shown = numbered(client.output)
    assert shown == list(range(1, len(shown) + 1))
    assert len(shown) < 3_000_000


def test_what_a_shell_wrote_last_is_shown_in_full(shpool: Place) -> None:
    client = shpool.attach("-c", "seq -f 'line %.0f' 100000", "one")
    assert client.wait() == 0
    assert numbered(client.output) == list(range(1, 100_001))


def test_every_byte_is_passed_on_as_it_is(shpool: Place) -> None:
    script = (
        "import os, tty; tty.setraw(0); os.write(1, b'up')\nwhile 1: os.write(1, os.read(0, 99))"
    )
    client = shpool.attach("-c", shlex.join([sys.executable, "-c", script]), "one")
    client.expect("up")
    everything = bytes(set(range(256)) - {0, 0x11})
    client.send(everything)
    client.expect(re.escape(everything))


def test_a_resize_reaches_the_program(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    client.resize(31, 101)
    eventually(lambda: client.ask("stty size") == "31 101\n")


# ---- tmux inside, and a session within a session


def test_tmux_runs_inside(shpool: Place) -> None:
    tmux = need("tmux")
    words = [tmux, "-S", str(shpool.scratch / "tmux"), "-f", "/dev/null"]
    command = shlex.join([*words, "new", "sh -c 'echo in tmux; cat'"])
    try:
        with attached(shpool, "-c", command, "one") as window:
            window.until_shown("in tmux")
            window.send("typed\n")
            window.until(lambda: window.screen().count("typed") == 2)
            assert holds(shpool, name_of(window))
            window.send(DETACH)
            assert window.wait() == 0
            assert window.disorder() == ""
    finally:
        subprocess.run([*words, "kill-server"], check=False, capture_output=True)


def test_one_session_within_another(shpool: Place) -> None:
    command = shlex.join(shpool.command("attach", "inner"))
    outer = shpool.attach("outer")
    setting = f"XDG_RUNTIME_DIR={shpool.xdg_runtime} XDG_CONFIG_HOME={shpool.config_home}"
    outer.send(f"PYTHONPATH={shpool.env['PYTHONPATH']} {setting} {command}\n")
    eventually(lambda: shpool.statuses().get("inner") == "Attached")
    outer.ask("x=inner")
    assert outer.ask("echo $x $SHPOOL_SESSION_NAME") == "inner inner\n"
    outer.send("exit\n")
    eventually(lambda: shpool.statuses() == {"outer": "Attached"})
    assert outer.ask("echo $x $SHPOOL_SESSION_NAME") == "outer\n"
