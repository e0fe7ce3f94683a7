"""What a terminal sends by itself, taken out of what is typed, wherever the bytes are cut."""

import pytest

from shpool.client.sieve import Sieve

# What a terminal may be about to send.
SENT = [
    b"\x1b[?62;22c",  # DA1
    b"\x1b[>41;354;0c",  # DA2
    b"\x1bP!|00000000\x1b\\",  # DA3
    b"\x1b[24;80R",  # CPR
    b"\x1b[?24;80;1R",  # DECXCPR
    b"\x1b[?0u",  # keyboard protocol
    b"\x1b[?2026;2$y",  # DECRQM
    b"\x1b[4;1$y",
    b"\x1bP>|XTerm(354)\x1b\\",  # XTVERSION
    b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",  # a colour, ended as it may be
    b"\x1b]10;rgb:0000/0000/0000\x07",
    b"\x1bP1+r544e=787465726d\x1b\\",  # XTGETTCAP
    b"\x1bP0+r\x1b\\",
    b"\x1bP1$r0m\x1b\\",  # DECRQSS
    b"\x1b[8;24;80t",  # size
    b"\x1b]ltitle\x1b\\",
    b"\x1b_Gi=1;OK\x1b\\",  # graphics
    b"\x1b[?997;1n",  # colour scheme
    b"\x1b[48;24;80;480;800t",  # size, reported
    b"\x1b[>4;2m",  # modifyOtherKeys
    b"\x1b[2;1;1;112;112;1;0x",  # DECREQTPARM
    b"\x1b[3n",
    b"\x1b[?1;0;256S",  # XTSMGRAPHICS
    b"\x1b[<35;10;10M",
    b"\x1b[<0;10;10m",
]

# What is sent only if reports are on, and typed otherwise.
REPORTED = [b"\x1b[M !!", b"\x1b[M\xff\xff\xff", b"\x1b[32;10;10M", b"\x1b[I", b"\x1b[O"]

TYPED = [
    b"ls -l\r",
    "Grüße 日本".encode(),
    b"\x1b[A",
    b"\x1bOP",
    b"\x1b[1;5C",
    b"\x1b[15~",
    b"\x1b[97;5u",
    b"\x1b[27;5;97~",
    b"\x1b\x1b[A",
    b"\x1bx",
    b"\x1b]x",  # Alt and a key, and another key
    b"\x1bPx",
    b"\x1b\x7f",
    b"\x1b[200~\x1b]11;\x1b[0n\x1b[?62c\x1b[201~",
    bytes(range(32)).replace(b"\x1b", b"") + bytes(range(128, 256)),
]


def test_what_a_terminal_sends_is_taken_out() -> None:
    for sent in SENT:
        for typed in TYPED:
            sieve = Sieve(reports=True)
            assert sieve.feed(typed + sent + typed + sent) + sieve.flush() == 2 * typed, sent
            assert not sieve.answered


def test_reports_are_taken_out_where_they_are_on() -> None:
    for sent in REPORTED:
        on, off = Sieve(reports=True), Sieve(reports=False)
        assert on.feed(b"a" + sent + b"b") == b"ab"
        if not sent.startswith(b"\x1b[M"):
            assert off.feed(b"a" + sent + b"b") == b"a" + sent + b"b"


@pytest.mark.parametrize("sent", SENT)
def test_it_does_not_matter_how_it_is_cut(sent: bytes) -> None:
    wire = b"x\x1b[A" + sent + b"y"
    for at in range(len(wire) + 1):
        sieve = Sieve(reports=False)
        assert sieve.feed(wire[:at]) + sieve.feed(wire[at:]) == b"x\x1b[Ay"


def test_the_answer_to_the_last_question_is_known() -> None:
    sieve = Sieve(reports=False)
    assert sieve.feed(b"a\x1b[0") == b"a"
    assert not sieve.answered
    assert sieve.feed(b"nb") == b"b"
    assert sieve.answered


def test_what_is_held_at_the_end_was_typed_unless_it_is_an_answer() -> None:
    for held, typed in ((b"\x1b", b"\x1b"), (b"\x1b[", b"\x1b["), (b"\x1b]11;rgb:00", b"")):
        sieve = Sieve(reports=False)
        assert sieve.feed(b"a" + held) + sieve.flush() == b"a" + typed


def test_a_long_answer_is_not_kept() -> None:
    sieve = Sieve(reports=False)
    sieve.feed(b"\x1b]52;c;")
    for _ in range(100):
        assert sieve.feed(b"QUJD" * 100) == b""
        assert len(sieve._held) < 10
    assert sieve.feed(b"\x1b\\x") == b"x"
