"""What a session's program writes, on its way to the clients and into the picture.

Each client is handed what is written, and shown a picture first if it has not seen what came
before.  The pty is read no faster than the driver and the picture can take it.  Who looks on from
outside is told as well, and of the marks in it.
"""

from time import monotonic

from shpool import logs
from shpool.daemon.carried import Added, OneOf, References
from shpool.daemon.loop.reactor import each_alone, end_broken
from shpool.daemon.programs.pty import Pty, PtyUser
from shpool.daemon.sessions.model_picture import ModelPicture, picture_for
from shpool.daemon.sessions.onlookers import Onlookers
from shpool.daemon.sessions.participant import Errand, Onlooker, Participant
from shpool.daemon.sessions.picture import Picture, PictureUser
from shpool.daemon.sessions.roles import Roles, RolesUser
from shpool.daemon.sessions.size import WindowSize
from shpool.daemon.sessions.typed_line import TypedLine
from shpool.terminal.leave import LEAVE
from shpool.terminal.marks import Prompt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.config import Config
    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.requests import TtySize


class SessionOutput(PtyUser, PictureUser, RolesUser):
    """The part of a session that is about what is shown.  Its life and its input are Session's."""

    CARRIED = {
        "name": str,
        "picture": OneOf(model=ModelPicture, simple=Picture),
        "size": WindowSize,
        "roles": Roles,
        "onlookers": References("Onlooker"),
        "prompt": Added(Prompt, Prompt),
        "line": Added(TypedLine, TypedLine),
        "_pty": (Pty, None),
        "_errands": References("Errand"),
    }
    DERIVED: "tuple[str, ...]" = ("_reactor",)

    def __init__(self, reactor: "Reactor", name: str, config: "Config", size: "TtySize") -> None:
        self._reactor = reactor
        self.name = name
        self.picture = picture_for(config, reactor, size, self)
        self.size = WindowSize(reactor, size, self.picture)
        self.roles = Roles(reactor, self.size, self)
        self.onlookers = Onlookers()
        self.prompt = Prompt()
        self.line = TypedLine()
        self._pty: Pty | None = None
        self._errands: list[Errand] = []  # to be told when the picture has caught up

    @property
    def clients(self) -> "list[Participant]":
        """All who are attached, those who only watch included."""
        return self.roles.clients

    def roles_changed(self) -> None:
        self.onlookers.session_changed()
        self.check_output()

    # ---- from the pty to the clients

    def check_output(self) -> None:
        """Read the pty, unless the driver or the picture cannot take more."""
        if self._pty is not None:
            held = self.picture.must_hold or self._anybody_holds
            self._pty.read(not held)

    @property
    def _anybody_holds(self) -> bool:
        driver = self.roles.driver
        return (driver is not None and driver.holds) or self.onlookers.hold

    def show(self, text: bytes) -> None:
        """Have `text` on the terminal as if the program had written it."""
        if text:
            self.pty_output(text)

    def pty_output(self, data: bytes) -> None:
        roles = self.roles
        hold = shown = False
        for client in tuple(roles.clients):
            try:
                client.take_output(data)
                if client is roles.driver:
                    hold = client.holds
                if client is roles.answerer:
                    shown = client.live
            except Exception as error:
                end_broken(error, client)
        try:
            roles.output(data)
        except Exception as error:
            end_broken(error, roles)
        try:
            self.picture.output(data, not shown)
        except Exception as error:
            end_broken(error, self.picture)
        self._tell_onlookers(data)
        if self.onlookers:
            hold = hold or self._anybody_holds
        if hold or self.picture.must_hold:
            self.check_output()

    # ---- who looks on

    def admit(self, onlooker: Onlooker) -> None:
        """Tell it what happens, until dismiss() or the session's end."""
        self.onlookers.append(onlooker)

    def dismiss(self, onlooker: Onlooker) -> None:
        if onlooker in self.onlookers:
            self.onlookers.remove(onlooker)
            self.check_output()

    def _tell_onlookers(self, data: bytes) -> None:
        """Marks are found here and now, also in a flood, which may never be interpreted; where
        nothing is remembered they are not looked for."""
        marks = self.prompt.feed(data, monotonic()) if self.picture.remembers else []
        if any(each.kind == "C" for each in marks):
            self.line.entered()
        begun = any(each.kind == "A" and each.new for each in marks) and self.prompt.fresh
        if begun and self.line.prompted():
            self.prompt.typed()
        if self.onlookers:
            self.onlookers.take_output(data, marks)

    # ---- pictures

    def want_picture(self) -> None:
        """A client is waiting for a picture: have it drawn as soon as that can be."""
        each_alone((self.picture,), lambda picture: picture.want())
        self.check_output()

    def when_caught_up(self, errand: Errand) -> None:
        """Do an errand as soon as all that was written is interpreted."""
        self._errands.append(errand)
        self.want_picture()

    def redraw(self, *, jiggle: bool = True) -> None:
        """A client is waiting that has missed something, while no change of size makes the program
        draw itself: if nothing is remembered, and with `jiggle`, it is made to."""
        if jiggle and not self.picture.remembers:
            self.size.fit(self.size.current)
        self.want_picture()

    def farewell(self) -> bytes:
        """What turns off on a terminal what the session turned on."""
        return self._of_picture(lambda picture: picture.farewell(), b"")

    def farewell_drawn(self) -> bytes:
        """The same on a terminal that the session was drawn on."""
        return self._of_picture(lambda picture: picture.farewell_drawn(), LEAVE)

    def untitled(self) -> bytes:
        """What takes its title away from the terminal of who goes over to another session."""
        return self._of_picture(lambda picture: picture.untitled(), b"")

    def _of_picture(self, ask: "Callable[[Picture], bytes]", otherwise: bytes) -> bytes:
        """`otherwise` if there is an error in the picture, which ends it."""
        try:
            return ask(self.picture)
        except Exception as error:
            end_broken(error, self.picture)
            return otherwise

    def picture_ready(self) -> None:
        errands, self._errands = self._errands, []
        each_alone(errands, lambda errand: errand.caught_up())
        for client in tuple(self.clients):
            if client.waiting:
                self._show_picture(client)
        self.check_output()

    def picture_passed_on(self) -> None:
        told = [client for client in self.clients if client.token and client.live]
        if told:
            line = self.picture.line()
            each_alone(told, lambda client: client.seen_up_to(line))

    def picture_relieved(self) -> None:
        self.check_output()

    def picture_broken(self) -> None:
        """Nothing is remembered from now on, and the program draws itself for who comes."""
        logs.error(f"session {self.name!r}: goes on in mode simple")
        self.picture = self.size.picture = Picture(self._reactor, self)
        self.prompt = Prompt()
        self.onlookers.session_changed()
        each_alone(self.clients, lambda client: client.place_changed())
        if self._errands or any(client.waiting for client in self.clients):
            self.redraw()

    def _show_picture(self, client: Participant) -> None:
        """If there is an error in the picture the client is waiting for the next one."""
        try:
            picture = self.picture.draw(client.since, client.first_line)
        except Exception as error:
            end_broken(error, self.picture)
            return
        each_alone((client,), lambda client: client.show_picture(picture))
        self.picture_passed_on()
