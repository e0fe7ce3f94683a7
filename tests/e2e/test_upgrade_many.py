"""A daemon with all that it can have, replaced again and again while people work.

Five times, or as often as SHPOOL_TEST_UPGRADES says.
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import ExitStack
from threading import Thread

from shpool.protocol.msgpack import pack
from tests.e2e.harness import DETACH, Place, Subscriber, Terminal, eventually
from tests.e2e.test_drawn import until_in_step
from tests.e2e.upgrades import SAME, have_pager, upgrade
from tests.e2e.window import attached
from tests.programs import need
from tests.terminal.judge.differ import State, difference

UPGRADES = int(os.environ.get("SHPOOL_TEST_UPGRADES", "5"))

# Prints numbers, one a line, without end, and leaves others some of the processor.
NUMBERS = """i=0
while :; do
    n=$((i + 200))
    while [ $i -lt $n ]; do echo $i; i=$((i + 1)); done
    sleep 0.01
done
"""

PAGER = """#!/bin/sh
printf 'paging '
while read line && [ "$line" != q ]; do printf 'read %s.' "$line"; done
"""

# Sessions that nobody is at meanwhile: what they print, and what of it is to be seen.
STILL = {
    "modes": (r"printf '\e[?1000h\e[?2004h\e[?1h\e=\e[4 q\e]2;title\a'; echo moded", "moded"),
    "screens": (r"seq 40; printf '\e[31mred\e[m\e7\e[?1049h\e[5;9H\e[44malternate\e[K'", "alter"),
    "lines": (f"seq -f 'line %g, {'long ' * 15} enough to be wrapped' 600", "line 600,"),
    "margins": (r"printf '\e[3;9r\e[?6h\e(0lqqk\e(B\xe6\xbc\xa2 e\xcc\x81'", "漢"),
}


class Flood(Thread):
    """A client of a session that prints NUMBERS, read all the time: else it would be skipped."""

    def __init__(self, place: Place) -> None:
        super().__init__(daemon=True)
        path = place.scratch / "numbers"
        path.write_text(NUMBERS)
        self.peer = place.raw_attach("flood", f"sh {path}")
        self.output = b""
        self.start()

    def run(self) -> None:
        self.output, _ = self.peer.to_exit_status()

    def end(self) -> int:
        """Interrupt it; how many numbers have come, each once and in order."""
        self.peer.send(b"\x03")
        self.join()
        lines = self.output.split(b"\r\n")
        if lines[-1] in (b"", b"^C"):
            lines.pop()
        assert lines == [b"%d" % number for number in range(len(lines))]
        return len(lines)


class Typist:
    """Somebody who types into `cat`, on a terminal, as fast as asked to."""

    def __init__(self, place: Place) -> None:
        self.path = place.scratch / "typed"
        self.terminal = place.attach("typing", "-c", f"sh -c 'stty -echo; cat >{self.path}'")
        eventually(self.path.exists)
        self.count = 0

    def type(self) -> None:
        self.terminal.send(f"{self.count}\n")
        self.count += 1

    def check(self) -> None:
        """What was typed has come, once, in order."""
        wanted = "".join(f"{number}\n" for number in range(self.count))
        eventually(lambda: len(self.path.read_text()) >= len(wanted), "all that was typed comes")
        assert self.path.read_text() == wanted
        assert self.count > 10


class Still:
    """Sessions as somebody saw them who has left."""

    def __init__(self, place: Place) -> None:
        self.place = place
        for name, (command, _) in STILL.items():
            script = place.scratch / name
            done = place.scratch / f"{name}-done"
            script.write_text(f"stty -echo\n{command}\necho >{done}\nexec cat\n")
            place.raw_session(name, f"bash {script}")
            eventually(done.exists)
        self.before = {name: self.look(name) for name in STILL}

    def look(self, name: str) -> State:
        with attached(self.place, name) as window:
            window.until_shown(STILL[name][1])
            window.shows("")  # until nothing more comes
            state = window.state(history=True)
            window.send(DETACH)
            assert window.wait() == 0
            return state

    def check(self) -> None:
        for name, before in self.before.items():
            assert (name, difference(before, self.look(name))) == (name, "")


class Comings:
    """What comes and goes in each round."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.fifo = place.scratch / "fifo"
        os.mkfifo(self.fifo)

    def begin(self, number: int) -> None:
        """A session that waits to be told to end, a kill that waits, and half a request."""
        place = self.place
        self.ending = f"ending{number}"
        place.raw_session(self.ending, f"sh -c 'read x <{self.fifo}'")
        self.keys = 0
        place.raw_session(f"stubborn{number}", "sh -c 'trap : HUP; while :; do sleep 0.01; done'")
        self.killing = place.peer()
        self.killing.request({"Kill": {"sessions": [f"stubborn{number}"]}})
        self.half = place.peer()
        self.request = pack({"SetLogLevel": {"level": "Debug"}})
        self.half.send(self.request[:10])
        self.end_at = 3 + number % 20

    def meanwhile(self) -> None:
        self.keys += 1
        if self.keys == self.end_at:
            self.let_go()

    def let_go(self) -> None:
        """Have it end, in whatever the daemon is about to do."""
        with open(self.fifo, "w"):
            pass
        self.ending = ""

    def end(self) -> None:
        name = self.ending
        if name:
            self.let_go()
        assert self.killing.message() == {"not_found_sessions": []}
        self.half.send(self.request[10:])
        assert self.half.message() == {}
        for peer in (self.killing, self.half):
            peer.close()
        eventually(lambda: not any(each.startswith("ending") for each in self.place.sessions()))


def paging(place: Place) -> Terminal:
    have_pager(place, PAGER)
    client = place.attach("paging")
    client.expect("paging ")
    return client


def heard(subscriber: Subscriber, wanted: list[str]) -> None:
    """Every event, once and in order, and no other."""
    assert subscriber.types(len(wanted)) == wanted
    assert subscriber.nothing_waits()


MADE = ["session.created", "session.attached"]
GONE = ["session.removed"]
ROUND = [*MADE, "session.detached", *MADE, "session.detached", *GONE, *GONE]


def test_the_daemon_is_replaced_under_people_at_work_again_and_again(place: Place) -> None:
    vim, less = need("vim"), need("less")
    place.start()
    place.configure("session_restore_mode = { lines = 500 }")
    still = Still(place)
    flood, typist = Flood(place), Typist(place)
    frozen = place.raw_attach("frozen", "sh -c 'seq 200000; echo at the end; exec cat'")
    place.logged("takes no output")
    pager = paging(place)
    place.configure("session_restore_mode = 'simple'")
    simple = place.attach("simple")
    simple.ask("x=kept")
    place.configure("pass_terminal = false")
    half = place.attach("half")
    half.ask("x=kept")
    half.send("echo half a ")
    place.configure()
    file = place.scratch / "file"
    (place.scratch / "long").write_text("".join(f"line {number}\n" for number in range(900)))
    reader = place.raw_attach("less", f"{less} {place.scratch}/long")  # as the original's client
    reader.output_until(rb"line 22\r\n")
    repl = place.attach("repl", "-c", shlex.join([sys.executable, "-i", "-q"]))
    repl.send("n = 0\n")
    assert place.run("attach", "-b", "--ttl", "1000s", "-c", "sleep 1000", "lasting").status == 0
    for number in range(4):
        place.raw_session(f"cat{number}", "cat")
    editing = attached(place, "-c", f"{vim} -u NONE -i NONE -N -n {file}", "vim")
    with editing as driver, ExitStack() as more:
        driver.until_shown("~")
        watching = more.enter_context(attached(place, "--read-only", "vim", rows=12, cols=50))
        until_in_step(driver, watching)
        subscribers = [place.subscribe() for _ in range(5)]
        behind = subscribers.pop()
        assert len(place.sessions()) == 18
        descriptors, memory = 0, 0
        comings = Comings(place)

        def meanwhile() -> None:
            typist.type()
            comings.meanwhile()

        for number in range(UPGRADES):
            comings.begin(number)
            driver.send(f"oline {number}\x1b")
            repl.send("n += 1; print('n is', n)\n")
            pager.send(f"{number}\n")
            reader.send(b"j")
            assert upgrade(place, meanwhile).startswith(SAME)
            comings.end()
            driver.until_shown(f"line {number}")
            until_in_step(driver, watching)
            repl.expect(rf"n is {number + 1}\r\n")
            pager.expect(rf"read {number}\.")
            reader.output_until(rb"line %d\b" % (number + 23))
            for each in subscribers:
                heard(each, ROUND)
            if not descriptors:
                descriptors, memory = place.descriptors(), place.memory()
        eventually(lambda: place.descriptors() <= descriptors, "nothing is left open")
        assert place.memory() < 1.5 * memory
        heard(behind, ROUND * UPGRADES)
        assert "alternate" in str(still.before["screens"])
        still.check()
        driver.send(":wq\r")
        assert driver.wait() == 0
    assert file.read_text() == "\n" + "".join(f"line {number}\n" for number in range(UPGRADES))
    assert place.run("peek", "less").out.startswith(f"line {UPGRADES}\n")
    frozen.output_until(rb"at the end")
    typist.check()
    assert flood.end() > 1000
    half.send("line of $x\n")
    half.expect("half a line of kept\r\n")
    assert simple.ask("echo $x") == "kept\n"
    pager.send("q\n")
    assert pager.ask("echo in") == "in\n"
    assert "lasting" in place.sessions()
    assert place.run("kill", "--all").status == 0
