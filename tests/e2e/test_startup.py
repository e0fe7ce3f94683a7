"""What a command loads before it does its work: a large part of the time it takes."""

import subprocess
import sys

from tests.e2e.harness import CHECKOUT, Place

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
    "events": {"_socket", "errno", "os", "struct", "sys"},
    "version": {"os", "sys"},
    "attach": {
        *("_socket", "errno", "fcntl", "os", "select", "signal", "struct", "sys", "termios"),
        "time",
    },
}

# Of ours.
ALWAYS = {
    *("shpool", "shpool.cli", "shpool.client", "shpool.client.connect", "shpool.client.context"),
    *("shpool.errors", "shpool.logs", "shpool.options", "shpool.paths"),
    *("shpool.protocol", "shpool.protocol.messages", "shpool.protocol.msgpack"),
    *("shpool.client.reach", "shpool.protocol.shapes"),
}

OURS = {
    "list": {*ALWAYS, "shpool.client.list"},
    "events": {*ALWAYS, "shpool.client.events"},
    "attach": {
        *ALWAYS,
        *("shpool.client.attach", "shpool.client.relay", "shpool.client.passed"),
        *(
            "shpool.client.reports",
            "shpool.client.tty",
            "shpool.names",
            "shpool.protocol.chunks",
            "shpool.templates",
        ),
        *("shpool.terminal", "shpool.terminal.leave", "shpool.terminal.watch"),
        # default_dir, forward_env and the like are asked for by every attach.
        *("shpool.config", "shpool.config_values", "shpool.files", "shpool.durations"),
        "shpool.keybindings",
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
    with open({report!r}, "w") as report:
        print(*sorted(set(sys.modules) - before), file=report)
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
        *("shpool", "shpool.cli", "shpool.errors", "shpool.options")
    }
