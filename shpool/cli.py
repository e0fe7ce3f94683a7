"""The command line: which command was asked for, with what; its module is imported only then."""

import os
import sys

from shpool import __version__
from shpool.commands import COMMANDS, Command
from shpool.errors import ShpoolError, UsageError, Verdict
from shpool.options import GLOBAL_OPTIONS, Parsed, describe, parse, table
from shpool.output import complain, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from shpool.client.context import Context


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run one command line (default: the process's own) and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    _fill_descriptors()
    try:
        return _run(words)
    except UsageError as error:
        complain(f"shpool: {_one_line(error)}\n\n{_usage_of(words)}")
        return _failure(words) or 2
    except Verdict as error:
        complain(f"{_one_line(error)}\n")
    except ShpoolError as error:
        complain(f"shpool: {_one_line(error)}\n")
    except BrokenPipeError:
        pass  # whoever read the output has seen enough
    except OSError as error:
        # What nobody foresaw still gets one line: what the system said, and about which file.
        where = f"{error.filename}: " if error.filename else ""
        complain(f"shpool: {where}{error.strerror or error}\n")
    except ModuleNotFoundError as error:
        from shpool.missing import explained

        complain(f"shpool: {explained(error.name or '')}\n")
    except KeyboardInterrupt:
        return 130
    return _failure(words) or 1


def _failure(words: "Sequence[str]") -> "int | None":
    """The exit status that the command named has for its own errors, if it has one."""
    name = _named(words)
    return None if name is None else COMMANDS[name].failure


def _named(words: "Sequence[str]") -> "str | None":
    """The command that `words` are for, if it can be made out."""
    try:
        rest = parse(words, GLOBAL_OPTIONS, stop=True).rest
    except UsageError:
        return None
    return rest[0] if rest and rest[0] in COMMANDS else None


def _fill_descriptors() -> None:
    """Have 0, 1 and 2 open: what was closed is as /dev/null.

    It would be given to the next socket, and be written to as output.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(fd)


def _run(words: "Sequence[str]") -> int:
    given = parse(words, GLOBAL_OPTIONS, stop=True)
    if given.count("help"):
        return _say(_overview())
    if given.count("version"):
        return _say(f"shpool {__version__}\n")
    if not given.rest:
        raise UsageError("a command is needed")
    given.one_of("daemonize", "no-daemonize")
    name = given.rest[0]
    if name == "take-over":
        return _rehearse(given.rest[1:])
    command = _command(name)
    parsed = _parsed(command, given.rest[1:])
    if parsed.count("help"):
        return _say(_help_of(name))
    count = len(parsed.arguments)
    if count < command.least:
        raise UsageError(f"{name} needs {command.arguments}")
    if command.most is not None and count > command.most:
        raise UsageError(f"unexpected argument '{parsed.arguments[command.most]}'")
    if name == "version":
        return _say(f"shpool {__version__}\n")
    if name == "help":
        return _help(parsed)
    if name == "completions":
        return _say(completions(parsed.arguments[0]))
    return _dispatch(command, given, parsed)


def _command(name: str) -> Command:
    """Raises UsageError."""
    command = COMMANDS.get(name)
    if command is None:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"unknown command '{name}'{hint}")
    return command


def _parsed(command: Command, words: "Sequence[str]") -> Parsed:
    if command.parser:
        module = __import__(f"shpool.client.{command.parser}", fromlist=["parse"])
        found: Parsed = module.parse(words, command.options)
        return found
    return parse(words, command.options)


def completions(shell: str) -> str:
    """The completions for `shell`.  Raises UsageError."""
    if shell not in COMMANDS["completions"].arguments.split("|"):
        raise UsageError(f"unknown shell '{shell}'")
    from shpool.completions.places import Described

    described = {
        name: Described(command.summary, command.arguments, command.options)
        for name, command in COMMANDS.items()
    }
    module = __import__(f"shpool.completions.{shell}", fromlist=["script"])
    return str(module.script(described, GLOBAL_OPTIONS))


def _dispatch(command: Command, given: Parsed, parsed: Parsed) -> int:
    from shpool import logs
    from shpool.client.context import Context
    from shpool.paths import TAKE_OVER

    if command.module == "daemon" and TAKE_OVER in os.environ:
        return _take_over()
    context = Context(given, os.environ)
    if context.paths.warning:
        complain(f"warning: {_one_line(context.paths.warning)}\n")
    logs.log.level = min(logs.INFO + given.count("verbose"), logs.TRACE)
    if command.module == "daemon":
        return _daemon(context)
    if context.log_file:
        logs.log.to_file(context.log_file)
    # A command's module is named in the table above and nowhere else.
    module = __import__(f"shpool.client.{command.module}", fromlist=["run"])
    return int(module.run(context, parsed))


def _daemon(context: "Context") -> int:
    import signal

    # Until it can bind anew, whoever asks it to must not end it; see client/lost.py.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    from shpool.daemon.server import run

    # The words of a program that calls main() by its own are not ours.
    options = sys.argv[1:] if sys.argv[-1:] == ["daemon"] else None
    run(context.paths, context.config_files(), os.environ, context.log_file, options=options)
    return 0


def _take_over() -> int:
    import gc

    gc.disable()  # everybody waits
    from shpool.daemon.take_over import take_over

    take_over(sys.argv[1:])
    return 0


def _rehearse(words: "list[str]") -> int:
    """What a daemon asks a program that it is to be replaced by, of whatever version."""
    if words != ["--rehearse"]:
        raise UsageError("take-over is asked by a daemon that is replaced (see shpool upgrade)")
    from shpool.daemon.take_over import rehearse

    return rehearse()


def _help(parsed: Parsed) -> int:
    if not parsed.arguments:
        return _say(_overview())
    name = parsed.arguments[0]
    _command(name)
    return _say(_help_of(name))


def _say(text: str) -> int:
    put(text)
    return 0


def _overview() -> str:
    commands = table([(name, command.summary) for name, command in COMMANDS.items()])
    return (
        "shpool: persistent shell sessions without a terminal multiplexer\n\n"
        f"Usage: shpool [OPTIONS] COMMAND [ARGUMENTS]\n\nCommands:\n{commands}\n"
        f"Options, before the command:\n{describe(GLOBAL_OPTIONS)}"
    )


def _help_of(name: str) -> str:
    command = COMMANDS[name]
    detail = f"\n{command.detail}" if command.detail else ""
    return (
        f"shpool {name}: {command.summary}\n\n{_usage_line(name)}\n"
        f"Options:\n{describe(command.options)}{detail}"
    )


def _usage_line(name: str) -> str:
    command = COMMANDS[name]
    options = " [OPTIONS]" if len(command.options) > 1 else ""
    arguments = f" {command.arguments}" if command.arguments else ""
    return f"Usage: shpool {name}{options}{arguments}\n"


def _usage_of(words: "Sequence[str]") -> str:
    """The usage to show with an error: of the command named, if one can be made out."""
    name = _named(words)
    if name is not None:
        return _usage_line(name) + f"See shpool help {name}.\n"
    return "Usage: shpool [OPTIONS] COMMAND [ARGUMENTS]\nSee shpool help.\n"


def _one_line(said: object) -> str:
    """Nor with anything in it that a terminal would obey."""
    text = " ".join(str(said).split("\n"))
    if text.isprintable():
        return text
    from shpool.names import shown

    return shown(text)
