"""What is said of a daemon that is there, and does not answer: it is stopped, or very busy.

It is waited for all the same, as long as the user likes.
"""

from shpool import peer
from shpool.client.daemons import doubts
from shpool.output import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


def tell_silent(sock: "socket.socket", newline: str = "\n", *, greeted: bool = False) -> None:
    """Say on stderr that whoever listens at the other end does not answer; of one that has greeted
    only if it is known why, for an answer may take its time."""
    try:
        pid, _ = peer.credentials(sock)
    except OSError:
        pid = 0
    pid, reason = doubts(str(sock.getpeername()), pid)
    if greeted and not reason:
        return
    which = f" (pid {pid})" if pid else ""
    why = f" ({reason})" if reason else ""
    complain(f"shpool: the daemon{which} does not answer{why}{newline}")
