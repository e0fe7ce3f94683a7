"""shpool upgrade: have the running daemon go on as the program that runs this."""

import os

from shpool import program
from shpool.client.connect import Call, ClientError, UnknownRequest
from shpool.client.running import connect_running, pid_of
from shpool.errors import Verdict
from shpool.output import put
from shpool.protocol.msgpack import WireError
from shpool.protocol.upgrading import UpgradeReply, UpgradeRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    sock = connect_running(context.paths)
    try:
        call = Call(sock)
        words = [os.fsencode(word) for word in program.words()]
        call.send(UpgradeRequest(words, check=bool(parsed.count("check"))))
        reply = UpgradeReply.from_wire(call.receive())
    except UnknownRequest:
        raise Verdict(
            f"the daemon (pid {pid_of(sock, context.paths)}) is the original's or older than this"
            " command; its sessions cannot be taken over"
        ) from None
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    finally:
        sock.close()
    if reply.status == "Refused":
        raise ClientError(reply.reason)
    put(f"{said(reply)}\n")
    return 0


def said(reply: UpgradeReply) -> str:
    """What is told of an upgrade that was done, or could be."""
    possible = " is possible" if reply.status == "Possible" else ""
    held = ", ".join(
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in (
            (reply.sessions, "session"),
            (reply.clients, "client"),
            (reply.subscribers, "subscriber"),
        )
    )
    return f"{reply.before} -> {reply.after}{possible}: {held}"
