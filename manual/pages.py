"""The man pages: shpool(1) of the table that the help is made of, shpool-config(5) of CONFIG.md."""

import re
from pathlib import Path

from manual.mdoc import code, escaped, of_markdown, prose
from shpool.commands import COMMANDS, Command
from shpool.options import GLOBAL_OPTIONS, Option

ROOT = Path(__file__).resolve().parent.parent

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_INTRODUCTION = """\
.Nm
keeps shells running when the terminal they were started in goes away.
A session is one shell, known by a name.
Names have at most 255 bytes, without blanks, slashes and control characters.
What a session prints reaches the terminal untouched, so that scrollback,
selection, images and links work as usual.
A daemon owns the sessions; the first command that needs it starts it.
.Pp
.Ic shpool attach main
creates the session
.Sq main ,
or comes back to it.
.Li Ctrl-Space Ctrl-q
detaches from it without ending it.
"""

_ENVIRONMENT = (
    (
        "XDG_RUNTIME_DIR",
        "The runtime directory, `shpool`, is in there; without it, in `~/.local/run`.",
    ),
    ("XDG_CONFIG_HOME", "Where to look for the user's configuration, instead of `~/.config`."),
    ("NO_COLOR", "If it is not empty, nothing is printed in bold."),
    (
        "SHPOOL_SESSION_NAME",
        "In a session, its name; commands that are given no name mean that one.",
    ),
    (
        "SHPOOL_SESSION_DIR",
        "In a session, the directory of its files: `forward.env` has the variables of the client "
        "that attached last, `ssh-auth-sock.socket` leads to its ssh agent.",
    ),
)

_FILES = (
    ("~/.config/shpool/config.toml", "The configuration, see shpool-config(5)."),
    ("/etc/shpool/config.toml", "The administrator's; keys in the user's replace those in it."),
    (
        "~/.cache/shpool",
        "What can be made again: on a host reached by `shpool ssh` the files that run there, and "
        "on this side a note of each host. `$XDG_CACHE_HOME` moves it; a host without a writable "
        "home has the files in `/tmp/shpool-UID`.",
    ),
    (
        "$XDG_RUNTIME_DIR/shpool/shpool.socket",
        "Where the daemon listens. Next to it are `events.socket`, for subscribers to events, and "
        "the pid file and log of a daemon that was started by a command, "
        "`daemonized-shpool.pid` and `daemonized-shpool.log`.",
    ),
    (
        "share/doc/shpool",
        "In an installation, below its prefix: README.md, SCRIPTS.md on sessions from scripts, and "
        "EVENTS.md on the events socket.",
    ),
)

_EXIT_STATUS = """\
A command exits with 0, with 1 if it could not do what was asked, and with 2 if the command line
could not be understood. `attach` exits with the status of the shell, or 128 and the number of the
signal that killed it; with 0 after a detach, and when the session is attached elsewhere; and with
1 when the connection to the daemon is lost. `ssh` does the same, with the shell on the other host,
but exits with 130 after Ctrl-C while the connection is lost, and with 255, as ssh(1) does, if
there was no connection. `run` exits with the status of the command, with 124 after the timeout,
and with 125 for any error of its own. `wait` exits with 124 after the timeout, and with 3 if a
session has ended and what was waited for can no longer happen.
"""

_EXAMPLES = (
    (
        "In `~/.ssh/config`, to be in a session as soon as you log in:",
        "RemoteCommand shpool attach -f main",
    ),
    ("Pick a session:", 'shpool attach -- "$(shpool list --short | fzf)"'),
    ("Leave a command running:", "shpool attach --background --cmd 'make world' build"),
)


def changed() -> "tuple[int, int, int]":
    """Year, month and day of the newest release in CHANGELOG.md."""
    found = re.search(r"^## .*\((\d+)-(\d+)-(\d+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    if found is None:
        raise ValueError("CHANGELOG.md has no release with a date")
    year, month, day = map(int, found.groups())
    return year, month, day


def _top(name: str, section: int, summary: str) -> str:
    year, month, day = changed()
    return (
        f".Dd {_MONTHS[month - 1]} {day}, {year}\n.Dt {name.upper()} {section}\n.Os\n"
        f".Sh NAME\n.Nm {name}\n.Nd {summary}\n"
    )


def shpool_1() -> str:
    parts = [
        _top("shpool", 1, "persistent shell sessions without a terminal multiplexer"),
        ".Sh SYNOPSIS\n.Nm\n.Op Ar options\n.Ar command\n.Op Ar arguments\n",
        f".Sh DESCRIPTION\n{_INTRODUCTION}",
        f".Pp\nOptions before the command are:\n{_options(GLOBAL_OPTIONS)}",
        ".Sh COMMANDS\nOptions of a command may follow its arguments;\n.Fl -\nends them.\n",
        *(_command(name, command) for name, command in COMMANDS.items()),
        f".Sh ENVIRONMENT\n{_tagged('Ev', _ENVIRONMENT)}",
        f".Sh FILES\n{_tagged('Pa', _FILES)}",
        f".Sh EXIT STATUS\n{prose(_EXIT_STATUS)}\n",
        ".Sh EXAMPLES\n",
        ".Pp\n".join(f"{prose(what)}\n{code([how])}\n" for what, how in _EXAMPLES),
        ".Sh SEE ALSO\n.Xr screen 1 ,\n.Xr ssh 1 ,\n.Xr tmux 1 ,\n.Xr shpool-config 5\n",
    ]
    return "".join(parts)


def _command(name: str, command: Command) -> str:
    arguments = f" {escaped(command.arguments)}" if command.arguments else ""
    summary = command.summary[0].upper() + command.summary[1:]
    # A bracket or dot at the end of the line would be taken for punctuation.
    lines = [f".Ss {escaped(name)}{arguments}\\&", prose(summary) + "."]
    if command.detail:
        lines += [".Pp", prose(command.detail.replace("CONFIG.md", "shpool-config(5)"))]
    own = [option for option in command.options if option.long != "help"]
    if own:
        lines.append(_options(own).removesuffix("\n"))
    return "\n".join(lines) + "\n"


def _options(options: "tuple[Option, ...] | list[Option]") -> str:
    lines = [".Bl -tag -width Ds"]
    for option in options:
        # mdoc puts the first hyphen in front.
        flags = [f"Fl {option.short}"] if option.short else []
        flags.append(f"Fl \\-{escaped(option.long)}")
        value = f" Ar {option.value}" if option.value else ""
        lines += [
            f".It {' , '.join(flags)}{value}",
            prose(option.help[0].upper() + option.help[1:]) + ".",
        ]
    return "\n".join([*lines, ".El"]) + "\n"


def _tagged(macro: str, rows: "tuple[tuple[str, str], ...]") -> str:
    lines = [".Bl -tag -width Ds"]
    for tag, text in rows:
        lines += [f".It {macro} {tag}", prose(text)]
    return "\n".join([*lines, ".El"]) + "\n"


def shpool_config_5() -> str:
    # The first paragraph becomes the beginning of DESCRIPTION.
    body = of_markdown((ROOT / "CONFIG.md").read_text())
    return (
        _top("shpool-config", 5, "the configuration of shpool")
        + f".Sh DESCRIPTION\n{body}.Sh SEE ALSO\n.Xr shpool 1\n"
    )
