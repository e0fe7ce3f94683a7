"""A connection to a daemon that is there: dial, compare versions, send and receive."""

import errno
import os
from struct import pack as pack_native

from shpool import peer
from shpool.errors import ShpoolError, Verdict
from shpool.protocol.msgpack import MAX_REPLY, Decoder, WireError, pack
from shpool.protocol.replies import PROTOCOL_VERSION, read_greeting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from shpool.protocol.all_requests import Request
else:
    # What socket adds to this, by way of enum and selectors, takes as long to load as the
    # interpreter itself, and is nothing that a client needs.
    try:
        import _socket as socket
    except ImportError:
        import socket

_READ = 65_536

# Seconds after which a daemon that has not greeted, or is stopped, is said to be silent.
SILENCE = 3.0

# Seconds that the daemon has to notice that nothing more comes.
_LET_GO = 2.0

_NOBODY = (errno.ENOENT, errno.ECONNREFUSED)


class ClientError(ShpoolError):
    """A command could not do what it was asked to."""


class LostDaemon(ClientError):
    """The daemon hung up where it should have answered."""


class UnknownRequest(ClientError):
    """The daemon is too old for the request, or not ours."""


class Call:
    """A blocking connection to the daemon, greeted; `warning` is set if versions do not match.

    `lost`: the daemon hung up in place of greeting, of which `warning` makes the best.

    A request that needs more than the original knows (see protocol/requests.py) is only sent to a
    daemon whose greeting says that it has that: send() raises UnknownRequest.  Daemons of ours
    from before they said so are asked for what is a request of its own, and hang up on one that
    they do not know: then receive() raises it.
    """

    def __init__(self, sock: "socket.socket") -> None:
        self.sock = sock
        self.lost = False
        self.rest = b""  # what followed the message that was received last
        self.warning: str | None = None
        self.server = ""  # its program and version, if it is ours and says so
        self._knows: list[str] | None = None
        self._asked = False  # and it has not answered
        self._doubtful = False  # it may hang up for not knowing what it was asked
        self._await_answer(greeted=False)
        try:
            version, self.server, self._knows = read_greeting(self.receive())
        except (WireError, LostDaemon) as error:
            self.lost = isinstance(error, LostDaemon)
            self.warning = "could not get daemon version"
        else:
            self.warning = version_warning(PROTOCOL_VERSION, version)

    def _await_answer(self, *, greeted: bool) -> None:
        """Say so if that takes long, unless there is a limit to it."""
        if self.sock.gettimeout() is not None:
            return
        self.sock.settimeout(SILENCE)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except socket.timeout:
            from shpool.client.silent import tell_silent

            tell_silent(self.sock, greeted=greeted)
        except OSError:
            pass  # which reading tells
        self.sock.settimeout(None)

    def send(self, request: "Request", descriptor: "int | None" = None) -> None:
        """Raises WireError if the request has no form on the wire, UnknownRequest, LostDaemon.

        The daemon gets a copy of `descriptor`, and an original one drops it unseen.
        """
        for feature in getattr(request, "needs", ()):
            self.require(feature)
        if not self.server and hasattr(request, "plain"):
            request = request.plain()  # as the original's client would ask
        data = pack(request.to_wire())
        try:
            if descriptor is not None:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, pack_native("i", descriptor))
                data = data[self.sock.sendmsg([data], [rights]) :]
            # A refusal may have come, and the connection have ended, as soon as all was sent.
            if data:
                self.sock.sendall(data)
        except OSError as error:
            raise LostDaemon(f"the daemon hung up: {error.strerror}") from None
        self._asked = True

    def knows(self, feature: str) -> bool:
        """Returns whether the daemon says that it knows this, that the original does not."""
        return feature in (self._knows or ())

    def require(self, feature: str) -> None:
        """Raises UnknownRequest if the daemon does not know what a request may need."""
        if self._knows is None and self.server and "." not in feature:
            self._doubtful = True
        elif not self.knows(feature):
            raise self._unknown()

    def _unknown(self) -> UnknownRequest:
        whose = f"{self.server}; see: shpool upgrade" if self.server else "the original shpool"
        return UnknownRequest(f"the daemon does not know this request ({whose})")

    def receive(self) -> "Any":
        """The next message.  Raises WireError, UnknownRequest, LostDaemon."""
        decoder = Decoder(MAX_REPLY)
        data = self.rest
        if self._asked and not data:
            self._asked = False
            self._await_answer(greeted=True)
        while not (data and decoder.feed(data)):
            try:
                data = self.sock.recv(_READ)
            except OSError as error:
                raise LostDaemon(f"the daemon hung up: {error.strerror or error}") from None
            if not data:
                if self._doubtful:
                    raise self._unknown()
                raise LostDaemon("the daemon hung up without an answer")
        self._doubtful = False
        self.rest = decoder.rest
        return decoder.value

    def hang_up(self) -> None:
        """Say no more, and read to the end, which comes when the daemon has done its part."""
        try:
            self.sock.settimeout(_LET_GO)
            self.sock.shutdown(socket.SHUT_WR)
            while self.sock.recv(_READ):
                pass
        except OSError:
            pass  # it does not matter any more how it ends

    def close(self) -> None:
        self.sock.close()


def dial(
    path: str,
    timeout: "float | None" = None,
    wait: "Callable[[socket.socket], None] | None" = None,
) -> Call:
    """Connect to a daemon that must be there.

    `timeout` is in seconds, for each step; `wait` is called before the greeting is read.
    Raises Verdict if nobody listens, ClientError.
    """
    sock = connect(path, timeout)
    if sock is None:
        raise Verdict("could not connect to daemon")
    if wait is not None:
        wait(sock)
    return Call(sock)


def connect(path: str, timeout: "float | None" = None) -> "socket.socket | None":
    """A connection, to a process of our own user, or None if nobody listens at `path`.

    Raises ClientError.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        if error.errno in _NOBODY:
            return None
        raise ClientError(f"cannot connect to {path}: {error.strerror or error}") from None
    try:
        _check_owner(sock, path)
    except ClientError:
        sock.close()
        raise
    return sock


def _check_owner(sock: "socket.socket", path: str) -> None:
    """Nothing is said to a stranger, who could have what is typed, and the terminal with it."""
    try:
        _, uid = peer.credentials(sock)
    except OSError as error:
        raise ClientError(f"cannot tell whose daemon is at {path}: {error.strerror}") from None
    if uid != os.geteuid():
        raise ClientError(f"the daemon at {path} belongs to uid {uid}")


def listening(path: str) -> bool:
    """Returns whether a daemon answers at `path`."""
    sock = connect(path)
    if sock is None:
        return False
    sock.close()
    return True


def version_warning(ours: str, theirs: str) -> "str | None":
    """What to say of a daemon whose protocol version is `theirs`; None when it fits.

    Within major version 0 a minor version changes the protocol, from 1 on a major one.
    """
    try:
        our_numbers, their_numbers = _numbers(ours), _numbers(theirs)
    except ValueError:
        return "could not get daemon version"
    decisive = 1 if our_numbers[0] == their_numbers[0] == 0 else 0
    if our_numbers[decisive] < their_numbers[decisive]:
        return (
            f'client protocol (version "{ours}") is older than daemon protocol (version "{theirs}")'
        )
    if our_numbers[decisive] > their_numbers[decisive]:
        return (
            f'shpool: client protocol ("{ours}") is newer than daemon protocol (version "{theirs}")'
        )
    return None


def _numbers(version: str) -> "tuple[int, int, int]":
    major, minor, patch = version.split(".")
    for part in (major, minor, patch):
        if not (part.isascii() and part.isdigit()):
            raise ValueError(part)
    return int(major), int(minor), int(patch)
