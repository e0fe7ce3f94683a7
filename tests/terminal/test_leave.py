"""What a client or the daemon notes of output that it only passes on."""

import pytest

from shpool.terminal.leave import ALTERNATE, LEAVE, LEAVE_END, LEAVE_MAIN, REPORTS, Watch

STATES = {
    b"plain text": 0,
    b"\x1b[?1049h": ALTERNATE,
    b"\x1b[?47hx": ALTERNATE,
    b"\x1b[?1049h\x1b[?1049l": 0,
    b"\x1b[?1000h": REPORTS,
    b"\x1b[?1006;1000h": REPORTS,
    b"\x1b[?1004h\x1b[?1004l": REPORTS,  # some may still be under way
    b"\x1b[?1049h\x1b[?1003h": ALTERNATE | REPORTS,
    b"\x1b[?1000l\x1b[?2004h\x1b[?25l": 0,
}


@pytest.mark.parametrize("output", STATES)
def test_the_state_is_noticed_at_every_cut(output: bytes) -> None:
    for first in range(len(output) + 1):
        for second in range(first, len(output) + 1):
            watch = Watch()
            for piece in (output[:first], output[first:second], output[second:]):
                watch.output(piece)
            assert watch.state == STATES[output]


def test_another_watch_can_be_told_what_it_did_not_see() -> None:
    for state in range(4):
        watch = Watch()
        watch.unseen(state)
        assert watch.state == state
        assert watch.farewell() == (LEAVE if state & ALTERNATE else LEAVE_MAIN) + b"\r\n"


@pytest.mark.parametrize(
    ("output", "farewell"),
    [
        (b"", LEAVE_MAIN),
        (b"a line\r\n", LEAVE_MAIN),
        (b"$ half a line", LEAVE_MAIN + b"\r\n"),
        (b"\x1b[?1049hfull screen", LEAVE + b"\r\n"),
        (b"said already" + LEAVE, b""),
        (b"said already" + LEAVE_MAIN + b"\r\n", b""),
        (b"\x1b[?1049h" + LEAVE_MAIN, LEAVE),
        (b"taken back" + LEAVE_END[:-1], LEAVE_MAIN + b"\r\n"),
    ],
)
def test_the_farewell_turns_off_what_may_be_on_and_ends_the_line(
    output: bytes, farewell: bytes
) -> None:
    for cut in range(len(output) + 1):
        watch = Watch()
        watch.output(output[:cut])
        watch.output(output[cut:])
        assert watch.farewell() == farewell
        assert watch.farewell() == LEAVE_MAIN  # it has been left; this is the next session's
