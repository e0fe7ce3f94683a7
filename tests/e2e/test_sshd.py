"""shpool ssh with the real ssh, to a real sshd on this machine, with keys and a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Place, Terminal, eventually
from tests.e2e.recipes import recipe, with_shpool
from tests.e2e.taken import give_here, give_there
from tests.programs import as_root, lacking, need, no_namespace, not_installed

# An sshd of our own starts sessions for whom it runs as; whose account is locked, or whose shell
# is odd, is no matter of root's.
pytestmark = as_root

LOST = r"connection to host lost; trying again in \d+ s"


class Sshd:
    """Listens on loopback; `host` leads there, and `far` by a jump through it."""

    def __init__(self, place: Place, program: str) -> None:
        self.place = place
        self.folder = place.root / "d"
        self.folder.mkdir(0o700)
        self.here = place.scratch / "here"
        self.here.mkdir()
        give_here(self.here)
        give_there(place.home)
        self._program = program
        for name in ("host", "key"):
            self._keygen(name)
        shutil.copy(self.folder / "key.pub", self.folder / "authorized")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        variables = {
            name: value
            for name, value in place.env.items()
            if name not in ("PYTHONPATH", "TERM", "LANG")
        }
        self._write(
            "sshd_config",
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder}/host",
            "PidFile none",
            f"AuthorizedKeysFile {self.folder}/authorized",
            *("StrictModes no", "UsePAM no", "PermitRootLogin yes", "PasswordAuthentication no"),
            "SetEnv " + " ".join(f"{name}={value}" for name, value in variables.items()),
        )
        self.configure()
        self.process: subprocess.Popen[bytes] | None = None
        Path("/run/sshd").mkdir(exist_ok=True)  # without it an sshd as Debian builds it ends
        self.start()

    def _keygen(self, name: str, passphrase: str = "") -> None:
        words = ["-q", "-t", "ed25519", "-N", passphrase, "-f", str(self.folder / name)]
        subprocess.run([need("ssh-keygen"), *words], check=True)

    def _write(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def configure(self, *lines: str, key: str = "key") -> None:
        """What is configured here, before the rest."""
        self._write(
            "ssh_config",
            *lines,
            "Host host far",
            "HostName 127.0.0.1",
            f"Port {self.port}",
            "User root",
            f"IdentityFile {self.folder}/{key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.folder}/known",
            "StrictHostKeyChecking accept-new",
            "Host far",
            f"ProxyCommand ssh -F {self.folder}/ssh_config -W %h:%p host",
        )

    def lock_key(self) -> None:
        """Have a key that needs a passphrase."""
        self._keygen("locked", "secret")
        with open(self.folder / "authorized", "a") as file:
            file.write((self.folder / "locked.pub").read_text())
        self.configure(key="locked")

    def start(self) -> None:
        before = self._listening()
        log = open(self.folder / "log", "ab")  # noqa: SIM115
        words = [self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self.process = subprocess.Popen(
            [*self.place.wrapper, *words],
            stdin=subprocess.DEVNULL,
            stderr=log,
            env=self.place.env,
            start_new_session=True,
        )
        log.close()
        eventually(lambda: self._listening() > before, "sshd listens")

    def _listening(self) -> int:
        """How often it has said that it listens."""
        log = self.folder / "log"
        return log.read_text().count("Server listening on") if log.exists() else 0

    def stop(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def ssh(self, *words: str, env: dict[str, str] | None = None) -> Terminal:
        """`shpool ssh` in a terminal."""
        home = {"HOME": str(self.here), "XDG_CONFIG_HOME": "", "XDG_RUNTIME_DIR": ""}
        words = ("ssh", "-F", str(self.folder / "ssh_config"), *(words or ("host",)))
        return self.place.terminal(*words, env={**home, **(env or {})})

    def connections(self) -> list[int]:
        """sshd's processes, one for each connection that is there."""
        assert self.process is not None
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in Path(path).read_text().split()]

    def signal(self, number: int) -> None:
        """Sent to what serves the connections; the listener and the sessions stay."""
        for pid in self.connections():
            os.kill(pid, number)


@pytest.fixture
def network(place: Place) -> Iterator[str]:
    """The name of a network of our own, in which everything of this place runs."""
    ip = need("ip")
    name = f"shpool{os.getpid()}"
    if subprocess.run([ip, "netns", "add", name], capture_output=True, check=False).returncode:
        no_namespace("a network namespace")
    try:
        set_link(name, "up")
        place.wrapper = [ip, "netns", "exec", name]
        yield name
    finally:
        subprocess.run([ip, "netns", "delete", name], check=True)


def set_link(network: str, state: str) -> None:
    subprocess.run([need("ip"), "-n", network, "link", "set", "lo", state], check=True)


@pytest.fixture
def sshd(place: Place) -> Iterator[Sshd]:
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        lacking(not_installed("sshd"))
    assert program is not None
    need("ssh")
    made = Sshd(place, program)
    try:
        yield made
    finally:
        made.signal(signal.SIGCONT)
        made.signal(signal.SIGKILL)
        made.stop()
        if place.answers():
            assert place.run("stop", "--yes").status == 0


def settled(client: Terminal) -> None:
    """It is at a prompt, and takes what is typed."""
    client.expect(r"\$ ")


def leave_by_escape(client: Terminal) -> None:
    settled(client)
    client.send("\r~.")
    assert client.wait() == 255
    assert client.modes() == client.first_modes


def test_a_session_through_losses_of_every_kind(sshd: Sshd) -> None:
    client = sshd.ssh("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1", "host")
    assert client.ask("echo in $SHPOOL_SESSION_NAME $TERM") == "in main xterm\n"
    settled(client)
    # Killed.
    sshd.signal(signal.SIGKILL)
    client.expect("Connection to 127.0.0.1 closed by remote host.*" + LOST)
    settled(client)
    assert client.ask("echo killed") == "killed\n"
    settled(client)
    # Stopped, for longer than the user lets it be.
    stopped = sshd.connections()
    sshd.signal(signal.SIGSTOP)
    client.expect("Timeout, server 127.0.0.1 not responding.*" + LOST)
    settled(client)
    assert client.ask("echo stopped") == "stopped\n"
    settled(client)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)  # what was under way arrives, and disturbs nobody
    eventually(lambda: not set(stopped) & set(sshd.connections()), "they are gone")
    assert client.ask("echo still") == "still\n"
    settled(client)
    client.send("exit 7\n")
    assert client.wait() == 7
    assert client.modes() == client.first_modes
    assert b"closed.\r\n" not in client.output


def test_packets_that_are_dropped(network: str, sshd: Sshd) -> None:
    """Nobody is told anything: the connection is there for sshd, and so is the client in it."""
    quick = ("ServerAliveInterval=1", "ServerAliveCountMax=1", "ConnectTimeout=1")
    client = sshd.ssh(*(word for value in quick for word in ("-o", value)), "host")
    client.ask("seq 50")
    settled(client)
    set_link(network, "down")
    client.expect("Timeout, server 127.0.0.1 not responding.*" + LOST)
    client.expect("Connection timed out")
    (left,) = sshd.connections()
    assert len(sshd.place.request("List")["sessions"][0]["attachments"]) == 1
    set_link(network, "up")
    client.expect(LOST)
    client.send("\r")
    settled(client)
    assert client.ask("echo back") == "back\n"
    settled(client)
    client.send("exit 3\n")
    assert client.wait() == 3
    if left in sshd.connections():
        os.kill(left, signal.SIGKILL)


def test_nobody_listens_for_a_while(sshd: Sshd) -> None:
    client = sshd.ssh()
    client.ask("echo")
    settled(client)
    connections = sshd.connections()
    sshd.stop()
    for pid in connections:
        os.kill(pid, signal.SIGKILL)
    client.expect("Connection refused")
    client.expect(LOST)
    sshd.start()
    client.send("\r")
    settled(client)
    assert client.ask("echo back") == "back\n"
    leave_by_escape(client)


def test_through_a_jump_host_and_past_a_master(sshd: Sshd) -> None:
    """A command, forwardings and a shared connection are configured, and in nobody's way."""
    sshd.configure(
        "Host far",
        "RemoteCommand false",
        "StdinNull yes",
        "SessionType none",
        "LocalForward 127.0.0.1:1 127.0.0.1:1",
        "ControlMaster auto",
        f"ControlPath {sshd.folder}/master",
        "ControlPersist 60",
    )
    shutil.rmtree(sshd.place.home / ".cache")  # nothing of ours is there
    client = sshd.ssh("far")
    assert client.ask("echo far") == "far\n"
    settled(client)
    assert not (sshd.folder / "master").exists()
    client.send("exit 255\n")
    assert client.wait() == 255


def test_a_shared_connection_that_is_lost_comes_back(sshd: Sshd) -> None:
    """What is said of that is the same as of one that was left."""
    sshd.configure(
        *("Host host", "ControlMaster auto", f"ControlPath {sshd.folder}/m", "ControlPersist 60")
    )
    ssh = [need("ssh"), "-F", str(sshd.folder / "ssh_config"), "-O"]
    client = sshd.ssh("--share-connection", "host")
    settled(client)
    try:
        checked = subprocess.run([*ssh, "check", "host"], capture_output=True, check=True)
        os.kill(int(checked.stderr.partition(b"pid=")[2].partition(b")")[0]), signal.SIGKILL)
        client.expect(LOST)
        settled(client)
        assert client.ask("echo back") == "back\n"
        leave_by_escape(client)
    finally:
        subprocess.run([*ssh, "exit", "host"], capture_output=True, check=True)


def test_a_passphrase_is_asked_for_once_for_each_connection(sshd: Sshd) -> None:
    sshd.lock_key()
    client = sshd.ssh()
    for _ in range(2):  # the first time
        client.expect("Enter passphrase for key .*: ")
        client.send("secret\n")
    settled(client)
    assert client.ask("echo in") == "in\n"
    settled(client)
    sshd.signal(signal.SIGKILL)
    client.expect("host wants a password; Enter: log in, Ctrl-C: give up")
    client.send("\r")
    client.expect("Enter passphrase for key .*: ")
    client.send("secret\n")
    settled(client)
    assert client.ask("echo back") == "back\n"
    settled(client)
    client.send("\x00\x11")
    assert client.wait() == 0
    again = sshd.ssh()
    again.expect("Enter passphrase for key .*: ")
    again.send("secret\n")
    settled(again)
    assert again.output.count(b"Enter passphrase") == 1
    sshd.signal(signal.SIGKILL)
    again.expect("host wants a password")
    (sshd.folder / "authorized").write_text("")  # nobody is let in any more
    again.send("\r")
    again.expect(r"root@127.0.0.1: Permission denied \(publickey")
    assert again.wait() == 255
    assert again.modes() == again.first_modes


def test_ctrl_c_while_it_connects(sshd: Sshd) -> None:
    """A listener that is stopped takes connections, and says nothing."""
    assert sshd.process is not None
    sshd.process.send_signal(signal.SIGSTOP)
    client = sshd.ssh()
    commands = sshd.place.processes
    eventually(lambda: any("stdin.buffer" in words for words in commands().values()), "ssh runs")
    client.send("\x03")
    assert client.wait() == 130
    assert client.modes() == client.first_modes
    sshd.process.send_signal(signal.SIGCONT)


@pytest.fixture
def named(place: Place) -> None:
    """There is a `shpool` on the PATH, there as here."""
    place.env |= with_shpool(place)


def test_the_lines_for_sshs_configuration(named: None, sshd: Sshd) -> None:
    sshd.configure(
        *recipe("RemoteCommand shpool").splitlines(),
        *(
            "Host main",
            "HostName 127.0.0.1",
            f"Port {sshd.port}",
            f"IdentityFile {sshd.folder}/key",
        ),
        f"UserKnownHostsFile {sshd.folder}/known",
        *("IdentitiesOnly yes", "StrictHostKeyChecking accept-new", "User root"),
    )
    words = ["ssh", "-F", str(sshd.folder / "ssh_config"), "main"]
    client = sshd.place.program(words, env={"HOME": str(sshd.here)})
    assert client.ask("echo in $SHPOOL_SESSION_NAME") == "in main\n"
    sshd.signal(signal.SIGKILL)
    client.wait()
    again = sshd.place.program(words, env={"HOME": str(sshd.here)})
    assert again.ask("echo back") == "back\n"
