"""Which session a client is to attach to, and what that is made of if it is not there.

At first the command line says so, with variables to be filled in whenever that is asked for; after
a switch all is literal, and what a session would be made of counts once.
"""

import os

from shpool.options import UsageError
from shpool.templates import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.client.context import Context
    from shpool.options import Parsed
    from shpool.protocol.replies import Destination


# The session that is made where none was named and there is none.
MAIN = "main"

# Options of attach that exclude each other.
_EXCLUDED = (
    ("read-only", ("background", "share", "force")),
    ("share", ("background", "force")),
)


class Wanted:
    """`literal`: nothing in it stands for something else; then `dir` is absolute, or home."""

    __slots__ = (
        *("cmd", "dir", "existing", "force", "literal", "read_only", "share", "start_cmd"),
        *("template", "ttl"),
    )

    def __init__(
        self,
        template: str,
        *,
        ttl: "int | None" = None,
        cmd: "str | None" = None,
        dir: "str | None" = None,  # noqa: A002  (as the option)
        start_cmd: "str | None" = None,
        existing: bool = False,
        force: bool = False,
        share: bool = False,
        read_only: bool = False,
        literal: bool = False,
    ) -> None:
        self.template = template
        self.ttl = ttl
        self.cmd = cmd
        self.dir = dir
        self.start_cmd = start_cmd
        self.existing = existing
        self.force = force
        self.share = share
        self.read_only = read_only
        self.literal = literal

    @property
    def varies(self) -> bool:
        """Variables may change what it is."""
        return not self.literal and "{" in self.template

    def filled(self, text: str, variables: "Mapping[str, str]") -> str:
        """With the values of variables where it names them.  Raises TemplateError."""
        return text if self.literal else render(text, variables)

    def settled(self) -> "Wanted":
        """What is wanted once the session is attached to, should it be left for a while."""
        if not self.literal:
            return self
        return Wanted(self.template, share=self.share, read_only=self.read_only, literal=True)


def from_words(template: str, parsed: "Parsed") -> Wanted:
    """As the options of a command say.  Raises DurationError, UsageError."""
    for wish, others in _EXCLUDED:
        for other in others:
            if parsed.count(wish) and parsed.count(other):
                raise UsageError(f"--{wish} and --{other} exclude each other")
    return Wanted(
        template,
        ttl=time_to_live(parsed.text("ttl")),
        cmd=parsed.text("cmd"),
        dir=parsed.text("dir"),
        start_cmd=parsed.text("start-cmd"),
        existing=bool(parsed.count("existing")),
        force=bool(parsed.count("force")),
        share=bool(parsed.count("share")),
        read_only=bool(parsed.count("read-only")),
    )


def from_switch(to: "Destination", before: Wanted) -> Wanted:
    """As somebody has said who has us go over to another session; who watches goes on to watch."""
    return Wanted(
        to.name,
        ttl=to.ttl_secs,
        cmd=to.cmd,
        dir=to.dir,
        start_cmd=to.start_cmd,
        existing=to.existing,
        force=to.force,
        share=to.share,
        read_only=before.read_only,
        literal=True,
    )


def time_to_live(given: "str | None") -> "int | None":
    """In seconds.  Raises DurationError."""
    if given is None:
        return None
    from shpool.durations import parse_duration

    return parse_duration(given)


def directory(context: "Context", given: "str | None", here: str) -> "str | None":
    """Where a new session is to start, absolute; None for the home directory."""
    if given is None:
        given = context.config().default_dir
        if given == "$HOME":
            return None
        if given.startswith("$HOME/"):
            given = context.environ.get("HOME", "") + given[len("$HOME") :]
    return os.path.normpath(os.path.join(here, given))


def working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"  # it was removed
