"""What holds alike in every shell that shows the prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.shellpty import ShellOnPty

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


def test_start_command_can_be_interrupted(tmp_path: Path, shell: str) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell], start_cmd=WAITING) as running:
        running.expect("waiting")
        running.type("\x03")
        running.expect(PROMPT)
        running.run("echo al''ive")
        running.expect("alive.*" + PROMPT)


def test_start_command_can_be_suspended(tmp_path: Path, shell: str) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell], start_cmd=WAITING) as running:
        running.expect("waiting")
        running.type("\x1a")
        running.expect(PROMPT)
        running.run("kill %1; fg")
        running.expect(PROMPT)


def test_session_name_of_any_kind_is_only_a_name(tmp_path: Path, shell: str) -> None:
    name = "a$(touch${IFS}~/oops)(touch ~/oops)`touch${IFS}~/oops`'\"\\z"
    with ShellOnPty(
        tmp_path, shell, FILES[shell], session=name, start_cmd="echo started"
    ) as running:
        running.expect("started\n.*shpool:a.*z P> ")
        assert not (running.home / "oops").exists()
