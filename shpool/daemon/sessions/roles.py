"""Who is at a session, who of them drives, and who answers.

driver   typed last, or came last to type; the pty has its size, and it alone may hold the program
         back
shared   types as well, and drives as soon as it does
watcher  types nothing, and has no say

When the driver goes, the one who typed most lately before it drives.  With watchers alone, or with
nobody, nobody drives, and the pty keeps the size that it had.  Who comes back, from having been
stopped or over a new connection, to where others have stayed is what it was, as if it had never
gone.

What the program asks is answered by the terminal of the one who drove when it was asked.  So the
part of who answers follows the driver once no question is unanswered, or after a while.
"""

from time import monotonic

from shpool.daemon.carried import Added, Deadline, Reference, References
from shpool.daemon.loop.reactor import Owner, each_alone
from shpool.daemon.sessions.gone import Gone
from shpool.daemon.sessions.participant import DRIVER, SHARED, WATCHER
from shpool.daemon.sessions.seat import ANSWERED, Seat, SeatUser
from shpool.protocol.replies import Attachment
from shpool.terminal.questions import Questions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.participant import Participant
    from shpool.daemon.sessions.picture import Reports
    from shpool.daemon.sessions.seat import Said
    from shpool.daemon.sessions.size import WindowSize
    from shpool.daemon.sessions.typing import Typist
    from shpool.protocol.requests import TtySize

# Seconds between two changes of the pty's size because others drive: who type in turns are not to
# have the program draw itself anew at every key.
_RESIZE_EVERY = 0.5

# Seconds after which another one answers, whatever is unanswered.
_ANSWER_AFTER = 1.0

# Of what was written while one client was alone so much is kept, in pieces and bytes of each, in
# case another one comes before it has answered what is asked there.
_RECENT = 4
_RECENT_BYTES = 1024


class RolesUser(Owner):
    """Whose clients they are."""

    __slots__ = ()

    def roles_changed(self) -> None:
        """Told from the loop: somebody has come or gone, or another one drives."""

    def roles_typed(self) -> None:
        """Told from the loop: what somebody had begun to type was all of it."""


# So that what is closed does not keep its session in memory.
_NOBODY = RolesUser()


class Roles(SeatUser):
    """`clients` are all, in the order in which they came; `typing` those who may type, in the
    order in which they typed last.  `typist` takes what is typed while the program runs."""

    CARRIED = {
        "clients": References("Participant"),
        "typing": References("Participant"),
        "seats": [Seat],
        "answerer": Reference("Participant"),
        "_questions": Questions,
        "_recent": [(float, bytes)],
        "_alone_at": float,
        "_resized_at": float,
        "_resizing": Deadline("_resize"),
        "_answering": Deadline("_have_driver_answer"),
        "gone": Added(Gone, Gone),
    }
    DERIVED = ("_reactor", "_size", "_telling", "_user", "typist")

    def __init__(self, reactor: "Reactor", size: "WindowSize", user: RolesUser) -> None:
        self._reactor = reactor
        self._size = size
        self._user = user
        self.clients: list[Participant] = []
        self.typing: list[Participant] = []
        self.seats: list[Seat] = []
        self.answerer: Participant | None = None
        self.typist: Typist | None = None
        self._questions = Questions()
        self._recent: list[tuple[float, bytes]] = []
        self._alone_at = 0.0  # monotonic: from when on one who is alone is not overheard
        self._resized_at = -_RESIZE_EVERY  # monotonic, because another one drove
        self._resizing: Timer | None = None
        self._answering: Timer | None = None
        self.gone = Gone()
        self._telling = False  # each client of its place, soon

    def taken_on(
        self, reactor: "Reactor", size: "WindowSize", user: RolesUser, typist: "Typist | None"
    ) -> None:
        self._reactor = reactor
        self._size = size
        self._user = user
        self.typist = typist
        self._telling = False
        for seat in self.seats:
            seat.taken_on(reactor, self)

    @property
    def driver(self) -> "Participant | None":
        return self.typing[-1] if self.typing else None

    @property
    def alone(self) -> bool:
        return len(self.clients) < 2 and monotonic() >= self._alone_at

    @property
    def reports(self) -> "Reports":
        return self._size.picture.reports()

    def parts(self) -> "tuple[object, ...]":
        return tuple(self.seats)

    def seat_of(self, client: "Participant") -> Seat:
        """The seat of one who is here."""
        return next(seat for seat in self.seats if seat.client is client)

    def rows(self, *, watching: bool) -> "list[Attachment]":
        """What a List reply says of those who type, or of those who watch."""
        now = monotonic()
        return [
            Attachment(
                client.template,
                client.pid,
                client.role,
                client.size.rows,
                client.size.cols,
                int((now - client.typed_at) * 1000),
            )
            for client in self.clients
            if (client.role == WATCHER) == watching
        ]

    # ---- who comes and goes

    def enter(self, client: "Participant", *, fresh: bool) -> None:
        """A client has come; who types drives, unless it comes back and another one has typed
        since.  `fresh`: the program has drawn nothing yet."""
        now = monotonic()
        client.typed_at = client.typed_at or now
        if len(self.clients) == 1:
            self._overhear(self.clients[0])
        self.clients.append(client)
        self.seats.append(Seat(self._reactor, client, self))
        if client.role != WATCHER:
            self.typing.append(client)
            self.typing.sort(key=lambda client: client.typed_at)
            if fresh:
                self._size.set(client.size)
            elif client is self.driver:
                self._size.fit(client.size)
                self._resized_at = now
            elif not self._size.picture.remembers:
                self._size.fit(self._size.current)
        self._follow_answerer()
        self._changed()

    def leave(self, client: "Participant") -> bool:
        """It goes.  Returns whether it was here."""
        if client not in self.clients:
            return False
        seat = self.seat_of(client)
        self.clients.remove(client)
        self.seats.remove(seat)
        typed = client in self.typing
        if typed:
            self.typing.remove(client)
            self._type(seat, seat.flush(answers=client is self.answerer))
            if self.typist is not None:
                self.typist.leave(seat)
        seat.close()
        names = (str(client.pid), client.known_as) if client.pid else (client.known_as,)
        self.gone.add(names, client.typed_at if typed else 0.0)
        if not self.typing:
            self.gone.nobody_stayed()
        if client is self.answerer:
            self._succeed(seat)
        self._follow_driver()
        if len(self.clients) == 1:
            self._alone_at = monotonic() + ANSWERED
        self._changed()
        return True

    def clear(self) -> "list[Participant]":
        """The session has ended: nobody is here any more.  Returns who was."""
        clients, self.clients, self.typing = self.clients, [], []
        self.answerer = None
        for seat in self.seats:
            seat.close()
        self.seats.clear()
        self._stop_resizing()
        self._stop_answering()
        return clients

    def close(self) -> None:
        """The session has ended, and is told nothing more."""
        self.clear()
        self._user = _NOBODY

    # ---- what they type

    def full_for(self, client: "Participant") -> bool:
        """The client is to send no more for now."""
        if self.typist is None or client not in self.typing:
            return False
        return self.typist.full_for(self.seat_of(client))

    def take_input(self, client: "Participant", data: bytes) -> bool:
        """A client has sent `data`.  Returns whether somebody typed that."""
        if client not in self.typing:
            return False
        seat = self.seat_of(client)
        return self._pass_on(seat, seat.take(data, answers=client is self.answerer))

    def drained(self) -> None:
        """What clients send is read again: who was in the midst of something may go on."""
        if self.typist is not None:
            self.typist.drained()
        for seat in self.seats:
            seat.await_rest()

    def seat_rested(self, seat: Seat) -> None:
        if self.full_for(seat.client):
            return  # the rest may have come, but was not read
        if self._pass_on(seat, seat.flush(answers=seat.client is self.answerer)):
            self._user.roles_typed()

    def _pass_on(self, seat: Seat, said: "Said") -> bool:
        if said.felt:
            self._felt(seat.client)
        self._type(seat, said)
        if said.answered:
            self._follow_answerer()
        return said.felt

    def _type(self, seat: "Seat | None", said: "Said") -> None:
        if self.typist is not None:
            self.typist.keys(seat, said.data, said.midst)
            if said.data:
                self._size.picture.typed(said.data)

    def _felt(self, client: "Participant") -> None:
        """It typed something, and drives."""
        client.typed_at = monotonic()
        if client is not self.driver:
            self.typing.remove(client)
            self.typing.append(client)
            self._follow_driver()
            self._changed()

    # ---- whose size counts

    def resized(self, pid: int, size: "TtySize") -> None:
        """The process `pid` says that the terminal of its client has this size now."""
        if not self.clients:
            self._size.set(size)
            return
        client = self._whose(pid)
        if client is None:
            return
        size = size.usable()
        each_alone((client,), lambda client: client.resized(size))
        if client is self.driver:
            self._stop_resizing()
            self._size.set(size)
        self._changed()

    def _whose(self, pid: int) -> "Participant | None":
        """The client that a Resize request from the process `pid` is about.

        The attach process itself sends it, on a connection of its own.  Where the system does not
        tell pids, or somebody sends it in its place, it is about the only one, or about the driver;
        but what one who has gone had under way is about nobody.
        """
        for client in self.clients:
            if client.pid == pid:
                return client
        if str(pid) in self.gone:
            return None
        return self.clients[0] if len(self.clients) == 1 else self.driver

    def _follow_driver(self) -> None:
        """Another one drives: have its size now, or, if that has been so of late, in a while."""
        self._follow_answerer()
        driver = self.driver
        if driver is None or driver.size.same(self._size.current):
            self._stop_resizing()
            return
        wait = self._resized_at + _RESIZE_EVERY - monotonic()
        if wait <= 0:
            self._resize()
        elif self._resizing is None:
            self._resizing = self._reactor.call_later(wait, self._resize)

    def _resize(self) -> None:
        self._stop_resizing()
        driver = self.driver
        if driver is not None:
            self._resized_at = monotonic()
            self._size.set(driver.size)
            self._changed()

    def _stop_resizing(self) -> None:
        if self._resizing is not None:
            self._resizing.cancel()
            self._resizing = None

    # ---- who answers

    def output(self, data: bytes) -> None:
        """The program wrote `data`, which the clients have been given."""
        if not self.clients:
            return
        if self.alone:
            self._recent.append((monotonic(), data[-_RECENT_BYTES:]))
            del self._recent[:-_RECENT]
            return
        answers = self._questions.find(data)
        if answers:
            now = monotonic()
            for seat in self.seats:
                client = seat.client
                if client.live and client.role != WATCHER:
                    seat.ask(answers, now, own=client is self.answerer)

    def _overhear(self, client: "Participant") -> None:
        """One is alone no more: find what it has not answered yet."""
        seat = self.seat_of(client)
        self._questions = Questions()
        since = max(seat.answered_at, monotonic() - ANSWERED)
        for asked_at, data in self._recent:
            answers = self._questions.find(data)
            if answers and asked_at >= since and client is self.answerer and client.live:
                seat.ask(answers, asked_at, own=True)
        self._recent.clear()

    def _succeed(self, seat: Seat) -> None:
        """Who answered has gone: the driver does, also what was asked of that one."""
        self._stop_answering()
        self.answerer = self.driver
        if self.answerer is not None and seat.owes:
            self.seat_of(self.answerer).answer_for_all()

    def _follow_answerer(self) -> None:
        """Have the driver answer, once who did so has answered everything."""
        answerer = self.answerer
        if answerer is self.driver:
            self._stop_answering()
        elif answerer is None or not self.seat_of(answerer).owes:
            self._have_driver_answer()
        elif self._answering is None:
            self._answering = self._reactor.call_later(_ANSWER_AFTER, self._have_driver_answer)

    def _have_driver_answer(self) -> None:
        self._stop_answering()
        self.answerer = self.driver

    def _stop_answering(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None

    # ---- who is told

    def _changed(self) -> None:
        for client in self.typing:
            client.role = DRIVER if client is self.driver else SHARED
        if not self._telling:
            self._telling = True
            self._reactor.soon(self._tell_places)

    def _tell_places(self) -> None:
        self._telling = False
        each_alone(self.clients, lambda client: client.place_changed())
        self._size.told()
        self._user.roles_changed()
