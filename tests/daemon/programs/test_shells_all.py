"""What holds alike in every shell that shows the prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.programs.shellpty import ShellOnPty

PROMPT = "shpool:main P> "

FILES = {
    "bash": {".bash_profile": "PS1='P> '\n"},
    "zsh": {".zshrc": "PS1='P> '\n"},
    "fish": {
        ".config/fish/config.fish": (
            "set -g fish_greeting\nfunction fish_prompt; echo -n 'P> '; end\n"
        )
    },
}

WAITING = "sh -c 'echo waiting; exec sleep 1000'"


@pytest.fixture(params=FILES)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("key", "typed", "shown"),
    [("\x03", "echo al''ive", "alive"), ("\x1a", "kill %1; fg", "")],
    ids=["interrupted", "suspended"],
)
def test_start_command_is_a_job_like_any(
    tmp_path: Path, shell: str, key: str, typed: str, shown: str
) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell], start_cmd=WAITING) as running:
        running.expect("waiting")
        running.type(key)
        running.expect(PROMPT)
        running.run(typed)
        running.expect(f"{shown}.*{PROMPT}")


def test_session_name_of_any_kind_is_only_a_name(tmp_path: Path, shell: str) -> None:
    name = "a$(touch${IFS}~/oops)(touch~/oops)`touch${IFS}~/oops`'\"\\u%~%n!$HOME\\z"
    with ShellOnPty(
        tmp_path, shell, FILES[shell], session=name, start_cmd="echo started"
    ) as running:
        assert running.expect("started\n.*shpool:(.*z) P> ")[1] == name
        assert not (running.home / "oops").exists()
