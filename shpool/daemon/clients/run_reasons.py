"""Why a command is not run in a session, in words for who asked for it."""

from shpool.daemon.loop import peer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.sessions.session import Session

# Shells, by the name of their process: at a prompt of another one nothing is pasted.
_SHELLS = frozenset(
    "bash zsh fish sh dash ash ksh ksh93 mksh tcsh csh nu pwsh".split()  # noqa: SIM905
)

NOT_TAKEN = "the shell did not take the command"
NOT_AS_IT_IS = f"{NOT_TAKEN}: it wants more of it, or asks something"

_NO_MARKS = (
    "does not mark its prompts: run needs bash 4.4 or later, zsh, or fish before 4, not with --cmd"
    " or TERM=dumb, and shell_integration (see CONFIG.md)"
)


def hopeless(session: "Session", pid: int) -> str:
    """Why no command can ever be run there for a client, `pid`; empty if it can."""
    if session.picture.jiggles:
        return no_screen(session)
    if peer.same_terminal(peer.controlling_terminal(pid), session.device):
        return f"this is session '{session.name}', whose prompt does not come while run waits"
    if not session.prompt.shell:
        return no_marks(session)
    return ""


def no_screen(session: "Session") -> str:
    return f"session '{session.name}' keeps no screen: its restore mode is simple"


def no_marks(session: "Session") -> str:
    return f"the shell of session '{session.name}' {_NO_MARKS}"


def not_reading(session: "Session") -> str:
    return f"session '{session.name}' does not read its input"


def in_another_shell(session: "Session") -> bool:
    """Returns whether a shell below the session's edits a line, as far as can be seen."""
    typist = session.typist
    if typist is None or typist.canonical:
        return False
    return session.foreground() != session.pid and name_of(session.foreground()) in _SHELLS


def other_shell(session: "Session") -> str:
    command = session.prompt.command or name_of(session.foreground())
    return (
        f"session '{session.name}' is in another shell ({command}), where run cannot tell what"
        " comes of a command: leave that first, or use send"
    )


def not_yet(session: "Session") -> str:
    """Why the shell is not at a prompt at which nothing was typed."""
    prompt = session.prompt
    if prompt.running:
        command = prompt.command or name_of(session.foreground())
        return f"session '{session.name}' was not at its prompt in time: {command} runs there"
    if prompt.at_prompt and not prompt.fresh:
        return f"somebody has begun a line at the prompt of session '{session.name}'"
    if not prompt.ours:
        return f"the shell of session '{session.name}' has sent no marks in time; it {_NO_MARKS}"
    return f"session '{session.name}' was not at its prompt in time"


def name_of(pid: int) -> str:
    """What the process is called, by proc(5); empty if that cannot be known."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read(64).strip()
    except OSError:
        return ""
