"""What a command loads before it does its work: a large part of the time it takes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shpool as shpool_package
from tests.e2e.harness import CHECKOUT, Place
from tests.programs import lacking

# Each costs a sizeable part of what a whole command may take.
FORBIDDEN = {
    *("argparse", "ast", "asyncio", "base64", "contextlib", "copy", "dataclasses", "datetime"),
    *("gettext", "hashlib", "heapq", "importlib", "inspect", "json", "locale", "logging"),
    *("pathlib", "pwd", "random", "re", "selectors", "shlex", "shutil", "socket", "string"),
    *("subprocess", "tempfile"),
    *("textwrap", "threading", "tomllib", "traceback", "typing", "unicodedata", "warnings"),
    "weakref",
}

# What a command may ask for; what these load in turn is not counted, Python versions differ.
SYSTEM = {
    "list": {"_socket", "errno", "os", "struct", "sys"},
    "events": {"_socket", "errno", "os", "select", "struct", "sys"},
    "version": {"os", "sys"},
    "attach": {
        *("_socket", "errno", "fcntl", "os", "select", "signal", "struct", "sys", "termios"),
        "time",
    },
}

# Of ours.
ALWAYS = {
    *("shpool", "shpool.cli", "shpool.commands", "shpool.client", "shpool.client.connect"),
    *("shpool.client.context", "shpool.errors", "shpool.logs", "shpool.options", "shpool.paths"),
    *("shpool.peer", "shpool.protocol", "shpool.protocol.msgpack", "shpool.protocol.replies"),
    *("shpool.client.reach", "shpool.output", "shpool.protocol.shapes"),
}

OURS = {
    "list": {*ALWAYS, "shpool.client.here", "shpool.client.list", "shpool.protocol.requests"},
    "events": {*ALWAYS, "shpool.client.events"},
    "attach": {
        *ALWAYS,
        "shpool.protocol.attaching",
        "shpool.protocol.requests",
        *(
            "shpool.client.asking",
            "shpool.client.attach",
            "shpool.client.relay",
            "shpool.client.hands",
            "shpool.client.signals",
            "shpool.client.sieve",
            "shpool.client.streams",
            "shpool.client.wanted",
        ),
        *(
            "shpool.client.reports",
            "shpool.client.tty",
            "shpool.forwarded",
            "shpool.names",
            "shpool.protocol.chunks",
            "shpool.templates",
        ),
        *("shpool.terminal", "shpool.terminal.leave"),
        # default_dir, forward_env and the like are asked for by every attach.
        *("shpool.config", "shpool.config_values", "shpool.files", "shpool.durations"),
        *("shpool.keys", "shpool.keys.bindings"),
    },
}

LOADED = """
import sys
for name in {system!r}:
    __import__(name)
sys.path.insert(0, {checkout!r})
before = set(sys.modules)
try:
    import shpool.cli
    status = shpool.cli.main({words!r})
finally:
    found = set(sys.modules) - before
    with open({report!r}, "w") as report:
        print(*sorted(found), file=report)
sys.exit(status)
"""


def start(place: Place, *words: str) -> "subprocess.Popen[bytes]":
    """A command that will report what it has loaded, beside what SYSTEM allows it."""
    code = LOADED.format(
        system=sorted(SYSTEM[words[0]]),
        checkout=str(CHECKOUT),
        words=list(words),
        report=str(place.scratch / "loaded"),
    )
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=place.env,
    )


def loaded_by(place: Place, command: "subprocess.Popen[bytes]") -> set[str]:
    """What it had loaded when it ended."""
    _, errors = command.communicate(timeout=30)
    assert errors == b""
    return set((place.scratch / "loaded").read_text().split())


def loaded(place: Place, *words: str) -> set[str]:
    return loaded_by(place, start(place, *words))


def test_list_loads_what_it_needs_and_nothing_else(shpool: Place) -> None:
    shpool.raw_session("one")
    found = loaded(shpool, "list")
    assert found & FORBIDDEN == set()
    assert found == OURS["list"]


def test_list_loads_json_only_when_asked_for_it(shpool: Place) -> None:
    assert "json" in loaded(shpool, "list", "--json")


def test_attach_loads_what_it_needs_and_nothing_else(shpool: Place) -> None:
    shpool.config_file.unlink()
    found = loaded(shpool, "attach", "-b", "-c", "sleep 1000", "one")
    assert found & FORBIDDEN == set()
    assert found == OURS["attach"]


def test_events_loads_what_it_needs_and_nothing_else(shpool: Place) -> None:
    follower = start(shpool, "events")
    shpool.until_subscribed(1)
    shpool.fence()
    shpool.stop()
    found = loaded_by(shpool, follower)
    assert found & FORBIDDEN == set()
    assert found == OURS["events"]


def test_version_loads_next_to_nothing(place: Place) -> None:
    assert loaded(place, "version") == {
        *("shpool", "shpool.cli", "shpool.commands", "shpool.errors", "shpool.options"),
        "shpool.output",
    }


@pytest.fixture
def installed() -> Iterator[Path]:
    """A home, and a copy of the program that it cannot write to, never run before."""
    with tempfile.TemporaryDirectory(prefix="ro-", dir="/tmp") as name:
        root = Path(name)
        root.chmod(0o755)
        shutil.copytree(
            CHECKOUT / "shpool", root / "shpool", ignore=shutil.ignore_patterns("__pycache__")
        )
        (root / "home").mkdir()
        if os.geteuid() == 0:
            os.chown(root / "home", NOBODY, NOBODY)
        for folder, _, _ in os.walk(root / "shpool"):
            os.chmod(folder, 0o555)
        yield root
        for folder, _, _ in os.walk(root / "shpool"):
            os.chmod(folder, 0o755)


NOBODY = 65_534


def version(root: Path, umask: int) -> str:
    """What it says of itself when somebody who may not write to it runs it."""
    user: dict[str, Any] = {}
    python = sys.executable
    if os.geteuid() == 0:  # who can write everywhere
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        python = "/usr/bin/python3"  # ours may stand where nobody else may go
        if not os.path.exists(python):
            lacking(python)
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [python, "-I", "-S", str(root / "shpool/__main__.py"), "version"],
        env={"PATH": os.environ["PATH"], "HOME": str(root / "home")},
        capture_output=True,
        text=True,
        check=True,
        umask=umask,
        **user,
    )
    return done.stdout


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_a_copy_that_cannot_be_written_to_is_compiled_once(installed: Path, umask: int) -> None:
    assert version(installed, umask) == f"shpool {shpool_package.__version__}\n"
    cache = installed / "home/.cache/shpool"
    assert cache.stat().st_mode & 0o777 == 0o700
    (found,) = cache.rglob("cli.*.pyc")
    before = found.stat().st_mtime_ns
    assert version(installed, umask) == f"shpool {shpool_package.__version__}\n"
    assert found.stat().st_mtime_ns == before


def test_a_cache_that_others_can_write_to_is_not_used(installed: Path) -> None:
    version(installed, 0o077)
    cache = installed / "home/.cache/shpool"
    shutil.rmtree(cache)
    cache.mkdir()
    cache.chmod(0o777)
    if os.geteuid() == 0:
        os.chown(cache, NOBODY, NOBODY)
    assert version(installed, 0o077) == f"shpool {shpool_package.__version__}\n"
    assert list(cache.iterdir()) == []
