"""Why a command is not run in a session (yet), in words for who asked for it."""

from math import inf
from time import monotonic

from shpool.daemon.loop import peer
from shpool.daemon.sessions.picture import no_screen
from shpool.daemon.sessions.typed_line import SETTLED
from shpool.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.sessions.session import Session

# Shells, by the name of their process: at a prompt of another one nothing is pasted.
_SHELLS = frozenset(
    "bash zsh fish sh dash ash ksh ksh93 mksh tcsh csh nu pwsh".split()  # noqa: SIM905
)

# Seconds for which nothing was typed, and nothing is left of what was, when who typed may be
# thought to be done.
_LEFT_ALONE = 1.0

# What a command is told of in a line, in characters.
_TOLD = 60

NOT_TAKEN = "the shell did not take the command"
NOT_AS_IT_IS = f"{NOT_TAKEN}: it wants more of it, or asks something"

_NO_MARKS = (
    "does not mark its prompts: run needs bash 4.4 or later, zsh or fish, not with --cmd"
    " or TERM=dumb, and shell_integration (see CONFIG.md)"
)


def hopeless(session: "Session", pid: int) -> str:
    """Why no command can ever be run there for a client, `pid`; empty if it can."""
    if not session.picture.remembers:
        return no_screen(session.name)
    if peer.same_terminal(peer.controlling_terminal(pid), session.device):
        return f"this is session '{session.name}', whose prompt does not come while run waits"
    if not session.prompt.shell:
        return no_marks(session)
    return ""


def no_marks(session: "Session") -> str:
    return f"the shell of session '{session.name}' {_NO_MARKS}"


def not_reading(session: "Session") -> str:
    return f"session '{session.name}' does not read its input"


def kept(session: "Session") -> str:
    return (
        "the command has a control character in it that the terminal of session"
        f" '{session.name}' takes for itself"
    )


def in_another_shell(session: "Session") -> bool:
    """Returns whether a shell below the session's edits a line, as far as can be seen."""
    typist = session.typist
    if typist is None or typist.canonical:
        return False
    return session.foreground() != session.pid and name_of(session.foreground()) in _SHELLS


def free_in(session: "Session") -> float:
    """Seconds until nobody's typing speaks against a command at the prompt; infinite while it is
    not known to end, or there is no prompt."""
    prompt, line = session.prompt, session.line
    if prompt.stands:
        return prompt.since + SETTLED - monotonic() if line.unread else 0.0
    if prompt.at_prompt and line.empty:
        return line.at + _LEFT_ALONE - monotonic()
    return inf


def other_shell(session: "Session") -> str:
    return (
        f"session '{session.name}' is in another shell ({_command(session)}), where run cannot tell"
        " what comes of a command: leave that first, or use send"
    )


def not_yet(session: "Session") -> str:
    """Why the shell is not at a prompt at which nothing was typed, now that time is up."""
    prompt = session.prompt
    if prompt.running:
        return f"session '{session.name}' was not at its prompt in time: {_runs(session)}"
    if prompt.at_prompt and not prompt.fresh:
        return _begun(session)
    if not prompt.ours:
        return f"the shell of session '{session.name}' has sent no marks in time; it {_NO_MARKS}"
    return f"session '{session.name}' was not at its prompt in time"


def waiting(session: "Session") -> str:
    """What is waited for."""
    prompt = session.prompt
    if prompt.running:
        return f"waiting for the prompt of session '{session.name}': {_runs(session)}"
    if prompt.at_prompt and not prompt.fresh:
        return f"{_begun(session)}, and it is waited for"
    return f"waiting for the prompt of session '{session.name}'"


def _runs(session: "Session") -> str:
    return f"{_command(session)} runs there"


def _command(session: "Session") -> str:
    """What runs there, as it may be written to anybody's terminal."""
    command = shown(session.prompt.command or name_of(session.foreground()))
    return command if len(command) <= _TOLD else f"{command[: _TOLD - 3]}..."


def _begun(session: "Session") -> str:
    return f"somebody has begun a line at the prompt of session '{session.name}'"


def name_of(pid: int) -> str:
    """What the process is called, by proc(5); empty if that cannot be known."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read(64).strip()
    except OSError:
        return ""
