"""A program that asks what terminal it has is answered once, whether one is there or not."""

from __future__ import annotations

import json
import os
import sys

from shpool import __version__
from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import Window, attached

# Writes what it is told to, one line of JSON at a time, in a terminal without echo; notes what
# comes in until it ends as an answer should.
ASKER = r"""
import json, os, select, sys, tty

tty.setraw(0)
orders, results = sys.argv[1:]
with open(orders) as order, open(results, "a") as result:
    for line in order:
        write, until = json.loads(line)
        os.write(1, write.encode())
        seen = b""
        while until and not seen.endswith(until.encode()):
            if not select.select([0], [], [], 20)[0]:
                break
            seen += os.read(0, 4096)
        print(json.dumps(seen.decode("latin-1")), file=result, flush=True)
"""

OUTSIDE = "\x1b[?1;2c"  # what the window says it is
OURS = "\x1b[?62;22c"


class Asker:
    """The program in a session that asks what it is told to."""

    def __init__(self, place: Place) -> None:
        script = place.scratch / "asker.py"
        script.write_text(ASKER)
        orders = place.scratch / "orders"
        os.mkfifo(orders)
        self._results = place.scratch / "results"
        command = f"{sys.executable} {script} {orders} {self._results}"
        done = place.run("attach", "-b", "-c", command, "one")
        assert done == (0, "", "")
        self._orders = open(orders, "w", buffering=1)  # noqa: SIM115 - closed below
        self._asked = 0

    def tell(self, write: str, until: str = "") -> str:
        """Have it write, and wait for what ends so; all that it was answered."""
        self.begin(write, until)
        return self.answer()

    def begin(self, write: str, until: str) -> None:
        self._orders.write(json.dumps([write, until]) + "\n")
        self._asked += 1

    def answer(self) -> str:
        return eventually(self.answered, "it was answered")[0]

    def answered(self) -> list[str]:
        """The last answer, if it has come."""
        lines = self._results.read_text().splitlines() if self._results.exists() else []
        return [json.loads(lines[-1])] if len(lines) >= self._asked else []

    def close(self) -> None:
        self._orders.close()


def test_questions_without_a_terminal(shpool: Place) -> None:
    asker = Asker(shpool)
    assert asker.tell("\x1b[c", "c") == OURS
    assert asker.tell("\x1b[>c", "c") == "\x1b[>1;276;0c"
    assert asker.tell("\x1b[5n", "n") == "\x1b[0n"
    assert asker.tell("\x1b[3;7Hab\x1b[6n", "R") == "\x1b[3;9R"
    assert asker.tell("\x1b[?6n", "R") == "\x1b[?3;9R"
    assert asker.tell("\x1b[?2004h\x1b[?2004$p", "y") == "\x1b[?2004;1$y"
    assert asker.tell("\x1b[?u", "u") == "\x1b[?0u"
    assert asker.tell("\x1b[>q", "\\") == f"\x1bP>|shpool({__version__})\x1b\\"
    assert asker.tell("\x1b]11;#123456\x07\x1b]11;?\x07", "\x07") == (
        "\x1b]11;rgb:1212/3434/5656\x07"
    )
    # All of them at once come in their order, and nothing behind them.
    assert asker.tell("\x1b[6n\x1b[c\x1b[?1$p\x1b[5n", "\x1b[0n") == (
        f"\x1b[3;9R{OURS}\x1b[?1;2$y\x1b[0n"
    )
    asker.close()


@BOTH_WAYS
def test_a_terminal_that_comes_and_goes_in_the_middle(shpool: Place) -> None:
    asker = Asker(shpool)
    end = "\x1b[0n"
    for turn in range(3):
        assert asker.tell("\x1b[c\x1b[5n", end) == OURS + end
        # The first half before anybody is there, the rest then.
        assert asker.tell("\x1b[") == ""
        with attached(shpool, "one") as window:
            window.until(lambda: shpool.statuses() == {"one": "Attached"})
            asker.tell(f"c\x1b[2;1Hturn {turn}")
            window.until_shown(f"turn {turn}")
            asker.begin("\x1b[5n", end)
            assert _answered(window, asker) == OUTSIDE + end
            asker.begin("\x1b[c\x1b[5n", end)
            assert _answered(window, asker) == OUTSIDE + end
            # The first half is shown to somebody who goes before the rest comes.
            asker.tell("\x1b[2;1Hgoing\x1b[")
            window.until_shown("going")
            window.send(DETACH)
            window.wait()
        assert asker.tell("c\x1b[5n", end) == OURS + end
    asker.close()


def _answered(window: Window, asker: Asker) -> str:
    """What the program has been answered while the window is looked at."""
    window.until(asker.answered, "the terminal has answered")
    return asker.answer()


def test_the_answer_does_not_wait_for_the_end_of_a_flood(shpool: Place) -> None:
    script = shpool.scratch / "flood.py"
    script.write_text(
        "import os, select, sys, tty\n"
        "tty.setraw(0)\n"
        "os.write(1, b'\\x1b[6n')\n"
        "count = 0\n"
        "while not select.select([0], [], [], 0)[0] and count < 50_000_000:\n"
        "    count += os.write(1, b'a line of a flood\\r\\n' * 200)\n"
        "open(sys.argv[1] + '.new', 'w').write(f'{count} {os.read(0, 100)}')\n"
        "os.rename(sys.argv[1] + '.new', sys.argv[1])\n"
        "os.read(0, 1)\n"
    )
    result = shpool.scratch / "result"
    shpool.run("attach", "-b", "-c", f"{sys.executable} {script} {result}", "one")
    eventually(result.exists, "it was answered")
    count, answer = result.read_text().split(" ", 1)
    assert answer == repr(b"\x1b[1;1R")
    assert int(count) < 5_000_000
