"""What an administrator says in /etc, for everybody: read from the real paths, in a copy of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.harness import Place
from tests.e2e.window import attached
from tests.programs import need, no_namespace


@pytest.fixture
def etc(place: Place) -> Path:
    """A copy of /etc, which is the /etc of everything that is started in this place."""
    copy = place.scratch / "etc"
    # What only root can read is missing from it, and of no use here.
    subprocess.run(["cp", "-a", "/etc", copy], stderr=subprocess.DEVNULL, check=False)
    mapped = [] if os.getuid() == 0 else ["--map-root-user"]
    mount = 'mount --bind "$0" /etc && exec "$@"'
    wrapper = [need("unshare"), "--mount", *mapped, "sh", "-c", mount, str(copy)]
    if subprocess.run([*wrapper, "true"], check=False).returncode:
        no_namespace()
    place.wrapper = wrapper
    for name in ("motd", "environment", "zsh/zshenv", "zshenv"):
        (copy / name).unlink(missing_ok=True)
    for name in ("motd.d", "pam.d", "shpool"):
        shutil.rmtree(copy / name, ignore_errors=True)
        (copy / name).mkdir()
    return copy


def printed(place: Place, name: str, command: str, *options: str) -> str:
    """What the program of a new session prints."""
    client = place.terminal(*options, "attach", "-c", f"sh -c '{command}'", name)
    assert client.wait() == 0
    return client.text()


def environment(place: Place, name: str) -> dict[str, str]:
    """The environment of a new session's program."""
    return dict(line.split("=", 1) for line in printed(place, name, "env").splitlines())


# ---- /etc/environment

ENVIRONMENT = """# for everybody
export EXPORTED=1
QUOTED="two words"
HALF='open
COMMENTED=value # not this
EMPTY=
not-a-name=1
PATH=/usr/bin:/bin:/opt/bin
"""
PROMISED = {
    "EXPORTED": "1",
    "QUOTED": "two words",
    "HALF": "open",
    "COMMENTED": "value ",
    "EMPTY": "",
    "PATH": "/usr/bin:/bin:/opt/bin",
}


def test_etc_environment_is_read_for_every_new_shell(place: Place, etc: Path) -> None:
    place.start()
    assert "EXPORTED" not in environment(place, "one")
    (etc / "environment").write_text(ENVIRONMENT)
    found = environment(place, "two")
    assert {name: found.get(name) for name in PROMISED} == PROMISED
    assert "not-a-name" not in found


def test_etc_environment_can_be_left_alone(place: Place, etc: Path) -> None:
    (etc / "environment").write_text(ENVIRONMENT)
    place.configure("noread_etc_environment = true\ninitial_path = '/usr/bin:/bin'")
    place.start()
    found = environment(place, "one")
    assert found["PATH"] == "/usr/bin:/bin"
    assert [name for name in PROMISED if name in found] == ["PATH"]
    place.configure("noread_etc_environment = false")
    assert environment(place, "two")["EXPORTED"] == "1"


# ---- /etc/passwd


@pytest.fixture
def no_passwd(etc: Path) -> None:
    """As in a container: nobody knows our uid by a name."""
    (etc / "passwd").write_text("somebody:x:54321:54321::/nowhere:/bin/false\n")
    (etc / "nsswitch.conf").write_text("passwd: files\n")


@pytest.mark.usefixtures("no_passwd")
def test_a_uid_without_passwd_entry_has_its_home_and_shell_from_the_environment(
    place: Place,
) -> None:
    place.config_file.write_text("prompt_prefix = ''\n")
    # A shell of another name shows whose choice it was.
    shell = place.scratch / "mysh"
    shell.symlink_to("/bin/bash")
    place.start(env={"SHELL": str(shell)})
    client = place.attach("one")
    assert client.ask("echo $HOME $USER $SHELL $0; pwd").split() == [
        *(str(place.home), "0", str(shell), "-mysh"),
        str(place.home),
    ]


@pytest.mark.usefixtures("no_passwd")
def test_a_uid_without_passwd_entry_and_without_an_environment_still_has_a_shell(
    place: Place,
) -> None:
    place.config_file.write_text("prompt_prefix = ''\n")
    place.start(env={"HOME": "", "SHELL": ""})
    client = place.attach("one")
    assert client.ask("echo $HOME $USER $SHELL $0; pwd").split() == [
        *("/", "0", "/bin/sh", "-sh", "/")
    ]


# ---- /etc/shpool/config.toml


def test_the_users_configuration_replaces_the_machines_key_by_key(place: Place, etc: Path) -> None:
    machines = etc / "shpool" / "config.toml"
    machines.write_text(
        "initial_path = '/usr/bin:/bin:/machine'\ndefault_dir = '/usr'\n[env]\nMACHINE = '1'\n"
    )
    place.configure("default_dir = '/'", env={"USERS": "2"})
    place.start()
    found = environment(place, "one")
    assert (found["PATH"], found["USERS"]) == ("/usr/bin:/bin:/machine", "2")
    assert "MACHINE" not in found, "a table is replaced as a whole"
    assert printed(place, "two", "pwd") == "/\n"
    fresh = etc / "shpool" / "fresh"
    fresh.write_text("initial_path = '/bin:/edited'\n")
    fresh.rename(machines)
    assert printed(place, "three", "echo $PATH") == "/bin:/edited\n"
    place.config_file.unlink()
    machines.write_text("initial_path = '/bin'\n[env]\nMACHINE = '1'\n")
    assert printed(place, "four", "echo $PATH $MACHINE") == "/bin 1\n"


def test_a_config_file_that_is_named_replaces_the_machines_too(place: Place, etc: Path) -> None:
    (etc / "shpool" / "config.toml").write_text("initial_path = '/bin:/machine'\n")
    own = place.scratch / "own.toml"
    own.write_text("")
    place.start("--config-file", str(own))
    usual = "/usr/bin:/bin:/usr/sbin:/sbin\n"
    assert printed(place, "one", "echo $PATH", "--config-file", str(own)) == usual


def test_a_mistake_in_the_machines_configuration_is_said_with_its_name(
    place: Place, etc: Path
) -> None:
    (etc / "shpool" / "config.toml").write_text("norc = 'yes'\n")
    done = place.run("attach", "-b", "one")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("shpool: /etc/shpool/config.toml: norc: found ")


# ---- the message of the day


def test_without_arguments_the_message_is_the_one_in_etc(place: Place, etc: Path) -> None:
    (etc / "motd").write_text("to everybody\n")
    (etc / "motd.d" / "more").write_text("and more\n")
    place.configure('motd = "dump"')
    place.start()
    assert printed(place, "one", "echo shell") == "to everybody\nand more\nshell\n"


def test_without_arguments_those_of_a_login_count(place: Place, etc: Path) -> None:
    text = place.scratch / "text"
    text.write_text("as at a login\n")
    (etc / "motd").write_text("to everybody\n")
    (etc / "pam.d" / "sshd").write_text("@include common\n")
    (etc / "pam.d" / "common").write_text(
        f"session optional pam_motd.so motd={text} motd_dir=/nowhere noupdate\n"
    )
    place.configure('motd = "dump"')
    place.start()
    assert printed(place, "one", "echo shell") == "as at a login\nshell\n"


# ---- the machine's start-up files


@pytest.mark.parametrize("options", [(), ("-s", "echo started")], ids=["prefix", "start command"])
def test_a_zdotdir_that_the_machine_gives_to_those_who_have_none(
    place: Place, etc: Path, options: tuple[str, ...]
) -> None:
    _zsh(place, etc, "if [[ -z $ZDOTDIR ]]; then\n  export ZDOTDIR=$HOME/zsh\nfi\n")
    with attached(place, *options, "one") as window:
        window.until(lambda: window.cursor_line() == "<one> user>")
        assert window.everything() == [*(["started"] if options else []), "<one> user>"]


def test_a_zdotdir_that_the_machine_imposes(place: Place, etc: Path) -> None:
    _zsh(place, etc, "export ZDOTDIR=$HOME/zsh\n")
    done = place.run("attach", "-b", "-s", "echo started", "one")
    reason = "a start command does not work with zsh: /etc/zsh/zshenv sets ZDOTDIR"
    assert done == (1, "", f"shpool: {reason}\n")
    with attached(place, "one") as window:
        window.until(lambda: window.cursor_line() == "user>")


def _zsh(place: Place, etc: Path, zshenv: str) -> None:
    (etc / "zsh").mkdir(exist_ok=True)
    (etc / "zsh" / "zshenv").write_text(zshenv)
    (place.home / "zsh").mkdir()
    (place.home / "zsh" / ".zshrc").write_text("PS1='user> '\n")
    place.configure(f'shell = "{need("zsh")}"\nprompt_prefix = "<one> "')
    place.start()
