"""A program that is to be run on a pty, and how a process that was forked for it becomes it."""

import errno
import fcntl
import os
import resource
import signal
import termios

from shpool.daemon.programs.process import above_stdio, default_signals
from shpool.files import close_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Program:
    """What to run: argv (argv[0] as the program is to see it), the file, env, where.

    `shell`: which shell it is, if that marks its prompts; `aid`: by which its marks are known.
    """

    __slots__ = ("aid", "argv", "directory", "env", "file", "shell")

    def __init__(
        self,
        file: str,
        argv: "list[str]",
        env: "dict[str, str]",
        directory: str,
        *,
        shell: str = "",
        aid: str = "",
    ) -> None:
        self.file = file  # looked up on PATH of `env` unless it has a slash
        self.argv = argv
        self.env = env
        self.directory = directory
        self.shell = shell
        self.aid = aid

    def become(
        self,
        slave: int,
        report: int,
        umask: int,
        nofile: "tuple[int, int] | None",
        *,
        trial: bool,
    ) -> "NoReturn":
        """In a child: become the program, with the pty of `slave` as its terminal.

        Why that cannot be is written to the pipe `report`, which is closed when the program runs.
        `nofile`: its limit of descriptors, if it is to be another one.  `trial`: end where it would
        have been run.
        """
        what = "cannot prepare the shell"
        try:
            default_signals()
            os.setsid()
            if hasattr(termios, "TIOCSCTTY"):
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            report = above_stdio(report)
            for fd in range(3):
                os.dup2(slave, fd)
            os.dup2(report, 3, inheritable=False)
            close_from(4)
            report = 3
            os.umask(umask)
            if nofile is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, nofile)
            what = f"cannot use the directory {self.directory!r}"
            os.chdir(self.directory)
            what = f"cannot run {self.file!r}"
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            if trial:
                self._find()
            else:
                self._execute()
        except OSError as error:
            os.write(report, f"{what}: {error.strerror}".encode("utf-8", "replace")[:512])
        except BaseException as error:
            os.write(report, f"{what}: {error}".encode("utf-8", "replace")[:512])
        finally:
            os._exit(127)

    def _execute(self) -> None:
        """As os.execvpe, which would load a module for every shell.  Raises OSError."""
        failure = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        for path in self._candidates():
            try:
                os.execve(path, self.argv, self.env)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                failure = error  # it is there; another may be better
        raise failure

    def _find(self) -> None:
        """Return if there is a file that _execute() could try.  Raises OSError."""
        failure = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        for path in self._candidates():
            if os.path.isfile(path):
                if os.access(path, os.X_OK):
                    return
                failure = OSError(errno.EACCES, os.strerror(errno.EACCES))
        raise failure

    def _candidates(self) -> "list[str]":
        if "/" in self.file:
            return [self.file]
        directories = self.env.get("PATH", os.defpath).split(":")
        return [os.path.join(directory or ".", self.file) for directory in directories]
