"""The terminal in the daemon's hands: every way in which that could go wrong."""

import os
import re
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.processes import is_stopped
from tests.e2e.window import OUTSIDE, Window, attached, outside
from tests.programs import need, no_namespace


def client_pid(place: Place, name: str = "one") -> int:
    (row,) = place.sessions()[name]["attachments"]
    found: int = row["pid"]
    return found


# ---- taken, and given back


def test_the_daemon_has_the_terminal_while_it_is_attached(shpool: Place) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        name = window.device
        assert shpool.daemon_has(name)
        before = shpool.descriptors()
        window.send(DETACH)
        assert window.wait() == 0
        assert not shpool.daemon_has(name)
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
        assert place.daemon_has(client.device) == passes
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
    assert not place.daemon_has(client.device)


def test_it_is_given_back_before_whoever_waits_for_its_end_hears_of_the_clients(
    shpool: Place,
) -> None:
    script = need("script")
    command = shlex.join(shpool.command("attach", "one"))
    terminal = shpool.program([script, "-qec", command, "/dev/null"])
    assert terminal.ask("echo in script") == "in script\n"
    terminal.send("exit 7\n")
    assert terminal.wait() == 7


def test_the_terminal_of_a_client_in_another_mount_namespace(shpool: Place) -> None:
    mapped = [] if os.getuid() == 0 else ["--map-root-user"]
    mount = 'mount -t devpts -o newinstance devpts /dev/pts && exec "$@"'
    wrapper = [need("unshare"), "--mount", *mapped, "sh", "-c", mount, "sh"]
    if subprocess.run([*wrapper, "true"], check=False).returncode:
        no_namespace("a mount namespace with ptys of its own")
    other = shpool.program(["sh", "-c", "stty -echo; echo up; exec cat"])
    other.expect("up")
    shpool.wrapper = wrapper
    client = shpool.attach("one")
    # By its path it would be another terminal, or none.
    assert client.ask("echo the right one") == "the right one\n"
    theirs = os.stat(f"/proc/{client.pid}/fd/0")
    folder = f"/proc/{shpool.daemon_pid}/fd"
    ours = [os.stat(f"{folder}/{name}") for name in os.listdir(folder)]
    assert any(os.path.samestat(theirs, found) for found in ours)


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
    # The daemon looks for its client once in 10 ms of output, so the next comes later than that.
    go = place.scratch / "go"
    script = place.scratch / "program"
    script.write_text(
        f"#!/bin/sh\necho ready; until sleep 0.05; [ -e {go} ]; do :; done; echo from in''side\n"
        f": > {go}.done; while read x; do echo got $x; done\n"
    )
    script.chmod(0o755)
    shell.send(f"shpool attach -c {script} one\n")
    shell.until_shown("ready")
    pid = client_pid(place)
    assert place.daemon_has(shell.device)
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
    assert not any("from inside" in row for row in shell.lines())
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


def test_a_client_that_is_let_go_on_before_it_has_stopped_does_not_stop(shpool: Place) -> None:
    client = shpool.attach("one")
    client.expect("[$#] ")
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    os.kill(client.pid, signal.SIGTSTP)
    eventually(lambda: waits_for_its_terminal(client.pid), "it asks for its terminal")
    os.kill(client.pid, signal.SIGCONT)
    os.kill(shpool.daemon_pid, signal.SIGCONT)
    assert client.ask("echo on") == "on\n"
    assert not is_stopped(client.pid)


def waits_for_its_terminal(pid: int) -> bool:
    """It has taken the signal, and sleeps again."""
    status = Path(f"/proc/{pid}/status").read_text()
    pending = re.search(r"^ShdPnd:\s+(\w+)$", status, re.MULTILINE)
    assert pending is not None
    return int(pending[1], 16) == 0 and "\nState:\tS" in status


def test_a_client_started_in_the_background_takes_nothing_until_it_is_in_front(
    place: Place,
) -> None:
    place.start()
    with outside(place) as window:
        window.send("shpool attach one & echo pid $!\n")
        window.until(lambda: re.search(r"^pid \d+", "\n".join(window.lines()), re.MULTILINE))
        pid = int(re.findall(r"^pid (\d+)", "\n".join(window.lines()), re.MULTILINE)[-1])
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


def test_a_client_whose_shell_was_killed_leaves_the_terminal_to_the_shell_before(
    shpool: Place,
) -> None:
    with outside(shpool) as window:
        setup = shpool.scratch / "outside.sh"
        window.send(f"bash --noprofile --rcfile {setup} -i\n")
        window.until(lambda: sum(row.startswith("outside$") for row in window.lines()) == 2)
        window.send("echo inner=$$\n")
        inner = int(window.expect(r"inner=(\d+)")[1])
        go = shpool.scratch / "go"
        script = shpool.scratch / "program"
        script.write_text(
            f"#!/bin/sh\necho ready; until sleep 0.05; [ -e {go} ]; do :; done\n"
            "echo from in''side; cat\n"
        )
        script.chmod(0o755)
        window.send(f"shpool attach -c {script} one\n")
        window.until_shown("ready")
        pid = client_pid(shpool)
        os.kill(inner, signal.SIGKILL)
        window.until(lambda: window.cursor_line().endswith("outside$"))
        # Nobody can stop it in the background now, nor bring it to the front.
        window.send("echo typed for out''side\n")
        window.until_shown("typed for outside")
        # A key that the shell in front was quick to read may not have been noticed; output is.
        go.touch()
        eventually(lambda: pid not in shpool.processes())
        assert shpool.statuses() == {"one": "Disconnected"}
        assert any("echo inner=" in row for row in window.lines())
        assert not any("from inside" in row for row in window.lines())


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
        name = window.device
        os.kill(client_pid(shpool), signal.SIGKILL)
        window.until(lambda: window.disorder() == "")
        eventually(lambda: not shpool.daemon_has(name))
        window.send("echo us''able\n")
        window.until_shown("usable")
        assert shpool.statuses() == {"one": "Disconnected"}


def test_where_nobody_else_does_it_the_modes_are_restored(shpool: Place) -> None:
    script = f"{shlex.join(shpool.command('attach', '-c', program(shpool), 'one'))}; exec sleep 99"
    with Window(shpool, ["sh", "-c", script]) as window:
        before = window.first_modes
        window.expect("ready")
        assert window.modes() != before
        # It may be that the program was faster than the client with telling its modes: when the
        # screen is drawn again the client has said something later.
        os.kill(client_pid(shpool), signal.SIGCONT)
        window.expect("ready")
        os.kill(client_pid(shpool), signal.SIGKILL)
        window.until(lambda: window.modes() == before and window.disorder() == "")


def test_modes_that_somebody_else_set_after_a_clients_death_stay(shpool: Place) -> None:
    command = shlex.join(shpool.command("attach", "-c", program(shpool), "one"))
    script = f"{command}; stty cooked -echo; exec sleep 99"
    with Window(shpool, ["sh", "-c", script]) as window:
        window.expect("ready")
        name = window.device
        os.kill(client_pid(shpool), signal.SIGKILL)
        window.until(lambda: window.modes()[3] & termios.ICANON)
        theirs = window.modes()
        eventually(lambda: not shpool.daemon_has(name))
        assert window.modes() == theirs
        assert not theirs[3] & termios.ECHO


def test_a_window_that_is_closed_leaves_the_daemon_at_rest(shpool: Place) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        name = window.device
        window.hang_up()
        eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
        assert not shpool.daemon_has(name)
        # Once more it looks after what a client may have left.
        eventually(lambda: shpool.wake_ups_in_a_second() == 0, "the daemon is at rest")


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
            assert shpool.daemon_has(window.device)
            window.send(DETACH)
            assert window.wait() == 0
            assert window.disorder() == ""
    finally:
        subprocess.run([*words, "kill-server"], check=False, capture_output=True)


def test_one_session_within_another(shpool: Place) -> None:
    command = shlex.join(shpool.command("attach", "--nested", "inner"))
    outer = shpool.attach("outer")
    setting = f"XDG_RUNTIME_DIR={shpool.xdg_runtime} XDG_CONFIG_HOME={shpool.config_home}"
    outer.send(f"PYTHONPATH={shpool.env['PYTHONPATH']} {setting} {command}\n")
    eventually(lambda: shpool.statuses().get("inner") == "Attached")
    outer.ask("x=inner")
    assert outer.ask("echo $x $SHPOOL_SESSION_NAME") == "inner inner\n"
    outer.send("exit\n")
    eventually(lambda: shpool.statuses() == {"outer": "Attached"})
    assert outer.ask("echo $x $SHPOOL_SESSION_NAME") == "outer\n"
