"""Which variables of a client's environment go to the daemon.

What a new shell gets of them, and what is written down for one that is running, is the daemon's
to say.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Of interest to a running shell too, and written down for it at each attach.
AT_EVERY_ATTACH = ("TERM", "DISPLAY", "LANG", "SSH_AUTH_SOCK")

# For a new shell, as sshd's AcceptEnv and terminals' own ssh wrappers have them; LC_* besides.
FOR_A_NEW_SHELL = ("DISPLAY", "LANG", "COLORTERM")

# Any variable may call itself LC_*. POSIX and glibc know 13 of them, iTerm2 and others add a few;
# glibc takes no locale's name over 255 bytes.
MAX_LOCALE_VARIABLES = 32
MAX_LOCALE_BYTES = 1024  # name and value


# What Python sets LC_CTYPE to where the locale is C (PEP 538), which is no wish of the user's.
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


def client_variables(
    environ: "Mapping[str, str]", forward_env: "Iterable[str]"
) -> "dict[str, str]":
    """What a client with the environment `environ` tells the daemon of it."""
    if environ.get("LC_CTYPE") in _COERCED and not _was_given("LC_CTYPE"):
        environ = {name: value for name, value in environ.items() if name != "LC_CTYPE"}
    names = dict.fromkeys((*AT_EVERY_ATTACH, *FOR_A_NEW_SHELL, *forward_env))
    return locale_variables(environ) | {name: environ[name] for name in names if name in environ}


def locale_variables(environ: "Mapping[str, str]") -> "dict[str, str]":
    """LC_*, as many and as long as a locale has them; what is more, or longer, is left out."""
    found = [
        name
        for name, value in environ.items()
        if name.startswith("LC_")
        and name.isascii()
        and name.isidentifier()
        and len(name) + len(value) <= MAX_LOCALE_BYTES
    ]
    return {name: environ[name] for name in found[:MAX_LOCALE_VARIABLES]}


def _was_given(name: str) -> bool:
    """Returns whether this process was started with the variable, as far as the system tells."""
    try:
        with open("/proc/self/environ", "rb") as file:
            started_with = b"\0" + file.read()
    except OSError:
        return True
    return b"\0" + name.encode() + b"=" in started_with
