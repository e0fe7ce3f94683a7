"""Which session a client is to attach to, and what that is made of if it is not there.

At first the command line says so, with variables to be filled in whenever that is asked for; after
a switch all is literal, and what a session would be made of counts once.
"""

import os

from shpool.protocol.replies import Destination
from shpool.templates import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.client.context import Context
    from shpool.options import Parsed

# The session that is made where none was named and there is none.
MAIN = "main"

# Options of attach that cannot be used together.
_EXCLUDED = (
    ("read-only", ("background", "share", "force")),
    ("share", ("background", "force")),
)


class Wanted:
    """`to`: the session, how it is attached to, and what it is made of; in its texts variables are
    named, and `dir` may be relative, unless all is `literal`.  `read_only`: only to watch."""

    __slots__ = ("literal", "read_only", "to")

    def __init__(self, to: Destination, *, read_only: bool = False, literal: bool = False) -> None:
        self.to = to
        self.read_only = read_only
        self.literal = literal

    @property
    def varies(self) -> bool:
        """Variables may change what it is."""
        return not self.literal and "{" in self.to.name

    def name(self, variables: "Mapping[str, str]") -> str:
        """The session's, with the values of variables in it.  Raises TemplateError."""
        return self.filled(self.to.name, variables)

    def filled(self, text: str, variables: "Mapping[str, str]") -> str:
        """With the values of variables where it names them.  Raises TemplateError."""
        return text if self.literal else render(text, variables)

    def settled(self) -> "Wanted":
        """What is wanted once the session is attached to, should it be left for a while."""
        if not self.literal:
            return self
        to = Destination(self.to.name, share=self.to.share)
        return Wanted(to, read_only=self.read_only, literal=True)


def from_words(template: str, parsed: "Parsed") -> Wanted:
    """As the options of a command say.  Raises DurationError, UsageError."""
    for wish, others in _EXCLUDED:
        for other in others:
            parsed.one_of(wish, other)
    to = Destination(
        template,
        time_to_live(parsed.text("ttl")),
        parsed.text("cmd"),
        parsed.text("dir"),
        parsed.text("start-cmd"),
        existing=bool(parsed.count("existing")),
        force=bool(parsed.count("force")),
        share=bool(parsed.count("share")),
    )
    return Wanted(to, read_only=bool(parsed.count("read-only")))


def from_switch(to: Destination, before: Wanted) -> Wanted:
    """As somebody has said who has us go over to another session; who watches goes on to watch."""
    return Wanted(to, read_only=before.read_only, literal=True)


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
