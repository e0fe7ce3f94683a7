"""The daemon replaced in place, as the program that is replaced goes about it.

idle        nobody has asked for it
waiting     a session or a pager is being started, which the state has no form for
rehearsing  the new program shows, beside this one, that it can take over
settling    what was started meanwhile is waited for
due         the loop has stopped: the last turn is to come, carry_out()

In the last turn signals are blocked and what they have asked for is done.  Then the state is
written, a guardian is forked, and this process becomes the new program (take_over.py), which is
told by a variable where everything is.  Until then nothing has changed, and whatever goes wrong is
said to who asked, and leaves everything as it was.
"""

import os
import signal

from shpool import __version__, logs
from shpool.daemon.clients.connection import STREAMS, StreamUser
from shpool.daemon.guardian import Inheritance, stand_guard
from shpool.daemon.life import State
from shpool.daemon.programs.process import ALL_SIGNALS
from shpool.daemon.programs.spawn import SpawnError
from shpool.daemon.rehearsal import Rehearsal, RehearsalUser, StateFile
from shpool.errors import ShpoolError
from shpool.paths import TAKE_OVER
from shpool.protocol.upgrading import UpgradeReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.guardian import Guardian
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.spawn import Spawner
    from shpool.daemon.state import Descriptor
    from shpool.protocol.upgrading import UpgradeRequest

# Seconds for what is being started to run, or not.
_PATIENCE = 5.0

IDLE, WAITING, REHEARSING, SETTLING, DUE = "idle", "waiting", "rehearsing", "settling", "due"

LIFE = {
    IDLE: (WAITING,),
    WAITING: (REHEARSING, IDLE),
    REHEARSING: (SETTLING, IDLE),
    SETTLING: (DUE, IDLE),
    DUE: (SETTLING, IDLE),
}


class UpgradeErrand(StreamUser):
    """Who has asked for the upgrade, and is answered by the new program if that comes to serve.

    `before` is the version that was asked.
    """

    CARRIED = {"before": str}
    DERIVED = ("connection", "_replacement")

    def __init__(self, connection: "Connection", replacement: "Replacement") -> None:
        self.before = __version__
        self.connection = connection
        self._replacement: Replacement | None = replacement

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        self.connection = connection
        self._replacement = None

    def stream_gone(self) -> None:
        if self._replacement is not None:
            self._replacement.asker_gone(self)

    def refuse(self, reason: str) -> None:
        """All is as before."""
        if self.connection.alive:
            self.connection.reply(UpgradeReply("Refused", reason).to_wire())

    def tell(self, status: str, after: str, counts: "tuple[int, int, int]") -> None:
        """It was done, or could be."""
        if self.connection.alive:
            reply = UpgradeReply(status, "", self.before, after, *counts)
            self.connection.reply(reply.to_wire())


STREAMS.add("upgrade", UpgradeErrand)


class Replaceable:
    """Whose program is replaced."""

    def starting(self) -> str:
        """What is being started, for people; empty if nothing is."""
        raise NotImplementedError

    def write_state(self, out: "Callable[[bytes], object]") -> "list[Descriptor]":
        """Write all there is, in pieces, to `out`; the descriptors that go with it.

        Raises StateError, and what `out` raises.
        """
        raise NotImplementedError

    def counts(self) -> "tuple[int, int, int]":
        """How many sessions, attached clients and subscribers there are."""
        raise NotImplementedError

    def renew_pid(self) -> None:
        """This is another process now."""
        raise NotImplementedError


class Replacement(RehearsalUser):
    """`options` are those that the daemon was started with, and `daemon`; None where another
    program embeds it.  `directory` is for files that are ours alone.
    """

    DERIVED = (
        *("_check", "_daemon", "_directory", "_errand", "_options", "_program", "_reactor"),
        *("_rehearsal", "_spawner", "_timer", "state"),
    )

    def __init__(
        self,
        reactor: "Reactor",
        spawner: "Spawner",
        daemon: Replaceable,
        options: "Sequence[str] | None",
        directory: str,
    ) -> None:
        self._reactor = reactor
        self._spawner = spawner
        self._daemon = daemon
        self._options = options
        self._directory = directory
        self.state = State("the upgrade", LIFE, IDLE)
        self._errand: UpgradeErrand | None = None
        self._program: list[bytes] = []
        self._check = False
        self._rehearsal: Rehearsal | None = None
        self._timer: Timer | None = None

    @property
    def due(self) -> bool:
        """The loop has returned for carry_out()."""
        return self.state.now == DUE

    # ---- until the last turn

    def ask(self, connection: "Connection", request: "UpgradeRequest") -> None:
        errand = UpgradeErrand(connection, self)
        if self._options is None:
            errand.refuse("this daemon is embedded in another program")
        elif self.state.now != IDLE:
            errand.refuse("an upgrade is under way")
        else:
            words = " ".join(os.fsdecode(word) for word in request.program)
            logs.info(f"an upgrade is asked for, to {words}")
            self._errand = errand
            self._program, self._check = request.program, request.check
            connection.notice_end(errand)
            self._await_starts(WAITING)

    def asker_gone(self, errand: UpgradeErrand) -> None:
        if errand is self._errand:
            logs.info("the upgrade is called off: who asked for it has gone")
            self._over()

    def call_off(self, reason: str) -> None:
        """It cannot be any more."""
        if self.state.now != IDLE:
            self._fail(reason)

    def broken(self) -> None:
        self.call_off("there is an error in the daemon, which its log tells of")

    def _await_starts(self, state: str) -> None:
        self.state.become(state)
        self._timer = self._reactor.call_later(_PATIENCE, self._give_up)
        self._spawner.when_none_starts(self._none_starts)

    def _none_starts(self) -> None:
        if not self._reactor.settled:
            # What is still to be done soon has no form in the state either.
            self._spawner.when_none_starts(self._none_starts)
            return
        self._stop_waiting()
        if self.state.now == WAITING:
            self._rehearse()
        elif self.state.now == SETTLING:
            self.state.become(DUE)
            self._reactor.stop()

    def _give_up(self) -> None:
        what = self._daemon.starting() or "something"
        self._fail(f"{what} is being started; try again")

    def _rehearse(self) -> None:
        self.state.become(REHEARSING)
        # With the options, before the command: one that knows them no more is to say so now.
        program = [*self._words[:-1], b"take-over", b"--rehearse"]
        file = StateFile(self._directory, self._daemon.write_state)
        try:
            self._rehearsal = Rehearsal(self._spawner, program, file, self)
        except SpawnError as error:
            self._fail(str(error))

    @property
    def _words(self) -> "list[bytes]":
        """The command line of the new program, of which the last word is the command."""
        return [*self._program, *(os.fsencode(option) for option in self._options or ())]

    def not_rehearsed(self, reason: str) -> None:
        self._rehearsal = None
        self._fail(reason)

    def rehearsed(self, version: str) -> None:
        self._rehearsal = None
        if not self._check:
            self._await_starts(SETTLING)
            return
        errand = self._over()
        if errand is not None:
            errand.tell("Possible", version, self._daemon.counts())

    # ---- the last turn

    def carry_out(self) -> None:
        """Become the new program, or return where that cannot be.

        It also returns in the guardian, which is the daemon then, if the new program dies before
        it serves.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)
        try:
            # A signal whose byte stands in the pipe is not pending any more, and would be lost.
            while self._reactor.take_signals():
                pass
            if not self._reactor.settle():
                self._fail("the daemon does not come to rest")
            elif self.state.now == DUE and self._spawner.starting:
                self._await_starts(SETTLING)
            elif self.state.now == DUE:
                self._become(mask)
        except Exception as error:
            logs.defect(error)
            self.broken()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _become(self, mask: "Iterable[int]") -> None:
        """Returns if it could not be, or in the guardian."""
        opened: list[int] = []
        guardian = None
        try:
            file = StateFile(self._directory, self._daemon.write_state)
            opened.append(file.open())
            descriptors = [each.fd for each in file.write()]
            guardian = stand_guard(list(self._spawner.children))
            if guardian.went_on:
                self._go_on(guardian)
                return
            opened.append(guardian.pipe)
            self._execute(Inheritance(file.fd, guardian.pipe, guardian.pid, mask), descriptors)
        except (OSError, ShpoolError) as error:
            if guardian is not None:
                guardian.dismiss()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._fail(f"the daemon cannot be replaced: {reason}")
        finally:
            for fd in opened:
                os.close(fd)

    def _execute(self, inheritance: Inheritance, descriptors: "list[int]") -> None:
        """Raises OSError; what the new program was to have is ours alone then."""
        inherited = [*descriptors, inheritance.state, inheritance.pipe]
        words = self._words
        environ = {**os.environ, TAKE_OVER: inheritance.to_text()}
        try:
            for fd in inherited:
                os.set_inheritable(fd, True)
            os.execve(words[0], words, environ)
        finally:
            for fd in inherited:
                os.set_inheritable(fd, False)

    def _go_on(self, guardian: "Guardian") -> None:
        """This is the guardian, and the new program has died."""
        reason = f"the new program died before it served: {guardian.reason}"
        logs.error(f"{reason}; what went on before goes on in process {os.getpid()}")
        self._spawner.adopt(guardian.pidfds)
        self._daemon.renew_pid()
        self._fail(reason)

    # ---- its end

    def _fail(self, reason: str) -> None:
        logs.warn(f"no upgrade: {reason}")
        errand = self._over()
        if errand is not None:
            errand.refuse(reason)

    def _over(self) -> "UpgradeErrand | None":
        """Nothing is under way any more; whose errand it was."""
        self.state.become(IDLE)
        self._stop_waiting()
        if self._rehearsal is not None:
            self._rehearsal.call_off()
            self._rehearsal = None
        errand, self._errand = self._errand, None
        return errand

    def _stop_waiting(self) -> None:
        self._spawner.when_none_starts(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
