"""What only kitty can judge: its keyboard protocol, and its own view of a restored screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shpool.terminal.model import Terminal

from .judge.kitty import Kitty, difference
from .recorded import names, stream
from .test_judged_generated import steady

SCRIPTS = {
    "a flag set": b"\x1b[=5u",
    "flags added and taken": b"\x1b[=5u\x1b[=2;2u\x1b[=1;3u",
    "one pushed": b"\x1b[>1u",
    "a deep stack": b"\x1b[>1u\x1b[>3u\x1b[>5u\x1b[>7u\x1b[<u",
    "more than the stack holds": b"".join(b"\x1b[>%du" % n for n in range(1, 13)),
    "more popped than pushed": b"\x1b[>1u\x1b[>3u\x1b[<9u",
    "a stack for each screen": b"\x1b[>1u\x1b[>3u\x1b[?1049h\x1b[H\x1b[>5u\x1b[=15u",
    "back from the other screen": b"\x1b[>1u\x1b[?1049h\x1b[>5u\x1b[<u\x1b[?1049l\x1b[>3u",
    "reset": b"\x1b[>1u\x1b[>3u\x1bc",
    "set, then pushed": b"\x1b[=3u\x1b[>5u\x1b[=9;1u",
}
# Where kitty itself differs from xterm, whom the model follows: the stream, and from which mark on.
OTHERWISE = {
    "unicode": 0,  # flags are one wide character, VS16 makes a narrow one wide
    "dialog": 10348,  # 1049l on the main screen does nothing; xterm brings back the saved cursor
    "nvim": 11858,  # 1049l brings back the cursor's shape
    "vttest-charset": 2493,  # has more charsets
}
AFTER = b"\x1b[<u\x1b[>8u"


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_keyboard_stacks_come_back(script: str, kitty: Kitty) -> None:
    data = b"text" + SCRIPTS[script]
    for more in (b"", AFTER):
        model = Terminal(10, 40, 0)
        model.feed(data)
        whole = kitty.new(10, 40).write(data + more)
        fresh = kitty.new(10, 40).write(model.restore(0) + more)
        assert difference(whole.dump(), fresh.dump()) == ""
        assert difference(whole.probe(), fresh.probe()) == ""
        whole.close()
        fresh.close()


FLAGS = st.one_of(
    st.builds(lambda n: b"\x1b[>%du" % n, st.integers(0, 31)),
    st.builds(lambda n: b"\x1b[<%du" % n, st.integers(0, 4)),
    st.builds(lambda n, how: b"\x1b[=%d;%du" % (n, how), st.integers(0, 31), st.integers(1, 3)),
    st.sampled_from([b"\x1b[>u", b"\x1b[<u", b"\x1b[=1u", b"\x1b[?u", b"text"]),
)
COVERED = st.lists(FLAGS, max_size=12).map(lambda p: b"\x1b[?1049h\x1b[H" + b"".join(p))


@given(main=st.lists(FLAGS, max_size=12).map(b"".join), alternate=st.one_of(st.just(b""), COVERED))
@steady
def test_made_up_stacks_come_back(kitty: Kitty, main: bytes, alternate: bytes) -> None:
    model = Terminal(10, 40, 0)
    model.feed(main + alternate)
    whole = kitty.new(10, 40).write(main + alternate)
    fresh = kitty.new(10, 40).write(model.restore(0))
    assert difference(whole.dump(), fresh.dump()) == ""
    assert difference(whole.probe(), fresh.probe()) == ""
    whole.close()
    fresh.close()


@pytest.mark.parametrize("name", [name for name in names() if OTHERWISE.get(name) != 0])
def test_kitty_too_shows_the_program_as_it_was(name: str, kitty: Kitty) -> None:
    program = stream(name)
    last = OTHERWISE.get(name, len(program.data) + 1)
    marks = [mark for mark in program.marks if 0 < mark < last][:: max(1, len(program.marks) // 4)]
    told = []
    for mark in marks:
        model = Terminal(program.rows, program.cols, 0)
        model.feed(program.data[:mark])
        whole = kitty.new(program.rows, program.cols).write(program.data[:mark])
        fresh = kitty.new(program.rows, program.cols).write(model.restore(0))
        wrong = difference(whole.dump(), fresh.dump())
        if not wrong:
            rest = program.data[mark : last - 1]
            wrong = difference(whole.write(rest).dump(), fresh.write(rest).dump())
        if not wrong:
            wrong = difference(whole.probe(), fresh.probe())
        if wrong:
            told.append(f"mark at {mark}: {wrong}")
        whole.close()
        fresh.close()
    assert told == [], f"{len(told)} of {len(marks)} marks fail:\n" + "\n".join(told[:3])
