"""Which options the ssh at hand knows, and what it is configured to do, by its -G.

Another program that is run in its place may have no -G: then it is given no options of ours but
-t, without which there is no terminal, and is not run again.
"""

import base64
import os
import subprocess

from shpool.files import read_bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Seconds that -G may take: it may run commands, for Match exec.
_PATIENCE = 20.0

# What would keep a session from being one, or its end from being told, where a configuration has
# it.  Each is given where -G prints it, that is, where this version knows it.
_ALWAYS = (
    ("stdinnull", "StdinNull=no"),
    ("sessiontype", "SessionType=default"),
    ("forkafterauthentication", "ForkAfterAuthentication=no"),
    ("loglevel", "LogLevel=INFO"),
    ("remotecommand", "RemoteCommand=none"),
)

# 15 s until a dead connection is noticed; with 3 it would be 20.
_ALIVE = ("ServerAliveInterval=5", "ServerAliveCountMax=2")

# OpenSSH's PROTOCOL.key: in the first bytes stands by which cipher the rest is encrypted, `none`.
_OPENSSH_KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_NOT_ENCRYPTED = base64.b64encode(b"openssh-key-v1\0\0\0\0\4none")[:-2]

# A key's file is smaller.
_KEY = 65_536

_FOR_A_COPY = (
    ("clearallforwardings", "ClearAllForwardings=yes"),
    ("permitlocalcommand", "PermitLocalCommand=no"),
)


class Probed:
    """`settings`: what -G has printed, by keys in lower case; empty if it did not work."""

    def __init__(self, settings: "dict[str, str]", *, share: bool = False) -> None:
        self.settings = settings
        self._share = share

    @property
    def is_ssh(self) -> bool:
        """It takes ssh's options, and what it says can be understood."""
        return bool(self.settings)

    @property
    def level(self) -> str:
        """How much the user wants to be told, in lower case, as ssh_config(5) has it."""
        return self.settings.get("loglevel", "info").lower()

    def host(self, given: str) -> str:
        """What tells the host, the account and the way there apart from others."""
        if not self.is_ssh:
            return given
        keys = ("user", "hostname", "port", "hostkeyalias", "proxyjump", "proxycommand")
        return "\n".join([self.settings.get(key, "") for key in keys])

    def for_session(self) -> "list[str]":
        return [*self._options(_ALWAYS), *self._alive(), "-t"]

    def without_terminal(self, *, copies: bool = False) -> "list[str]":
        if not self.is_ssh:
            return []
        return [*self._options((*_ALWAYS, *(_FOR_A_COPY if copies else ()))), *self._alive(), "-T"]

    def for_retry(self, *, batch: bool) -> "list[str]":
        """What comes before the others when it is tried again; `batch`: it may ask nothing."""
        options = []
        if self.settings.get("connecttimeout") == "none":
            options += ["-o", "ConnectTimeout=10"]
        if batch and "batchmode" in self.settings:
            options += ["-o", "BatchMode=yes"]
        return options

    @property
    def asks_for_passphrase(self) -> bool:
        """A key that it may use is encrypted, and of no use to who may ask nothing."""
        return any(map(_is_encrypted, self.settings.get("identityfile", "").splitlines()))

    def _options(self, table: "Sequence[tuple[str, str]]") -> "list[str]":
        return [word for key, value in table if key in self.settings for word in ("-o", value)]

    def _alive(self) -> "list[str]":
        if self.settings.get("serveraliveinterval") != "0":
            return []  # the user has thought of it
        return [word for value in _ALIVE for word in ("-o", value)]

    def unshared(self) -> "list[str]":
        """What stands behind the user's options, since of several -S the last one counts."""
        # By a master whose peer is dead a client hangs for ever, and tells nothing.
        shared = self.settings.get("controlpath", "none") != "none"
        return ["-S", "none"] if shared and not self._share else []


def _is_encrypted(path: str) -> bool:
    try:
        data = read_bounded(os.path.expanduser(path), _KEY).strip()
    except OSError:
        return False
    if data.startswith(_OPENSSH_KEY):
        return not data[len(_OPENSSH_KEY) :].strip().startswith(_NOT_ENCRYPTED)
    return b"ENCRYPTED" in data  # in PEM, older or newer


def read_settings(printed: str) -> "dict[str, str]":
    """What `ssh -G` prints; values of a key that comes several times are lines."""
    found: dict[str, str] = {}
    for line in printed.splitlines():
        key, _, value = line.partition(" ")
        key = key.lower()
        found[key] = f"{found[key]}\n{value}" if key in found else value
    # Whatever else a program prints, it is not this.
    return found if "hostname" in found and "port" in found else {}


def probe(
    command: "Sequence[str]", options: "Sequence[str]", host: str, *, share: bool = False
) -> Probed:
    """Ask the ssh that `command` runs what it would do."""
    done = _run([*command, "-G", *options, host])
    ok = done is not None and done.returncode == 0
    return Probed(read_settings(done.stdout) if done is not None and ok else {}, share=share)


def has_master(command: "Sequence[str]", options: "Sequence[str]", host: str) -> bool:
    """Returns whether there is an ssh that shares its connection to the host."""
    done = _run([*command, *options, "-O", "check", host])
    return done is not None and done.returncode == 0


def tag_has_value(command: str) -> bool:
    """Returns whether this ssh's -P is followed by a tag, as from OpenSSH 9.4 on."""
    from shpool.shellwords import split_words

    done = _run([*split_words(command), "-G", "-P"])
    return done is not None and "requires an argument" in done.stderr


def _run(words: "list[str]") -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
