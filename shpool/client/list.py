"""shpool list: which sessions there are."""

from shpool.client.reach import ask
from shpool.output import put
from shpool.protocol.messages import ListRequest, SessionRow, list_reply, read_list_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    sessions = read_list_reply(ask(context, ListRequest()))
    put(_json(sessions) if parsed.count("json") else _table(sessions))
    return 0


def _table(sessions: "list[SessionRow]") -> str:
    width = max((len(session.name) for session in sessions), default=0)
    rows = [f"{session.name:{width}}\t{session.status.lower()}\n" for session in sessions]
    return "NAME\tSTATUS\n" + "".join(rows)


def _json(sessions: "list[SessionRow]") -> str:
    import json

    return json.dumps(list_reply(sessions), indent=2, ensure_ascii=False) + "\n"
