"""A program that embeds the daemon is told what happens, and cannot break it."""

import subprocess
import sys

from tests.e2e.harness import DETACH, Place, eventually

EMBEDDING = """
import os, sys
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.server import run
from shpool.paths import Paths

class Told(Hooks):
    def tell(self, what, name):
        with open(sys.argv[1], "a") as file:
            file.write(f"{what} {name}\\n")
        if "bad" in name:
            raise RuntimeError("a defect of the embedder's\\nin two lines")

    def on_new_session(self, name): self.tell("new", name)
    def on_reattach(self, name): self.tell("reattach", name)
    def on_busy(self, name): self.tell("busy", name)
    def on_client_disconnect(self, name): self.tell("client gone", name)
    def on_shell_disconnect(self, name): self.tell("shell gone", name)

run(Paths(os.environ), [sys.argv[2]], os.environ, None, hooks=Told())
"""


def embed(place: Place) -> None:
    with open(place.log, "ab") as log:
        place.daemon = subprocess.Popen(
            [sys.executable, "-c", EMBEDDING, place.scratch / "told", place.config_file],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=place.env,
        )
    eventually(place.answers)


def told(place: Place) -> list[str]:
    path = place.scratch / "told"
    return path.read_text().splitlines() if path.exists() else []


def use(place: Place, name: str) -> None:
    """Everything a hook exists for, once."""
    client = place.attach(name)
    client.ask("true")
    assert place.attach(name).wait() == 0  # busy
    client.send(DETACH)
    assert client.wait() == 0
    again = place.attach(name)
    again.ask("true")
    again.send("exit 3\n")
    assert again.wait() == 3


def test_every_hook_is_called_with_the_sessions_name(place: Place) -> None:
    embed(place)
    use(place, "one")
    assert told(place) == [
        "new one",
        "busy one",
        "client gone one",
        "reattach one",
        "shell gone one",
    ]


def test_a_hook_that_fails_is_logged_and_changes_nothing(place: Place) -> None:
    embed(place)
    events = place.subscribe()
    use(place, "bad")
    assert [line.rpartition(" ")[0] for line in told(place)] == [
        "new",
        "busy",
        "client gone",
        "reattach",
        "shell gone",
    ]
    place.expect_events(events, "created", "attached", "detached", "attached", "removed")
    for hook in ("new_session", "busy", "client_disconnect", "reattach", "shell_disconnect"):
        place.logged(rf"ERROR hook on_{hook}: RuntimeError: a defect of the embedder's\\nin two")


def test_a_kill_of_an_attached_session_is_a_shell_that_is_gone(place: Place) -> None:
    embed(place)
    client = place.attach("one")
    client.ask("true")
    place.kill("one")
    client.wait()
    assert told(place) == ["new one", "shell gone one"]
