"""Which session `attach` takes that was given no name."""

from shpool.client.connect import ClientError
from shpool.client.reach import ask
from shpool.errors import Verdict
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import read_list_reply
from shpool.protocol.requests import ListRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.protocol.replies import SessionRow


def find(context: "Context") -> "str | None":
    """The free session that was left last; None if there is no session at all.

    Raises Verdict if each is occupied, ClientError.
    """
    try:
        rows = read_list_reply(ask(context, ListRequest()))
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    if not rows:
        return None
    free = [row for row in rows if row.status != "Attached"]
    if not free:
        names = ", ".join(row.name for row in rows)
        raise Verdict(
            f"each session already has a terminal attached: {names};"
            " to join one: shpool attach --share NAME"
        )
    return max(free, key=_left).name


def _left(row: "SessionRow") -> "tuple[int, int]":
    return row.last_disconnected_at_unix_ms or 0, row.started_at_unix_ms
