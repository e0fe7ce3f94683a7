"""Which words are ssh's, which ours, and which are refused."""

from __future__ import annotations

import re

import pytest

from shpool.client.ssh import probing
from shpool.client.ssh.arguments import parse, unquiet
from shpool.commands import COMMANDS
from shpool.errors import UsageError

OPTIONS = COMMANDS["ssh"].options


def parsed(line: str) -> tuple[list[str], list[str]]:
    """ssh's words, and the arguments."""
    found = parse(line.split(), OPTIONS)
    return found.rest, found.arguments


@pytest.mark.parametrize(
    ("line", "options", "arguments"),
    [
        ("h", "", "h"),
        ("h main", "", "h main"),
        ("-p 22 h", "-p 22", "h"),
        ("h -p 22 main", "-p 22", "h main"),
        ("-p22 -4v -oA=b h", "-p22 -4v -oA=b", "h"),
        ("-vp 22 h", "-vp 22", "h"),
        ("-vp22 h", "-vp22", "h"),
        ("-L 1:h:2 -R 3:h:4 -D 5 -J j h", "-L 1:h:2 -R 3:h:4 -D 5 -J j", "h"),
        ("-l -odd h", "-l -odd", "h"),  # as ssh takes it
        ("-A -X -C h - -i k", "-A -X -C -i k", "h -"),
        ("-4 -- h main", "-4", "h main"),
        ("ssh://a@h:22 -c x", "-c x", "ssh://a@h:22"),
    ],
)
def test_sshs_options_are_passed_on_wherever_they_stand(
    line: str, options: str, arguments: str
) -> None:
    assert parsed(line) == (options.split(), arguments.split())


def test_options_of_ours_are_long() -> None:
    words = "--ttl 3m -p 1 --cmd=top h --no-force --remote /x -v"
    found = parse(words.split(), OPTIONS)
    assert found.values == {"ttl": "3m", "cmd": "top", "no-force": 1, "remote": "/x"}
    assert (found.rest, found.arguments) == (["-p", "1", "-v"], ["h"])
    assert parse(["-h"], OPTIONS).count("help") == 1


@pytest.mark.parametrize("letter", "fNnsTWOGQVME")
def test_what_is_no_session_is_refused_in_words(letter: str) -> None:
    for word in (f"-{letter}", f"-4{letter}", f"-{letter}x"):
        with pytest.raises(UsageError, match=f"^ssh's option '-{letter}' cannot be used: "):
            parsed(f"{word} h")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-T h", "a session needs a terminal and a command there"),
        ("-V", "it logs in nowhere"),
        ("-O exit h", "it only speaks to a master that is there"),
        ("-M h", "the connection would be shared; see --share-connection"),
        ("-E f h", "what ssh says tells whether the connection was lost"),
        ("-Cy h", "what ssh says tells whether the connection was lost"),
        ("h -p", "ssh's option '-p' needs a value"),
        ("h -=", "unexpected option '-='"),
        ("--force h", "unexpected option '--force'"),
    ],
)
def test_it_is_said_what_is_wrong(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parsed(line)


@pytest.mark.parametrize("valued", [False, True])
def test_whether_a_tag_follows_is_asked_of_the_ssh_that_is_run(
    valued: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def tag_has_value(command: str) -> bool:
        asked.append(command)
        return valued

    monkeypatch.setattr(probing, "tag_has_value", tag_has_value)
    assert parsed("-P tag h") == ((["-P", "tag"], ["h"]) if valued else (["-P"], ["tag", "h"]))
    assert asked == ["ssh"]
    parsed("-P tag h --ssh other")
    parsed("--ssh=third -P tag h")
    assert asked == ["ssh", "other", "third"]
    parsed("-p 22 h")
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("-q", ""),
        ("-4q", "-4"),
        ("-qvp 22", "-vp 22"),
        ("-i q -q", "-i q"),
        ("-iq", "-iq"),
        ("-oq -q -p -q", "-oq -p -q"),
    ],
)
def test_ssh_is_not_told_to_be_quiet(given: str, left: str) -> None:
    assert unquiet(given.split()) == left.split()
