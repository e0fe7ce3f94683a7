"""The units under a user manager of systemd's own, which has a cgroup and believes in its boot."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.copies import Copy
from tests.e2e.harness import Place, eventually
from tests.e2e.test_systemd import UNITS
from tests.e2e.upgrades import SAME, upgrade
from tests.programs import lacking, need, no_namespace

# In a mount namespace.  A system that systemd has booted has that directory.  A manager puts what
# it starts in cgroups below its own, which nobody is left in when it has ended.
MANAGER = """
mount -t tmpfs none /run && mkdir -p /run/systemd/system || exit 77
mount -t cgroup2 none /sys/fs/cgroup && mkdir "/sys/fs/cgroup/$2" || exit 77
trap : TERM
(echo 0 >"/sys/fs/cgroup/$2/cgroup.procs" && exec "$1" --user --log-target=console) &
manager=$!
wait
kill "$manager"
wait
find "/sys/fs/cgroup/$2" -depth -type d -exec rmdir {} \\;
"""


class Manager:
    """A user manager in `place`, whose units are those of the checkout."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._systemctl = need("systemctl")
        program = "/lib/systemd/systemd"
        if not Path(program).exists():
            lacking(f"{program} is missing: apt install systemd")
        commands = place.scratch / "bin"
        commands.mkdir()
        (commands / "shpool").write_text(f'#!/bin/sh\nexec {" ".join(place.command())} "$@"\n')
        (commands / "shpool").chmod(0o755)
        folder = place.config_home / "systemd/user"
        folder.mkdir(parents=True)
        for path in UNITS.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "shpool.service.d").mkdir()
        (folder / "shpool.service.d/log.conf").write_text(
            f"[Service]\nStandardError=append:{place.log}\n"
        )
        words = [need("unshare"), "--mount", "sh", "-c", MANAGER, "sh", program, place.root.name]
        with open(place.scratch / "systemd.log", "wb") as log:
            self._process = subprocess.Popen(words, env=place.env, stdout=log, stderr=log)

    def begin(self) -> None:
        """Wait until it answers."""
        eventually(lambda: self._answers() or self._process.poll() is not None)
        if self._process.poll() is not None:
            assert self._process.returncode, (self.place.scratch / "systemd.log").read_text()
            no_namespace("a cgroup of one's own")
        path = f"{self.place.scratch}/bin:{self.place.env['PATH']}"
        self.systemctl("set-environment", f"PATH={path}")

    def _answers(self) -> bool:
        words = [self._systemctl, "--user", "show-environment"]
        done = subprocess.run(words, env=self.place.env, capture_output=True, check=False)
        return done.returncode == 0

    def systemctl(self, *words: str) -> str:
        return subprocess.check_output(
            [self._systemctl, "--user", *words], env=self.place.env, text=True
        )

    def tells(self, name: str) -> str:
        """A property of the service."""
        return self.systemctl("show", "shpool.service", "--property", name, "--value").strip()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
        self.place.socket.unlink(missing_ok=True)  # which is systemd's, who leaves it


@pytest.fixture
def manager(place: Place) -> Iterator[Manager]:
    if os.geteuid() != 0:
        no_namespace("a cgroup of one's own")
    manager = Manager(place)
    try:
        manager.begin()
        yield manager
    finally:
        manager.end()


def test_the_unit_goes_on_as_it_was_when_the_daemon_is_replaced(manager: Manager) -> None:
    place = manager.place
    manager.systemctl("start", "shpool.socket")
    assert manager.tells("ActiveState") == "inactive"
    client = place.attach("one")
    assert client.ask("x=kept; echo in") == "in\n"
    pid = manager.tells("MainPID")
    for _ in range(2):
        assert upgrade(place).startswith(f"{SAME}: 1 session, 1 client")
    assert client.ask("echo $x") == "kept\n"
    about = [manager.tells(name) for name in ("ActiveState", "MainPID", "NRestarts")]
    assert about == ["active", pid, "0"]
    before, after = (
        client.ask("cat /proc/self/cgroup") for client in (client, place.attach("two"))
    )
    assert before == after
    assert "shpool.service" in before
    place.events_socket.unlink()
    manager.systemctl("reload", "shpool.service")
    eventually(place.events_socket.exists, "the daemon binds anew")
    manager.systemctl("stop", "shpool.socket", "shpool.service")
    assert client.wait() != 0
    assert manager.tells("Result") == "success"


def test_the_unit_ends_with_a_new_program_that_dies_and_the_next_request_starts_it_anew(
    manager: Manager,
) -> None:
    place = manager.place
    manager.systemctl("start", "shpool.socket")
    assert place.run("attach", "-b", "one").status == 0
    copy = Copy(place)
    copy.change("daemon/take_over.py", "    server.take_up()\n", "    os._exit(1)\n")
    assert place.run("upgrade", env=copy.env).status == 1
    eventually(lambda: manager.tells("ActiveState") == "failed", "systemd has seen its end")
    assert place.sessions() == {}
    assert manager.tells("ActiveState") == "active"
    assert upgrade(place).startswith(f"{SAME}: 0 sessions")
