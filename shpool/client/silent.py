"""What is said of a daemon that is there, and does not greet us: it is stopped, or very busy.

It is waited for all the same, as long as the user likes.
"""

from shpool import peer
from shpool.client.daemons import doubts
from shpool.output import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


def tell_silent(sock: "socket.socket", newline: str = "\n") -> None:
    """Say on stderr that whoever listens at the other end does not answer."""
    try:
        pid, _ = peer.credentials(sock)
    except OSError:
        pid = 0
    pid, reason = doubts(str(sock.getpeername()), pid)
    which = f" (pid {pid})" if pid else ""
    why = f" ({reason})" if reason else ""
    complain(f"shpool: the daemon{which} does not answer{why}{newline}")
