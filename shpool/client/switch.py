"""shpool switch: have an attached client go over to another session."""

from shpool.client.connect import ClientError
from shpool.client.detach import pid_given
from shpool.client.outside import filled, session_meant
from shpool.client.reach import ask_once
from shpool.client.wanted import directory, time_to_live, working_directory
from shpool.errors import Verdict
from shpool.names import check_session_name
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import Destination
from shpool.protocol.switching import SwitchReply, SwitchRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    parsed.one_of("share", "force")
    pid = pid_given(parsed.text("pid"))
    # A session may be called so, too.
    back = parsed.arguments == ["-"] and not parsed.behind
    request = SwitchRequest(
        _from(context, parsed),
        _destination(context, parsed, back=back),
        pid=pid,
        back=back,
    )
    try:
        reply = SwitchReply.from_wire(ask_once(context, request))
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    if reply.error is not None:
        raise Verdict(reply.error)
    return 0


def _from(context: "Context", parsed: "Parsed") -> str:
    old = parsed.text("from")
    if old is not None:
        return session_meant(context, old)
    return "" if parsed.text("pid") is not None else session_meant(context, ".")


def _destination(context: "Context", parsed: "Parsed", *, back: bool) -> Destination:
    """All that depends on where we are is worked out here: the client is somewhere else."""
    force, share = bool(parsed.count("force")), bool(parsed.count("share"))
    if not force and not share:
        force, share = context.config().attach == "force", context.config().attach == "share"
    if back:
        return Destination("", force=force, share=share)
    name = filled(context, parsed.arguments[0])
    check_session_name(name, parsed.arguments[0])

    def option(name: str) -> "str | None":
        text = parsed.text(name)
        return None if text is None else filled(context, text)

    return Destination(
        name,
        time_to_live(parsed.text("ttl")),
        option("cmd"),
        directory(context, option("dir"), working_directory()),
        option("start-cmd"),
        force=force,
        share=share,
    )
