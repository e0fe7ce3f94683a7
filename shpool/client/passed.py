"""What runs while a client is attached whose terminal is in the daemon's hands.

Hardly anything: it tells the daemon of a new window size, answers when it is asked whether it is
there, and has the terminal given back before it leaves.
"""

from time import monotonic

from shpool.client.relay import Outcome, Relay
from shpool.protocol import chunks
from shpool.terminal.leave import ALTERNATE, REPORTS

# Seconds that the daemon has to give the terminal back.
_GIVE_BACK = 2.0


class PassedRelay(Relay):
    """Data comes from the daemon only when it has given the terminal back."""

    _wish: "Outcome | None" = None  # why we want to leave

    def run(self) -> Outcome:
        self._terminal.watch.unseen(0)
        self._tell(chunks.MODES, self._terminal.before)
        outcome = super().run()
        if outcome.kind == "hung-up" and self._wish is not None:
            outcome = self._wish  # the daemon has not answered in time
        if self._to_terminal:
            # It took no more, and what it has on may be what this would have turned off.
            self._terminal.watch.unseen(ALTERNATE | REPORTS)
        return outcome

    def _wants_input(self) -> bool:
        return False

    def _take_news(self, kind: int, content: bytes) -> None:
        if kind == chunks.HEARTBEAT:
            self.continued()
        elif kind == chunks.STATE and content:
            self._terminal.watch.unseen(content[0])

    def continued(self) -> None:
        super().continued()
        if self._outcome is None:
            self._tell(chunks.BACK)

    def _switch(self, outcome: Outcome) -> None:
        self._leave(outcome)

    def _leave(self, outcome: Outcome) -> bool:
        if self._outcome is not None:
            return False  # the terminal is ours again, but takes nothing
        if self._wish is None:
            self._wish = outcome
            self._tell(chunks.DETACH)
            self._deadline = monotonic() + _GIVE_BACK
        return True

    def _end(self, outcome: Outcome) -> None:
        if self._outcome is not None:
            return
        self._outcome = self._wish or outcome
        if self._outcome.kind in ("exited", "switch"):
            self._deadline = None  # there is time for the terminal to take the last words

    def _tell(self, kind: int, payload: bytes = b"") -> None:
        self._to_daemon += chunks.frame(kind, payload)
        self._write_input()
