"""What follows a successful attach reply: framed chunks from the daemon to the client.

    kind: u8 | length: u32 little-endian | payload      Data, Heartbeat, MaybeSwitch
    kind: u8 | status: i32 little-endian                ExitStatus

The other direction is not framed at all: it is what the user types.

Where the client has passed its terminal to the daemon (AttachReply.passed), Data comes only at the
end, when the daemon has given the terminal back, and the other direction has chunks too:

    Heartbeat   to the client: is it there?
    State       to the client: what the terminal has on, one byte, see Watch in terminal.leave
    Modes       to the daemon: the terminal's modes from before the client makes it raw, as the
                system's struct termios, to be restored if the client is killed
    Back        to the daemon, empty: the client has the terminal and has made it raw, for the
                first time, before which nothing is shown, or after it may have been stopped
    Detach      to the daemon, empty: the client wants its terminal back, and to be detached; with
                GOES_OVER it is about to attach to another session, so that until it says Detach
                once more, empty, its terminal is put in order should it be killed
"""

from struct import Struct

from shpool.protocol.msgpack import WireError

DATA = 0
HEARTBEAT = 1
EXIT_STATUS = 2
MAYBE_SWITCH = 3

# With a passed terminal only.
STATE = 4
MODES = 5
BACK = 6
DETACH = 7

# What is in Detach of a client that goes over.
GOES_OVER = b"\x01"

# Bytes that Modes has at most: room for more than struct termios of any system, which reads no more
# than that back.
MODES_MAX = 256

# Clients of the original refuse a chunk with more, in bytes.
MAX_PAYLOAD = 16_384

_HEAD = Struct("<BI")
_EXIT = Struct("<Bi")
HEAD_SIZE = _HEAD.size


def frame(kind: int, payload: bytes) -> bytes:
    """One chunk.  Raises WireError for more than MAX_PAYLOAD bytes of payload."""
    if len(payload) > MAX_PAYLOAD:
        raise WireError(f"a chunk of {len(payload)} bytes, where {MAX_PAYLOAD} is the most")
    return _HEAD.pack(kind, len(payload)) + payload


def frame_data(output: bytes) -> bytes:
    """Terminal output of any length as Data chunks; nothing for no output."""
    if len(output) <= MAX_PAYLOAD:
        return _HEAD.pack(DATA, len(output)) + output if output else b""
    parts: list[bytes] = []
    for start in range(0, len(output), MAX_PAYLOAD):
        part = output[start : start + MAX_PAYLOAD]
        parts += (_HEAD.pack(DATA, len(part)), part)
    return b"".join(parts)


def frame_exit_status(status: int) -> bytes:
    """The last chunk of a connection: the shell's exit status, or 0 for a detach."""
    return _EXIT.pack(EXIT_STATUS, status)


class ChunkReader:
    """Bytes in, chunks out, however the stream was cut.

    A partly received chunk is all that is kept, so the memory held is bounded by MAX_PAYLOAD
    beside what one call hands in.
    """

    CARRIED = {"_buffer": bytes}

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> "list[tuple[int, bytes | int]]":
        """The chunks that `data` completes: (kind, payload), for EXIT_STATUS (kind, status).

        Raises WireError for an unknown kind or a payload of more than MAX_PAYLOAD bytes.
        """
        buffer = self._buffer + data if self._buffer else data
        found: list[tuple[int, bytes | int]] = []
        pos = 0
        while len(buffer) - pos >= HEAD_SIZE:
            kind = buffer[pos]
            if kind == EXIT_STATUS:
                found.append((kind, _EXIT.unpack_from(buffer, pos)[1]))
                pos += _EXIT.size
                continue
            size = self._payload_size(buffer, pos)
            end = pos + HEAD_SIZE + size
            if end > len(buffer):
                break
            found.append((kind, buffer[pos + HEAD_SIZE : end]))
            pos = end
        self._buffer = buffer[pos:]
        if self._buffer and self._buffer[0] > DETACH:
            raise WireError(f"a chunk of the unknown kind {self._buffer[0]}")
        return found

    def _payload_size(self, buffer: bytes, pos: int) -> int:
        kind, size = _HEAD.unpack_from(buffer, pos)
        if kind > DETACH:
            raise WireError(f"a chunk of the unknown kind {kind}")
        if size > MAX_PAYLOAD:
            raise WireError(f"a chunk of {size} bytes, where {MAX_PAYLOAD} is the most")
        return int(size)
