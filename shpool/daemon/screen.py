"""What a session remembers of its terminal, and what a client is shown of it.

This is the seam where the terminal model plugs in.  A Screen takes every byte of output and
every change of size, and, when asked to paint, hands over the bytes that bring a terminal to the
session's state; output that comes after them is live.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.protocol.messages import TtySize


class Screen:
    """Restore mode `simple`: nothing is remembered, the program is made to draw itself."""

    # Whether a client that comes gets its picture from the program, which the pty being resized
    # back and forth makes draw it.
    jiggles = True

    # Whether the pty must be read more slowly for now, because remembering cannot keep up.
    must_hold = False

    def output(self, data: bytes) -> None:
        """The pty produced `data`."""

    def resize(self, size: "TtySize") -> None:
        """The pty has a new size."""

    def paint(self, show: "Callable[[bytes], None]", in_place: bool = False) -> None:
        """Call `show`, once, with what a terminal in an unknown state has to be sent.

        `in_place`: the terminal shows this session already, only not its latest state.
        """
        show(b"")

    def close(self) -> None:
        """The session has ended."""
