"""A host, as this ssh reaches it: what is known of it, what is taken there, and what is run."""

from shpool.client import tty
from shpool.client.ssh import script
from shpool.client.ssh.arguments import unquiet
from shpool.client.ssh.complaints import Complaints
from shpool.client.ssh.connection import put_all
from shpool.client.ssh.copying import Copying
from shpool.client.ssh.notes import Note
from shpool.client.ssh.package import Package
from shpool.client.ssh.probing import has_master, probe
from shpool.client.ssh.process import Process, SshError, exit_status
from shpool.output import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.signals import Signals
    from shpool.client.ssh.command_line import CommandLine

# What a terminal is told to be where its own name is not known: nearly all there are understand it.
_USUAL_TERM = "xterm-256color"


class Host:
    """The host, as this ssh reaches it, and what is known of it."""

    def __init__(self, wanted: "CommandLine", signals: "Signals") -> None:
        """Raises PackError, OSError."""
        self._wanted = wanted
        self._signals = signals
        self.probed = probe(wanted.ssh, wanted.options, wanted.host, share=wanted.shares)
        self._package = None if wanted.remote else Package()
        self._note = Note(self.probed.host(f"{wanted.ssh} {wanted.options} {wanted.host}"))

    def complaints(self, *, held: bool = False) -> Complaints:
        return Complaints(self.probed.level, held=held)

    def command(self, options: "list[str]", remote_command: "str | None" = None) -> "list[str]":
        wanted = self._wanted
        own = unquiet(wanted.options)
        words = [*wanted.ssh, *options, *own, *self.probed.unshared(), wanted.host]
        return words if remote_command is None else [*words, remote_command]

    def shares(self) -> bool:
        """Returns whether there is a connection to share, by now."""
        return has_master(self._wanted.ssh, self._wanted.options, self._wanted.host)

    def session_command(
        self,
        *,
        token: str,
        caller: str,
        name: str,
        existing: bool = False,
        force: bool = False,
    ) -> str:
        """Raises SshError."""
        wanted = self._wanted
        env = list(wanted.env)
        if self._package is not None and not self._note.terms.get(wanted.term, True):
            env.append(("TERM", _USUAL_TERM))
        words = [*(["-f"] if force else []), *wanted.passed_on, "--", name]
        command = script.session_command(
            token=token,
            file=self._package.name if self._package is not None else "",
            remote=wanted.remote,
            name=name,
            existing=existing,
            caller=caller,
            env=env,
            words=words,
        )
        if len(command) > script.LONGEST:
            raise SshError("what is to be run there is too long")
        return command

    def prepare(self, *, again: bool = False, batch: bool = False) -> "int | None":
        """Have the file there, unless a note says that it is; `again`: it is not.

        Returns an exit status if there is no use in going on.  Raises SshError, PackError.
        """
        package, term = self._package, self._wanted.term
        if package is None or (not again and self._note.says(package.name, term)):
            return None
        options = self.probed.without_terminal(copies=True)
        if batch:
            options = [*self.probed.for_retry(batch=True), *options]
        complaints = self.complaints()
        copied = Copying(package, term, complaints, self._signals).run(self.command(options))
        kind, _, value = copied.told.partition(";")
        if kind == "failed":
            raise SshError(f"cannot take shpool to {self._wanted.host}: {copied.reason}")
        if kind == "none":
            self._note.keep(package.name, term, none=True)
        elif kind == "done":
            known = value == "1"
            if not known:
                complain(
                    f"shpool: {self._wanted.host} does not know the terminal {term}, and is told"
                    f" {_USUAL_TERM}\n"
                )
            self._note.keep(package.name, term, known=known)
        else:
            put_all(tty.STDOUT, copied.printed)
            if copied.status == 255 or copied.left:
                return copied.status
            printed = bool(copied.printed) or complaints.any
            return self.runs_nothing(copied.status, printed=printed)
        return None

    def runs_nothing(self, status: int, *, printed: bool) -> int:
        """A host that runs something else than what it is told; the exit status."""
        if not printed:
            complain(f"shpool: {self._wanted.host} does not run commands\n")
        return status or 1

    def without_terminal(self) -> int:
        """Attach as a pipe does: once, and whatever comes of it."""
        status = self.prepare(again=True)
        if status is not None:
            return status
        wanted = self._wanted
        command = self.session_command(token="", caller="", name=wanted.name, force=wanted.force)
        words = self.command(self.probed.without_terminal(), command)
        process = Process(words, self._signals)
        status = exit_status(process.wait())
        return 128 + process.ended_by if process.ended_by else status
