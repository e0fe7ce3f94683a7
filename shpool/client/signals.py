"""Signals for a client that waits for descriptors: bytes in a pipe, for its poll."""

import os
import signal

# Those that end the attachment, or interrupt it; of several that have come the first counts.
LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)


class Signals:
    """`fd` is readable when one of those that are caught has come; -1 until any is caught.

    A SIGCONT takes back a SIGTSTP that came before it, as a stopped process would be continued.
    """

    def __init__(self) -> None:
        self.fd = -1
        self._continued = False  # since SIGTSTP came last
        self._noticed: set[int] = set()

    def catch_resizes(self) -> None:
        """Note changes of the window size; other signals still do what they do."""
        self.catch(signal.SIGWINCH)

    def catch(self, *numbers: int) -> None:
        """Note these signals."""
        if self.fd < 0:
            self.fd, write = os.pipe()
            os.set_blocking(self.fd, False)
            os.set_blocking(write, False)
            signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _noted)

    def catch_all(self) -> None:
        """Note every signal that would leave the terminal in a state nobody can use."""
        self.catch(signal.SIGWINCH, *LEAVING, signal.SIGCONT)

    def take(self) -> "set[int]":
        """The signals that have come."""
        noticed, self._noticed = self._look(), set()
        return noticed

    def leaving(self) -> "int | None":
        """One of LEAVING, if it has come; others are kept for take()."""
        self._noticed = self._look()
        for number in LEAVING:
            if number in self._noticed:
                self._noticed.discard(number)
                return number
        return None

    def may_stop(self) -> bool:
        """Returns whether no SIGCONT has come after the SIGTSTP that was taken."""
        self._noticed = self._look()
        return not self._continued

    def _look(self) -> "set[int]":
        if self.fd < 0:
            return self._noticed
        try:
            came = os.read(self.fd, 256)
        except BlockingIOError:
            return self._noticed
        noticed = set(self._noticed)
        for number in came:
            noticed.add(number)
            if number == signal.SIGCONT:
                noticed.discard(signal.SIGTSTP)
                self._continued = True
            elif number == signal.SIGTSTP:
                noticed.discard(signal.SIGCONT)
                self._continued = False
        return noticed


def _noted(number: int, frame: object) -> None:
    """Python only writes to the wake-up descriptor for signals that have a handler."""
