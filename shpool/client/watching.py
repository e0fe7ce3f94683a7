"""What the commands share that are told of what happens at sessions from now on."""

from shpool.client.connect import ClientError, LostDaemon
from shpool.client.outside import session_meant
from shpool.client.reach import begin
from shpool.errors import Verdict
from shpool.names import check_session_name
from shpool.protocol.msgpack import WireError
from shpool.protocol.watching import EventReader, WatchHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context
    from shpool.protocol.all_requests import Request

_READ = 65_536


class NoSession(Verdict):
    """There is no session of that name."""


class Feed:
    """The events that answer `request`, as they come.

    `names` are the sessions'; `status` is None until the daemon has ended the feed.  Raises
    NoSession if there are sessions that are not there, ClientError.
    """

    def __init__(self, context: "Context", request: "Request") -> None:
        call = begin(context, request)
        self.sock = call.sock
        self._reader = EventReader()
        try:
            head = WatchHead.from_wire(call.receive())
        except WireError as error:
            raise _senseless(error) from None
        if head.error is not None:
            raise ClientError(head.error)
        if head.not_found:
            raise NoSession(f"not found: {' '.join(head.not_found)}")
        self.names = head.names
        self._rest = call.rest

    @property
    def status(self) -> "int | None":
        return self._reader.status

    @property
    def waits(self) -> bool:
        """Something has come already, and poll() would not tell."""
        return bool(self._rest)

    def read(self, timeout: "float | None" = None) -> "list[tuple[str, int, list[Any]]]":
        """What has come, once something has, or nothing after `timeout` seconds.

        Raises ClientError.
        """
        data, self._rest = self._rest, b""
        if not data:
            if timeout is not None and not self._comes(timeout):
                return []
            try:
                data = self.sock.recv(_READ)
            except OSError as error:
                raise LostDaemon(f"the daemon hung up: {error.strerror or error}") from None
            if not data:
                raise LostDaemon("the daemon hung up without an answer")
        try:
            return self._reader.feed(data)
        except WireError as error:
            raise _senseless(error) from None

    def _comes(self, timeout: float) -> bool:
        import select

        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(1000 * timeout))


def _senseless(error: WireError) -> ClientError:
    return ClientError(f"cannot make sense of the daemon's answer: {error}")


def sessions_meant(context: "Context", names: "list[str]") -> "list[str]":
    """The names with variables filled in, each once.  Raises TemplateError, InvalidName,
    ClientError."""
    meant = list(dict.fromkeys(session_meant(context, name) for name in names))
    for name in meant:
        if name != ".":
            check_session_name(name)  # it could be waited for for ever
    return meant
