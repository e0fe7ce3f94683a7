"""Send requests: typing into a session from outside; see sessions/typing.py for how."""

from shpool.daemon.carried import REQUEST, Reference
from shpool.daemon.clients.connection import STREAMS, StreamUser
from shpool.daemon.sessions.participant import Errand
from shpool.daemon.sessions.typing import DONE, ENDED, INTERRUPTED, Message, MessageUser
from shpool.errors import ShpoolError
from shpool.keys.encoding import encode_key, parse_key
from shpool.keys.pasting import pasted
from shpool.protocol.replies import SendReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.session import Session
    from shpool.keys.encoding import KeyModes
    from shpool.protocol.outside import SendRequest

_CANONICAL = "reads lines of at most 4,095 bytes now"


class TypingErrand(Errand, MessageUser, StreamUser):
    """From the request to its answer: queued whole, or refused, and answered when it is over."""

    CARRIED = {
        "_session": Reference("Session"),
        "_request": REQUEST,
        "_message": Reference("Message"),
        "_mark": (int, None),
    }
    DERIVED = ("_connection",)

    def __init__(
        self, connection: "Connection", session: "Session", request: "SendRequest"
    ) -> None:
        self._connection = connection
        self._session = session
        self._request = request
        self._message: Message | None = None
        self._mark: int | None = None
        connection.notice_end(self)

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        self._connection = connection

    def begin(self) -> None:
        """What keys send, whether a paste is marked and where the cursor stands depends on what
        the program has said."""
        request = self._request
        if request.paste or request.mark or "key" in [kind for kind, _ in request.items]:
            self._session.when_caught_up(self)
        else:
            self.caught_up()

    def caught_up(self) -> None:
        if not self._connection.alive:
            return
        typist = self._session.typist
        if typist is None:
            self.session_over()
            return
        picture = self._session.picture
        try:
            data = _encoded(self._request, picture.key_modes(), bracketed=picture.pastes())
        except ShpoolError as error:
            self._answer(SendReply(0, str(error)))
            return
        if self._request.mark:
            self._mark = picture.note_line()
        message = Message(data, self._request.timeout_ms / 1000, self)
        if typist.too_long(data):
            self._refuse(_CANONICAL)
        elif self._session.send(message):
            self._message = message
        else:
            self._refuse("does not read its input")

    def stream_gone(self) -> None:
        typist = self._session.typist
        if typist is not None and self._message is not None:
            typist.call_off(self._message)

    def session_over(self) -> None:
        self._refuse("has ended")

    def message_over(self, message: Message) -> None:
        if message.outcome == DONE:
            self._answer(SendReply(message.typed, mark=self._mark))
        elif message.outcome == INTERRUPTED:
            self._answer(SendReply(message.typed, "interrupted"))
        elif message.outcome == ENDED:
            self._refuse("has ended", message.typed)
        else:
            self._refuse("does not read its input", message.typed)

    def _refuse(self, reason: str, typed: int = 0) -> None:
        self._answer(SendReply(typed, f"session '{self._session.name}' {reason}"))

    def _answer(self, reply: SendReply) -> None:
        if self._connection.alive:
            self._connection.reply(reply.to_wire())

    def broken(self) -> None:
        self._connection.close()


def _encoded(request: "SendRequest", modes: "KeyModes", *, bracketed: bool) -> bytes:
    """What is typed for all items, in their order.  Raises UnknownKey, CannotPaste."""
    sent: list[bytes] = []
    for kind, value in request.items:
        if kind == "key":
            sent.append(encode_key(parse_key(value), modes))
        elif request.paste:
            sent.append(pasted(value, bracketed=bracketed))
        else:
            sent.append(value.encode())
    return b"".join(sent)


STREAMS.add("send", TypingErrand)
