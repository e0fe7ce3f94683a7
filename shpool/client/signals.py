"""Signals for a client that waits for descriptors: bytes in a pipe, for its poll."""

import os
import signal

# Those that end the attachment, or interrupt it; of several that have come the first counts.
LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)


class Signals:
    """`fd` is readable when one of those that are caught has come; -1 until any is caught."""

    def __init__(self) -> None:
        self.fd = -1
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

    def _look(self) -> "set[int]":
        if self.fd < 0:
            return self._noticed
        try:
            return self._noticed.union(os.read(self.fd, 256))
        except BlockingIOError:
            return self._noticed


def _noted(number: int, frame: object) -> None:
    """Python only writes to the wake-up descriptor for signals that have a handler."""
