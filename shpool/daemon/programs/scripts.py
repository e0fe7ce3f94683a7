"""What the shells' start-up scripts are made of.

They are read in place of, or before, the user's files. The prefix and the start command stand in
them as quoted words. When a script has run, nothing of it is left in the environment. Each shell's
has a file of its own; how a shell is made to read it is told in shells.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The variable that names the script to a shell that reads $ENV, and is unset by the script.
ENV_FILE = "__SHPOOL_ENV_FILE"

# Reads the file that ENV names, which is subject to parameter expansion before it is a path.
READ_ENV_FILE = r"""
    if eval "[ -e \"@ENV@\" ]"; then
        eval "command . \"@ENV@\"" || :
    fi
"""


def quote(text: str) -> str:
    """One word for bash, zsh and the POSIX shells, whatever their options."""
    return "'" + text.replace("'", "'\\''") + "'"


def restored(name: str, env: Mapping[str, str]) -> str:
    if name not in env:
        return f"unset {name}"
    return f"export {name}={quote(env[name])}"


def evaluation(start_cmd: str | None) -> str:
    # The newline keeps a command that begins with a dash from being an option of eval's.
    return "eval " + quote("\n" + start_cmd) if start_cmd else ""


def fill(script: str, **values: str) -> str:
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], script)
