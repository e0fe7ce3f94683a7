"""How a session's shell is started, so that it shows the prompt prefix and runs a start command.

Each shell is handed a script through its own start-up mechanism: bash and the POSIX shells read
$ENV, zsh reads $ZDOTDIR/.zshenv, fish takes --init-command. Nothing is typed into the terminal.
This module only says what is to be executed; it writes no file and starts no process.
"""

from __future__ import annotations

import os.path
import re
import sys

from shpool.daemon.programs import script_bash, script_fish, script_posix, script_zsh
from shpool.daemon.programs.scripts import ENV_FILE
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What a start may write, below the session's directory.
_BASH_FILE = "start.bash"
_POSIX_FILE = "start.sh"
_FISH_FILE = "start.fish"
_ZSH_FILE = "zsh/.zshenv"
START_FILES = (_BASH_FILE, _POSIX_FILE, _FISH_FILE, _ZSH_FILE)

# A shell's name may end in a version: bash5.2, zsh-5.9.
_NAME = re.compile(r"(rbash|bash|zsh|fish|dash|ash|busybox|sh|ksh93|ksh|mksh|lksh|oksh)[-.\d]*")

# The file that a POSIX shell reads when ENV is unset.
_DEFAULT_ENV = {
    "ksh": "$HOME/.kshrc",
    "ksh93": "$HOME/.kshrc",
    "mksh": "$HOME/.mkshrc",
    "lksh": "$HOME/.mkshrc",
}

_ZSH_GLOBAL_FILES = ("/etc/zsh/zshenv", "/etc/zshenv")

# An assignment at the left margin, thus most likely under no condition, that does not look at
# the value there was.
_FIXED_ZDOTDIR = re.compile(
    r"""
    ^ (?: (?: export | typeset | declare ) [ ] (?: -\w+ [ ] )? )?
    ZDOTDIR= (?! .* \$ \{? ZDOTDIR )
    """,
    re.MULTILINE | re.VERBOSE,
)


class ShellStartError(ShpoolError):
    """The start command cannot be had with this shell; the message is for the user."""


# The shells that can be made to mark their prompts and commands.  A restricted bash may not
# redirect what it writes.
MARKING = ("bash", "zsh", "fish")


class ShellStart:
    """What to execute: the shell's path with `argv` and all of `env`, after writing `files`.
    `marking`: which of MARKING it is, if it will mark.

    `files` maps absolute paths below the session's directory to contents; they are meant for
    nobody but the user (0600), and their directories may have to be made (0700). Text stands
    for bytes as in os.environ: it is to be encoded with os.fsencode.
    """

    __slots__ = ("argv", "env", "files", "marking")

    def __init__(self, argv: list[str], env: dict[str, str], files: dict[str, str]) -> None:
        self.argv = argv
        self.env = env
        self.files = files
        self.marking = ""


def plan(
    shell: str,
    *,
    session_dir: str,
    prompt_prefix: str,
    start_cmd: str | None,
    norc: bool,
    env: Mapping[str, str],
    aid: str = "",
) -> ShellStart:
    """The start of `shell`, a path, as a login shell with the environment `env`.

    `prompt_prefix` is source text for the prompt of that shell; a shell for which we cannot do it
    shows none. `start_cmd` is run by the shell after the user's files. `aid`: a word by which the
    marks (OSC 133) are known that a shell of MARKING writes; none if it is empty, or the terminal
    shows them. Without any of these nothing of ours takes part. `norc`: no file of the user's is
    read. Raises ShellStartError.
    """
    name = os.path.basename(shell)
    match = _NAME.fullmatch(name)
    kind = match[1] if match else ""
    start = ShellStart(["-" + name], dict(env), {})
    if kind not in MARKING or env.get("TERM", "dumb") in ("", "dumb"):
        aid = ""
    start.marking = kind if aid else ""
    if kind in ("bash", "rbash"):
        _plan_bash(start, shell, session_dir, prompt_prefix, aid, start_cmd, norc)
    elif kind == "zsh":
        _plan_zsh(start, session_dir, prompt_prefix, aid, start_cmd, norc)
    elif kind == "fish":
        _plan_fish(start, session_dir, prompt_prefix, aid, start_cmd, norc)
    elif kind:
        _plan_posix(start, kind, session_dir, start_cmd, norc)
    elif start_cmd:
        raise ShellStartError(
            f"a start command does not work with {shell}: "
            "it takes bash, zsh, fish or a POSIX shell such as dash or ksh"
        )
    return start


def _plan_bash(
    start: ShellStart,
    shell: str,
    session_dir: str,
    prefix: str,
    aid: str,
    start_cmd: str | None,
    norc: bool,
) -> None:
    if norc:
        start.argv += ["--norc", "--noprofile"]
    if not prefix and not aid and not start_cmd:
        return
    # Apple's bash 3.2 reads no $ENV. There it is an interactive shell that is no login shell,
    # and only .bash_logout misses it.
    env_file = not (sys.platform == "darwin" and shell == "/bin/bash")
    path = os.path.join(session_dir, _BASH_FILE)
    start.files[path] = script_bash.script(
        prefix=prefix, aid=aid, start_cmd=start_cmd, norc=norc, env=start.env, env_file=env_file
    )
    if env_file:
        start.argv.append("--posix")
        _set_env_file(start, path)
    else:
        start.argv = ["bash", "--init-file", path]


def _plan_zsh(
    start: ShellStart,
    session_dir: str,
    prefix: str,
    aid: str,
    start_cmd: str | None,
    norc: bool,
) -> None:
    if not prefix and not aid and not start_cmd:
        if norc:
            start.argv.append("--no-rcs")
        return
    if start_cmd:
        _refuse_fixed_zdotdir()
    # --no-rcs would keep zsh from our .zshenv too, which therefore sets that option itself.
    path = os.path.join(session_dir, _ZSH_FILE)
    start.files[path] = script_zsh.script(
        prefix=prefix, aid=aid, start_cmd=start_cmd, norc=norc, env=start.env
    )
    start.env["ZDOTDIR"] = os.path.dirname(path)


def _refuse_fixed_zdotdir() -> None:
    # zsh reads this file whatever it is told. If it names a directory regardless of the one that
    # stands in ZDOTDIR, zsh goes there and finds the user's files, and never ours.
    for path in _ZSH_GLOBAL_FILES:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                fixed = _FIXED_ZDOTDIR.search(file.read())
        except OSError:
            continue
        if fixed:
            raise ShellStartError(f"a start command does not work with zsh: {path} sets ZDOTDIR")


def _plan_fish(
    start: ShellStart,
    session_dir: str,
    prefix: str,
    aid: str,
    start_cmd: str | None,
    norc: bool,
) -> None:
    if norc:
        start.argv.append("--no-config")
    if prefix or aid or start_cmd:
        path = os.path.join(session_dir, _FISH_FILE)
        start.files[path] = script_fish.script(prefix=prefix, aid=aid, start_cmd=start_cmd)
        start.argv.append("--init-command=source " + script_fish.quote(path))
    if start_cmd:
        start.argv.append("--init-command=" + script_fish.STARTED)


def _plan_posix(
    start: ShellStart, kind: str, session_dir: str, start_cmd: str | None, norc: bool
) -> None:
    # busybox asks argv[0] which of its programs it is.
    name = "sh" if kind == "busybox" else start.argv[0][1:]
    default_env = _DEFAULT_ENV.get(kind, "")
    start.argv = [name if norc or start_cmd else "-" + name]
    if start_cmd:
        path = os.path.join(session_dir, _POSIX_FILE)
        start.files[path] = script_posix.script(
            start_cmd=start_cmd, norc=norc, env=start.env, default_env=default_env
        )
        if kind in ("mksh", "lksh"):
            start.env["ENV"] = path  # these two take it as it is
        else:
            _set_env_file(start, path)
    elif norc and default_env:
        start.env["ENV"] = "/dev/null"
    elif norc:
        start.env.pop("ENV", None)


def _set_env_file(start: ShellStart, path: str) -> None:
    # ENV is expanded before it is a path, and the shells differ in what quotes a character in it.
    # What comes of an expansion is not expanded again.
    start.env[ENV_FILE] = path
    start.env["ENV"] = f"${ENV_FILE}"
