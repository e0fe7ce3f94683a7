"""Programs that tests drive but the project does not bring along."""

import os
import shutil

import pytest

# Debian's packages, where they are not called like the program.
PACKAGES = {
    "bsd-csh": "csh",
    "infocmp": "ncurses-bin",
    "ip": "iproute2",
    "ksh93": "ksh93u+m",
    "nsenter": "util-linux",
    "nvim": "neovim",
    "script": "bsdutils",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "systemctl": "systemd",
    "systemd-analyze": "systemd",
    "systemd-socket-activate": "systemd",
    "tic": "ncurses-bin",
    "unshare": "util-linux",
    "Xvfb": "xvfb",
}


as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can be another user, too: run the tests as root"
)


def need(program: str) -> str:
    """The path of `program`; without it the test is skipped, naming it, or fails in CI."""
    path = shutil.which(program)
    if path is None:
        lacking(not_installed(program))
    assert path is not None
    return path


def no_namespace(kind: str = "a mount namespace") -> None:
    """Skip the test: no program is missing, the system does not let us."""
    pytest.skip(f"{kind} is not to be had: run the tests as root, or allow user namespaces")


def not_installed(program: str) -> str:
    return f"{program} is not installed: apt install {PACKAGES.get(program, program)}"


def lacking(what: str) -> None:
    """Skip the test for lack of something, or in CI, where nothing may lack, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
