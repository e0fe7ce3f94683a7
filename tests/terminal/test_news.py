"""What is sent to terminals once: bells, clipboards, notifications; for those that are drawn on."""

from __future__ import annotations

import pytest

from shpool.terminal.leave import asks
from shpool.terminal.model import Terminal
from shpool.terminal.news import News


def heard(data: bytes) -> bytes:
    terminal = Terminal(24, 80, 0)
    terminal.news = News()
    terminal.feed(data)
    news = terminal.news.take()
    assert terminal.news.take() == b""
    assert not asks(news)
    return news


@pytest.mark.parametrize(
    ("data", "news"),
    [
        (b"a\x07b\x07\x07", b"\x07"),
        (b"\x1b]2;title\x07", b""),
        (b"\x1b]52;c;aGVsbG8=\x07", b"\x1b]52;c;aGVsbG8=\x1b\\"),
        (b"\x1b]52;;aQ==\x07\x1b]52;p;\x1b\\", b"\x1b]52;p;\x1b\\"),
        (b"\x1b]52;c;?\x07", b""),
        (b"\x1b]52;c;not base64\x07", b""),
        (b"\x1b]9;done\x07\x07", b"\x1b]9;done\x1b\\\x07"),
        (b"\x1b]9;4;1;50\x07\x1b]9;9;/home\x07\x1b]9;12\x07", b""),
        (b"\x1b]777;notify;make;done\x1b\\", b"\x1b]777;notify;make;done\x1b\\"),
        (b"\x1b]777;precmd\x1b\\", b""),
        (b"\x1b]99;i=1:p=?;\x1b\\", b""),
        (b"\x1b]9;" + b"x" * 5000 + b"\x07", b""),
        (b"".join(b"\x1b]9;n%d\x07" % n for n in range(9)), b"n8"),
    ],
)
def test_what_is_heard_is_told_once_and_no_more_than_somebody_notices(
    data: bytes, news: bytes
) -> None:
    told = heard(data)
    assert told == news or (news == b"n8" and told.endswith(b"n8\x1b\\") and b"n4" not in told)


def test_in_whatever_pieces_it_comes() -> None:
    terminal = Terminal(24, 80, 0)
    terminal.news = News()
    for byte in b"\x1b]52;c;aGVsbG8=\x1b\\\x07":
        terminal.feed(bytes([byte]))
    assert terminal.news.take() == b"\x1b]52;c;aGVsbG8=\x1b\\\x07"


def test_nothing_is_kept_for_nobody() -> None:
    terminal = Terminal(24, 80, 0)
    terminal.feed(b"\x07\x1b]52;c;aGVsbG8=\x07\x1b]9;done\x07")
    assert terminal.news is None
