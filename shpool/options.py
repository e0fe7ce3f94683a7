"""Options and arguments of a command line, and the help text made from the same table.

argparse would cost more time than the rest of a short command.  The rules are those that people
know from getopt_long, but strict: no abbreviations, nothing twice, no detached value that looks
like an option.
"""

from shpool.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Option:
    """`value` is the name of its value in the help, None for a switch; `many` may be repeated."""

    __slots__ = ("help", "long", "many", "short", "value")

    def __init__(
        self, short: str, long: str, value: "str | None", text: str, *, many: bool = False
    ) -> None:
        self.short = short
        self.long = long
        self.value = value
        self.help = text
        self.many = many


class Parsed:
    """`values` by long name: the value of an option, or how often a switch was given.

    `given`: arguments, under the name "", and options' values, in the order of the command line.
    `behind`: how many of the arguments stood behind a `--`.
    """

    __slots__ = ("arguments", "behind", "given", "rest", "values")

    def __init__(self) -> None:
        self.values: dict[str, str | int] = {}
        self.arguments: list[str] = []
        self.rest: list[str] = []
        self.behind = 0
        self.given: list[tuple[str, str]] = []

    def text(self, name: str) -> "str | None":
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def count(self, name: str) -> int:
        value = self.values.get(name, 0)
        return value if isinstance(value, int) else 0

    def one_of(self, *names: str) -> str:
        """Which of these options, that cannot be used together, was given; empty if none was.

        Raises UsageError.
        """
        given = [name for name in names if name in self.values]
        if len(given) > 1:
            raise UsageError(f"--{given[0]} and --{given[1]} cannot be used together")
        return given[0] if given else ""


HELP = Option("h", "help", None, "print this and exit")

# Before every command.
GLOBAL_OPTIONS = (
    Option("l", "log-file", "FILE", "write the log to FILE"),
    Option("v", "verbose", None, "log more; twice: with what is typed and printed", many=True),
    Option("s", "socket", "PATH", "the daemon's socket; its events socket stands beside it"),
    Option("c", "config-file", "FILE", "read FILE instead of the usual configuration files"),
    Option("d", "daemonize", None, "start a daemon if none answers (this is the default)"),
    Option("D", "no-daemonize", None, "do not start a daemon"),
    Option("", "version", None, "print the version and exit"),
    HELP,
)


def parse(
    words: "Sequence[str]",
    options: "Sequence[Option]",
    *,
    stop: bool = False,
    passed: "Callable[[str, list[str]], bool] | None" = None,
) -> Parsed:
    """Sort `words` into options and arguments.

    With `stop` the first argument ends it, and everything from there on is in `rest`: so the
    options before a command are read.  `passed` is asked first of a word with one hyphen, and what
    follows it in reverse: it returns whether it has taken it, for another program.
    Raises UsageError.
    """
    parsed = Parsed()
    pending = list(reversed(words))
    while pending:
        word = pending.pop()
        if word == "--":
            if stop:
                break
            parsed.behind = len(pending)
            for argument in reversed(pending):
                parsed.arguments.append(argument)
                parsed.given.append(("", argument))
            return parsed
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            option = _find(options, name, long=True)
            if option is None:
                raise UsageError(f"unexpected option '--{name}'")
            _take(parsed, option, f"--{name}", value if equals else None, pending)
        elif word.startswith("-") and word != "-":
            if passed is not None and passed(word, pending):
                continue
            _take_short(parsed, options, word[1:], pending)
        elif stop:
            pending.append(word)
            break
        else:
            parsed.arguments.append(word)
            parsed.given.append(("", word))
    parsed.rest = list(reversed(pending))
    return parsed


def _take_short(
    parsed: Parsed, options: "Sequence[Option]", letters: str, pending: "list[str]"
) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        option = _find(options, letter, long=False)
        if option is None:
            raise UsageError(f"unexpected option '-{letter}'")
        if option.value is not None:
            attached = letters.removeprefix("=") if letters else None
            _take(parsed, option, f"-{letter}", attached, pending)
            return
        _take(parsed, option, f"-{letter}", None, pending)


def _take(
    parsed: Parsed, option: Option, shown: str, attached: "str | None", pending: "list[str]"
) -> None:
    seen = option.long in parsed.values
    if seen and not option.many:
        raise UsageError(f"the option '{shown}' cannot be used more than once")
    if option.value is None:
        if attached is not None:
            raise UsageError(f"the option '{shown}' takes no value")
        parsed.values[option.long] = parsed.count(option.long) + 1
        return
    if attached is None:
        if not pending or (pending[-1].startswith("-") and pending[-1] != "-"):
            raise UsageError(f"the option '{shown}' needs a value, {option.value}")
        attached = pending.pop()
    parsed.values[option.long] = attached
    parsed.given.append((option.long, attached))


def _find(options: "Sequence[Option]", name: str, *, long: bool) -> "Option | None":
    for option in options:
        if name and name == (option.long if long else option.short):
            return option
    return None


def table(rows: "Sequence[tuple[str, str]]") -> str:
    """Two columns, as help texts have them."""
    width = max(len(left) for left, _ in rows)
    return "".join(f"  {left:{width}}  {right}\n" for left, right in rows)


def describe(options: "Sequence[Option]") -> str:
    """The options part of a help text."""
    rows = []
    for option in options:
        short = f"-{option.short}, " if option.short else "    "
        rows.append(
            (f"{short}--{option.long}" + (f" {option.value}" if option.value else ""), option.help)
        )
    return table(rows)
