"""Processes on ptys: starting one, and learning that one has ended.

The daemon's only place that forks or waits, so that another process can be the shells' parent one
day: start() ends in a call to `started` or `failed`, a child's end in a call to `exited`.
"""

import errno
import fcntl
import os
import resource
import signal
import struct
import termios
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.messages import TtySize

# Linux and macOS agree on the bit, which termios does not name: the kernel's line editing erases
# whole UTF-8 characters.
_IUTF8 = 0x4000

# Seconds from SIGHUP to SIGKILL, as the original has it.
KILL_AFTER = 0.5


# Asking for them makes an enum of each, which takes a tenth of a millisecond.
_SIGNALS = tuple(int(number) for number in signal.valid_signals())


class SpawnError(Exception):
    """No process could be made; the message is for the user."""


class Owner:
    """Who asked for a process, and is told what becomes of it."""

    def started(self) -> None:
        """The program runs."""

    def failed(self, reason: str) -> None:
        """The program could not be run; the process is gone."""

    def exited(self, status: int) -> None:
        """The program has ended: its exit status, or 128+N when signal N killed it."""


class Command:
    """What to run: argv (argv[0] as the program is to see it), the file, env, where."""

    __slots__ = ("argv", "directory", "env", "file")

    def __init__(self, file: str, argv: "list[str]", env: "dict[str, str]", directory: str) -> None:
        self.file = file  # looked up on PATH of `env` unless it has a slash
        self.argv = argv
        self.env = env
        self.directory = directory


class Child:
    """A process that was started: its pid, and the master of its pty (non-blocking).

    `slave` is the pty's other side, -1 unless it was asked for.
    """

    __slots__ = ("_spawner", "_trouble", "master", "owner", "pid", "slave")

    def __init__(
        self, spawner: "Spawner", pid: int, master: int, slave: int, trouble: int, owner: Owner
    ) -> None:
        self._spawner = spawner
        self._trouble = trouble
        self.pid = pid
        self.master = master
        self.slave = slave
        self.owner = owner

    def signal_group(self, number: int) -> None:
        """Signal the program's own process group; nothing once it has ended."""
        if self.pid in self._spawner.children:
            try:
                os.killpg(self.pid, number)
            except (ProcessLookupError, PermissionError):
                # Its end is about to be noticed, or it is of another user now (su).
                pass

    def take_outcome(self) -> None:
        """Called when the exec has happened, or has not; once more does nothing."""
        if self._trouble < 0:
            return
        try:
            report = os.read(self._trouble, 512)
        except BlockingIOError:
            return
        self._spawner.reactor.drop(self._trouble)
        os.close(self._trouble)
        self._trouble = -1
        owner = self.owner
        if report:
            self.owner = Owner()  # its end interests nobody
            self.close()
            owner.failed(report.decode("utf-8", "replace"))
        else:
            owner.started()

    def close(self) -> None:
        """Close the master; whoever still has the pty open is hung up."""
        if self.master >= 0:
            self._spawner.reactor.drop(self.master)
            os.close(self.master)
            self.master = -1
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1


class Spawner:
    """All children of the daemon.  `umask` and `limits` are what they are to start with."""

    def __init__(self, reactor: "Reactor", umask: int, nofile: "tuple[int, int] | None") -> None:
        self.reactor = reactor
        self.children: dict[int, Child] = {}
        self._umask = umask
        self._nofile = nofile
        reactor.on_signal(signal.SIGCHLD, self.reap)

    def start(
        self,
        command: Command,
        size: "TtySize",
        owner: Owner,
        *,
        echo: bool = True,
        keep_slave: bool = False,
    ) -> Child:
        """Fork and exec on a new pty of `size`; the owner is told how it went, on the loop.

        `keep_slave`: the pty, and what is typed into it, outlives the program until close().
        Raises SpawnError when there is no pty or no process to be had.
        """
        try:
            master, slave = os.openpty()
        except OSError as error:
            raise SpawnError(f"cannot open a pty: {error.strerror}") from None
        try:
            set_size(master, size)
            _set_modes(slave, echo)
            os.set_blocking(master, False)
            trouble, report = os.pipe()
        except (OSError, termios.error) as error:
            os.close(master)
            os.close(slave)
            raise SpawnError(f"cannot set the pty up: {error.args[-1]}") from None
        # No signal may run a handler in the child: they write to the daemon's wake-up pipe.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(command, slave, report)
        except OSError as error:
            os.close(master)
            os.close(slave)
            os.close(trouble)
            raise SpawnError(f"cannot fork: {error.strerror}") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(report)
        if not keep_slave:
            os.close(slave)
            slave = -1
        os.set_blocking(trouble, False)
        child = Child(self, pid, master, slave, trouble, owner)
        self.children[pid] = child
        self.reactor.on_readable(trouble, child.take_outcome)
        return child

    def reap(self) -> None:
        """Notice every child that has ended."""
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.children.pop(pid, None)
            if child is not None:
                child.take_outcome()
                child.owner.exited(_exit_status(status))

    def end(self) -> None:
        """The daemon ends: give the children, told already, a moment, then kill who is left.

        This waits, and is therefore only for when the loop has ended.
        """
        deadline = monotonic() + KILL_AFTER
        while self.children and monotonic() < deadline:
            self.reap()
            if self.children:
                sleep(0.005)
        for child in self.children.values():
            child.signal_group(signal.SIGKILL)

    def _become(self, command: Command, slave: int, report: int) -> None:
        """In the child: become the program.  Never returns."""
        what = "cannot prepare the shell"
        try:
            signal.set_wakeup_fd(-1)
            _default_signals()
            os.setsid()
            if hasattr(termios, "TIOCSCTTY"):
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            report = _above_stdio(report)
            for fd in range(3):
                os.dup2(slave, fd)
            os.dup2(report, 3, inheritable=False)
            os.closerange(4, _open_max())
            report = 3
            os.umask(self._umask)
            if self._nofile is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, self._nofile)
            what = f"cannot use the directory {command.directory!r}"
            os.chdir(command.directory)
            what = f"cannot run {command.file!r}"
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            _execute(command)
        except OSError as error:
            os.write(report, f"{what}: {error.strerror}".encode("utf-8", "replace")[:512])
        except BaseException as error:
            os.write(report, f"{what}: {error}".encode("utf-8", "replace")[:512])
        finally:
            os._exit(127)


def set_size(master: int, size: "TtySize") -> None:
    """Tell the pty its size; its foreground processes get a SIGWINCH if it is new."""
    packed = struct.pack("4H", size.rows, size.cols, size.xpixel, size.ypixel)
    fcntl.ioctl(master, termios.TIOCSWINSZ, packed)


def _set_modes(slave: int, echo: bool) -> None:
    modes = termios.tcgetattr(slave)
    modes[0] |= _IUTF8
    if not echo:
        modes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, modes)


def _execute(command: Command) -> None:
    """As os.execvpe, which would load a module for every shell.  Raises OSError."""
    if "/" in command.file:
        os.execve(command.file, command.argv, command.env)
    failure = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for directory in command.env.get("PATH", os.defpath).split(":"):
        try:
            os.execve(os.path.join(directory or ".", command.file), command.argv, command.env)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            failure = error  # it is there; another may be better
    raise failure


def _default_signals() -> None:
    for number in _SIGNALS:
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            # SIGKILL, SIGSTOP, and those that the C library keeps for itself.
            pass


def _above_stdio(fd: int) -> int:
    """`fd`, or a copy of it, where it is in nobody's way while 0 to 3 are set up."""
    return fd if fd > 3 else fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 4)


def _open_max() -> int:
    try:
        return os.sysconf("SC_OPEN_MAX")
    except (OSError, ValueError):
        return 65_536


def _exit_status(status: int) -> int:
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.waitstatus_to_exitcode(status)
