"""shpool var: the variables that {var} in session names stands for."""

from shpool.client.connect import ClientError
from shpool.client.reach import ask
from shpool.errors import UsageError
from shpool.output import put
from shpool.protocol.replies import MaybeSwitch
from shpool.protocol.requests import GetVars, ModifyVar
from shpool.templates import is_variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed

# Subcommand -> arguments it takes.
_ARGUMENTS = {"list": (), "get": ("VAR",), "set": ("VAR", "VAL"), "unset": ("VAR",)}


def run(context: "Context", parsed: "Parsed") -> int:
    verb, *arguments = parsed.arguments
    wanted = _ARGUMENTS.get(verb)
    if wanted is None:
        raise UsageError(f"unknown command 'var {verb}'")
    if len(arguments) != len(wanted):
        raise UsageError(f"var {verb} takes {' '.join(wanted) or 'no arguments'}")
    if parsed.count("json") and verb != "list":
        raise UsageError(f"var {verb} takes no --json")
    if verb == "list":
        return _list(context, as_json=bool(parsed.count("json")))
    if verb == "get":
        value = dict(_variables(context)).get(arguments[0])
        put("" if value is None else f"{value}\n")
        return 0
    return _modify(context, arguments[0], arguments[1] if verb == "set" else None)


def _variables(context: "Context") -> "list[tuple[str, str]]":
    return MaybeSwitch.from_wire(ask(context, GetVars())).vars


def _list(context: "Context", *, as_json: bool) -> int:
    variables = dict(_variables(context))
    if as_json:
        import json

        text = json.dumps(variables, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    else:
        text = "".join(f"{var}\t{val}\n" for var, val in variables.items())
    put(text)
    return 0


def _modify(context: "Context", var: str, val: "str | None") -> int:
    if val is not None and not is_variable_name(var):
        raise ClientError(f"invalid var name: '{var}'")
    reply = ask(context, ModifyVar(var, val))
    if isinstance(reply, dict) and reply.get("error"):
        raise ClientError(str(reply["error"]))
    return 0
