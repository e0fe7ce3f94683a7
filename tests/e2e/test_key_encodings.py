"""Key bindings as terminals send them for programs that ask for more than control codes."""

from __future__ import annotations

import time

import pytest

from shpool.keys.scanner import PASTE_PAUSE
from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.test_keys import typing
from tests.programs import need

pytestmark = BOTH_WAYS

SPACE, Q = b"\x1b[32;5u", b"\x1b[113;5u"
SPACE_UP, Q_UP = b"\x1b[32;5:3u", b"\x1b[113;5:3u"
CTRL, CTRL_UP = b"\x1b[57442;5u", b"\x1b[57442;1:3u"


@pytest.mark.parametrize(
    ("asked", "typed", "passed"),
    [
        (b"\x1b[>1u", SPACE + Q, b""),
        (b"\x1b[>1u", b"\x1b[32;197u" + b"\x1b[113;197u", b""),
        (b"\x1b[>5u", SPACE + b"\x1b[1081::113;5u", b""),
        (b"\x1b[>31u", CTRL + SPACE + SPACE_UP + CTRL_UP + CTRL + Q, CTRL + CTRL_UP + CTRL),
        (b"\x1b[>4;1m", DETACH, b""),
        (b"\x1b[>4;2m", b"\x1b[27;5;32~\x1b[27;5;113~", b""),
        (b"\x1b[>4;2m", b"\x00\x1b[27;5;81~", b""),
    ],
)
def test_the_detach_key_works_whatever_the_program_asked_for(
    shpool: Place, asked: bytes, typed: bytes, passed: bytes
) -> None:
    client = typing(shpool, asked)
    assert asked in client.output
    client.send(b"a" + typed)
    assert client.wait() == 0
    assert shpool.statuses() == {"one": "Disconnected"}
    again = shpool.attach("one")
    again.expect("ready" + (b"a" + passed).hex())
    again.send(b"~")
    again.expect("7e$")


def test_keys_that_are_no_binding_reach_the_program_as_they_are(shpool: Place) -> None:
    client = typing(shpool, b"\x1b[>31u")
    keys = b"\x1b[97;;97u\x1b[97;1:3u" + SPACE + SPACE_UP + b"\x1b[113;6u" + Q_UP + b"\x1b[A"
    client.send(keys + b"~")
    client.expect((keys + b"~").hex() + "$")
    assert client.output.endswith(b"ready" + (keys + b"~").hex().encode())


def test_a_key_of_which_the_rest_is_late_is_found_all_the_same(shpool: Place) -> None:
    client = typing(shpool)
    client.send(SPACE[:4])
    client.expect(SPACE[:4].hex() + "$")  # it is held for a moment, and then passed on
    client.send(SPACE[4:] + Q[:1])
    client.expect(SPACE[4:].hex() + Q[:1].hex() + "$")
    client.send(Q[1:])
    assert client.wait() == 0


def test_the_escape_key_reaches_the_program_with_nothing_after_it(shpool: Place) -> None:
    client = typing(shpool)
    for _ in range(3):
        client.send(b"\x1b")
        client.expect("1b$")
    client.send(b"x\x1b")
    client.expect("781b$")
    client.send(DETACH)
    assert client.wait() == 0


def test_what_is_pasted_is_no_binding(shpool: Place) -> None:
    client = typing(shpool, b"\x1b[?2004h")
    paste = b"\x1b[200~" + DETACH + SPACE + Q + b"\x1b[201~"
    client.send(paste + b"~")
    client.expect((paste + b"~").hex() + "$")
    client.send(DETACH)
    assert client.wait() == 0


def test_a_paste_without_end_does_not_keep_the_user_in(shpool: Place) -> None:
    client = typing(shpool, b"\x1b[?2004h")
    client.send(b"\x1b[200~" + DETACH)
    client.expect(DETACH.hex() + "$")

    def left() -> bool:
        """Type nothing for long enough, then the keys."""
        time.sleep(1.2 * PASTE_PAUSE)
        client.send(DETACH)
        return not client.shows(DETACH.hex()) and client.process.poll() is not None

    eventually(left, "the client is detached")
    assert client.wait() == 0


def test_vim_is_left_by_the_detach_key(shpool: Place) -> None:
    vim = need("vim")
    client = shpool.attach("-c", f"{vim} -Nu NONE", "one")
    client.expect(rb"\x1b\[>4;2m")  # modifyOtherKeys
    client.send(b"ihello")
    client.expect("hello")
    client.send(b"\x1b[27;5;32~\x1b[27;5;113~")
    assert client.wait() == 0
    again = shpool.attach("one")
    again.expect("hello")
    again.send(b"\x1b:q!\r")
    assert again.wait() == 0
