"""The configuration: where it is read from, what may stand in it, and what applies when it changes.

Everything is checked when it is read, so that whoever uses a Config finds values of the right
type that mean something (config_values.py). CONFIG.md explains the keys to users; what each of
them does is done elsewhere.
"""

import os
import sys
import time

from shpool.config_values import READERS, Motd, RestoreMode, WrongValue
from shpool.errors import ShpoolError
from shpool.files import read_bounded
from shpool.keys.bindings import parse_binding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

SYSTEM_CONFIG_FILE = "/etc/shpool/config.toml"

# A configuration is a page or two; what is larger than this is some other file.
MAX_FILE_BYTES = 1024 * 1024

DEFAULT_SPOOL_LINES = 500

# Two edits within one tick of the kernel's clock (10 ms at the slowest) leave the same times
# behind, so what is read sooner than this after an edit is read again the next time.
_SETTLED_AFTER_NS = 20_000_000


class ConfigError(ShpoolError):
    """A configuration that cannot be used; the text names the file and is meant for the user."""


class Config:
    """One attribute for each key, with its default. Not to be changed once it is made."""

    norc: bool = False
    noecho: bool = False
    nosymlink_ssh_auth_sock: bool = False
    noread_etc_environment: bool = False
    nodaemonize: bool = False
    nodaemonize_timeout: bool = False
    pass_terminal: bool = True
    nested: bool = False
    attach: str = "refuse"
    shell: "str | None" = None  # None: the user's login shell
    env: dict[str, str]
    default_dir: str = "$HOME"
    forward_env: tuple[str, ...] = ()
    initial_path: str = "/usr/bin:/bin:/usr/sbin:/sbin"
    session_restore_mode: RestoreMode = RestoreMode("screen")
    session_restore_engine: str = "vt100"
    output_spool_lines: int  # lines of history a session keeps, never less than 0
    vt100_output_spool_width: int = 80
    # (names of keys, action), as keys.scanner.Scanner takes them
    keybinding: tuple[tuple[tuple[str, ...], str], ...] = (
        (parse_binding("Ctrl-Space Ctrl-q"), "detach"),
    )
    prompt_prefix: str = "shpool:$SHPOOL_SESSION_NAME "
    shell_integration: bool = True
    motd: Motd = Motd("never")
    motd_args: "tuple[str, ...] | None" = None  # None: what pam_motd is given on this machine
    var_default: dict[str, str]

    def __init__(self, values: "Mapping[str, Any] | None" = None) -> None:
        self.env = {}
        self.var_default = {}
        for key, value in (values or {}).items():
            setattr(self, key, value)
        if values is None or "output_spool_lines" not in values:
            mode = self.session_restore_mode
            self.output_spool_lines = mode.lines if mode.name == "lines" else DEFAULT_SPOOL_LINES


def config_paths(option: "str | None", environ: "Mapping[str, str]") -> list[str]:
    """Absolute paths of the files to read, the one that wins last.

    `option` is what --config-file was given, and replaces both of the usual ones. As the XDG
    base directory specification asks, an XDG_CONFIG_HOME that is not absolute is ignored.
    Raises ConfigError.
    """
    if option is not None:
        try:
            return [os.path.abspath(option)]
        except OSError as error:  # relative, and the working directory is gone
            raise ConfigError(f"{option}: {error.strerror}") from None
    directory = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(directory):
        directory = os.path.join(environ.get("HOME") or _home_of_user(), ".config")
    if not os.path.isabs(directory):
        return [SYSTEM_CONFIG_FILE]
    return [SYSTEM_CONFIG_FILE, os.path.join(directory, "shpool", "config.toml")]


def _home_of_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


class Found:
    """What stands in configuration files, the good and the bad.

    By key: `values` as Config has them, `written` as TOML has them, `files` where they come from.
    `unknown` and `errors` are lines for the user, which name the file.
    """

    __slots__ = ("errors", "files", "unknown", "values", "written")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.written: dict[str, Any] = {}
        self.files: dict[str, str] = {}
        self.unknown: list[str] = []
        self.errors: list[str] = []


def find(paths: "Sequence[str]") -> Found:
    """What is in the files at `paths`: a key in a later one replaces the whole earlier value.

    A file that is missing counts as empty.
    """
    found = Found()
    for path in paths:
        try:
            table = _parse(path)
        except ConfigError as error:
            found.errors.append(str(error))
            continue
        unknown: list[str] = []
        for key, value in table.items():
            read = READERS.get(key)
            if read is None:
                unknown.append(key)
                continue
            try:
                found.values[key] = read(key, value, unknown)
            except WrongValue as error:
                found.errors.append(f"{path}: {error}")
                continue
            found.written[key] = value
            found.files[key] = path
        found.unknown += [f"{path}: unknown key {key!r}" for key in unknown]
    return found


def load(paths: "Sequence[str]") -> tuple[Config, list[str]]:
    """The configuration in the files at `paths`, and warnings about keys that nobody knows.

    Raises ConfigError.
    """
    found = find(paths)
    if found.errors:
        raise ConfigError(found.errors[0])
    return Config(found.values), found.unknown


class ConfigSource:
    """The configuration for a process that runs on while its user edits the files.

    Nothing is watched: `current` looks at the files' times, and it is called when something is
    about to use the configuration. `warn` is called with one line of text. The first load
    raises ConfigError, unless it `must` be done without; after that, files that cannot be used
    leave the last good one in force.
    """

    def __init__(
        self, paths: "Sequence[str]", warn: "Callable[[str], None]", *, must: bool = False
    ) -> None:
        self._paths = paths
        self._warn = warn
        self._complaint = ""
        self._stamps = self._look()
        self._config = Config()
        self._warnings: list[str] = []
        try:
            self._config, self._warnings = load(paths)
        except ConfigError as error:
            if not must:
                raise
            warn(f"{error} (so everything is as by default)")
        for warning in self._warnings:
            warn(warning)

    def current(self) -> Config:
        """The configuration as the files have it now, or as they last had a good one."""
        stamps = self._look()
        if stamps is not None and stamps == self._stamps:
            return self._config
        # Taken before the files are read: an edit in between is then seen the next time.
        self._stamps = stamps
        try:
            self._config, warnings = load(self._paths)
        except Exception as error:
            # A defect of ours as well: whatever stands in a file, sessions can be attached to.
            what = str(error) if isinstance(error, ConfigError) else f"internal error: {error!r}"
            complaint = f"{what} (the configuration stays as it was)"
            if complaint != self._complaint:
                self._warn(complaint)
            self._complaint = complaint
            return self._config
        self._complaint = ""
        for warning in warnings:
            if warning not in self._warnings:
                self._warn(warning)
        self._warnings = warnings
        return self._config

    def _look(self) -> "tuple[Any, ...] | None":
        """What tells one state of the files from another, None while that is too early to say.

        Symlinks are followed. The change time is there because editors and ``cp -p`` can set
        the modification time back, the inode because files are replaced by rename.
        """
        stamps: list[Any] = []
        now = time.time_ns()
        for path in self._paths:
            try:
                status = os.stat(path)
            except OSError as error:
                stamps.append(error.errno)
                continue
            if 0 <= now - status.st_ctime_ns < _SETTLED_AFTER_NS:
                return None
            stamps.append(
                (
                    status.st_dev,
                    status.st_ino,
                    status.st_size,
                    status.st_mtime_ns,
                    status.st_ctime_ns,
                )
            )
        return tuple(stamps)


def _parse(path: str) -> "dict[str, Any]":
    data = _read(path)
    if not data.strip():
        return {}
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line} is not UTF-8") from None

    try:
        return _read_toml(text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except ValueError as error:  # what is no TOML, and integers too long for int()
        last = text.count("\n") + 1
        reason = str(error).replace("(at end of", f"(at line {last}, the end of the")
        raise ConfigError(f"{path}: {reason}") from None


def _read_toml(text: str) -> "dict[str, Any]":
    if sys.version_info >= (3, 11):
        from tomllib import loads
    else:
        from shpool.toml import loads
    return loads(text)


def _read(path: str) -> bytes:
    """The content of the file at `path`, nothing if there is none."""
    try:
        data = read_bounded(path, MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes, not a configuration")
    return data
