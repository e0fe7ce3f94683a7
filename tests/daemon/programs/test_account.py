import errno
import os
import pwd

import pytest

from shpool.daemon.programs.account import Account, current_account

CONTAINERS = {"HOME": "/work", "SHELL": "/bin/zsh"}


@pytest.fixture
def without_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", look_up)


def as_tuple(user: Account) -> tuple[str, str, str]:
    return user.name, user.home, user.shell


def test_the_passwd_entry_counts_whatever_the_environment_says() -> None:
    entry = pwd.getpwuid(os.geteuid())
    found = as_tuple(current_account(CONTAINERS))
    assert found == (entry.pw_name, entry.pw_dir, entry.pw_shell or "/bin/sh")


def test_empty_fields_of_the_entry_mean_what_login_takes_them_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = pwd.struct_passwd(("dana", "x", 7, 7, "", "", ""))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry)
    assert as_tuple(current_account(CONTAINERS)) == ("dana", "/", "/bin/sh")


@pytest.mark.parametrize(
    ("environ", "home", "shell"),
    [
        (CONTAINERS, "/work", "/bin/zsh"),
        ({"HOME": "/work"}, "/work", "/bin/sh"),
        ({"SHELL": "/bin/zsh"}, "/", "/bin/zsh"),
        ({"HOME": "", "SHELL": ""}, "/", "/bin/sh"),
        ({"HOME": "work", "SHELL": "zsh"}, "/", "/bin/sh"),
    ],
)
@pytest.mark.usefixtures("without_entry")
def test_without_an_entry_the_environment_counts(
    environ: dict[str, str], home: str, shell: str
) -> None:
    assert as_tuple(current_account(environ)) == (str(os.geteuid()), home, shell)


@pytest.mark.usefixtures("without_entry")
def test_an_entry_that_cannot_be_looked_up_is_not_one_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        current_account(CONTAINERS)
