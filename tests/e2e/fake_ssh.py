"""An ssh that goes nowhere: `python fake_ssh.py FOLDER [OPTIONS] HOST COMMAND`.

What is asked of it is run here, with the environment, and by the shell, that FOLDER/there.json
has: on a pty of its own after -t, in our pipes after -T.  Each command line is appended to
FOLDER/log, and FOLDER/pid has the pid of the last one.  FOLDER/refuse, if it is there, is an
object: `said` on stderr, the exit `status`, and `batch`: only of who sets BatchMode.
FOLDER/asks, if it is there, has it ask for a password, and put the terminal in order, which takes
it a while, when a signal ends it.  FOLDER/settings is what -G prints; where it is not there, -G is
not known.

SIGUSR1 loses the connection: the pty there is hung up.  SIGUSR2 loses it too, but nobody there
notices, until the process whose pid is in FOLDER/kept is ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import termios
import tty
from pathlib import Path

VALUED = "bceilmopwBDEFIJLOQRSW"
LOST = b"client_loop: send disconnect: Broken pipe\r\n"

signals: list[int] = []


def split(words: list[str]) -> tuple[list[str], str, str]:
    """Options, HOST and COMMAND."""
    options: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        options.append(rest.pop(0))
        if len(options[-1]) == 2 and options[-1][1] in VALUED:
            options.append(rest.pop(0))
    return options, rest[0], " ".join(rest[1:])


def main() -> int:
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    options, host, command = split(words)
    settings = folder / "settings"
    if "-G" in options:
        sys.stdout.write(settings.read_text() if settings.exists() else "")
        return 0 if settings.exists() else 1
    with open(folder / "log", "a") as log:
        log.write(json.dumps([options, host, command]) + "\n")
    (folder / "pid").write_text(str(os.getpid()))
    refuse = folder / "refuse"
    if refuse.exists():
        found = json.loads(refuse.read_text())
        if "BatchMode=yes" in options or not found.get("batch"):
            sys.stderr.write(found["said"])
            return int(found["status"])
    if (folder / "asks").exists():
        ask()
    there = json.loads((folder / "there.json").read_text())
    argv = [*there["shell"], "-c", command]
    if "-t" not in options:
        os.chdir(there["env"]["HOME"])
        os.execve(argv[0], argv, there["env"])
    return on_a_pty(folder, argv, there["env"])


def ask() -> None:
    terminal = os.open("/dev/tty", os.O_RDWR)
    before = termios.tcgetattr(terminal)
    silent = [*before]
    silent[3] &= ~termios.ECHO

    def leave(number: int, frame: object) -> None:
        select.select([], [], [], 0.1)
        termios.tcsetattr(terminal, termios.TCSANOW, before)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    termios.tcsetattr(terminal, termios.TCSANOW, silent)
    os.write(terminal, b"password: ")
    while True:
        signal.pause()


def on_a_pty(folder: Path, argv: list[str], env: dict[str, str]) -> int:
    master, slave = os.openpty()
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(slave, fd)
        os.chdir(env["HOME"])
        env.setdefault("TERM", os.environ.get("TERM", ""))
        os.closerange(3, 64)
        os.execve(argv[0], argv, env)
    os.close(slave)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
        signal.signal(number, lambda number, frame: signals.append(number))
    wake, write = os.pipe()
    for fd in (wake, write):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(write)
    try:
        return relay(folder, master, wake, pid)
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)


def relay(folder: Path, master: int, wake: int, pid: int) -> int:
    """Until there is an end; the exit status."""
    last = b"\r"
    while True:
        for fd in select.select([0, master, wake], [], [])[0]:
            if fd == wake:
                os.read(wake, 100)
                while signals:
                    number = signals.pop()
                    if number == signal.SIGWINCH:
                        size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
                        fcntl.ioctl(master, termios.TIOCSWINSZ, size)
                        continue
                    if number == signal.SIGUSR2:
                        keep(folder, master)
                    os.write(2, LOST)
                    return 255
            elif fd == master:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    data = b""
                if not data:
                    _, status = os.waitpid(pid, 0)
                    os.write(2, b"Connection to there closed.\r\n")
                    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 255
                while data:
                    data = data[os.write(1, data) :]
            else:
                data = os.read(0, 1)
                if not data:
                    return 255
                if last == b"\r" and data == b"~":
                    last = b"~"
                    continue
                if last == b"~" and data == b".":
                    os.write(2, b"Connection to there closed.\r\n")
                    return 255
                if last == b"~" and data == b"\x1a":
                    os.write(2, b"~^Z [suspend ssh]\r\n")
                    raw = termios.tcgetattr(0)
                    os.kill(os.getpid(), signal.SIGTSTP)
                    termios.tcsetattr(0, termios.TCSANOW, raw)
                    continue
                last = data[-1:]
                os.write(master, data)


def keep(folder: Path, master: int) -> None:
    """Have somebody keep the pty open, who has nothing else of ours."""
    if os.fork():
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    (folder / "kept").write_text(str(os.getpid()))
    while True:  # a kernel's socket buffer takes what is written until it is full
        signal.pause()


sys.exit(main())
