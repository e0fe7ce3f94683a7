"""Who runs inside which session, told by ptys and not by what the environment says.

A process is inside the session whose pty is its controlling terminal.  What runs in a terminal of
its own in between (tmux, script, ssh) is not seen.
"""

import re

from shpool.daemon.loop import peer
from shpool.daemon.programs.scripts import quote
from shpool.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.peer import Device
    from shpool.daemon.sessions.participant import Participant
    from shpool.daemon.sessions.session import Session
    from shpool.daemon.sessions.table import SessionTable


# What a shell does not take for anything but itself.
_UNSAFE = re.compile(r"[^\w@%+=:,./-]")


def session_on(table: "SessionTable", device: "Device | None") -> "Session | None":
    """The session whose pty is `device`."""
    for session in table.listed():
        if peer.same_terminal(session.device, device):
            return session
    return None


def closes_ring(table: "SessionTable", session: "Session", device: "Device | None") -> bool:
    """Returns whether the session would be shown, at any depth, on its own terminal.

    `device` is the terminal that a client of it runs on.  A client of a session that runs on the
    terminal of another one shows the first one there: its output becomes the other's.
    """
    shown_in = [device]
    seen: set[Device] = set()
    while shown_in:
        terminal = shown_in.pop()
        if terminal is None or terminal in seen:
            continue
        seen.add(terminal)
        if peer.same_terminal(terminal, session.device):
            return True
        for other in table.all():
            if peer.same_terminal(other.device, terminal):
                shown_in += [client.device for client in other.clients]
    return False


def ring_refused(name: str) -> str:
    """What is said to who would close a ring."""
    return f"session '{shown(name)}' cannot be attached to from inside it"


def nested_refused(inside: str, name: str) -> str:
    """What is said to who would attach to the session `name` without having said that it may be
    inside another one."""
    word = quote(name) if _UNSAFE.search(name) else name
    if name.startswith("-"):
        word = f"-- {word}"
    return (
        f"this is session '{shown(inside)}'; to switch: shpool switch {word};"
        f" to nest them: shpool attach --nested {word}"
    )


def who_typed(session: "Session") -> "Participant | None":
    """Who has most likely typed the command that runs in it now: whose Enter came last, and if
    nobody's did, who drives it."""
    entered = [client for client in session.typing if client.entered]
    if entered:
        return max(entered, key=lambda client: client.entered)
    return session.driver
