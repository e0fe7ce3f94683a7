"""Those who are told what happens at a session and have no part in it."""

from shpool.daemon.loop.reactor import each_alone
from shpool.daemon.sessions.participant import Onlooker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.terminal.marks import Mark


class Onlookers(list[Onlooker]):
    @property
    def hold(self) -> bool:
        """The program is to wait, because one of them can take no more."""
        return any(each.holds for each in self)

    def take_output(self, data: bytes, marks: "list[Mark]") -> None:
        """The program wrote `data`, in which these marks end: each is told of in its place."""
        at = 0
        for mark in marks:
            self._take_piece(data[at : mark.end])
            self._take_mark(mark)
            at = mark.end
        if at < len(data):
            self._take_piece(data[at:] if at else data)

    def _take_piece(self, data: bytes) -> None:
        each_alone(self, lambda onlooker: onlooker.take_output(data))

    def _take_mark(self, mark: "Mark") -> None:
        each_alone(self, lambda onlooker: onlooker.marked(mark))

    def session_changed(self) -> None:
        each_alone(self, lambda onlooker: onlooker.session_changed())

    def shell_ended(self, status: int) -> None:
        """They look on no more."""
        leaving = self.copy()
        self.clear()
        each_alone(leaving, lambda onlooker: onlooker.shell_ended(status))
