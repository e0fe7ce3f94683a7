"""Which session a command runs in: the one on whose pty it does, as the daemon says."""

import os

from shpool.protocol.replies import Here, read_here, read_list_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context


def where(context: "Context", reply: "Any") -> "Here | None":
    """`reply` is a daemon's to a List request.  Raises WireError."""
    here = read_here(reply)
    name = None if here is not None else by_directory(context)
    for row in read_list_reply(reply) if name is not None else ():
        if row.name == name:
            drives = [each.pid for each in row.attachments if each.role == "driver"]
            here = Here(row.name, drives[0] if drives else None)
    return here


def by_directory(context: "Context") -> "str | None":
    """The session that the environment says, if it is one of this daemon's: only where the system
    does not tell the terminals of processes, for variables are inherited."""
    path = context.environ.get("SHPOOL_SESSION_DIR", "")
    if os.path.exists("/proc/self/stat"):
        return None
    directory, name = os.path.split(path)
    return name if directory == os.path.join(context.paths.state, "sessions") else None
