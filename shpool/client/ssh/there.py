"""What runs on the other host at a copy: take the file in, whole or not at all, and compile it.

It is sent as text and run by a Python of 3.9 or later that may be all there is, so it needs
nothing of ours, but from the file once that has come.  A line at its end calls main().

What it has to say are marks on stdout, as in protocol/attaching.py: `want`, when it is to be sent
the file; `done;1`, or `done;0` where the terminal's description could not be had; and
`failed;REASON` in hexadecimal.
"""

import errno
import hashlib
import os
import stat
import subprocess
import sys
import tempfile

# Versions that are kept, this one among them.
_KEPT = 2

# Where terminfo(5) has descriptions, if there is no program to ask.
_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")


class Failed(Exception):
    """It cannot be had here; the text is for the user."""


def main(token: str, name: str, size: int, digest: str, term: str, description: str) -> None:
    """Have the file `name`.pyz here, of `size` bytes and with this SHA-256.

    `description` is that of the terminal `term`, as infocmp prints it; empty if there is none.
    """
    try:
        directory = _have(token, name, size, digest)
        path = os.path.join(directory, name + ".pyz")
        _compile(path, directory, name)
        known = not term or _knows(term) or (description != "" and _learns(description, term))
        remove_old(directory, name)
        _say(token, f"done;{known:d}")
    except (Failed, OSError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        _say(token, "failed;" + reason.encode(errors="replace").hex())


def _have(token: str, name: str, size: int, digest: str) -> str:
    """The directory that has the file.  Raises Failed, OSError."""
    for directory in _places():
        there = os.path.isdir(directory) and private_directory(directory)
        if there and _is_whole(os.path.join(directory, name + ".pyz"), size, digest):
            return directory
    data = None
    full = None
    for directory in _places():
        if private_directory(directory) and _can_write(directory):
            if data is None:
                _say(token, "want")
                data = _receive(size, digest)
            try:
                write(directory, os.path.join(directory, name + ".pyz"), data)
            except OSError as error:
                full = error
            else:
                return directory
    raise full or Failed(f"neither {cache()} nor /tmp can have it")


def _say(token: str, word: str) -> None:
    sys.stdout.buffer.write(b"\x1b]8888;%s;%s\x07" % (token.encode(), word.encode()))
    sys.stdout.buffer.flush()


# ---- the directory


def cache() -> str:
    """The user's directory of things that can be made again."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # Not expanduser(): what looks for the file later, in script.py, knows of $HOME alone.
    home = os.environ.get("HOME", "")
    above = given if os.path.isabs(given) else os.path.join(home, ".cache")
    return os.path.join(above, "shpool")


def _places() -> "list[str]":
    return [cache(), f"/tmp/shpool-{os.geteuid()}"]


def private_directory(path: str) -> "str | None":
    """`path`, if it is a real directory of ours that nobody else can read, made if need be."""
    above = os.path.dirname(path)
    if not os.path.isabs(path):
        return None  # there is no home
    try:
        if not os.path.isdir(above):
            if os.stat(os.path.dirname(above)).st_uid != os.geteuid():
                return None  # after sudo -E, say: nothing of root's is left with a user
            os.mkdir(above, 0o700)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return None
        if found.st_mode & 0o077:
            if above == "/tmp":
                return None  # what others have put there meanwhile is not ours
            os.chmod(path, 0o700)
    except OSError:
        return None
    return path


def _can_write(directory: str) -> bool:
    try:
        fd, made = tempfile.mkstemp(prefix=".shpool-", dir=directory)
    except OSError:
        return False
    os.close(fd)
    os.unlink(made)
    return True


# ---- the file


def _is_whole(path: str, size: int, digest: str) -> bool:
    try:
        with open(path, "rb") as file:
            data = file.read(size + 1)
    except OSError:
        return False
    return len(data) == size and hashlib.sha256(data).hexdigest() == digest


def _receive(size: int, digest: str) -> bytes:
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        raise Failed(f"only {len(data)} of {size} bytes came")
    if hashlib.sha256(data).hexdigest() != digest:
        raise Failed("what came is not what was sent")
    return data


def write(directory: str, path: str, data: bytes) -> None:
    """Have the file `path` in `directory`, with just this in it, or none.  Raises OSError."""
    fd, made = tempfile.mkstemp(prefix=".shpool-", dir=directory)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.rename(made, path)
    except OSError:
        os.unlink(made)
        raise
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # of a file system that cannot
            raise
    finally:
        os.close(fd)


def _compile(path: str, directory: str, name: str) -> None:
    """Make the file with bytecode for this Python, and note which Python that is.

    Without it the sources are run, which takes longer, and is all that is lost.
    """
    compiled = os.path.join(directory, f"{name}-{sys.implementation.cache_tag}.pyz")
    try:
        if not os.path.exists(compiled):
            sys.path.insert(0, path)
            from shpool import pack

            write(directory, compiled, pack.packed(pack.sources(), compiled=True))
        note = os.path.join(directory, name + ".python")
        write(directory, note, os.fsencode(sys.executable) + b"\n")
    except Exception:
        pass


def remove_old(directory: str, name: str) -> None:
    """Remove versions, but for the last ones and those that a process of ours was started from."""
    words = _running()
    if words is None:
        return
    versions: dict[str, float] = {}
    for file in os.listdir(directory):
        if file.startswith("shpool-") and file.endswith(".pyz"):
            of_file = version(file)
            try:
                latest = os.lstat(os.path.join(directory, file)).st_mtime
            except FileNotFoundError:
                continue  # another copy is at it
            versions[of_file] = max(latest, versions.get(of_file, 0.0))
    versions.pop(name, None)
    order = sorted(versions, key=lambda each: versions[each], reverse=True)
    for old in order[_KEPT - 1 :]:
        if any(old in line for line in words):
            continue
        for file in os.listdir(directory):
            if file.endswith((".pyz", ".python")) and version(file) == old:
                try:
                    os.unlink(os.path.join(directory, file))
                except FileNotFoundError:
                    pass


def version(file: str) -> str:
    """shpool-VERSION-HASH of a file's name, with which Python's it is behind it or not."""
    return "-".join(os.path.basename(file).rpartition(".")[0].split("-")[:3])


def _running() -> "list[str] | None":
    """The command lines of this user's processes; None if they cannot be known."""
    try:
        pids = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        pids = []
    found = []
    for pid in pids:
        try:
            if os.stat("/proc/" + pid).st_uid == os.geteuid():
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found.append(os.fsdecode(file.read()))
        except OSError:
            pass  # it has ended
    if found:
        return found
    try:
        done = subprocess.run(
            ["ps", "-U", str(os.geteuid()), "-o", "args="], stdout=subprocess.PIPE, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.fsdecode(done.stdout).splitlines()


# ---- the terminal


def _knows(term: str) -> bool:
    try:
        return _quietly(["infocmp", term]) == 0
    except OSError:
        pass
    home = os.path.join(os.path.expanduser("~"), ".terminfo")
    for directory in (home, *_TERMINFO):
        for folder in (term[:1], f"{ord(term[0]):x}"):
            if os.path.exists(os.path.join(directory, folder, term)):
                return True
    return False


def _learns(description: str, term: str) -> bool:
    """Compile it to where the user's own descriptions are."""
    home = os.path.join(os.path.expanduser("~"), ".terminfo")
    try:
        _quietly(["tic", "-x", "-o", home, "-"], description.encode())
    except OSError:
        return False
    return _knows(term)


def _quietly(words: "list[str]", given: bytes = b"") -> int:
    """The exit status.  Raises OSError."""
    return subprocess.run(
        words, input=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode
