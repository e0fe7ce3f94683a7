"""The environment of a new shell, and what a shell that is already running can read in later.

A shell gets nothing of the daemon's own environment but XDG_RUNTIME_DIR: the daemon may have been
started by another login, or by systemd, long before.
"""

from shpool.files import read_bounded
from shpool.forwarded import AT_EVERY_ATTACH, FOR_A_NEW_SHELL, locale_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.config import Config

ETC_ENVIRONMENT = "/etc/environment"

# Names in a session's directory.
AGENT_LINK = "ssh-auth-sock.socket"
FORWARD_ENV_FILE = "forward.env"

# pam_env reads lines of at most 1 KiB or 8 KiB, depending on its version.
_MAX_ETC_ENVIRONMENT_BYTES = 256 * 1024

# What no shell gives a meaning to in the value of an assignment. Not among them: `~` and `=`, which
# zsh expands at the start of a value, and anything that is not ASCII.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,:/@%")


def shell_environment(
    config: "Config",
    *,
    user: str,
    home: str,
    login_shell: str,
    session_name: str,
    session_dir: str,
    client: "Mapping[str, str]",
    runtime_dir: "str | None",
    etc_environment: str,
) -> dict[str, str]:
    """The environment that a new session's shell starts with.

    `user`, `home` and `login_shell` are of the daemon's user (account.py), `session_dir` is the
    session's own directory, `client` is what the attaching client sent of its environment,
    `runtime_dir` the daemon's XDG_RUNTIME_DIR or None, `etc_environment` the text of
    /etc/environment. Where two of them name the same variable, the later one of the order below
    wins.
    """
    environment = {
        "HOME": home,
        "PATH": config.initial_path,
        "SHPOOL_SESSION_NAME": session_name,
        "SHPOOL_SESSION_DIR": session_dir,
        "SHELL": login_shell,
        "USER": user,
        "SSH_AUTH_SOCK": f"{session_dir}/{AGENT_LINK}",
    }
    if runtime_dir is not None:
        environment["XDG_RUNTIME_DIR"] = runtime_dir
    environment |= config.env
    if "TERM" not in config.env:
        environment |= _present(("TERM",), client)
    elif not config.env["TERM"]:
        del environment["TERM"]
    names = (*FOR_A_NEW_SHELL, *locale_variables(client), *config.forward_env)
    environment |= _present(names, client)
    if "LOGNAME" not in config.env and "LOGNAME" not in config.forward_env:
        environment["LOGNAME"] = environment["USER"]
    if not config.noread_etc_environment:
        environment |= parse_etc_environment(etc_environment)
    return environment


def forward_env_text(config: "Config", client: "Mapping[str, str]") -> bytes:
    """The content of a session's forward.env after an attach by a client with these variables.

    Lines ``K=V`` that any shell of the Bourne family can read in with ``.`` or ``source`` without
    running anything. A variable that the client has not set is left out, an empty one is kept,
    and a name that no shell can assign to is left out.
    """
    names = dict.fromkeys(AT_EVERY_ATTACH + config.forward_env)
    lines = [
        f"{name}={_quoted(value)}\n"
        for name, value in _present(tuple(names), client).items()
        if name.isascii() and name.isidentifier()
    ]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _present(names: tuple[str, ...], client: "Mapping[str, str]") -> dict[str, str]:
    """The variables of `names` that are set; a value with NUL cannot have come from anywhere."""
    return {name: client[name] for name in names if name in client and "\0" not in client[name]}


def _quoted(value: str) -> str:
    if all(character in _PLAIN for character in value):
        return value
    return "'" + value.replace("'", "'\\''") + "'"


def etc_environment_text() -> str:
    """The text of /etc/environment, empty if there is none that can be read."""
    try:
        data = read_bounded(ETC_ENVIRONMENT, _MAX_ETC_ENVIRONMENT_BYTES)
    except OSError:
        return ""
    return data.decode("utf-8", "surrogateescape")


def parse_etc_environment(text: str) -> dict[str, str]:
    """The variables in /etc/environment, by the rules of pam_env(8), which reads it for sshd.

    They are not a shell's: a ``#`` ends a line even between quotes, ``export`` counts only with
    exactly one space behind it, and quotes need not match.
    """
    variables = {}
    for line in text.split("\n"):
        line = line.strip(" \t\r\v\f").removeprefix("export ")
        name, equals, value = line.partition("#")[0].partition("=")
        if not equals or not _is_alphanumeric(name) or "\0" in value:
            continue
        if value[:1] in ("'", '"'):
            value = value[1:]
            if value[-1:] in ("'", '"'):
                value = value[:-1]
        variables[name] = value
    return variables


def _is_alphanumeric(name: str) -> bool:
    bare = name.replace("_", "a")
    return bare.isascii() and bare.isalnum()
