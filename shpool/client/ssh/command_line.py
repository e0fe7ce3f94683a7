"""What the command line of shpool ssh asks for."""

from shpool.durations import parse_duration
from shpool.errors import UsageError
from shpool.forwarded import client_variables
from shpool.names import check_name_template, check_session_name
from shpool.shellwords import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.options import Parsed

# Options that are for the attach there.
_PASSED_ON = ("ttl", "cmd", "dir", "start-cmd")


class CommandLine:
    """Raises UsageError, InvalidName."""

    def __init__(self, parsed: "Parsed", environ: "Mapping[str, str]") -> None:
        self.host, self.name = (*parsed.arguments, "main")[:2]
        if not self.host or self.host.startswith("-"):
            raise UsageError("HOST may neither be empty nor begin with a hyphen")
        check_name_template(self.name)
        if "{" not in self.name:
            check_session_name(self.name)
        ttl = parsed.text("ttl")
        if ttl is not None:
            parse_duration(ttl)
        given = parsed.text("ssh")
        self.ssh = split_words("ssh" if given is None else given)
        if not self.ssh:
            raise UsageError("the option '--ssh' needs a command")
        self.options = parsed.rest
        self.shares = bool(parsed.count("share-connection"))
        self.remote = parsed.text("remote") or ""
        self.force = not parsed.count("no-force")
        self.passed_on = [word for name in _PASSED_ON for word in _option(name, parsed.text(name))]
        self.term = environ.get("TERM", "")
        variables = client_variables(environ, ())
        self.env = [
            (name, value)
            for name, value in variables.items()
            if name in ("COLORTERM", "LANG") or name.startswith("LC_")
        ]


def _option(name: str, value: "str | None") -> "list[str]":
    return [] if value is None else [f"--{name}={value}"]
