"""Key bindings as typed: own ones, swallowed ones, and sequences that come in pieces."""

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, Terminal

pytestmark = BOTH_WAYS

BINDINGS = """
[[keybinding]]
binding = "Ctrl-a d"
action = "detach"
[[keybinding]]
binding = "Ctrl-a n"
action = "noop"
[[keybinding]]
binding = "Ctrl-a Ctrl-a x"
action = "noop"
[[keybinding]]
binding = "Ctrl-\\\\"
action = "noop"
[[keybinding]]
binding = "Ctrl-a d d"
action = "noop"
"""


@pytest.fixture
def shpool(place: Place) -> Place:
    place.configure(BINDINGS)
    place.start()
    return place


def typing(place: Place, asked: bytes = b"") -> Terminal:
    """A client whose session shows every byte that it is typed, and has `asked` its terminal."""
    program = (
        f"import os\nos.write(1, {asked!r} + b'ready')\n"
        "while 1: os.write(1, os.read(0, 99).hex().encode())"
    )
    script = place.scratch / "show.py"
    script.write_text(f"import tty\ntty.setraw(0)\n{program}\n")
    client = place.attach("-c", f"{place.command()[0]} -IS {script}", "one")
    client.expect("ready")
    return client


def typed(client: Terminal, *pieces: bytes) -> bytes:
    """What the program gets of these pieces, each sent when the one before has been read."""
    for piece in pieces:
        client.send(piece)
        client.send(b"~")  # begins nothing, and would break a sequence, so only between whole ones
    shown = client.expect(rb"((?:[0-9a-f][0-9a-f])*?7e){%d}" % len(pieces))[0]
    return bytes.fromhex(shown.decode()).replace(b"~", b"")


def test_own_bindings_replace_the_default_one(shpool: Place) -> None:
    client = typing(shpool)
    assert typed(client, DETACH) == DETACH
    client.send(b"\x01d")
    assert client.wait() == 0
    assert shpool.statuses() == {"one": "Disconnected"}


def test_a_noop_swallows_its_keys_and_nothing_else(shpool: Place) -> None:
    client = typing(shpool)
    assert typed(client, b"a\x01nb", b"\x1c", b"\x01\x01xc", b"\x1c\x1c.") == b"abc."


def test_a_sequence_that_turns_out_not_to_be_one_is_passed_on_in_order(shpool: Place) -> None:
    client = typing(shpool)
    for keys in (b"\x01z", b"\x01\x01n", b"\x01\x01\x01x"):
        assert typed(client, keys) == keys
    # The key that breaks one can begin the next.
    assert typed(client, b"\x01\x01\x01nd") == b"\x01\x01d"


def test_keys_of_a_sequence_may_come_one_by_one(shpool: Place) -> None:
    client = typing(shpool)
    client.send(b"a\x01")
    client.expect("61$")
    client.send(b"z")
    client.expect("017a$")
    client.send(b"b\x01")
    client.expect("62$")
    client.send(b"d")
    assert client.wait() == 0


def test_the_shorter_of_two_that_begin_alike_wins_and_input_before_it_is_delivered(
    shpool: Place,
) -> None:
    client = typing(shpool)
    client.send(b"before\x01dd")
    assert client.wait() == 0
    again = shpool.attach("one")
    again.expect("ready" + b"before".hex())
    assert typed(again, b"after") == b"after"


def test_a_sequence_left_unfinished_by_one_client_is_not_the_next_ones(shpool: Place) -> None:
    client = typing(shpool)
    client.send(b"x\x01")
    client.expect("78$")
    assert shpool.run("detach", "one").status == 0
    assert client.wait() == 0
    again = shpool.attach("one")
    again.expect("ready")
    assert typed(again, b"d") == b"d"
