"""What ssh says: shown at once, at the end, or not at all; and what it tells of the end."""

from __future__ import annotations

import pytest

from shpool.client.ssh.complaints import Complaints

CLOSED = b"Connection to host.example closed.\r\n"
BY_REMOTE = b"Connection to host.example closed by remote host.\r\n"
TIMEOUT = b"Timeout, server host.example not responding.\r\n"
ADDED = b"Warning: Permanently added 'h' (ED25519) to the list of known hosts.\r\n"


def shown(level: str, *pieces: bytes, held: bool = False) -> tuple[bytes, bytes]:
    """What is shown at once, and at the end."""
    complaints = Complaints(level, held=held)
    return b"".join(map(complaints.feed, pieces)), complaints.last_words()


def every_split(data: bytes) -> list[tuple[bytes, bytes]]:
    return [(data[:at], data[at:]) for at in range(len(data) + 1)]


@pytest.mark.parametrize(
    ("level", "data", "now", "later"),
    [
        ("info", b"debug?\r\nssh: what\r\n", b"debug?\r\nssh: what\r\n", b""),
        ("info", CLOSED, b"", b""),
        ("verbose", CLOSED, b"", CLOSED),
        ("debug1", CLOSED, b"", CLOSED),
        ("info", TIMEOUT + CLOSED, b"", TIMEOUT),
        ("info", BY_REMOTE + CLOSED, b"", BY_REMOTE),
        ("info", ADDED, ADDED, b""),
        ("error", ADDED + TIMEOUT + b"ssh: no\r\n", b"ssh: no\r\n", b""),
        ("quiet", ADDED + TIMEOUT + b"ssh: no\r\n", b"", b""),
        ("info", b"Certainly not the end\r\n", b"Certainly not the end\r\n", b""),
    ],
)
def test_what_is_shown_and_when(level: str, data: bytes, now: bytes, later: bytes) -> None:
    for pieces in every_split(data):
        assert shown(level, *pieces) == (now, later), pieces


def test_a_line_that_has_not_ended_is_shown_unless_it_may_be_a_last_word() -> None:
    complaints = Complaints("info")
    assert complaints.feed(b"(a@h) Password: ") == b"(a@h) Password: "
    assert complaints.feed(b"\n") == b"\n"
    assert complaints.feed(b"Conn") == b""
    assert complaints.feed(b"ie\n") == b"Connie\n"
    assert complaints.feed(b"C" + b"x" * 300) == b"C" + b"x" * 300


def test_what_is_held_is_shown_at_the_end_or_from_when_it_is_not_held() -> None:
    assert shown("info", b"ssh: refused\r\n", held=True) == (b"", b"ssh: refused\r\n")
    complaints = Complaints("info", held=True)
    assert complaints.feed(b"one\n") == b""
    complaints.held = False
    assert complaints.feed(b"two\n") == b"two\n"
    assert complaints.last_words() == b"one\n"


@pytest.mark.parametrize(
    ("said", "closed"),
    [
        (CLOSED, True),
        (b"Shared connection to h closed.\r\n", True),
        (ADDED + CLOSED, True),
        (BY_REMOTE + CLOSED, False),
        (TIMEOUT, False),
        (TIMEOUT + CLOSED, False),
        (b"client_loop: send disconnect: Broken pipe\r\n", False),
        (b"", False),
        (b"Connection reset by 10.0.0.1 port 22\r\n" + CLOSED, False),
    ],
)
def test_the_user_has_closed_it_if_that_is_all_that_is_said(said: bytes, closed: bool) -> None:
    for pieces in every_split(said):
        complaints = Complaints("info")
        for piece in pieces:
            complaints.feed(piece)
        assert complaints.closed is closed


@pytest.mark.parametrize(
    ("said", "final", "password"),
    [
        (b"a@h: Permission denied (publickey,password).\r\n", True, True),
        (b"a@h: Permission denied (publickey,keyboard-interactive).\r\n", True, True),
        (b"a@h: Permission denied (publickey).\r\n", True, False),
        (
            b'sign_and_send_pubkey: signing failed for ED25519 "k": agent refused operation\r\n'
            b"a@h: Permission denied (publickey).\r\n",
            True,
            True,
        ),
        (b"Host key verification failed.\r\n", True, False),
        (b"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\n", True, False),
        (b"ssh: connect to host h port 22: Connection refused\r\n", False, False),
        (b"ssh: connect to host h port 22: Permission denied\r\n", False, False),
        (b'Load key "/k": Permission denied\r\nbind [::1]:80: Permission denied\r\n', False, False),
        (b"Permission denied, please try again.\r\nTimeout, server h not r", False, False),
    ],
)
def test_what_makes_no_sense_to_be_tried_again(said: bytes, final: bool, password: bool) -> None:
    complaints = Complaints("info", held=True)
    complaints.feed(said)
    assert (complaints.final, complaints.wants_password) == (final, password)


def test_only_so_much_is_kept() -> None:
    complaints = Complaints("info")
    for _ in range(100):
        complaints.feed(b"x" * 1000 + b"\n")
    assert len(complaints.said) == 8192
    for end in (b"\n", b""):
        now, later = shown("info", *[b"x" * 1000 + end] * 100, held=True)
        assert (now, len(later)) == (b"", 8192)
