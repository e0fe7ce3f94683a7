"""What a new session runs, and what its directory holds, worked out from the attach request."""

import os

from shpool.daemon.programs import shells
from shpool.daemon.programs.account import current_account
from shpool.daemon.programs.environment import (
    etc_environment_text,
    forward_env_text,
    shell_environment,
)
from shpool.daemon.programs.program import Program
from shpool.errors import ShpoolError
from shpool.shellwords import WordError, split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.config import Config
    from shpool.daemon.programs.directory import SessionDir
    from shpool.protocol.attaching import AttachHeader


# Nobody else's marks are taken for those of a session's shell.
_AID_BYTES = 8


class CannotCreate(ShpoolError):
    """The session asked for cannot be made; the text is for the user."""


def update(directory: "SessionDir", config: "Config", header: "AttachHeader") -> "list[str]":
    """Write what every attach brings: forward.env, and where the client's ssh agent is.

    Returns warnings for the user.
    """
    client = dict(header.env)
    try:
        directory.write_forward_env(forward_env_text(config, client))
        agent = client.get("SSH_AUTH_SOCK")
        if agent and "\0" not in agent and not config.nosymlink_ssh_auth_sock:
            directory.link_agent(agent)
    except OSError as error:
        return [f"cannot update {directory.path}: {error.strerror}"]
    return []


def prepare(config: "Config", header: "AttachHeader", directory: "SessionDir") -> Program:
    """What to run, after writing the start-up files that it reads.

    Raises as draft() does, or OSError.
    """
    program, files = draft(config, header, directory.path)
    for path, text in files.items():
        directory.write(path, os.fsencode(text))
    return program


def draft(
    config: "Config", header: "AttachHeader", session_dir: str
) -> "tuple[Program, Mapping[str, str]]":
    """What to run, and the start-up files in `session_dir` that it is to read.

    Raises CannotCreate, or ShellStartError where a start command cannot be had.
    """
    for text in (header.cmd, header.dir, header.start_cmd):
        if text is not None and "\0" in text:
            raise CannotCreate("a command or directory cannot have a NUL byte in it")
    account = current_account(os.environ)
    env = shell_environment(
        config,
        user=account.name,
        home=account.home,
        login_shell=account.shell,
        session_name=header.name,
        session_dir=session_dir,
        client=dict(header.env),
        runtime_dir=os.environ.get("XDG_RUNTIME_DIR"),
        etc_environment=etc_environment_text(),
    )
    # As login(1) and sshd do, a missing home directory is no reason to let nobody in.
    where = header.dir or (account.home if os.path.isdir(account.home) else "/")
    if header.cmd is not None:
        if header.start_cmd:
            raise CannotCreate("a start command needs a shell, so it does not go with a command")
        return Program(*_words(header.cmd), env, where), {}
    shell = config.shell or account.shell
    aid = os.urandom(_AID_BYTES).hex()
    start = shells.plan(
        shell,
        session_dir=session_dir,
        prompt_prefix=config.prompt_prefix,
        start_cmd=header.start_cmd,
        norc=config.norc,
        env=env,
        aid=aid if config.shell_integration else "",
    )
    program = Program(shell, start.argv, start.env, where, shell=start.marking, aid=aid)
    return program, start.files


def _words(cmd: str) -> "tuple[str, list[str]]":
    """The program of a --cmd, and its whole argv."""
    try:
        words = split_words(cmd)
    except WordError as error:
        raise CannotCreate(f"cannot split the command {cmd!r}: {error}") from None
    if not words:
        raise CannotCreate("the command to run is empty")
    return words[0], words
