"""The daemon that runs, for who has business with it and not with its sessions; none is started."""

from shpool import peer
from shpool.client.connect import ClientError, connect
from shpool.errors import Verdict
from shpool.output import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.paths import Paths


def connect_running(paths: "Paths") -> "socket.socket":
    """A connection to the daemon.  Raises Verdict if there is none, ClientError."""
    path = paths.socket
    from shpool.client.asleep import is_asleep

    if is_asleep(path):
        raise Verdict("no daemon is running")  # and one would be started by our coming
    sock = connect(path)
    if sock is None:
        from shpool.client.lost import bring_back, hint

        if bring_back(path):
            sock = connect(path)
        elif warning := hint(paths):
            complain(f"shpool: warn: {warning}\n")
    if sock is None:
        raise Verdict("no daemon is running")
    return sock


def pid_of(sock: "socket.socket", paths: "Paths") -> int:
    """The daemon's, which stays its own while it is connected.  Raises ClientError."""
    from shpool.client.daemons import is_daemon, pid_of_daemon

    try:
        pid, _ = peer.credentials(sock)
    except OSError as error:
        raise ClientError(f"cannot tell who listens at {paths.socket}: {error.strerror}") from None
    if pid and (pid == paths.locked_by() or is_daemon(pid)):
        return pid
    # A socket that was passed to the daemon tells who made it, which is systemd; and one of a
    # daemon whose new program died tells of that.
    daemon = pid_of_daemon(paths.socket)
    if not daemon:
        raise ClientError(
            f"cannot tell which process is the daemon at {paths.socket};"
            " one of systemd's is ended by systemctl --user stop shpool"
        )
    return daemon
