"""shpool run: a command at the prompt of a session's shell: its output, its exit status."""

import os
import select
import signal

from shpool.client.connect import ClientError
from shpool.client.outside import session_meant
from shpool.client.printed import Printed, Text
from shpool.client.reach import ask_once
from shpool.client.watching import Feed, NoSession
from shpool.durations import parse_span
from shpool.errors import ShpoolError, UsageError, Verdict
from shpool.options import Parsed
from shpool.output import complain, put
from shpool.protocol.outside import SendRequest
from shpool.protocol.running import DONE, FAILED, TAKEN, WAITS, RunRequest
from shpool.protocol.watching import MISSED, OUTPUT, TIMED_OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context

# The exit status for whatever is not the command's.
OURS = 125

# Seconds without output, after which a line that is being written is printed as far as it is.
_PAUSE = 0.05

# A request takes 1 MiB with all that is around the command.
_MOST = 1_000_000


def run(context: "Context", parsed: Parsed) -> int:
    wanted = _wanted(parsed)
    for option in ("ansi", "json"):
        parsed.one_of("detach", option)
    outcome = Outcome()
    try:
        wanted.session_name = session_meant(context, wanted.session_name)
        feed = _begin(context, wanted, create=bool(parsed.count("create")))
        Running(context, feed, outcome, ansi=bool(parsed.count("ansi"))).go(
            to_the_end=not parsed.count("detach")
        )
    except ShpoolError as error:
        if not parsed.count("json"):
            raise
        complain(f"{error}\n" if isinstance(error, Verdict) else f"shpool: {error}\n")
        outcome.exit, outcome.status, outcome.reason = OURS, None, str(error)
    if parsed.count("json"):
        put(outcome.json())
    return outcome.exit


def _wanted(parsed: Parsed) -> RunRequest:
    """Raises UsageError, ClientError."""
    name, *words = parsed.arguments
    line = parsed.text("command")
    if line is None and not words:
        raise UsageError("run needs a command: NAME -- COMMAND... or NAME -c STRING")
    if line is not None and words:
        raise UsageError("-c and a command cannot be used together")
    if line is not None and not line.strip():
        raise UsageError("the command is empty")
    try:
        size = sum(len(each.encode()) for each in (*words, line or ""))
    except UnicodeEncodeError:
        raise ClientError("the command is not UTF-8") from None
    if size > _MOST:
        raise ClientError(f"a command has at most {_MOST:,} bytes")
    given = parsed.text("timeout")
    return RunRequest(name, words, line, None if given is None else parse_span(given))


def _begin(context: "Context", wanted: RunRequest, *, create: bool) -> Feed:
    try:
        return Feed(context, wanted)
    except NoSession:
        if not create or wanted.session_name == ".":
            raise
    from shpool.client.attach import run as attach

    background = Parsed()
    background.arguments = [wanted.session_name]
    background.values = {"background": 1}
    attach(context, background)
    return Feed(context, wanted)


class Outcome:
    """`exit`: what the process ends with."""

    def __init__(self) -> None:
        self.exit = OURS
        self.status: int | None = None
        self.reason: str | None = None
        self.open_line = False  # the output does not end with a line end

    def json(self) -> str:
        from json import dumps

        line = "\n" if self.open_line else ""
        return line + dumps({"status": self.status, "reason": self.reason}) + "\n"


class Running:
    """A command that is waited for."""

    def __init__(self, context: "Context", feed: Feed, outcome: Outcome, *, ansi: bool) -> None:
        self._context = context
        self._feed = feed
        self._outcome = outcome
        self._printed = Printed() if ansi else Text()
        self._taken = False
        self._over = False
        self._cols = 0  # of the session's terminal when the command ended
        self._signals, self._noted = os.pipe()
        os.set_blocking(self._noted, False)

    def go(self, *, to_the_end: bool) -> None:
        """Raises ClientError for what is not the command's."""
        signal.signal(signal.SIGINT, self._note)
        while not self._over and self._feed.status is None:
            if self._feed.waits or self._comes():
                for event in self._feed.read():
                    self._take(event)
                    if self._taken and not to_the_end:
                        self._outcome.exit = 0
                        return
        if not self._over:
            self._end(TIMED_OUT if self._feed.status == TIMED_OUT else OURS, None, "timeout")

    def _note(self, number: int, frame: object) -> None:
        try:
            os.write(self._noted, b"x")
        except BlockingIOError:
            pass  # it is noted

    def _comes(self) -> bool:
        """Wait for the daemon, and look after everything else meanwhile."""
        poll = select.poll()
        poll.register(self._feed.sock, select.POLLIN)
        poll.register(self._signals, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(1000 * _PAUSE if self._printed.waits else None)]
        if self._signals in ready:
            os.read(self._signals, 100)
            self._interrupt()
        elif not ready:
            self._printed.pause()
        return self._feed.sock.fileno() in ready

    def _interrupt(self) -> None:
        """To whom ^C was meant."""
        if not self._taken:
            raise KeyboardInterrupt
        ask_once(self._context, SendRequest(self._feed.names[0], [("key", "C-c")]))

    def _take(self, event: "tuple[str, int, list[Any]]") -> None:
        kind, _, said = event
        if kind == OUTPUT:
            self._printed.output(said[0])
        elif kind == TAKEN:
            self._taken = True
        elif kind == WAITS:
            complain(f"shpool: {said[0]}\n")
        elif kind == MISSED:
            complain(f"shpool: {said[0]} bytes were missed\n")
        elif kind == DONE:
            status, self._cols = said[0], said[1]
            if status is None:
                self._end(OURS, None, "the shell does not tell the status")
            else:
                self._end(status & 0xFF, status, None)
        elif kind == FAILED:
            self._end(OURS, None, said[0])
            raise ClientError(said[0])

    def _end(self, exit_status: int, status: "int | None", reason: "str | None") -> None:
        self._over = True
        self._printed.end(self._cols)
        self._outcome.open_line = self._printed.open_line
        self._outcome.exit = exit_status
        self._outcome.status = status
        self._outcome.reason = reason
