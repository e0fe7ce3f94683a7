"""The message of the day: when it is shown, which files it is made of, and in which forms.

The rules are those of pam_motd(8) and pam.d(5), so that a session greets its user as a login
through sshd would. pam_motd itself is never run, nor are the scripts in update-motd.d that
Debian's runs (`noupdate` stops it from doing so, and changes nothing here). The pager itself is
left to pager.py.
"""

import os
import re
from time import monotonic

from shpool import logs
from shpool.daemon.programs.directory import MOTD_FILE
from shpool.daemon.programs.program import Program
from shpool.files import read_bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from shpool.config import Config
    from shpool.daemon.sessions.session import Session

PAM_DIRECTORY = "/etc/pam.d"
PAM_SERVICES = ("sshd", "ssh", "login")

# pam_motd's own defaults; Linux-PAM 1.3.1 and later look in all three places.
DEFAULT_FILES = ("/etc/motd", "/run/motd", "/usr/lib/motd")
DEFAULT_DIRECTORIES = ("/etc/motd.d", "/run/motd.d", "/usr/lib/motd.d")

# pam_motd shows nothing of a file over 64 KiB; here it is cut after its last whole line.
MAX_FILE_BYTES = 64 * 1024
# The whole message is drawn at once, before a shell's first output.
MAX_MESSAGE_BYTES = 256 * 1024
# Far more than any distribution has, few enough to be read between two turns of the loop.
MAX_PAM_FILES = 64
MAX_DIRECTORY_ENTRIES = 1000


class Motd:
    """When the daemon shows it, as `motd` in the configuration says."""

    CARRIED = {"_shown": (float, None)}

    def __init__(self) -> None:
        self._shown: float | None = None  # when it was, in a pager; monotonic seconds

    def dump(self, session: "Session", config: "Config") -> None:
        """Show it at the top of a new session, if it is to be shown there."""
        if config.motd.mode == "dump":
            session.show(dump_form(message(config.motd_args)))

    def pager(self, session: "Session", config: "Config") -> "Program | None":
        """What shows it before this attach; None if nothing is due."""
        wanted = config.motd
        if wanted.mode != "pager":
            return None
        now = monotonic()
        if self._shown is not None and now - self._shown < (wanted.show_every or 0):
            return None
        text = pager_form(message(config.motd_args))
        if not text:
            return None
        try:
            path = session.directory.write(MOTD_FILE, text)
        except OSError as error:
            logs.warn(f"the message of the day is not shown: {error.strerror}")
            return None
        self._shown = now
        return Program(wanted.pager, [wanted.pager, path], session.env, "/")


def message(motd_args: "tuple[str, ...] | None", root: str = "/") -> bytes:
    """The text of the message of the day: lines that all end with LF, or nothing.

    `motd_args` are the arguments to act on as pam_motd would, None for those in the PAM
    configuration. Every path is looked up below `root`. Files that cannot be read are passed
    over.
    """
    calls = [motd_args] if motd_args is not None else _calls_in_pam(root)
    candidates, directories = _places(calls)
    parts: list[bytes] = []
    seen: set[str] = set()
    for paths in candidates:
        for path in paths:
            text = _text(_below(root, path))
            if text is not None:
                if path not in seen:
                    parts.append(text)
                seen.add(path)
                break
    parts += _texts_in([_below(root, directory) for directory in directories])
    return _whole_lines(b"".join(parts), MAX_MESSAGE_BYTES)


def dump_form(text: bytes) -> bytes:
    """`text` as it can be written to a terminal in raw mode: every line ends with CR LF."""
    if not text:
        return b""
    lines = text.removesuffix(b"\n").split(b"\n")
    return b"".join(line.removesuffix(b"\r") + b"\r\n" for line in lines)


def pager_form(text: bytes) -> bytes:
    """`text` without escape sequences, which pagers show as garbage."""
    # ECMA-48, 5.4 and 5.6, and xterm's BEL as the end of an OSC. Without its end a control string
    # reaches no further than its line.
    sequence = rb"""\x1b (?:
          \[ [0-?]* [ -/]* [@-~]                      # CSI parameters, intermediates, final
        | \] [^\x07\x1b\n]* (?: \x07 | \x1b\\ )?      # OSC up to BEL or ST
        | [PX^_] [^\x1b\n]* (?: \x1b\\ )?             # DCS, SOS, PM, APC up to ST
        | [\x20-/]* [0-~]                             # two characters, or with intermediates
    )?"""
    return re.sub(sequence, b"", text, flags=re.VERBOSE)


def _places(
    calls: "Iterable[tuple[str, ...]]",
) -> tuple[list[tuple[str, ...]], list[str]]:
    """What the arguments of several calls of pam_motd amount to, each place once.

    Lists of files, of each of which the first that exists is shown, and directories. A call
    without `motd_dir=` has the default directories; one without either has the default files
    too.
    """
    files: dict[tuple[str, ...], None] = {}
    directories: dict[str, None] = {}
    for call in calls:
        file_list, directory_list = _option(call, "motd="), _option(call, "motd_dir=")
        if file_list or not directory_list:
            files[file_list or DEFAULT_FILES] = None
        directories |= dict.fromkeys(directory_list or DEFAULT_DIRECTORIES)
    return list(files), list(directories)


def _option(call: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    """The paths that the last option with `prefix` lists, separated by colons."""
    paths: tuple[str, ...] = ()
    for argument in call:
        if argument.startswith(prefix):
            paths = tuple(filter(None, argument.removeprefix(prefix).split(":"))) or paths
    return paths


def _calls_in_pam(root: str) -> list[tuple[str, ...]]:
    """The arguments of every pam_motd line of the services, or one call without arguments.

    Included files are followed, each file is read once.
    """
    pending = [os.path.join(PAM_DIRECTORY, service) for service in reversed(PAM_SERVICES)]
    seen: set[str] = set()
    calls: list[tuple[str, ...]] = []
    while pending and len(seen) < MAX_PAM_FILES:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        included = []
        for words in _pam_lines(_below(root, path)):
            if words[0] == "@include" and len(words) > 1:
                included.append(os.path.join(PAM_DIRECTORY, words[1]))
            elif words[0] == "session" and len(words) > 2:
                _, control, module, *arguments = words
                if control in ("include", "substack"):
                    included.append(os.path.join(PAM_DIRECTORY, module))
                elif os.path.basename(module) == "pam_motd.so":
                    calls.append(tuple(arguments))
        pending += reversed(included)
    return calls or [()]


def _pam_lines(path: str) -> list[list[str]]:
    """The words of each line of a file in pam.d; the type is in lower case and without its dash.

    A backslash joins lines, a ``#`` begins a comment, brackets keep a word with spaces together.
    """
    try:
        text = read_bounded(path, MAX_FILE_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    lines = []
    for line in text.replace("\\\n", " ").split("\n"):
        found = re.findall(r"\[((?:\\\]|[^\]])*)\]|(\S+)", line.partition("#")[0])
        words = [bracketed.replace("\\]", "]") or bare for bracketed, bare in found]
        if words:
            lines.append([words[0].lower().removeprefix("-"), *words[1:]])
    return lines


def _texts_in(directories: list[str]) -> list[bytes]:
    """The texts of the files in `directories` by name; of two of one name, the earlier one's."""
    names: set[str] = set()
    for directory in directories:
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if len(names) >= MAX_DIRECTORY_ENTRIES:
                        break
                    if entry.is_symlink() or entry.is_file(follow_symlinks=False):
                        names.add(entry.name)
        except (OSError, ValueError):  # ValueError: NUL in its name
            continue
    texts: list[bytes] = []
    for name in sorted(names):
        if sum(map(len, texts)) > MAX_MESSAGE_BYTES:
            break
        for directory in directories:
            text = _text(os.path.join(directory, name))
            if text is not None:
                texts.append(text)
                break
    return texts


def _text(path: str) -> "bytes | None":
    """The lines of the file at `path`, None if there is none that can be read."""
    try:
        data = read_bounded(path, MAX_FILE_BYTES + 1)
    except OSError:
        return None
    data = _whole_lines(data, MAX_FILE_BYTES)
    return data if data.endswith(b"\n") or not data else data + b"\n"


def _whole_lines(data: bytes, limit: int) -> bytes:
    """As many whole lines of `data` as are in its first `limit` bytes."""
    if len(data) <= limit:
        return data
    return data[: data.rfind(b"\n", 0, limit) + 1]


def _below(root: str, path: str) -> str:
    return os.path.join(root, path.lstrip("/"))
