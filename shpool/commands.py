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
    Option("", "ansi", None, "with the sequences that show colours and links in a terminal"),
    Option("", "html", None, "a page in the session's colours, without script"),
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
        "attach this terminal to a session, which is made if it does not exist",
        "[NAME]",
        0,
        1,
        (
            Option("x", "share", None, "be attached beside who is: both see it, both type"),
            Option("r", "read-only", None, "watch: see everything, type nothing; makes no session"),
            Option("f", "force", None, "detach whoever types there"),
            Option("b", "background", None, "make it, or attach to it, and detach at once"),
            Option("", "existing", None, "only if it is there: make no session"),
            Option("", "nested", None, "also inside another session, where switch goes over"),
            *_NEW,
        ),
        "Ctrl-Space Ctrl-q detaches (see keybinding in CONFIG.md). The exit status is the\n"
        "shell's, 0 after a detach, 1 when the connection is lost.\n"
        "Without a NAME: the session that was left last and that nobody types in; main is made if\n"
        "there is none at all. Of several at one session who typed last drives: the session has\n"
        "that terminal's size. What happens when somebody is attached is said by attach in\n"
        "CONFIG.md.\n"
        "NAME, CMD and DIR may contain {var}: see shpool help var.\n",
    ),
    "switch": Command(
        "switch",
        "have this terminal go over to another session, made if need be",
        "NAME",
        1,
        1,
        (
            Option("f", "force", None, "detach whoever is attached to it"),
            Option("x", "share", None, "join whoever is attached to it"),
            *_NEW,
            Option("", "from", "NAME", "from outside: who is attached to NAME"),
            Option("", "pid", "PID", "the client with this pid (see list --json)"),
        ),
        "Inside a session the terminal goes over in which this was typed. NAME - is the session\n"
        "that it was in before (one that is called so: -- -). What cannot be is said here, and\n"
        "the terminal stays. Variables in NAME, CMD and DIR are filled in, once.\n",
    ),
    "ssh": Command(
        "ssh.command",
        "be in a session on another host, and come back when the connection is lost",
        "HOST [NAME]",
        1,
        2,
        (
            Option("", "no-force", None, "leave it to whoever is attached to it"),
            Option("", "ttl", "DUR", "as attach has it, there"),
            Option("", "cmd", "CMD", "as attach has it, there"),
            Option("", "dir", "DIR", "as attach has it, there"),
            Option("", "start-cmd", "CMD", "as attach has it, there"),
            Option("", "remote", "PATH", "run this shpool there, and take none there"),
            Option("", "ssh", "CMD", "run CMD instead of ssh, with arguments perhaps"),
            Option("", "share-connection", None, "use ssh's ControlPath, if one is configured"),
        ),
        "Options of ssh's own may stand before and behind HOST, and are passed on. NAME is main\n"
        "if left out. Nothing has to be installed there but a Python of 3.9 or later: shpool is\n"
        "taken there, as one file in ~/.cache/shpool, the first time.\n"
        "When the connection is lost it is tried again until it comes back: Enter tries at\n"
        "once, Ctrl-C gives up. The exit status is that of the shell there, 0 after a detach,\n"
        "130 after Ctrl-C, 255 after ssh's ~. and when there was no connection at all.\n",
        "ssh.arguments",
    ),
    "detach": Command(
        "detach",
        "detach whoever is attached to sessions",
        "[NAME...]",
        0,
        None,
        (
            Option("", "others", None, "inside a session: all but this terminal"),
            Option("", "pid", "PID", "the client with this pid (see list --json)"),
        ),
        "Without a NAME, inside a session: the terminal in which this was typed, and no other.\n"
        "Elsewhere: who is attached to $SHPOOL_SESSION_NAME. With a NAME also who watches.\n",
    ),
    "kill": Command(
        "kill",
        "end sessions",
        "[NAME...]",
        0,
        None,
        (Option("", "all", None, "end all sessions"),),
        "Without a NAME: the session in which it runs, or else $SHPOOL_SESSION_NAME.\n",
    ),
    "list": Command(
        "list",
        "list the sessions",
        options=(
            _JSON,
            Option("l", "long", None, "with times, clients, and what runs where, for people"),
            Option("", "short", None, "print the names alone, one a line"),
        ),
        detail="On a terminal the session in which it runs is marked, in bold type unless\n"
        "NO_COLOR is set. What a program reads is as ever.\n",
    ),
    "send": Command(
        "send",
        "type into a session without attaching to it",
        "NAME [TEXT...]",
        1,
        None,
        (
            Option("e", "enter", None, "press Enter at the end"),
            Option("k", "key", "KEY", "press KEY where this stands among the TEXTs", many=True),
            Option("", "paste", None, "as a terminal pastes it"),
            Option("", "stdin", None, "then what is read from stdin"),
            Option("t", "timeout", "DUR", "give up when it was not read for DUR (default: 5s)"),
            Option("j", "json", None, "print JSON, with the mark for wait --since"),
        ),
        "TEXT is typed as it is, TEXTs side by side with a space between; no names of keys in\n"
        "it. KEY is Enter, Tab, Escape, Space, Backspace, Delete, Insert, Up, Down, Left, Right,\n"
        "Home, End, PageUp, PageDown, F1 to F24 or a character, with C-, M- or S- before it.\n"
        "NAME . is the session one is in.\n",
    ),
    "wait": Command(
        "wait",
        "wait until something is so of sessions",
        "NAME...",
        1,
        None,
        (
            Option("", "exit", None, "it has ended, or is not there"),
            Option("", "exists", None, "it is there"),
            Option("", "attached", None, "somebody is attached to it"),
            Option("", "detached", None, "nobody is attached to it"),
            Option("", "prompt", None, "its shell is at a prompt that came after the last input"),
            Option("", "quiet", "DUR", "its program has printed nothing for DUR"),
            Option("", "text", "REGEX", "a line of its screen, or printed from now on, matches"),
            Option("", "new", None, "no line that stands on the screen already, nor the cursor's"),
            Option("", "since", "MARK", "lines that were there already count from that one on"),
            Option("", "all", None, "until each of these has been so of every NAME"),
            Option("t", "timeout", "DUR", "give up after DUR"),
        ),
        "Without --all any of these, of any NAME, will do. Prints NAME and what was so, a tab\n"
        "between. Exits with 0; with 124 after the timeout, 3 when it can be so no more because a\n"
        "session has ended, 1 for a NAME that is not there. DUR is 500ms, 10s, 3m, 5h, 20d or\n"
        "dd:hh:mm:ss. REGEX is Python's, and may match a part of a line. MARK is what send --json\n"
        "or peek --json said: nothing is missed between that and the wait. NAME . is the session\n"
        "one is in.\n",
    ),
    "run": Command(
        "run",
        "run a command at the prompt of a session's shell",
        "NAME -- COMMAND...",
        1,
        None,
        (
            Option("c", "command", "STRING", "run STRING as it is; it may have several lines"),
            Option("d", "detach", None, "do not wait for its end"),
            Option("", "create", None, "make the session in the background if it is not there"),
            Option("", "ansi", None, "every byte of its output, colours and all"),
            Option("j", "json", None, "print its status, or why there is none, as JSON at the end"),
            Option("t", "timeout", "DUR", "give up after DUR"),
        ),
        "Waits for the prompt, pastes the command there, quoted for that shell (bash, zsh, fish),\n"
        "and prints its output; who is attached sees it as if it had been typed. Exits with its\n"
        "status; with 124 after the timeout, when the command goes on; with 125 and a reason if\n"
        "it could not be run, or its end is not known. ^C goes to the command.\n",
        failure=125,
    ),
    "peek": Command(
        "peek",
        "print a session's screen without attaching to it",
        "NAME",
        1,
        1,
        _FORMS,
        "Plain text if nothing else is asked for, a line for each row. NAME . is the session one\n"
        "is in.\n",
    ),
    "history": Command(
        "history",
        "print what has scrolled off a session's screen, and the screen",
        "NAME",
        1,
        1,
        (
            Option("n", "lines", "N", "only the last N lines"),
            Option("", "since", "MARK", "only lines from number MARK on that are final"),
            *_FORMS,
        ),
        "Lines are as the program ended them, however they wrap, and keep their numbers. JSON has\n"
        "the mark for the next --since, and how many lines from MARK on are lost. NAME . is the\n"
        "session one is in.\n",
    ),
    "follow": Command(
        "follow",
        "print what a session prints, as it does, until it ends",
        "NAME",
        1,
        1,
        (
            Option("", "from-screen", None, "first what draws its screen"),
            Option("", "text", None, "lines, as they are completed, without colours"),
            Option("", "cast", None, "a recording for asciinema (asciicast v3)"),
        ),
        "Without --text or --cast every byte, as a terminal is to have it. Nobody waits for who\n"
        "reads slowly: 8 MiB behind it is skipped, told so on stderr, and sent the screen as it\n"
        "is then. NAME . is the session one is in.\n",
    ),
    "events": Command(
        "events",
        "print a line for every change of the table of sessions",
        options=(
            Option("", "begin", None, "print an empty line first, once no event can be missed"),
        ),
        detail="Each line is a JSON object (see EVENTS.md); ends when the daemon does.\n",
    ),
    "var": Command(
        "var",
        "list, get, set or unset the variables that {var} in names stands for",
        "list [-j] | get VAR | set VAR VAL | unset VAR",
        1,
        3,
        (_JSON,),
        "A client attached by a name with {var} in it switches to another session when VAR\n"
        "changes.\n",
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
        detail="SIGTERM ends it and its sessions; SIGUSR1 has it make anew what is gone of its\n"
        "sockets, pid file and log.\n",
    ),
    "stop": Command(
        "stop",
        "end the daemon, and with it all sessions",
        options=(Option("y", "yes", None, "do not ask, whatever sessions there are"),),
        detail="Returns when the daemon has ended. Starts none.\n",
    ),
    "upgrade": Command(
        "upgrade",
        "have the running daemon go on as this version, with all its sessions",
        options=(Option("", "check", None, "only try whether that can be, and say so"),),
        detail="Its program is replaced in place: shells, attached clients and subscribers stay,\n"
        "who is attached sees a short pause. The new program first shows, beside the old one,\n"
        "that it can take everything over; if not, it says why, the exit status is 1, and all is\n"
        "as before. Also to the same version, or back to an older one. Starts no daemon.\n",
    ),
    "config": Command(
        "config",
        "print the configuration, and what is wrong with it",
        detail="What it prints is TOML, as the files have it; behind each key a comment says\n"
        "which file it comes from. What is wrong is said on stderr, and the exit status is 1.\n",
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
