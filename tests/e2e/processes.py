"""What is seen of processes from outside, in /proc."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from tests.e2e.waiting import DEADLINE, LOOK, eventually


class Process(subprocess.Popen[bytes]):
    """One that is not waited for longer than a broken program takes."""

    def wait(self, timeout: float | None = DEADLINE) -> int:
        return super().wait(timeout)

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002  as it is called in the class above
        timeout: float | None = DEADLINE,
    ) -> tuple[bytes, bytes]:
        return super().communicate(input, timeout)


def marked(mark: str | Path) -> dict[int, str]:
    """Pid and command line of every other process that has `mark` in its environment."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            environ = Path("/proc", entry, "environ").read_bytes()
            words = Path("/proc", entry, "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(mark) in environ:
            found[int(entry)] = words.replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def status_number(pid: int, key: str) -> int:
    """A line of /proc/PID/status, by its key."""
    match = re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match, key
    return int(match[1])


def wake_ups_in_a_second(pid: int) -> int:
    """How often a process that has come to rest goes to sleep again within a second."""

    def asleep() -> int | None:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        return status_number(pid, "voluntary_ctxt_switches") * (state == "S")

    def at_rest() -> int | None:
        before = asleep()
        time.sleep(5 * LOOK)
        return before if before == asleep() else None

    before = eventually(at_rest, "the process has nothing to do")
    time.sleep(1)  # the measurement: nothing is waited for
    return status_number(pid, "voluntary_ctxt_switches") - before


def inherited(pid: int) -> list[str]:
    """What of a process, beside stdio, a program that it ran would have open."""
    found = []
    for entry in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            told = Path(f"/proc/{pid}/fdinfo/{entry}").read_text()
            name = os.readlink(f"/proc/{pid}/fd/{entry}")
        except FileNotFoundError:
            continue  # it was closed meanwhile
        flags = re.search(r"^flags:\s+(\d+)", told, re.M)
        assert flags
        if int(entry) > 2 and not int(flags[1], 8) & os.O_CLOEXEC:
            found.append(name)
    return found


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")


def kill(pid: int) -> None:
    """SIGKILL to a process that may be gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
