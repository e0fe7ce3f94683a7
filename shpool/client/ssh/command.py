"""shpool ssh: take shpool to a host if need be, be in a session there, and come back to it."""

import os
import random
import signal
from time import monotonic

from shpool.client import tty
from shpool.client.signals import Signals
from shpool.client.ssh import pause, retries
from shpool.client.ssh.command_line import CommandLine
from shpool.client.ssh.connection import Connection, Modes, put_all
from shpool.client.ssh.host import Host
from shpool.client.ssh.marks import Marks
from shpool.client.ssh.process import SshError
from shpool.client.ssh.retries import Ended
from shpool.names import InvalidName, check_name_template
from shpool.protocol.attaching import REPLACES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    wanted = CommandLine(parsed, context.environ)
    signals = Signals()
    host = Host(wanted, signals)
    if not (os.isatty(tty.STDIN) and os.isatty(tty.STDOUT)):
        return host.without_terminal()
    return Visit(wanted, host, signals).run()


class Visit:
    """Being in the session there, through one connection after the other."""

    def __init__(self, wanted: CommandLine, host: Host, signals: Signals) -> None:
        self._wanted = wanted
        self._host = host
        self._terminal = tty.UserTerminal((tty.STDIN, tty.STDOUT))
        self._modes = Modes()
        self._signals = signals
        self._line = pause.Line()
        self._pause = pause.Pause(self._terminal, self._signals, self._line)
        self._tokens: list[str] = []  # of clients that may still be attached
        self._seen_line = ""  # the number of the last one that came whole, if it was told
        self._name = wanted.name  # of the session, which may be gone over to another one
        self._literal = ""  # or "literal": no variables are named in it
        self._attached = False
        self._dirty = False  # the session has been on the terminal, or something else from there
        self._said = b""  # by ssh, when it failed last
        self._complaints = host.complaints()

    def run(self) -> int:
        try:
            status = self._host.prepare()
            return self._stay() if status is None else status
        finally:
            self._leave()

    def _stay(self) -> int:
        ended = self._first()
        kind, status = retries.meaning(ended)
        if kind == retries.LOST and self._host.probed.is_ssh:
            status = self._come_back(ended)
        elif kind == retries.FAILED and not ended.failed:
            printed = ended.printed or self._complaints.any
            self._say(b"")
            status = self._host.runs_nothing(ended.status, printed=printed)
        return status

    def _first(self) -> Ended:
        ended = self._try([], existing=False, force=self._wanted.force)
        if ended.said == "copy":
            # What is noted of the host is not so (any more).
            status = self._host.prepare(again=True)
            if status is not None:
                ended.end = status  # what there is to be said of it was said
                return ended
            ended = self._try([], existing=False, force=self._wanted.force)
            if ended.said == "copy":
                raise SshError(f"{self._wanted.host} does not keep what is taken there")
        return ended

    # ---- one connection

    def _try(self, options: "list[str]", *, existing: bool, force: bool) -> Ended:
        """One ssh, to its end; the terminal is as it was before."""
        token = os.urandom(8).hex()
        replaces = ",".join(self._tokens[-REPLACES_MAX:])
        command = self._host.session_command(
            token=token,
            caller=f"{token};{replaces};{self._seen_line};{self._literal}",
            name=self._name,
            existing=existing,
            force=force,
        )
        self._tokens.append(token)
        connection = Connection(
            self._terminal,
            self._signals,
            Marks(token),
            self._complaints,
            self._line.end,
            self._told,
        )
        words = self._host.command([*options, *self._host.probed.for_session()], command)
        ended = connection.run(words)
        self._attached = self._attached or ended.attached
        self._modes.restore()
        self._dirty = self._dirty or ended.seen or ended.printed
        if ended.seen and ended.end is None and self._complaints.shared:
            ended.without_master = not self._host.shares()
        return ended

    def _told(self, word: str) -> None:
        kind, _, value = word.partition(";")
        if kind == "seen":
            self._tokens = self._tokens[-1:]
            if self._complaints.held:
                self._complaints.forget()
        elif kind == "line" and value.isdigit():
            self._seen_line = value
        elif kind == "name":
            self._go_over(value)

    def _go_over(self, told: str) -> None:
        """The session has this name, in hexadecimal: the one that was asked for, or another one, of
        which no line has been seen."""
        name, _, literal = told.partition(";")
        try:
            now = bytes.fromhex(name).decode()
            check_name_template(now)
        except (ValueError, InvalidName):
            return
        self._literal = literal
        if now != self._name:
            self._name, self._seen_line = now, ""

    def _say(self, words: bytes) -> None:
        """On a terminal in which nothing is on any more that there was on in the session."""
        if self._dirty:
            self._dirty = False
            self._terminal.enter()
            self._terminal.clean()
        if words:
            self._line.end()
            words = words.replace(b"\r\n", b"\n")
            if self._terminal.is_raw:
                words = words.replace(b"\n", b"\r\n")
            put_all(tty.STDERR, words)

    def _leave(self) -> None:
        """The terminal is the shell's again that has run us."""
        self._line.end()
        if self._dirty:
            self._terminal.enter()
        self._terminal.shown = self._dirty
        self._terminal.leave()
        self._modes.restore()
        self._dirty = False
        self._say(self._complaints.last_words())

    # ---- coming back

    def _come_back(self, ended: Ended) -> int:
        """The exit status, when all is over."""
        waits = retries.pauses(random.random())
        lost_at = monotonic()
        question = ""
        batch, force = True, False
        host = self._host.probed
        while True:
            outcome = self._wait(next(waits) if not question else 0.0, question)
            if outcome is not None:
                return outcome
            if not batch:
                self._line.end()
            self._complaints = self._host.complaints(held=batch)
            self._modes.without_echo()
            begun = monotonic()
            ended = self._try(
                host.for_retry(batch=batch),
                existing=self._attached,
                force=force or (self._wanted.force and not self._attached),
            )
            question = ""
            kind, status = retries.meaning(ended)
            if kind == retries.LEFT:
                return status
            if ended.said == "gone":
                self._line.end()
                self._say(b"the session ended while the connection was lost\n")
                return 1
            if ended.said.startswith("busy"):
                if not retries.may_be_ours(ended.said, monotonic() - lost_at):
                    question, force = retries.elsewhere_line(self._name), True
            elif ended.said == "copy":
                found = self._host.prepare(again=True, batch=batch)
                if found is not None and found != 255:
                    return found
            elif kind == retries.OVER:
                return status
            elif kind == retries.LOST:
                steady = monotonic() - begun >= retries.STEADY
                waits = retries.pauses(random.random(), steady=steady)
                lost_at = monotonic()
                batch, force = True, False
                self._said = b""
            elif ended.interrupted:
                return 130
            elif batch and self._only_asking_was_missing():
                self._complaints.last_words()
                question, batch = retries.password_line(self._wanted.host), False
            else:
                words = self._complaints.last_words()
                if words != self._said or self._complaints.final:
                    self._say(words)
                self._said = words
                if self._complaints.final:
                    return ended.status
                if not ended.failed and ended.status and not ended.told:
                    return self._host.runs_nothing(ended.status, printed=self._complaints.any)
                batch = True

    def _wait(self, seconds: float, question: str) -> "int | None":
        """An exit status, if it is not to be tried any more."""
        host = self._wanted.host
        self._say(self._complaints.last_words())
        if question:
            outcome = self._pause.ask(question)
        else:
            outcome = self._pause.count_down(seconds, lambda left: retries.lost_line(host, left))
        self._terminal.shown = False
        self._terminal.leave()
        if outcome == pause.GIVE_UP:
            return 128 + signal.SIGINT
        if outcome == pause.GONE:
            return 128 + self._pause.number
        return None

    def _only_asking_was_missing(self) -> bool:
        return self._complaints.wants_password or (
            self._complaints.denied and self._host.probed.asks_for_passphrase
        )
