"""Prompt prefix and start command in real shells, through a real attach.

How they get in, whatever the user's own files do, is tested in tests/daemon; here, that it is
wired.
"""

import re

import pytest

from tests.e2e.harness import DETACH, Place
from tests.e2e.users import at_prompt, start_as_user
from tests.e2e.window import attached
from tests.programs import need

# Shell, its own start-up file below the home directory, and what that says for PROMPT as a prompt.
FILES = {
    "bash": (".bash_profile", "PS1='user> '\nHISTFILE=~/history\nHISTSIZE=100\n"),
    "zsh": (
        ".zshrc",
        "PS1='user> '\nHISTFILE=~/history\nSAVEHIST=100\nsetopt INC_APPEND_HISTORY\n",
    ),
    "fish": (
        ".config/fish/config.fish",
        "function fish_prompt; echo -n 'user> '; end\nfunction fish_greeting; end\n",
    ),
}


@pytest.fixture(params=FILES)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def configure(
    place: Place, shell: str, text: str = 'prompt_prefix = "<$SHPOOL_SESSION_NAME> "'
) -> None:
    path, content = FILES[shell]
    start_as_user(place, shell, {path: content}, text)


def test_the_prefix_stands_before_the_users_own_prompt(place: Place, shell: str) -> None:
    configure(place, shell)
    with attached(place, "one") as window:
        at_prompt(window, "<one> user> ")
        window.send("echo it wo''rks\n")
        window.until_shown("it works")
        at_prompt(window, "<one> user> ")
        assert window.everything() == ["<one> user> echo it wo''rks", "it works", "<one> user>"]


def test_an_empty_prefix_leaves_the_prompt_alone(place: Place, shell: str) -> None:
    configure(place, shell, 'prompt_prefix = ""')
    with attached(place, "one") as window:
        at_prompt(window, "user> ")
        assert window.everything() == ["user>"]


def test_the_default_prefix_names_the_session(place: Place, shell: str) -> None:
    configure(place, shell)
    text = place.config_file.read_text().splitlines(keepends=True)
    place.config_file.write_text("".join(x for x in text if not x.startswith("prompt_prefix")))
    with attached(place, "one") as window:
        at_prompt(window, "shpool:one user> ")


def test_the_start_command_runs_in_the_shell_before_the_first_prompt(
    place: Place, shell: str
) -> None:
    configure(place, shell)
    setting = "set -g given yes" if shell == "fish" else "given=yes"
    with attached(place, "-s", f"{setting}; echo started", "one") as window:
        at_prompt(window, "<one> user> ")
        assert window.everything() == ["started", "<one> user>"]
        window.send("echo given: $given\n")
        window.until_shown("given: yes")
        at_prompt(window, "<one> user> ")
        window.send(DETACH)
        assert window.wait() == 0
    with attached(place, "-s", "echo started again", "one") as window:
        at_prompt(window, "<one> user> ")
        assert not any("again" in row for row in window.everything())


def test_nothing_of_it_is_in_the_users_history(place: Place, shell: str) -> None:
    configure(place, shell)
    with attached(place, "-s", "echo started", "one") as window:
        at_prompt(window, "<one> user> ")
        window.send("echo one th''ing\n")
        window.until_shown("one thing")
        at_prompt(window, "<one> user> ")
        window.send("exit\n")
        assert window.wait() == 0
    if shell == "fish":
        history = (place.home / ".data/fish/fish_history").read_text()
        commands = [line[len("- cmd: ") :] for line in history.splitlines() if "- cmd" in line]
    else:
        commands = (place.home / "history").read_text().splitlines()
    assert [command for command in commands if command != "exit"] == ["echo one th''ing"]


def test_with_norc_prefix_and_start_command_still_work(place: Place, shell: str) -> None:
    configure(place, shell, 'norc = true\nprompt_prefix = "<$SHPOOL_SESSION_NAME> "')
    with attached(place, "-s", "echo started", "one") as window:
        window.until_shown("started")
        window.until(lambda: window.cursor_line().startswith("<one> "))
        assert not any("user>" in row for row in window.everything())


@pytest.mark.parametrize("on", [True, False])
def test_prompts_are_marked_unless_that_is_turned_off(place: Place, shell: str, on: bool) -> None:
    path, content = FILES[shell]
    turned = "" if on else "shell_integration = false\n"
    start_as_user(place, shell, {path: content}, f'prompt_prefix = "<one> "\n{turned}')
    person = place.attach("one")
    person.expect("user> ")
    person.send(b"echo it wo''rks\n")
    person.expect("it works(.|\n)*user> ")
    marks = re.findall(rb"\x1b\]133;([AC]);aid=([0-9a-f]{16})\b", person.output)
    assert [kind for kind, _ in marks if kind == b"C"] == ([b"C"] if on else [])
    assert len({aid for _, aid in marks}) == on


def test_a_command_in_place_of_a_shell_marks_nothing(place: Place) -> None:
    place.configure("shell_integration = true")
    place.start()
    person = place.attach("-c", "bash --norc", "one")
    person.expect("[$#] ")
    person.send(b"echo it wo''rks\n")
    person.expect("it works(.|\n)*[$#] ")
    assert b"133;" not in person.output


def test_a_start_command_may_have_variables(shpool: Place) -> None:
    shpool.run("var", "set", "what", "words")
    with attached(shpool, "-s", "echo the {what}", "one") as window:
        at_prompt(window, "$ ")
        assert window.everything() == ["the words", "$"]


def test_a_start_command_with_a_command_is_refused(shpool: Place) -> None:
    done = shpool.run("attach", "-b", "-c", "cat", "-s", "true", "one")
    assert done == (
        1,
        "",
        "shpool: a start command needs a shell, so it does not go with a command\n",
    )
    assert shpool.statuses() == {}


def test_a_start_command_with_a_shell_nobody_knows_is_refused(place: Place) -> None:
    place.configure('shell = "/bin/cat"')
    place.start()
    done = place.run("attach", "-b", "-s", "true", "one")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("shpool: a start command does not work with /bin/cat: ")
    assert place.statuses() == {}
    assert place.run("attach", "-b", "one").status == 0


def test_a_plain_posix_shell_takes_a_start_command_and_shows_no_prefix(place: Place) -> None:
    place.configure(f'shell = "{need("dash")}"\nprompt_prefix = "<prefix> "')
    (place.home / ".profile").write_text("PS1='user> '\n")
    place.start()
    with attached(place, "-s", "given=yes", "one") as window:
        at_prompt(window, "user> ")
        window.send("echo given: $given\n")
        window.until_shown("given: yes")
