"""What is known from outside of a shell's prompt, in real shells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.harness import Place, eventually
from tests.e2e.test_shells import FILES
from tests.e2e.users import start_as_user


@pytest.fixture(params=FILES)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def started(place: Place, shell: str) -> None:
    """A session in the background, whose shell comes to its first prompt."""
    path, content = FILES[shell]
    start_as_user(place, shell, {path: content}, "")
    assert place.run("attach", "-b", "one").status == 0


def prompt(place: Place) -> Any:
    return place.sessions()["one"]["prompt"]


def test_a_shell_says_what_it_does(place: Place, shell: str) -> None:
    started(place, shell)
    assert place.run("wait", "one", "--prompt") == (0, "one\tprompt\n", "")
    at_rest = {"at_prompt": True, "command": None, "running_ms": None, "last_status": None}
    assert prompt(place) == at_rest
    command = f"sh -c 'cat {place.scratch}/none; read x; exit 3'"
    place.run("send", "one", "-e", command)
    assert place.run("wait", "one", "--prompt", "-t", "0s").status == 124
    running = eventually(lambda: prompt(place)["command"] and prompt(place), "it runs")
    assert running.pop("running_ms") >= 0
    assert running == {"at_prompt": False, "command": command, "last_status": None}
    peeked = json.loads(place.run("peek", "one", "--json").out)["prompt"]
    assert peeked.pop("running_ms") >= 0
    assert peeked == running
    place.run("send", "one", "-e", "answer")
    assert place.run("wait", "one", "--prompt").status == 0
    assert prompt(place) == {**at_rest, "last_status": 3}
    listed = json.loads(place.run("list", "--json").out)["sessions"]
    assert [row["prompt"]["last_status"] for row in listed] == [3]


def test_a_flood_that_is_never_interpreted_ends_all_the_same(place: Place, shell: str) -> None:
    started(place, shell)
    assert place.run("wait", "one", "--prompt").status == 0
    place.run("send", "one", "-e", "seq 1000000; sh -c 'exit 5'")
    assert place.run("wait", "one", "--prompt", "-t", "60s").status == 0
    assert prompt(place)["last_status"] == 5


def test_a_line_that_somebody_has_begun_is_no_prompt_to_go_on_from(place: Place) -> None:
    started(place, "bash")
    assert place.run("wait", "one", "--prompt").status == 0
    person = place.attach("one")
    person.expect("user> ")
    person.send("half")
    person.expect("half")
    person.resize(20, 60)  # bash writes its prompt again
    assert place.run("wait", "one", "--prompt", "-t", "200ms").status == 124
    assert prompt(place)["at_prompt"] is True
    person.send("\x03")
    assert place.run("wait", "one", "--prompt").status == 0


def test_a_session_that_keeps_no_screen_has_no_prompt(place: Place) -> None:
    place.configure('shell_integration = true\nsession_restore_mode = "simple"')
    place.start()
    place.run("attach", "-b", "one")
    done = place.run("wait", "one", "--prompt")
    assert done == (1, "", "shpool: session 'one' keeps no screen: its restore mode is simple\n")
    assert prompt(place) is None
