"""The daemon replaced in place, as the program that takes over goes about it (replace.py).

Nothing is changed until the state is read and everything is built; until then this process may
end, and its guardian goes on.  Then it has what the old program had, as nobody else: it answers who
asked for the upgrade, says that it serves, and does.
"""

import gc
import mmap
import os
import signal
import sys

from shpool import __version__
from shpool.daemon import preload
from shpool.daemon.compared import compare
from shpool.daemon.guardian import Inheritance
from shpool.daemon.handed_on import KNOWN
from shpool.daemon.rehearsal import Checksum
from shpool.daemon.server import Server, unraisable
from shpool.daemon.state import FORMAT
from shpool.daemon.values import StateError
from shpool.errors import described
from shpool.output import put
from shpool.paths import TAKE_OVER
from shpool.protocol.replies import PROGRAM

# Of a rehearsal.
_STATE = 3


def take_over(options: "list[str]") -> None:
    """Be the daemon that this process was, until it is told to end; `options` are those of its
    command line.

    Raises ShpoolError or OSError if it cannot take over.
    """
    try:
        inheritance = Inheritance.from_text(os.environ.pop(TAKE_OVER))
        for fd in (inheritance.state, inheritance.pipe):
            os.set_inheritable(fd, False)
    except (OSError, ValueError):
        raise StateError(f"{TAKE_OVER} is for a daemon that replaces itself") from None
    try:
        server = _come_to_serve(inheritance, options)
    except BaseException as error:
        inheritance.say_why_not(described(error))
        raise
    inheritance.say_served()
    gc.enable()
    server.run()


def _come_to_serve(inheritance: Inheritance, options: "list[str]") -> Server:
    preload.look_up_user()
    sys.unraisablehook = unraisable
    data = _mapped(inheritance.state)
    server: Server = Server.read_state(data, os.environ, rehearsing=False, options=options)
    os.close(inheritance.state)
    server.take_up()
    server.expect_end(inheritance.guardian)
    server.catch_signals(os.environ)
    signal.pthread_sigmask(signal.SIG_SETMASK, inheritance.mask)
    server.took_over()
    return server


def rehearse() -> int:
    """Show that the state at descriptor 3 could be taken over: the exit status.

    Raises ShpoolError or OSError if it could not.
    """
    data = _mapped(_STATE)
    read = Checksum()
    read.add(data)
    server: Server = Server.read_state(data, os.environ, rehearsing=True)
    server.unpack()
    assert server.carried_over is not None
    found = server.carried_over.format
    again: list[bytes] = []
    server.write_state(again.append)
    compare(data, b"".join(again), KNOWN, same_format=found == FORMAT)
    put(f"{PROGRAM} {__version__} {found} {read.text}\n")
    return 0


def _mapped(fd: int) -> memoryview:
    """The content of a file, which lives as long as something refers to it.  Raises StateError."""
    try:
        return memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        raise StateError(f"there is no state of a daemon at descriptor {fd}") from None
