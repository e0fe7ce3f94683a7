"""Every request that there is: which, and reading whichever comes."""

from shpool.protocol import (
    attaching,
    outside,
    requests,
    running,
    switching,
    upgrading,
    watching,
)
from shpool.protocol.msgpack import WireError
from shpool.protocol.shapes import variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from shpool.protocol.attaching import AttachHeader
    from shpool.protocol.outside import PeekRequest, SendRequest
    from shpool.protocol.requests import (
        DetachRequest,
        GetVars,
        KillRequest,
        ListRequest,
        ModifyVar,
        SessionMessage,
        SetLogLevel,
    )
    from shpool.protocol.running import RunRequest
    from shpool.protocol.switching import SwitchRequest
    from shpool.protocol.upgrading import UpgradeRequest
    from shpool.protocol.watching import FollowRequest, WaitRequest

    Request: TypeAlias = (
        AttachHeader
        | ListRequest
        | GetVars
        | SessionMessage
        | DetachRequest
        | KillRequest
        | SendRequest
        | WaitRequest
        | PeekRequest
        | FollowRequest
        | SwitchRequest
        | RunRequest
        | SetLogLevel
        | ModifyVar
        | UpgradeRequest
    )


# By the variant's name.
KINDS: "dict[str, Any]" = {
    **attaching.REQUESTS,
    **requests.REQUESTS,
    **outside.REQUESTS,
    **watching.REQUESTS,
    **running.REQUESTS,
    **switching.REQUESTS,
    **upgrading.REQUESTS,
}

# All that our daemon may be asked for and the original may not, as requests need it.
KNOWN = [feature for kind in KINDS.values() for feature in getattr(kind, "FEATURES", ())]


def read_request(value: "Any") -> "Request":
    """A ConnectHeader, whatever it asks for.  Raises WireError."""
    name, content = variant(value, "the request")
    kind = KINDS.get(name)
    if kind is None:
        raise WireError(f"the unknown request {name!r}")
    request: Request = kind.from_wire(content)
    return request
