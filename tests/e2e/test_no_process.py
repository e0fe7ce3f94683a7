"""No pty is left, or no process may be made: who attaches is told so at once, and nothing is left.

As root a second user is needed, for whom `ulimit -u` holds; mount namespaces give a daemon a few
ptys, or none.
"""

import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.harness import Place, eventually
from tests.programs import need

NOBODY = 65_534

# For whoever runs the tests as root: of another user in all but that files can be read.
AS_NOBODY = [
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"),
]

PAGER = "#!/bin/sh\necho paging\nread line\n"


def limited(place: Place, allowed: str = "") -> None:
    """A daemon, of a user of whom there may be no more processes once forbid() says so.

    `allowed`: capabilities that programs of root's may have which it runs.
    """
    if os.getuid() == 0:
        need("setpriv")
        for folder, _, files in os.walk(place.root):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chown(path, NOBODY, NOBODY)
        bounds = f"--bounding-set=-all,+dac_override,{allowed}".rstrip(",")
        place.wrapper = [*AS_NOBODY, bounds]
    place.start()


def forbid(place: Place, processes: str = "0") -> None:
    """No more processes than this may the daemon's user have, as far as the daemon can tell."""
    words = [need("prlimit"), f"--nproc={processes}:", f"--pid={place.daemon_pid}"]
    subprocess.run([*place.wrapper, *words], check=True)


def allow(place: Place) -> None:
    forbid(place, str(resource.getrlimit(resource.RLIMIT_NPROC)[0]))


def in_namespace(place: Place, mount: str) -> None:
    """A daemon for which `mount` was done at /dev/pts."""
    mapped = [] if os.getuid() == 0 else ["--map-root-user"]
    wrapper = [need("unshare"), "--mount", *mapped, "sh", "-c", f'{mount} && exec "$@"', "sh"]
    done = subprocess.run([*wrapper, "true"], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a mount namespace is not to be had: {done.stderr}")
    place.wrapper = wrapper
    place.start()
    place.wrapper = []


def check_refusal(place: Place, reason: str) -> None:
    """Three times, with a terminal and without: the reason, and nothing that is left."""
    before = place.descriptors()
    listed = place.run("list").out
    for _ in range(2):
        client = place.attach("refused")
        assert client.wait() == 1
        assert client.text() == f"shpool: {reason}\n"
        assert not client.is_raw()
    assert place.run("attach", "-b", "refused") == (1, "", f"shpool: {reason}\n")
    assert place.run("list").out == listed
    assert not (place.runtime / "sessions/refused").exists()
    eventually(lambda: place.descriptors() == before, "what was opened is closed")


def children(place: Place) -> str:
    return Path(f"/proc/{place.daemon_pid}/task/{place.daemon_pid}/children").read_text()


def test_no_process_may_be_made(place: Place) -> None:
    limited(place)
    witness = place.attach("witness")
    assert witness.ask("echo in") == "in\n"
    there = children(place)
    forbid(place)
    check_refusal(place, "cannot fork: Resource temporarily unavailable")
    assert children(place) == there
    assert witness.ask("echo still here") == "still here\n"
    allow(place)
    assert place.attach("refused").ask("echo in") == "in\n"


def test_no_process_is_left_for_a_pager(place: Place) -> None:
    pager = place.scratch / "pager"
    pager.write_text(PAGER)
    pager.chmod(0o755)
    motd = place.scratch / "motd"
    motd.write_text("of the day\n")
    place.configure(f'motd_args = ["motd={motd}"]\n[motd.pager]\nbin = "{pager}"')
    limited(place)
    client = place.attach("one")
    client.expect("paging")
    client.send("\n")
    client.ask("true")
    client.process.send_signal(signal.SIGTERM)
    client.wait()
    forbid(place)
    again = place.attach("one")
    assert again.ask("echo in") == "in\n"
    assert "paging" not in again.text()
    place.logged("the message of the day is not shown: cannot fork: Resource temporarily")


def test_the_ptys_are_used_up(place: Place) -> None:
    in_namespace(place, "mount -t devpts -o newinstance,ptmxmode=0666,max=1 devpts /dev/pts")
    witness = place.attach("witness")
    assert witness.ask("echo in") == "in\n"
    check_refusal(place, "cannot open a pty: No space left on device")
    assert witness.ask("echo still here") == "still here\n"
    place.kill("witness")
    witness.wait()
    assert place.attach("refused").ask("echo in") == "in\n"


def test_there_are_no_ptys_at_all(place: Place) -> None:
    """As in a container that was given no /dev/pts."""
    in_namespace(place, "mount -t tmpfs none /dev/pts")
    refusal = place.run("attach", "-b", "refused")
    prefix = "shpool: cannot open a pty: "
    assert refusal.err.startswith(prefix)
    assert refusal.err.count("\n") == 1
    check_refusal(place, refusal.err[len("shpool: ") : -1])


def test_a_program_that_may_not_be_killed_loses_its_terminal(place: Place) -> None:
    """As one does that has become another user's, by su or sudo."""
    if os.getuid() != 0:
        pytest.skip("it takes root to make a program that becomes root")
    if os.statvfs(place.scratch).f_flag & os.ST_NOSUID:
        pytest.skip("no program may become another user's here")
    become_root = place.scratch / "become-root"
    shutil.copy(need("setpriv"), become_root)
    limited(place, "+setuid,+setgid")
    os.chown(become_root, 0, 0)
    become_root.chmod(0o4755)
    command = f"{become_root} --reuid=0 --regid=0 --clear-groups sleep 1000"
    assert place.run("attach", "-b", "--cmd", command, "one") == (0, "", "")
    eventually(lambda: place.pids("sleep 1000") != [], "it runs")
    assert place.run("kill", "one") == (0, "", "")
    place.logged("session 'one': its program cannot be killed, so it loses its terminal")
    assert "one" not in place.run("list").out
    assert place.pids("sleep 1000") == []
