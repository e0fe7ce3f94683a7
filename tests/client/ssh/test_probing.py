"""What an ssh is told, by what its -G prints."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shpool.client.ssh.probing import Probed, probe, read_settings, tag_has_value
from tests.programs import need

OLD = "user u\nhostname h\nport 22\nloglevel INFO\nserveraliveinterval 0\nbatchmode no\n"
NEW = f"{OLD}sessiontype default\nstdinnull no\nforkafterauthentication no\nconnecttimeout none\n"


def probed(text: str, *, share: bool = False) -> Probed:
    return Probed(read_settings(text), share=share)


def words(options: list[str]) -> str:
    return " ".join(options)


def test_options_that_it_does_not_know_it_is_not_given() -> None:
    alive = "-o ServerAliveInterval=5 -o ServerAliveCountMax=2"
    assert words(probed(OLD).for_session()) == f"-o LogLevel=INFO {alive} -t"
    assert words(probed(NEW).for_session()) == (
        "-o StdinNull=no -o SessionType=default -o ForkAfterAuthentication=no"
        f" -o LogLevel=INFO {alive} -t"
    )
    assert words(probed(f"{OLD}remotecommand top\n").for_session()) == (
        f"-o LogLevel=INFO -o RemoteCommand=none {alive} -t"
    )


def test_what_keeps_a_connection_alive_is_the_users_to_say() -> None:
    assert words(probed(OLD.replace("interval 0", "interval 60")).for_session()) == (
        "-o LogLevel=INFO -t"
    )


def test_a_connection_is_not_shared_unless_that_is_wanted() -> None:
    shared = f"{OLD}controlpath /x/%C\n"
    assert probed(shared).unshared() == ["-S", "none"]
    assert probed(shared, share=True).unshared() == []
    assert probed(OLD).unshared() == []
    assert probed(f"{OLD}controlpath none\n").unshared() == []


def test_a_copy_opens_no_ports() -> None:
    text = f"{OLD}clearallforwardings no\npermitlocalcommand no\n"
    copying = words(probed(text).without_terminal(copies=True))
    assert "-o ClearAllForwardings=yes -o PermitLocalCommand=no" in copying
    assert copying.endswith("-T")
    assert "Forwardings" not in words(probed(text).without_terminal())


def test_a_retry_asks_nothing_and_does_not_wait_for_ever() -> None:
    assert words(probed(NEW).for_retry(batch=True)) == "-o ConnectTimeout=10 -o BatchMode=yes"
    assert words(probed(NEW).for_retry(batch=False)) == "-o ConnectTimeout=10"
    patient = NEW.replace("connecttimeout none", "connecttimeout 60")
    assert words(probed(patient).for_retry(batch=True)) == "-o BatchMode=yes"


@pytest.mark.parametrize("text", ["", "hello\n", "hostname h\n", "usage: x -G\nport 1\n"])
def test_what_is_no_ssh_is_given_no_options(text: str) -> None:
    other = probed(text)
    assert not other.is_ssh
    assert other.for_session() == ["-t"]
    assert other.without_terminal() == other.unshared() == other.for_retry(batch=True) == []
    assert other.host("given") == "given"


def test_hosts_are_told_apart_by_account_port_and_way() -> None:
    assert probed(OLD).host("a") == probed(OLD).host("b")
    for other in ("user v", "port 23", "hostname g", "hostkeyalias k", "proxyjump j"):
        assert probed(f"{other}\n{OLD}").host("a") != probed(OLD).host("a")


def test_the_level_of_what_is_said_is_the_users() -> None:
    assert probed(OLD).level == "info"
    assert probed(OLD.replace("INFO", "QUIET")).level == "quiet"


def test_the_real_ssh_can_be_asked(tmp_path: Path) -> None:
    ssh = need("ssh")
    found = probe([ssh], ["-F", "none", "-p", "77"], "somewhere.example")
    assert (found.settings["port"], found.settings["hostname"]) == ("77", "somewhere.example")
    assert not probe([ssh], ["-p", "no port"], "h").is_ssh
    assert not probe([str(tmp_path / "missing")], [], "h").is_ssh
    assert not probe(["false"], [], "h").is_ssh


def test_whether_a_tag_follows_is_seen_by_what_it_says(tmp_path: Path) -> None:
    for said, valued in (
        ("option requires an argument -- P", True),
        ("usage: ssh [-46] host", False),
    ):
        program = tmp_path / "ssh it"
        program.write_text(f"#!/bin/sh\n[ \"$*\" = '-x -G -P' ] && echo '{said}' >&2\nexit 255\n")
        program.chmod(0o755)
        assert tag_has_value(f"'{program}' -x") is valued


@pytest.mark.parametrize("form", [(), ("-m", "PEM"), ("-m", "PKCS8")])
@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_a_key_that_needs_a_passphrase_is_known(
    tmp_path: Path, form: tuple[str, ...], passphrase: str
) -> None:
    path = tmp_path / "key"
    words = ["-q", "-t", "ecdsa", *form, "-N", passphrase, "-f", str(path)]
    subprocess.run([need("ssh-keygen"), *words], check=True)
    text = f"{OLD}identityfile {tmp_path}/none\nidentityfile {path}\n"
    assert probed(text).asks_for_passphrase is bool(passphrase)


def test_without_a_key_nobody_needs_a_passphrase(tmp_path: Path) -> None:
    assert not probed(OLD).asks_for_passphrase
    assert not probed(f"{OLD}identityfile ~/nowhere\nidentityfile {tmp_path}\n").asks_for_passphrase
