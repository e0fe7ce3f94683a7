"""What the commands share that look at a session, or type into it, without attaching to it."""

from shpool.client.connect import ClientError
from shpool.client.here import by_directory
from shpool.client.reach import ask
from shpool.names import blank
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import MaybeSwitch
from shpool.protocol.requests import GetVars
from shpool.templates import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context


def session_meant(context: "Context", name: str) -> str:
    """The name, with variables filled in; "." stays, which the daemon knows to be the session
    that we are in, where it can tell.  Raises TemplateError, InvalidName, ClientError."""
    meant = (by_directory(context) or name) if name == "." else filled(context, name)
    if not meant:
        # Nor is it one that has ended: more likely a script's variable that is not set.
        raise blank(name)
    return meant


def filled(context: "Context", text: str) -> str:
    """With the values of variables where it names them.  Raises TemplateError, ClientError."""
    if "{" not in text:
        return text
    try:
        variables = MaybeSwitch.from_wire(ask(context, GetVars())).vars
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    return render(text, dict(variables))
