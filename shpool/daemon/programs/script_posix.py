"""The start-up script of the POSIX shells: the login files and a start command."""

from __future__ import annotations

from shpool.daemon.programs.scripts import (
    ENV_FILE,
    READ_ENV_FILE,
    evaluation,
    fill,
    restored,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def script(*, start_cmd: str | None, norc: bool, env: Mapping[str, str], default_env: str) -> str:
    """`default_env`: the file read when ENV is unset, as shell source; may be empty."""
    files = "" if norc else _LOGIN_FILES + fill(READ_ENV_FILE, ENV="${ENV-" + default_env + "}")
    first = f"unset {ENV_FILE}\n" + restored("ENV", env)
    return fill(_SCRIPT, FIRST=first, FILES=files, START=evaluation(start_cmd))


# These shells read $ENV last of all, and a login shell would have run .profile before,
# where everybody sets ENV: ours would never be read. So the shell is started as if it were no
# login shell, and this reads what one reads. `command .` returns after an error in the file,
# where `.` would give up the rest.
_SCRIPT = r"""
@FIRST@
{
    @FILES@
    @START@
}
"""

_LOGIN_FILES = r"""
    if [ -e /etc/profile ]; then
        command . /etc/profile || :
    fi
    if [ -e "${HOME-}/.profile" ]; then
        command . "$HOME/.profile" || :
    fi
"""
