"""Who may be at a session, and what a client types to: what each needs of the other."""

from shpool.daemon.loop.reactor import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.peer import Device
    from shpool.protocol.requests import TtySize
    from shpool.terminal.marks import Mark


# Roles; see roles.py.  They stand like this in a List reply.
DRIVER, SHARED, WATCHER = "driver", "shared", "watcher"


class Front(Owner):
    """What a client types to: a session, or the pager that is shown before it."""

    __slots__ = ()

    def full_for(self, client: "Participant") -> bool:
        """It takes no input of this client for now; the client is told when it does again."""
        return False

    def take_input(self, client: "Participant", data: bytes) -> None:
        """`client` typed `data`."""


class Participant(Owner):
    """Who is attached to a session, as far as the session is concerned.

    `size` is its terminal's own, which need not be the pty's: what the program writes is laid out
    for the pty's; place_changed() tells of a change.  `role` is WATCHER from the first and for
    good, or else set by the session.
    """

    pid: int
    template: str  # what the session's name was made from
    size: "TtySize"  # of its terminal
    role: str
    typed_at: float  # when it typed last, or came; monotonic, 0.0 before that
    since: "int | None"  # the picture's position() when it began to miss output, if it saw any
    device: "Device | None"  # the terminal that its process runs on
    env: "list[tuple[str, str]]"  # variables of its process, for sessions that it makes
    version: str  # its program's; only one that says it can go over to another session
    previous: "str | None"  # the session that it was in before
    entered: float  # when CR or LF came from it last; monotonic, 0.0 for never
    token = ""  # by which a later connection may replace it, and it is told numbers of lines
    first_line: "int | None" = None  # the first that it has not had, as it says when it comes

    @property
    def known_as(self) -> str:
        """What it is remembered by when it has gone; empty where the system does not tell pids."""
        return self.token or (str(self.pid) if self.pid else "")

    @property
    def holds(self) -> bool:
        """The program is to wait, because this client can take no more; asked of the driver."""
        return False

    @property
    def live(self) -> bool:
        """What the program writes is passed on to its terminal, which answers what is asked."""
        return False

    @property
    def waiting(self) -> bool:
        """It is to be shown a picture as soon as there is one."""
        return False

    def take_output(self, data: bytes) -> None:
        """The program wrote `data`."""

    def show_picture(self, picture: bytes) -> None:
        """What it was waiting for; what the program writes from now on comes after it."""

    def seen_up_to(self, line: int) -> None:
        """All that came before the line with this number has been passed on.

        Only told to who has a token.
        """

    def resized(self, size: "TtySize") -> None:
        """Its terminal has this size now; place_changed() follows."""

    def place_changed(self) -> None:
        """Its role, its size or the pty's may be others than before.

        While the terminal has the pty's size the raw bytes fit.  Told from the loop, the first time
        when it has entered, before any more output.
        """

    def go_over(self, payload: bytes) -> None:
        """Tell it to go over to another session; `payload` is a packed MaybeSwitch."""

    def front_full(self) -> None:
        """What it types to takes no more for now."""

    def front_drained(self) -> None:
        """What it types to takes input again."""

    def shell_ended(self) -> None:
        """What the shell wrote last is about to come."""

    def detach(self) -> None:
        """Let it go; the session goes on."""

    def leave(self, status: int, last_words: bytes) -> None:
        """The session has let it go: show `last_words`, then say goodbye with `status`."""

    def drop(self) -> None:
        """The daemon ends: hang up without a status."""


class Onlooker(Owner):
    """Who is told what happens at a session, and has no part in it."""

    __slots__ = ()

    @property
    def holds(self) -> bool:
        """The program is to wait, because this one can take no more."""
        return False

    def take_output(self, data: bytes) -> None:
        """The program wrote `data`."""

    def marked(self, mark: "Mark") -> None:
        """What it wrote last ends with `mark`."""

    def session_changed(self) -> None:
        """Its clients, or its size, may be others than before."""

    def shell_ended(self, status: int) -> None:
        """Its shell has ended; all that it wrote was told."""


class Errand(Owner):
    """Something to be done at a session from outside, once its terminal model has caught up."""

    __slots__ = ()

    def caught_up(self) -> None:
        """Nothing that the program has written is left to be interpreted."""

    def session_over(self) -> None:
        """The session has ended first."""
