"""Several real clients at one session: who drives, what of them is typed, and what they cost."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import Any

from shpool.client.long_list import ago, table
from shpool.protocol.replies import Attachment, SessionRow
from tests.e2e.harness import DETACH, Place, eventually


def roles(place: Place, name: str = "one") -> list[str]:
    row = place.sessions()[name]
    return [each["role"] for each in row["attachments"] + row["watchers"]]


def driver(place: Place, name: str = "one") -> int | None:
    row = place.sessions()[name]
    found = [each["pid"] for each in row["attachments"] if each["role"] == "driver"]
    return found[0] if found else None


def _size(place: Place) -> str:
    place.run("send", "-e", "one", "clear; stty size")
    found = re.findall(r"^\d+ \d+$", place.run("peek", "one").out, re.MULTILINE)
    return found[-1] if found else ""


def test_three_at_one_session_one_of_them_an_original_client(shpool: Place) -> None:
    """The first one speaks the original's bytes, the second shares, the third watches."""
    events = shpool.subscribe()
    first = shpool.raw_attach("one")
    first.output_until(rb"\$ ")
    second = shpool.attach("-x", "one")
    eventually(lambda: roles(shpool) == ["shared", "driver"])
    third = shpool.attach("-r", "one")
    eventually(lambda: roles(shpool) == ["shared", "driver", "watcher"])
    assert shpool.run("attach", "one").err == "session 'one' already has a terminal attached\n"
    first.sock.sendall(b"echo fr''om-first\n")
    first.output_until(rb"\nfrom-first")
    second.expect("from-first\r\n")
    third.expect("from-first\r\n")
    assert roles(shpool) == ["driver", "shared", "watcher"]
    third.send("echo no''body\n")
    second.send("echo fr''om-second\n")
    first.output_until(rb"\nfrom-second")
    third.expect("from-second\r\n")
    assert b"nobody" not in third.output
    assert driver(shpool) == second.pid
    third.send(DETACH)
    assert third.wait() == 0
    first.close()
    eventually(lambda: roles(shpool) == ["driver"])
    assert shpool.sessions()["one"]["last_disconnected_at_unix_ms"] is None
    assert second.ask("echo still here") == "still here\n"
    shpool.expect_events(
        events, *("created", "attached", "attached", "attached", "detached", "detached")
    )


def test_the_pty_has_the_size_of_who_types(shpool: Place) -> None:
    first = shpool.attach("one", rows=20, cols=70)
    assert first.ask("stty size") == "20 70\n"
    second = shpool.attach("-x", "one", rows=30, cols=90)
    watcher = shpool.attach("-r", "one", rows=40, cols=100)
    eventually(lambda: len(roles(shpool)) == 3)
    assert second.ask("stty size") == "30 90\n"
    watcher.resize(41, 101)
    os.kill(watcher.pid, signal.SIGWINCH)
    eventually(lambda: shpool.sessions()["one"]["watchers"][0]["rows"] == 41)
    assert second.ask("stty size") == "30 90\n"
    first.send("x\x7f")
    eventually(lambda: driver(shpool) == first.pid)
    eventually(lambda: _size(shpool) == "20 70", "the pty follows, in half a second at most")
    second.kill()
    eventually(lambda: roles(shpool) == ["driver", "watcher"])


def test_who_was_stopped_comes_back_as_what_it_was(shpool: Place) -> None:
    first = shpool.attach("one", rows=20, cols=70)
    first.ask("true")
    second = shpool.attach("-x", "one")
    eventually(lambda: roles(shpool) == ["shared", "driver"])
    first.send("x\x7f")
    eventually(lambda: driver(shpool) == first.pid)
    for client, others in ((second, ["driver"]), (first, ["driver"])):
        os.kill(client.pid, signal.SIGTSTP)
        eventually(lambda others=others: roles(shpool) == others)  # type: ignore[misc]
        os.kill(client.pid, signal.SIGCONT)
        eventually(lambda: len(roles(shpool)) == 2)
        assert driver(shpool) == first.pid
    assert first.ask("stty size") == "20 70\n"


def test_typing_of_two_never_mixes(shpool: Place) -> None:
    """Pastes in pieces from one, keys from the other; what the program reads shows no seam."""
    first = shpool.raw_attach("one", "sh -c 'stty raw -echo; echo ready; exec cat'")
    first.output_until(b"ready")
    second = shpool.raw_attach("one", share=True)
    eventually(lambda: len(roles(shpool)) == 2)
    sent, keys = b"", 0
    for number in range(20):
        paste = b"\x1b[200~" + b"%d" % number * 300 + b"\x1b[201~"
        for at in range(0, len(paste), 97):
            first.sock.sendall(paste[at : at + 97])
            second.sock.sendall(b"<\xc3")
            second.sock.sendall(b"\xa9>")
            keys += 1
        sent += paste
    first.sock.sendall(b"END")
    shown = first.output_until(b"END")
    while shown.count(b">") < keys:
        shown += first.output_until(b">")
    pastes = re.findall(rb"\x1b\[200~.*?\x1b\[201~", shown, re.DOTALL)
    assert b"".join(pastes) == sent
    rest = re.sub(rb"\x1b\[200~.*?\x1b\[201~", b"", shown, flags=re.DOTALL).replace(b"END", b"")
    assert rest == b"<\xc3\xa9>" * keys


def test_a_paste_that_its_client_leaves_is_ended(shpool: Place) -> None:
    first = shpool.raw_attach("one", "sh -c 'stty raw -echo; echo ready; exec cat -v'")
    first.output_until(b"ready")
    second = shpool.raw_attach("one", share=True)
    eventually(lambda: len(roles(shpool)) == 2)
    second.sock.sendall(b"\x1b[200~pas")
    first.output_until(rb"\^\[\[200~pas")
    second.close()
    first.output_until(rb"\^\[\[201~")
    first.sock.sendall(b"\x1b[200~alone")
    first.output_until(b"alone")
    first.close()
    eventually(lambda: "alone^[[201~" in shpool.run("peek", "one").out)


def test_who_is_frozen_slow_or_killed_costs_the_others_nothing(shpool: Place) -> None:
    """The driver speaks the original's bytes; of ours one each is stopped, does not read, is
    killed."""
    first = shpool.raw_attach("one")
    first.output_until(rb"\$ ")
    frozen = shpool.raw_attach("one", share=True)  # reads nothing from now on
    watcher = shpool.attach("-r", "one")
    killed = shpool.attach("-x", "one")
    eventually(lambda: len(roles(shpool)) == 4)
    os.kill(watcher.pid, signal.SIGSTOP)
    first.sock.sendall(b"seq 300000 | tail -n 1; seq 200000 | md5sum | cut -c1-4; echo o''ne\n")
    first.output_until(b"\r\none\r\n")
    eventually(lambda: roles(shpool) == ["driver", "shared", "shared", "watcher"])
    first.sock.sendall(b"seq 400000; echo d''one\n")
    killed.kill()
    first.output_until(b"\ndone\r\n")
    eventually(lambda: roles(shpool) == ["driver", "shared", "watcher"])
    os.kill(watcher.pid, signal.SIGCONT)
    watcher.expect("done")
    assert b"done" in frozen.output_until(b"done")


def test_a_question_has_one_answer_from_whoever_drove(shpool: Place) -> None:
    asks = r"stty raw -echo; printf '\033[c'; head -c 9 | cat -v; echo; stty sane"
    first = shpool.raw_attach("one")
    first.output_until(rb"\$ ")
    second = shpool.raw_attach("one", share=True)
    second.output_until(rb"\$ ")
    for asker, other, ours, theirs in (
        (first, second, b"\x1b[?61;1c", b"\x1b[?62;2c"),
        (second, first, b"\x1b[?62;2c", b"\x1b[?61;1c"),
    ):
        asker.sock.sendall(asks.encode() + b"\n")
        for peer in (asker, other):
            peer.output_until(rb"\x1b\[c")
        other.sock.sendall(theirs)
        asker.sock.sendall(ours + b"!")
        shown = asker.output_until(rb"\^\[\[\?\d+;\dc.*\$ ")
        assert ours[2:] in shown
        assert theirs[2:] not in shown


def test_what_a_terminal_reports_of_its_own_accord_is_the_drivers(shpool: Place) -> None:
    reports = r'printf "\033[?1003;1006;1004hready"'
    first = shpool.raw_attach("one", f"sh -c 'stty raw -echo; {reports}; exec cat -v'")
    first.output_until(b"ready")
    second = shpool.raw_attach("one", share=True)
    eventually(lambda: len(roles(shpool)) == 2)
    assert "ready" in shpool.run("peek", "one").out  # interpreted, what is to be reported included
    for drives, other in ((first, second), (second, first)):
        drives.sock.sendall(b"a")
        drives.output_until(b"a")
        other.sock.sendall(b"\x1b[<35;3;3M\x1b[O\x1b[I\x1b[?62;1c\x1b[5;5R")
        assert len(roles(shpool)) == 2  # the daemon has read that by now
        drives.sock.sendall(b"\x1b[I\x1b[<35;4;4Mz")
        assert drives.output_until(b"z") == b"^[[I^[[<35;4;4Mz"
        other.output_until(b"z")


# ---- the commands


def test_detach_of_one_of_the_others_and_of_all(shpool: Place) -> None:
    clients = [shpool.attach("one")]
    clients[0].ask("true")
    clients += [shpool.attach("-x", "one"), shpool.attach("-r", "one"), shpool.attach("-x", "one")]
    eventually(lambda: len(roles(shpool)) == 4)
    assert shpool.run("detach", "--pid", str(clients[2].pid)).status == 0
    assert clients[2].wait() == 0
    eventually(lambda: len(roles(shpool)) == 3)
    shpool_command = " ".join(shpool.command("detach", "--others"))
    clients[0].send(f"PYTHONPATH={shpool.env['PYTHONPATH']} {shpool_command}\n")
    assert [clients[at].wait() for at in (1, 3)] == [0, 0]
    eventually(lambda: roles(shpool) == ["driver"])
    clients.append(shpool.attach("-r", "one"))
    eventually(lambda: len(roles(shpool)) == 2)
    assert shpool.run("detach", "one").status == 0
    assert [clients[at].wait() for at in (0, 4)] == [0, 0]
    done = shpool.run("detach", "one")
    assert (done.status, done.err) == (1, "not attached: one\n")
    watcher = shpool.attach("-r", "one")
    eventually(lambda: roles(shpool) == ["watcher"])
    assert shpool.statuses() == {"one": "Disconnected"}
    assert shpool.request({"Detach": {"sessions": ["one"]}})["not_attached_sessions"] == ["one"]
    assert shpool.run("detach", "one").status == 0
    assert watcher.wait() == 0


def test_what_cannot_be_meant_is_said(shpool: Place) -> None:
    for words, said in (
        (["attach", "-r", "-x", "one"], "--read-only and --share cannot be used together"),
        (["attach", "-r", "-f", "one"], "--read-only and --force cannot be used together"),
        (["attach", "-rb", "one"], "--read-only and --background cannot be used together"),
        (["attach", "-xb", "one"], "--share and --background cannot be used together"),
        (["attach", "-xf", "one"], "--share and --force cannot be used together"),
        (["switch", "-fx", "one"], "--share and --force cannot be used together"),
        (["attach", "-r"], "attach --read-only needs a NAME"),
        (["detach", "--pid", "1", "one"], "detach --pid takes neither a NAME nor --others"),
        (["detach", "--pid", "x"], "--pid x: a pid is a number, as list --json has it"),
        (
            ["detach", "--others", "one"],
            "detach --others takes no NAME: it is about the session one is in",
        ),
        (["list", "-l", "--json"], "--json and --long cannot be used together"),
    ):
        done = shpool.run(*words)
        assert (done.status, done.err.splitlines()[0]) == (2, f"shpool: {said}"), words
    for words, said in (
        (["attach", "-r", "one"], "not found: one"),
        (["detach", "--pid", "999999"], "no client with pid 999999 is attached to any session"),
    ):
        done = shpool.run(*words)
        assert (done.status, done.err) == (1, f"{said}\n"), words
    assert shpool.sessions() == {}


def test_others_are_those_beside_a_terminal_that_is_attached(shpool: Place) -> None:
    shpool.raw_session("one")
    done = shpool.run("detach", "--others", env={"SHPOOL_SESSION_NAME": "one"})
    said = "detach --others is to be typed in a terminal that is attached\n"
    assert (done.status, done.err) == (1, said)


def test_without_a_name_the_free_session_that_was_left_last_is_attached_to(shpool: Place) -> None:
    main = shpool.attach()
    assert main.ask("echo $SHPOOL_SESSION_NAME") == "main\n"
    done = shpool.run("attach")
    assert (done.status, done.err) == (
        1,
        "each session already has a terminal attached: main;"
        " to join one: shpool attach --share NAME\n",
    )
    for name in ("older", "newer"):
        shpool.run("attach", "-b", name)
    watcher = shpool.attach("-r", "newer")
    eventually(lambda: roles(shpool, "newer") == ["watcher"])
    client = shpool.attach()
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "newer\n"
    main.send(DETACH)
    assert main.wait() == 0
    for expected in ("main", "older"):
        again = shpool.attach()
        assert again.ask("echo $SHPOOL_SESSION_NAME") == f"{expected}\n"
    assert len(shpool.statuses()) == 3
    watcher.kill()


def test_the_configuration_says_what_a_plain_attach_does(shpool: Place) -> None:
    first = shpool.attach("one")
    first.ask("true")
    shpool.configure('attach = "share"')
    second = shpool.attach("one")
    eventually(lambda: roles(shpool) == ["shared", "driver"])
    assert second.ask("echo here") == "here\n"
    assert shpool.raw_attach("one").status == "Busy"
    shpool.configure('attach = "force"')
    done = shpool.run("attach", "-b", "one")
    assert (done.status, done.err) == (0, "session 'one' already has a terminal attached\n")
    third = shpool.attach("one")
    assert [first.wait(), second.wait()] == [0, 0]
    eventually(lambda: roles(shpool) == ["driver"])
    assert third.ask("echo there") == "there\n"
    shpool.configure('attach = "perhaps"')
    done = shpool.run("attach", "one")
    assert done.status == 1
    assert done.err.endswith(
        'attach: found the string \'perhaps\', want "refuse", "share" or "force"\n'
    )


def test_in_the_background_nobody_is_disturbed(shpool: Place) -> None:
    """Of those who come meanwhile nobody is detached, and it is over when the command ends."""
    events = shpool.subscribe()
    assert shpool.run("attach", "-b", "one").status == 0
    assert shpool.statuses() == {"one": "Disconnected"}
    watcher = shpool.attach("-r", "one")
    eventually(lambda: roles(shpool) == ["watcher"])
    assert shpool.run("attach", "-b", "one").status == 0
    assert roles(shpool) == ["watcher"]
    shpool.expect_events(
        events, *("created", "attached", "detached", "attached", "attached", "detached")
    )
    watcher.kill()


# ---- the long list


def row(name: str, **fields: Any) -> SessionRow:
    now = int(time.time() * 1000)
    return SessionRow(name, now - 3_700_000, now, fields.pop("left", None), **fields)


def test_a_long_list_tells_people_when_who_and_what() -> None:
    now = int(time.time() * 1000)
    here = os.getpid()
    rows = [
        row(
            "one",
            attachments=[
                Attachment("one", 1, "driver", 24, 80, 65_000),
                Attachment("one", 2, "shared", 24, 80, 700_000),
            ],
            watchers=[Attachment("one", 3, "watcher", 24, 80, 1)],
            foreground_pid=here,
        ),
        row("zwei-ü-日本", attachments=[], left=now - 172_900_000),
    ]
    lines = table(rows, os.getcwd(), None, "one")
    assert [mark for _, mark in lines] == [False, True, False]
    heads = ["NAME", "STATUS", "AGE", "IDLE", "CLIENTS", "COMMAND", "DIR"]
    cells = [re.split(r"  +", line) for line, _ in lines]
    assert cells[0] == heads
    assert cells[1][:5] == ["one*", "attached", "1h", "1m", "2, 1 watching"]
    assert cells[1][5].startswith("python")
    assert cells[1][6] == "~"
    assert cells[2] == ["zwei-ü-日本", "disconnected", "1h", "2d", "0", "-", "-"]
    assert all(len(line) <= 30 for line, _ in table(rows, "", 30, None))
    assert [ago(each) for each in (-5, 999, 59_000, 60_000, 3_600_000, 90_000_000)] == [
        *("0s", "0s", "59s", "1m", "1h", "1d")
    ]


def test_a_long_list_fits_the_terminal(shpool: Place) -> None:
    client = shpool.attach("one", cwd="/usr")
    client.ask("cd /usr/share")
    shown = shpool.run("list", "--long").out.splitlines()
    assert shown[0].split() == ["NAME", "STATUS", "AGE", "IDLE", "CLIENTS", "COMMAND", "DIR"]
    assert shown[1].split()[:2] == ["one", "attached"]
    assert shown[1].split()[4:] == ["1", "bash", "/usr/share"]
    narrow = shpool.terminal("list", "-l", cols=20)
    assert narrow.wait() == 0
    assert all(len(line) <= 20 for line in narrow.text().splitlines())
