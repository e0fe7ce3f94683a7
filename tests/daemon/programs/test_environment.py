from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.config import Config
from shpool.daemon.programs.environment import (
    forward_env_text,
    parse_etc_environment,
    shell_environment,
)
from tests.programs import need

SHELLS = ["sh", "dash", "bash", "zsh"]


def environment(
    config: Config | None = None,
    client: dict[str, str] | None = None,
    runtime_dir: str | None = None,
    etc_environment: str = "",
) -> dict[str, str]:
    return shell_environment(
        config or Config(),
        user="ada",
        home="/home/ada",
        login_shell="/bin/zsh",
        session_name="main",
        session_dir="/run/s/main",
        client=client or {},
        runtime_dir=runtime_dir,
        etc_environment=etc_environment,
    )


def test_the_least_that_a_shell_gets() -> None:
    assert environment() == {
        "HOME": "/home/ada",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "SHPOOL_SESSION_NAME": "main",
        "SHPOOL_SESSION_DIR": "/run/s/main",
        "SHELL": "/bin/zsh",
        "USER": "ada",
        "LOGNAME": "ada",
        "SSH_AUTH_SOCK": "/run/s/main/ssh-auth-sock.socket",
    }


def test_the_runtime_directory_is_passed_on_if_the_daemon_has_one() -> None:
    assert environment(runtime_dir="/run/user/1")["XDG_RUNTIME_DIR"] == "/run/user/1"
    assert "XDG_RUNTIME_DIR" not in environment()


def test_only_terminal_display_language_and_what_is_asked_for_come_from_the_client() -> None:
    client = {
        "TERM": "xterm",
        "DISPLAY": ":0",
        "LANG": "",
        "EDITOR": "vi",
        "SECRET": "x",
        "SSH_AUTH_SOCK": "/tmp/agent",
    }
    found = environment(Config({"forward_env": ("EDITOR", "UNSET")}), client)
    assert {name: found.get(name) for name in client} == {
        "TERM": "xterm",
        "DISPLAY": ":0",
        "LANG": "",
        "EDITOR": "vi",
        "SECRET": None,
        "SSH_AUTH_SOCK": "/run/s/main/ssh-auth-sock.socket",
    }
    assert "UNSET" not in found


def test_locale_and_colours_of_the_terminal_come_from_the_client_for_a_new_shell_only() -> None:
    client = {
        "LC_ALL": "",
        "LC_CTYPE": "de_DE.UTF-8",
        "LC_TERMINAL": "iTerm2",
        "COLORTERM": "truecolor",
        "LC_NOT-A-NAME": "x",
        "LC_LONG": "x" * 1024,
        "LC_NUL": "\0",
        "XLC_ALL": "C",
    }
    found = environment(Config({"env": {"LC_CTYPE": "C"}}), client)
    assert {name: found[name] for name in client if name in found} == {
        "LC_ALL": "",
        "LC_CTYPE": "de_DE.UTF-8",
        "LC_TERMINAL": "iTerm2",
        "COLORTERM": "truecolor",
    }
    assert forward_env_text(Config(), client) == b""
    asked_for = Config({"forward_env": ("LC_CTYPE", "COLORTERM")})
    assert forward_env_text(asked_for, client) == b"LC_CTYPE=de_DE.UTF-8\nCOLORTERM=truecolor\n"


def test_no_client_fills_an_environment_with_locales() -> None:
    many = {f"LC_{number}": "C" for number in range(100)}
    assert [name for name in environment(client=many) if name.startswith("LC_")] == [
        f"LC_{number}" for number in range(32)
    ]


def test_logname_is_as_user_unless_it_is_asked_for() -> None:
    assert environment(Config({"env": {"USER": "other"}}))["LOGNAME"] == "other"
    assert environment(Config({"env": {"LOGNAME": "other"}}))["LOGNAME"] == "other"
    asked_for = Config({"forward_env": ("LOGNAME",)})
    assert environment(asked_for, {"LOGNAME": "other"})["LOGNAME"] == "other"
    assert environment(etc_environment="LOGNAME=other\n")["LOGNAME"] == "other"


def test_later_ones_win() -> None:
    config = Config(
        {
            "env": dict.fromkeys(("HOME", "PATH", "SSH_AUTH_SOCK", "LANG", "A", "B"), "config"),
            "initial_path": "/first",
            "forward_env": ("A", "B", "PATH"),
        }
    )
    client = dict.fromkeys(("LANG", "A", "B", "PATH", "HOME"), "client")
    found = environment(config, client, etc_environment="B=etc\nUSER=etc\nPATH=etc")
    assert found["HOME"] == "config"
    assert found["SSH_AUTH_SOCK"] == "config"
    assert found["LANG"] == "client"
    assert found["A"] == "client"
    assert found["B"] == "etc"
    assert found["USER"] == "etc"
    assert found["PATH"] == "etc"


@pytest.mark.parametrize(
    ("configured", "sent", "term"),
    [
        (None, "xterm", "xterm"),
        (None, None, None),
        ("linux", "xterm", "linux"),
        ("linux", None, "linux"),
        ("", "xterm", None),
        ("", None, None),
    ],
)
def test_the_terminal_type_is_the_configured_one_or_the_clients(
    configured: str | None, sent: str | None, term: str | None
) -> None:
    config = Config({"env": {}} if configured is None else {"env": {"TERM": configured}})
    client = {} if sent is None else {"TERM": sent}
    assert environment(config, client).get("TERM") == term


def test_etc_environment_can_be_left_out() -> None:
    config = Config({"noread_etc_environment": True})
    assert "A" in environment(etc_environment="A=1")
    assert "A" not in environment(config, etc_environment="A=1")


def test_a_value_that_no_environment_can_hold_is_left_out() -> None:
    assert "LANG" not in environment(client={"LANG": "a\0b"}, etc_environment="LANG=a\0b")


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("", {}),
        ("# A=1", {}),
        ("  # A=1", {}),
        ("A=1", {"A": "1"}),
        (" \tA=1 \t\r", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A", {}),
        ("=1", {}),
        ("A b=1", {}),
        ("A-B=1", {}),
        ("A =1", {}),
        ("Ä=1", {}),
        ("_a_9=1", {"_a_9": "1"}),
        ("9=1", {"9": "1"}),
        ("A= 1", {"A": " 1"}),
        ("A=b=c", {"A": "b=c"}),
        ("A=1 # comment", {"A": "1 "}),
        ("A='not # a comment'", {"A": "not "}),
        ("export A=1", {"A": "1"}),
        ("export  A=1", {}),
        ("export\tA=1", {}),
        ("A='x'", {"A": "x"}),
        ('A="x"', {"A": "x"}),
        ("A='x\"", {"A": "x"}),
        ("A='x", {"A": "x"}),
        ("A=x'", {"A": "x'"}),
        ("A=''x''", {"A": "'x'"}),
        ("A='", {"A": ""}),
        ("A=''", {"A": ""}),
        ("A='''", {"A": "'"}),
        ("A=$HOME \\n", {"A": "$HOME \\n"}),
        ("A=1\nB=2\nA=3", {"A": "3", "B": "2"}),
        ("A=1\x0cB=2", {"A": "1\x0cB=2"}),
    ],
)
def test_etc_environment_is_read_as_pam_env_does(line: str, variables: dict[str, str]) -> None:
    assert parse_etc_environment(line) == variables


def test_forward_env_has_what_the_client_has_set() -> None:
    client = {
        "TERM": "xterm-256color",
        "DISPLAY": "localhost:10.0",
        "SSH_AUTH_SOCK": "/tmp/ssh-x/agent.1",
        "EMPTY": "",
        "SPACED": "a b",
        "OTHER": "x",
        "no-name": "x",
        "1ST": "x",
        "ÄÖ": "x",
    }
    config = Config(
        {"forward_env": ("EMPTY", "SPACED", "TERM", "no-name", "1ST", "ÄÖ", "UNSET", "EMPTY")}
    )
    assert forward_env_text(config, client).decode() == (
        "TERM=xterm-256color\n"
        "DISPLAY=localhost:10.0\n"
        "SSH_AUTH_SOCK=/tmp/ssh-x/agent.1\n"
        "EMPTY=\n"
        "SPACED='a b'\n"
    )
    assert forward_env_text(Config(), {}) == b""


def sourced(shell: str, values: list[str], directory: pathlib.Path, options: str = "") -> list[str]:
    """What the shell has in V0, V1, ... after it has read in the file with these values."""
    need(shell)
    names = [f"V{at}" for at in range(len(values))]
    file = directory / "forward.env"
    file.write_bytes(
        forward_env_text(Config({"forward_env": tuple(names)}), dict(zip(names, values)))
    )
    words = " ".join(f'"${{{name}?}}"' for name in names)
    done = subprocess.run(
        [shell, "-c", f"{options}. {file}; printf '%s\\0' {words}"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
        timeout=20,
    )
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


TRICKY = [
    "",
    " ",
    "'",
    "''",
    "'a'",
    "it's",
    "\\",
    "\\'",
    "a\nb\n",
    "\n",
    "$(touch pwned)",
    "`touch pwned`",
    '"$HOME"',
    "~",
    "~root:~root",
    "=ls",
    "a:=ls",
    "*",
    "{a,b}",
    "a;b",
    "a&b",
    "#no comment",
    "!!",
    "a\tb\x01\x7f\x80",
    "größe\u2603",
    "\udcff\udc81",
    "-n",
    "%s",
    "(a)",
    "<(ls)",
]


@pytest.mark.parametrize("shell", SHELLS)
def test_reading_it_in_gives_the_values_and_runs_nothing(
    shell: str, tmp_path: pathlib.Path
) -> None:
    assert sourced(shell, TRICKY, tmp_path) == TRICKY


def test_the_quotes_hold_with_other_options_of_zsh(tmp_path: pathlib.Path) -> None:
    for options in ("setopt rcquotes; ", "setopt extendedglob globassign magicequalsubst; "):
        assert sourced("zsh", TRICKY, tmp_path, options) == TRICKY


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(
        st.text(
            st.sampled_from("a '\"\\$`!\n~=#*?[]{}()<>|&;:%-\t\x81é")
            | st.characters(codec="utf-8"),
            max_size=20,
        ),
        min_size=1,
        max_size=50,
    )
)
def test_any_value_survives_being_read_in(
    shell: str, values: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = [value.replace("\0", "") for value in values]
    assert sourced(shell, values, tmp_path_factory.mktemp("env")) == values


@pytest.mark.parametrize("shell", SHELLS)
def test_forward_env_read_in_as_documented_reaches_programs(
    shell: str, tmp_path: pathlib.Path
) -> None:
    document = (pathlib.Path(__file__).parents[3] / "CONFIG.md").read_text()
    snippet = re.findall(r"```sh\n(.*?)```", document, re.DOTALL)[0]
    client = {"DISPLAY": ":7", "SSH_AUTH_SOCK": "/of/this/attach"}
    (tmp_path / "forward.env").write_bytes(forward_env_text(Config(), client))
    done = subprocess.run(
        [need(shell), "-c", snippet + "env"],
        env={"PATH": "/usr/bin:/bin", "SSH_AUTH_SOCK": "link", "SHPOOL_SESSION_DIR": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    said = done.stdout.splitlines()
    assert b"DISPLAY=:7" in said
    assert b"SSH_AUTH_SOCK=link" in said
