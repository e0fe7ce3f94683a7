"""The commands: what each takes, what its help says, and which module of client/ has it.

Help, completions and manual pages are made from this table.
"""

from shpool.options import HELP, Option


class Command:
    """`module` has run(context, parsed) -> exit status; `most` arguments, None for any number.

    `parser`, if there is one, has parse(words, options), for words that are not all ours.
    `failure`: the exit status for every error, where those of others are passed on.
    """

    __slots__ = (
        *("arguments", "detail", "failure", "least", "module", "most", "options", "parser"),
        "summary",
    )

    def __init__(
        self,
        module: str,
        summary: str,
        arguments: str = "",
        least: int = 0,
        most: "int | None" = 0,
        options: "tuple[Option, ...]" = (),
        detail: str = "",
        parser: str = "",
        failure: "int | None" = None,
    ) -> None:
        self.module = module
        self.summary = summary
        self.arguments = arguments
        self.least = least
        self.most = most
        self.options = (*options, HELP)
        self.detail = detail
        self.parser = parser
        self.failure = failure


_JSON = Option("j", "json", None, "print JSON")

_FORMS = (
    Option("", "ansi", None, "with colours and links, as escape sequences for a terminal"),
    Option("", "html", None, "a page in the session's colours, without scripts"),
    Option("", "svg", None, "the same as an image"),
    _JSON,
)

_NEW = (
    Option("", "ttl", "DUR", "kill a new session after DUR: 20d, 5h, 3m, 10s or dd:hh:mm:ss"),
    Option("c", "cmd", "CMD", "run CMD in a new session instead of the login shell"),
    Option("d", "dir", "DIR", "start a new session in DIR (default: default_dir, or home)"),
    Option("s", "start-cmd", "CMD", "have a new session's shell run CMD before its first prompt"),
)

COMMANDS = {
    "attach": Command(
        "attach",
        "attach this terminal to a session, creating it if needed",
        "[NAME]",
        0,
        1,
        (
            Option("x", "share", None, "join whoever is attached: both see it, both type"),
            Option("r", "read-only", None, "watch: see everything, type nothing; creates nothing"),
            Option("f", "force", None, "take it over: detach whoever types there"),
            Option("b", "background", None, "create it, or attach to it, and detach at once"),
            Option("", "existing", None, "only if it exists: create nothing"),
            Option("", "nested", None, "also inside another session, where switch is better"),
            *_NEW,
        ),
        "Ctrl-Space Ctrl-q detaches (see keybinding in CONFIG.md). The exit status is the\n"
        "shell's, 0 after a detach, 1 when the connection to the daemon is lost.\n"
        "Without a NAME: of the sessions that nobody types in the one left last, or main if\n"
        "there are no sessions. Of several people at one session whoever typed last drives: the\n"
        "session has the size of that terminal. What a plain attach does when somebody is\n"
        "attached is up to attach in CONFIG.md.\n"
        "NAME, CMD and DIR may contain {var}: see shpool help var.\n",
    ),
    "switch": Command(
        "switch",
        "move this terminal to another session, creating it if needed",
        "NAME",
        1,
        1,
        (
            Option("f", "force", None, "take it over: detach whoever types there"),
            Option("x", "share", None, "join whoever is attached to it"),
            *_NEW,
            Option("", "from", "NAME", "from outside: move whoever drives NAME"),
            Option("", "pid", "PID", "move the client with this pid (see list --json)"),
        ),
        "Inside a session, moves the terminal in which it was typed. NAME - is the session that\n"
        "the terminal was in before (for one that is really called so: -- -). If it cannot be\n"
        "done, the reason is printed and the terminal stays. Variables in NAME, CMD and DIR are\n"
        "filled in once.\n",
    ),
    "ssh": Command(
        "ssh.command",
        "attach to a session on another host, reconnecting by itself",
        "HOST [NAME]",
        1,
        2,
        (
            Option("", "no-force", None, "do not take it over from whoever is attached"),
            Option("", "ttl", "DUR", "as for attach"),
            Option("", "cmd", "CMD", "as for attach"),
            Option("", "dir", "DIR", "as for attach"),
            Option("", "start-cmd", "CMD", "as for attach"),
            Option("", "remote", "PATH", "run the shpool at PATH on HOST; copy none there"),
            Option("", "ssh", "CMD", "run CMD, which may have arguments, instead of ssh"),
            Option("", "share-connection", None, "use ssh's ControlPath, if one is configured"),
        ),
        "ssh's own options may come before or after HOST, and are passed on. NAME is main if\n"
        "left out. HOST needs nothing but Python 3.9 or later: shpool copies itself there, as\n"
        "one file in ~/.cache/shpool, the first time.\n"
        "When the connection is lost it reconnects as soon as it can: Enter tries at once,\n"
        "Ctrl-C gives up. The exit status is that of the shell there, 0 after a detach, 130\n"
        "after Ctrl-C, 255 after ssh's ~. and if there never was a connection.\n",
        "ssh.arguments",
    ),
    "detach": Command(
        "detach",
        "detach clients from sessions",
        "[NAME...]",
        0,
        None,
        (
            Option("", "others", None, "inside a session: all clients but this terminal"),
            Option("", "pid", "PID", "the client with this pid (see list --json)"),
        ),
        "Without a NAME, inside a session: only the terminal in which it was typed. Elsewhere:\n"
        "whoever is attached to $SHPOOL_SESSION_NAME. With a NAME: all clients, also those that\n"
        "watch.\n",
    ),
    "kill": Command(
        "kill",
        "end sessions",
        "[NAME...]",
        0,
        None,
        (Option("", "all", None, "end all sessions"),),
        "Without a NAME: the session in which it is typed, or else $SHPOOL_SESSION_NAME.\n",
    ),
    "list": Command(
        "list",
        "list sessions",
        options=(
            _JSON,
            Option("l", "long", None, "with times, clients, programs and directories, for people"),
            Option("", "short", None, "print only names, one per line"),
        ),
        detail="On a terminal the session in which it is typed is marked, in bold unless\n"
        "NO_COLOR is set; in a pipe or file it is not.\n",
    ),
    "send": Command(
        "send",
        "type into a session without attaching to it",
        "NAME [TEXT...]",
        1,
        None,
        (
            Option("e", "enter", None, "press Enter at the end"),
            Option("k", "key", "KEY", "press KEY, at its place among the TEXTs", many=True),
            Option("", "paste", None, "send the text as a paste"),
            Option("", "stdin", None, "after the TEXTs, send what is read from stdin"),
            Option("t", "timeout", "DUR", "give up when nothing was read for DUR (default: 5s)"),
            Option("j", "json", None, "print JSON, with the mark for wait --since"),
        ),
        "TEXTs are typed literally, with a space between them; names of keys in them mean\n"
        "nothing. KEY is Enter, Tab, Escape, Space, Backspace, Delete, Insert, Up, Down, Left,\n"
        "Right, Home, End, PageUp, PageDown, F1 to F24 or a character, with C-, M- or S- before\n"
        "it. NAME . is the session in which it is typed.\n",
    ),
    "wait": Command(
        "wait",
        "wait for something to happen in a session",
        "NAME...",
        1,
        None,
        (
            Option("", "exit", None, "the session has ended, or does not exist"),
            Option("", "exists", None, "the session exists"),
            Option("", "attached", None, "somebody is attached"),
            Option("", "detached", None, "nobody is attached"),
            Option("", "prompt", None, "the shell is at a prompt that came after the last input"),
            Option("", "quiet", "DUR", "nothing was printed for DUR"),
            Option("", "text", "REGEX", "a line on the screen, or printed from now on, matches"),
            Option("", "new", None, "ignore the lines that are on the screen already"),
            Option("", "since", "MARK", "of lines printed already, look at those from MARK on"),
            Option("", "all", None, "wait for all of these, for every NAME"),
            Option("t", "timeout", "DUR", "give up after DUR"),
        ),
        "Without --all, any of these for any NAME will do. Prints the NAME and what it was,\n"
        "with a tab between. The exit status is 0; 124 after the timeout; 3 if a session has\n"
        "ended, so that it can no longer happen; 1 if there is no session NAME. DUR is 500ms,\n"
        "10s, 3m, 5h, 20d or dd:hh:mm:ss. REGEX is a Python regular expression, and may match a\n"
        "part of a line. MARK is from send --json or peek --json: nothing printed since then is\n"
        "missed. NAME . is the session in which it is typed.\n",
    ),
    "run": Command(
        "run",
        "run a command at the prompt of a session's shell",
        "NAME -- COMMAND...",
        1,
        None,
        (
            Option("c", "command", "STRING", "run STRING, which may have several lines, as it is"),
            Option("d", "detach", None, "do not wait for the command to end"),
            Option("", "create", None, "create the session, in the background, if needed"),
            Option("", "ansi", None, "print its output byte for byte, with colours"),
            Option("j", "json", None, "print its status, or why there is none, as JSON at the end"),
            Option("t", "timeout", "DUR", "give up after DUR"),
        ),
        "Waits for the prompt, pastes the command there, quoted for that shell (bash, zsh,\n"
        "fish), and prints its output; anyone attached sees it as if it had been typed. The\n"
        "exit status is that of the command; 124 after the timeout, when the command goes on;\n"
        "125, with a reason, if it could not be run or its status is not known. ^C goes to the\n"
        "command.\n",
        failure=125,
    ),
    "peek": Command(
        "peek",
        "print a session's screen without attaching to it",
        "NAME",
        1,
        1,
        _FORMS,
        "Plain text by default, one line per row. NAME . is the session in which it is typed.\n",
    ),
    "history": Command(
        "history",
        "print a session's scrollback and screen",
        "NAME",
        1,
        1,
        (
            Option("n", "lines", "N", "only the last N lines"),
            Option("", "since", "MARK", "only lines from MARK on, once they have scrolled off"),
            *_FORMS,
        ),
        "Lines are printed as the program ended them, however they wrapped, and keep their\n"
        "numbers. JSON has the mark for the next --since, and how many lines from MARK on are\n"
        "lost. NAME . is the session in which it is typed.\n",
    ),
    "follow": Command(
        "follow",
        "print a session's output as it comes, until the session ends",
        "NAME",
        1,
        1,
        (
            Option("", "from-screen", None, "first, what draws the screen as it is"),
            Option("", "text", None, "completed lines, without colours"),
            Option("", "cast", None, "a recording for asciinema (asciicast v3)"),
        ),
        "Without --text or --cast prints every byte, for a terminal. A slow reader is not\n"
        "waited for: when it is 8 MiB behind, output is skipped, with a message on stderr, and\n"
        "the screen as it is then follows. NAME . is the session in which it is typed.\n",
    ),
    "events": Command(
        "events",
        "print a line whenever something happens to a session",
        options=(Option("", "begin", None, "print an empty line once no event can be missed"),),
        detail="Each line is a JSON object (see EVENTS.md). Ends when the daemon does.\n",
    ),
    "var": Command(
        "var",
        "list, get, set or unset the variables that {var} in names stands for",
        "list [-j] | get VAR | set VAR VAL | unset VAR",
        1,
        3,
        (_JSON,),
        "A client that attached to a name with {var} in it moves to another session when VAR\n"
        "changes: one at 'edit-{project}' is at edit-shop after shpool var set project shop.\n",
    ),
    "set-log-level": Command(
        "set_log_level",
        "change what the daemon logs",
        "off|error|warn|info|debug|trace",
        1,
        1,
    ),
    "daemon": Command(
        "daemon",
        "run the daemon in the foreground",
        detail="SIGTERM ends it and its sessions; SIGUSR1 has it make again what is missing of\n"
        "its sockets, pid file and log.\n",
    ),
    "stop": Command(
        "stop",
        "stop the daemon, ending all sessions",
        options=(Option("y", "yes", None, "do not ask, even if there are sessions"),),
        detail="Returns when the daemon has ended. Does not start one.\n",
    ),
    "upgrade": Command(
        "upgrade",
        "replace the running daemon by this version, keeping all sessions",
        options=(Option("", "check", None, "only check whether it would work, and say so"),),
        detail="The daemon is replaced in place: shells, attached clients and subscribers stay,\n"
        "and people who are attached notice a short pause. The new version first proves,\n"
        "next to the old one, that it can take everything over; if it cannot, it says\n"
        "why, the exit status is 1, and nothing changes. Works for the same and for\n"
        "older versions too. Does not start a daemon.\n",
    ),
    "config": Command(
        "config",
        "print the configuration in force, and what is wrong with it",
        detail="Prints TOML, with a comment behind each key that says which file it comes from.\n"
        "What is wrong goes to stderr, and the exit status is 1 then.\n",
    ),
    "completions": Command(
        "completions",
        "print the completions for a shell",
        "bash|zsh|fish",
        1,
        1,
        detail="bash: source <(shpool completions bash), in ~/.bashrc.\n"
        "zsh: source <(shpool completions zsh), in ~/.zshrc, after compinit.\n"
        "fish: shpool completions fish | source, in config.fish.\n",
    ),
    "version": Command("version", "print the version"),
    "help": Command("help", "explain a command", "[COMMAND]", 0, 1),
}
