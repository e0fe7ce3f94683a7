"""What a client wants of a daemon, from the command line and from whoever sends it elsewhere."""

from __future__ import annotations

from shpool.client.wanted import Wanted, from_switch, from_words
from shpool.commands import COMMANDS
from shpool.options import Option, parse
from shpool.protocol.replies import Destination

OPTIONS = (*COMMANDS["attach"].options, Option("r", "read-only", None, "watch"))


def wanted(*words: str) -> Wanted:
    return from_words(words[-1], parse(words[:-1], OPTIONS))


def test_the_command_line_is_wanted_whenever_it_is_asked_for() -> None:
    found = wanted("-f", "-c", "echo {w}", "--ttl", "1h", "x-{w}")
    assert found.varies
    assert found.name({"w": "a"}) == "x-a"
    to = found.to
    assert (to.ttl_secs, to.force, to.share, found.read_only) == (3600, True, False, False)
    assert found.settled() is found
    assert not wanted("x").varies


def test_what_somebody_is_sent_to_is_literal_and_made_once() -> None:
    to = Destination("{w}", 60, "echo {w}", "/", "x", force=True, share=True)
    found = from_switch(to, wanted("x-{w}"))
    assert not found.varies
    assert found.name({"w": "a"}) == "{w}"
    assert found.to is to
    after = found.settled()
    assert after.literal
    assert after.to.fields() == {"share": True}
    assert after.to.name == "{w}"


def test_who_watches_goes_on_to_watch() -> None:
    found = from_switch(Destination("b"), wanted("-r", "a"))
    assert found.read_only
    assert found.settled().read_only
