"""What a new shell finds around it, and what every later attach brings it."""

from __future__ import annotations

import os
import pwd
import re
import stat
from pathlib import Path

import pytest

from shpool.daemon.programs.environment import parse_etc_environment
from tests.e2e.harness import Place, eventually

USER = pwd.getpwuid(os.getuid())

# A daemon's own environment, of which nothing may be seen.
DAEMONS = {"SECRET_OF_THE_DAEMON": "x", "LC_ALL": "C", "EDITOR": "ed", "PYTHONSTARTUP": ""}


def shown(
    place: Place, name: str, *words: str, env: dict[str, str] | None = None
) -> dict[str, str]:
    """The environment of a new session's program."""
    target = place.scratch / f"env-{name}"
    script = place.scratch / f"show-{name}"
    script.write_text(
        f"#!/bin/sh\ncat /proc/self/environ > {target}.new\nmv {target}.new {target}\n"
    )
    script.chmod(0o755)
    assert place.run("attach", "-b", "-c", str(script), name, env=env).status == 0
    eventually(target.exists)
    rows = target.read_text().split("\0")[:-1]
    variables = dict(row.split("=", 1) for row in rows)
    for added in ("PWD", "SHLVL", "_", "OLDPWD"):  # by sh itself
        variables.pop(added, None)
    return variables


def test_a_shell_gets_exactly_what_is_promised(place: Place) -> None:
    place.config_file.write_text("noread_etc_environment = true\n")
    place.start(env=DAEMONS)
    directory = place.runtime / "sessions" / "one"
    assert shown(place, "one", env={"DISPLAY": ":7", "NOBODYS": "x"}) == {
        "HOME": USER.pw_dir,
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "SHPOOL_SESSION_NAME": "one",
        "SHPOOL_SESSION_DIR": str(directory),
        "SHELL": USER.pw_shell or "/bin/sh",
        "USER": USER.pw_name,
        "LOGNAME": USER.pw_name,
        "SSH_AUTH_SOCK": f"{directory}/ssh-auth-sock.socket",
        "XDG_RUNTIME_DIR": str(place.xdg_runtime),
        "TERM": "xterm",
        "DISPLAY": ":7",
        "LANG": "C.UTF-8",
    }


def test_the_configurations_env_wins_over_the_usual_and_the_client_over_it(place: Place) -> None:
    place.config_file.write_text(
        "noread_etc_environment = true\nforward_env = ['FORWARDED', 'UNSET', 'EMPTY']\n"
        "[env]\nPATH = '/bin:/usr/bin'\nUSER = 'other'\nOWN = 'mine'\nTERM = 'vt220'\n"
        "LANG = 'C'\nFORWARDED = 'no'\nSHPOOL_SESSION_NAME = 'renamed'\n"
    )
    place.start()
    found = shown(place, "one", env={"FORWARDED": "yes", "EMPTY": ""})
    assert found["PATH"] == "/bin:/usr/bin"
    assert found["USER"] == "other"
    assert found["OWN"] == "mine"
    assert found["TERM"] == "vt220"
    assert found["LANG"] == "C.UTF-8"
    assert found["FORWARDED"] == "yes"
    assert found["EMPTY"] == ""
    assert "UNSET" not in found
    assert found["SHPOOL_SESSION_NAME"] == "renamed"


def test_the_locale_and_the_colours_of_the_terminal_are_the_clients(place: Place) -> None:
    place.config_file.write_text("noread_etc_environment = true\n")
    place.start(env=DAEMONS)
    given = {
        "LC_ALL": "C.UTF-8",
        "LC_TIME": "",
        "LC_TERMINAL": "iTerm2",
        "COLORTERM": "truecolor",
        "LC_LONG": "x" * 2000,
    }
    found = shown(place, "one", env=given)
    assert {name: value for name, value in found.items() if name in given} == {
        "LC_ALL": "C.UTF-8",
        "LC_TIME": "",
        "LC_TERMINAL": "iTerm2",
        "COLORTERM": "truecolor",
    }
    assert place.run("attach", "-b", "-c", "sleep 1000", "two", env=given).status == 0
    forwarded = (place.runtime / "sessions/two/forward.env").read_text()
    assert "LC_" not in forwarded
    assert "COLORTERM" not in forwarded


def test_a_locale_that_the_interpreter_has_made_up_is_not_the_clients(shpool: Place) -> None:
    assert "LC_CTYPE" not in shown(shpool, "one", env={"LANG": "C"})
    given = {"LANG": "C", "LC_CTYPE": "C.UTF-8"}
    assert shown(shpool, "two", env=given)["LC_CTYPE"] == "C.UTF-8"


def test_an_empty_term_in_the_configuration_means_none(place: Place) -> None:
    place.config_file.write_text("[env]\nTERM = ''\n")
    place.start()
    assert "TERM" not in shown(place, "one")


def test_the_daemons_runtime_directory_is_passed_on_only_if_it_has_one(place: Place) -> None:
    place.runtime.mkdir(0o700)
    place.start("--socket", str(place.socket), env={"XDG_RUNTIME_DIR": ""})
    found = shown(place, "one")
    assert "XDG_RUNTIME_DIR" not in found or found["XDG_RUNTIME_DIR"] == ""
    runtime = place.home / ".local/run/shpool"
    assert found["SHPOOL_SESSION_DIR"].startswith(f"{runtime}/")
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700


def test_forward_env_is_written_on_every_attach_and_safe_to_source(place: Place) -> None:
    place.configure('forward_env = ["ODD", "EMPTY", "UNSET"]')
    place.start()
    client = place.attach("one", env={"ODD": "first"})
    assert client.ask("echo $ODD") == "first\n"
    odd = "a b'c\"d$(touch /nowhere)`x`\\ *;&\n#ü"
    agent = str(place.scratch / "agent")
    again = place.run(
        "attach",
        "-bf",
        "one",
        env={"ODD": odd, "EMPTY": "", "SSH_AUTH_SOCK": agent, "DISPLAY": ":9", "TERM": "vt100"},
    )
    assert again.status == 0
    path = place.runtime / "sessions/one/forward.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    client = place.attach("two", env={"ODD": "untouched"})
    asked = f'. {path}; printf "%s|" "$ODD" "$EMPTY" "$SSH_AUTH_SOCK" "$DISPLAY" "$TERM"; echo'
    assert client.ask(f"{asked}; echo ${{UNSET-none}}") == f"{odd}||{agent}|:9|vt100|\nnone\n"


def test_the_agent_link_points_at_the_agent_of_whoever_attached_last(shpool: Place) -> None:
    first, second = (str(shpool.scratch / name) for name in ("agent1", "agent2"))
    assert shpool.run("attach", "-b", "one", env={"SSH_AUTH_SOCK": first}).status == 0
    link = shpool.runtime / "sessions/one/ssh-auth-sock.socket"
    assert os.readlink(link) == first
    before = link.lstat().st_ino
    assert shpool.run("attach", "-b", "one", env={"SSH_AUTH_SOCK": second}).status == 0
    assert os.readlink(link) == second
    assert link.lstat().st_ino != before, "replaced by rename, not removed and made"
    assert shpool.run("attach", "-b", "one").status == 0
    assert os.readlink(link) == second
    assert sorted(os.listdir(link.parent)) == ["forward.env", "ssh-auth-sock.socket"]


def test_without_symlinks_the_variable_is_there_and_the_link_is_not(place: Place) -> None:
    place.configure("nosymlink_ssh_auth_sock = true")
    place.start()
    agent = str(place.scratch / "agent")
    found = shown(place, "one", env={"SSH_AUTH_SOCK": agent})
    assert found["SSH_AUTH_SOCK"].endswith("/sessions/one/ssh-auth-sock.socket")
    assert place.run("attach", "-b", "two", env={"SSH_AUTH_SOCK": agent}).status == 0
    directory = place.runtime / "sessions/two"
    assert os.listdir(directory) == ["forward.env"]
    assert f"SSH_AUTH_SOCK={agent}\n" in (directory / "forward.env").read_text()


def test_the_directory_is_there_before_the_shell_and_gone_after_it(shpool: Place) -> None:
    agent = str(shpool.scratch / "agent")
    client = shpool.attach(
        "-c",
        "sh -c 'ls $SHPOOL_SESSION_DIR; readlink $SSH_AUTH_SOCK; read x'",
        "one",
        env={"SSH_AUTH_SOCK": agent},
    )
    client.expect(f"forward.env *\\s+ssh-auth-sock.socket\\s+{agent}\r\n")
    client.send("\n")
    assert client.wait() == 0
    assert not (shpool.runtime / "sessions/one").exists()


def test_the_machines_etc_environment_is_read(place: Place) -> None:
    path = Path("/etc/environment")
    text = path.read_text() if path.exists() else ""
    promised = parse_etc_environment(text)
    place.start()
    found = shown(place, "one")
    assert {name: found.get(name) for name in promised} == promised


@pytest.mark.parametrize("noecho", [False, True])
def test_echo_is_off_on_new_ptys_if_the_configuration_says_so(place: Place, noecho: bool) -> None:
    place.configure(f"noecho = {str(noecho).lower()}")
    place.start()
    client = place.attach("-c", "stty -a", "one")
    assert client.wait() == 0
    assert ("-echo " in client.text()) == noecho


def test_the_users_login_shell_runs_unless_another_is_named(place: Place) -> None:
    place.config_file.write_text(f"[env]\nHOME = '{place.home}'\n")
    place.start()
    client = place.attach("one")
    asked = client.ask("echo $0")
    assert asked == "-" + os.path.basename(USER.pw_shell or "/bin/sh") + "\n"


def test_default_dir_may_be_below_home_or_relative(place: Place) -> None:
    (place.home / "work").mkdir()
    place.configure('default_dir = "$HOME/work"')
    place.start()
    client = place.attach("-c", "pwd", "one")
    assert client.wait() == 0
    assert client.text() == f"{place.home}/work\n"
    place.configure('default_dir = "work"')
    client = place.attach("-c", "pwd", "two", cwd=place.home)
    assert client.wait() == 0
    assert client.text() == f"{place.home}/work\n"
    place.configure('default_dir = "/nowhere/at/all"')
    client = place.attach("three")
    assert client.wait() == 1
    assert client.text() == (
        "shpool: cannot use the directory '/nowhere/at/all': No such file or directory\n"
    )


def test_a_shell_inherits_three_descriptors_and_clean_signals(shpool: Place) -> None:
    # Read by the shell itself: dash blocks every signal for a moment when it starts a program.
    status = "while read -r name mask; do echo $name$mask; done < /proc/$$/status"
    client = shpool.attach("-c", f"sh -c 'ls /proc/$$/fd; {status}'", "one")
    assert client.wait() == 0
    text = client.text()
    assert text.split("Name:")[0].split() == ["0", "1", "2"]
    masks = dict(re.findall(r"(Sig\w+):([0-9a-f]+)$", text, re.MULTILINE))
    assert int(masks["SigBlk"], 16) == 0
    # The C library keeps 32 and 33 for itself: whoever ignored them, they cannot be reset.
    assert int(masks["SigIgn"], 16) & ~(3 << 31) == 0
