"""What the model answers while no terminal is there, and what it leaves to one that is."""

from __future__ import annotations

import itertools

import pytest

from shpool.terminal.answers import MAX_ANSWERS
from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal

# What is asked, on a terminal of 10 rows and 40 columns, and what the answer is.
ANSWERS = {
    "DA1": (b"\x1b[c", b"\x1b[?62;22c"),
    "DA1 with its default": (b"\x1b[0c", b"\x1b[?62;22c"),
    "DA1 of another kind": (b"\x1b[1c", b""),
    "DECID": (b"\x1bZ", b"\x1b[?62;22c"),
    "DECID as C1": ("\x9a".encode(), b"\x1b[?62;22c"),
    "DA2": (b"\x1b[>c", b"\x1b[>1;276;0c"),
    "XTVERSION": (b"\x1b[>q", b"\x1bP>|shpool\x1b\\"),
    "XTVERSION with its default": (b"\x1b[>0q", b"\x1bP>|shpool\x1b\\"),
    "the status": (b"\x1b[5n", b"\x1b[0n"),
    "the cursor's place": (b"ab\r\ncd\x1b[6n", b"\x1b[2;3R"),
    "its place with a wrap pending": (b"x" * 40 + b"\x1b[6n", b"\x1b[1;40R"),
    "its place in origin mode": (b"\x1b[3;8r\x1b[?6h\x1b[2;5H\x1b[6n", b"\x1b[2;5R"),
    "its place between margins": (b"\x1b[?69h\x1b[5;20s\x1b[?6h\x1b[2;5H\x1b[6n", b"\x1b[2;5R"),
    "its place at a right margin": (
        b"\x1b[?69h\x1b[5;9s\x1b[1;5Habcde\x1b[6n",
        b"\x1b[1;9R",
    ),
    "its place, privately": (b"\x1b[4;7H\x1b[?6n", b"\x1b[?4;7R"),
    "a printer": (b"\x1b[?15n", b""),
    "a mode that is off": (b"\x1b[?2004$p", b"\x1b[?2004;2$y"),
    "a mode that is on": (b"\x1b[?2004h\x1b[?2004$p", b"\x1b[?2004;1$y"),
    "autowrap": (b"\x1b[?7$p\x1b[?7l\x1b[?7$p", b"\x1b[?7;1$y\x1b[?7;2$y"),
    "side margins": (b"\x1b[?69$p\x1b[?69h\x1b[?69$p", b"\x1b[?69;2$y\x1b[?69;1$y"),
    "the mouse": (b"\x1b[?1003h\x1b[?1002$p\x1b[?1003$p", b"\x1b[?1002;2$y\x1b[?1003;1$y"),
    "the alternate screen": (b"\x1b[?1049h\x1b[?1049$p", b"\x1b[?1049;1$y"),
    "a synchronized update": (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
    "reports of the size": (b"\x1b[?2048l\x1b[?2048$p", b"\x1b[?2048;0$y"),
    "reports of the size, on": (b"\x1b[?2048h\x1b[?2048$p", b"\x1b[?2048;1$y"),
    "an unknown mode": (b"\x1b[?5555$p\x1b[99$p", b"\x1b[?5555;0$y\x1b[99;0$y"),
    "insert mode": (b"\x1b[4$p\x1b[4h\x1b[4$p", b"\x1b[4;2$y\x1b[4;1$y"),
    "the keyboard's flags": (b"\x1b[?u\x1b[>5u\x1b[?u", b"\x1b[?0u\x1b[?5u"),
    "a colour that was set": (
        b"\x1b]4;1;#123456\x1b\\\x1b]4;1;?\x1b\\",
        b"\x1b]4;1;rgb:1212/3434/5656\x1b\\",
    ),
    "colours among settings": (
        b"\x1b]4;2;rgb:f/00/000;2;?;7;?;002;?\x07",
        b"\x1b]4;2;rgb:ffff/0000/0000\x07\x1b]4;2;rgb:ffff/0000/0000\x07",
    ),
    "a colour nobody set": (b"\x1b]4;1;?\x07\x1b]11;?\x07", b""),
    "a colour by name": (b"\x1b]11;red\x07\x1b]11;?\x07", b""),
    "a background": (b"\x1b]11;#abc\x07\x1b]11;?\x07", b"\x1b]11;rgb:a0a0/b0b0/c0c0\x07"),
    "several colours": (
        b"\x1b]10;#000;#ffffff\x07\x1b]10;?;?;?\x07",
        b"\x1b]10;rgb:0000/0000/0000\x07\x1b]11;rgb:ffff/ffff/ffff\x07",
    ),
    "a cursor's colour taken back": (b"\x1b]12;#fff\x07\x1b]112\x07\x1b]12;?\x07", b""),
    "no question": (b"\x1b[u\x1b[s\x1b[2 q\x1b[!p\x1b[>4;1m\x1b]0;what?\x07", b""),
    "many, in order": (
        b"\x1b[5n\x1b[6n\x1b[c\x1b[?1$p",
        b"\x1b[0n\x1b[1;1R\x1b[?62;22c\x1b[?1;2$y",
    ),
}


# What is not looked for in a flood.
IN_IDLE_MOMENTS = ("DECID as C1", "no question")


def backlog() -> Backlog:
    return Backlog(Terminal(10, 40, 100))


@pytest.mark.parametrize("what", ANSWERS)
def test_a_question_that_no_terminal_got_is_answered(what: str) -> None:
    question, answer = ANSWERS[what]
    waiting = backlog()
    waiting.append(question, unanswered=True)
    assert waiting.asked or what in IN_IDLE_MOMENTS
    waiting.catch_up()
    assert not waiting.asked
    assert waiting.take_answers() == answer
    assert waiting.take_answers() == b""


@pytest.mark.parametrize("what", ANSWERS)
def test_wherever_it_is_cut_it_is_answered_once(what: str) -> None:
    question, answer = ANSWERS[what]
    for cut, at_once in itertools.product(range(len(question) + 1), (False, True)):
        waiting = backlog()
        given = b""
        for piece in (question[:cut], question[cut:]):
            waiting.append(piece, unanswered=True)
            if at_once:
                waiting.catch_up()
                given += waiting.take_answers()
        assert waiting.asked or at_once or what in IN_IDLE_MOMENTS
        waiting.catch_up()
        assert given + waiting.take_answers() == answer


@pytest.mark.parametrize("what", ANSWERS)
def test_a_question_that_a_terminal_got_is_left_to_it(what: str) -> None:
    waiting = backlog()
    waiting.append(ANSWERS[what][0])
    assert not waiting.asked
    waiting.append(b"later", unanswered=True)
    waiting.catch_up()
    assert waiting.take_answers() == b""


QUESTIONS = [b"\x1b[c", b"\x1b[?2004$p", b"\x1b[>0q", b"\x1b[6n", b"\x1b[?u"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_who_is_there_at_its_end_answers_a_question(question: bytes) -> None:
    for cut, left in itertools.product(range(1, len(question)), (False, True)):
        waiting = backlog()
        waiting.append(question[:cut], unanswered=not left)
        waiting.append(question[cut:], unanswered=left)
        waiting.catch_up()
        assert bool(waiting.take_answers()) is left, (cut, left)


def test_each_question_is_answered_by_one_however_late_it_is_interpreted() -> None:
    waiting = backlog()
    numbers = range(1, 41)
    for n in numbers:  # the column tells which question it was
        waiting.append(b"\x1b[1;%dH\x1b[6n" % n, unanswered=n % 3 == 0)
    waiting.catch_up()
    expected = b"".join(b"\x1b[1;%dR" % n for n in numbers if n % 3 == 0)
    assert waiting.take_answers() == expected


def test_an_answer_is_of_the_moment_of_its_question() -> None:
    waiting = backlog()
    waiting.append(b"one\x1b[6n\r\ntwo\x1b[?25l\x1b[6n\x1b[?25$p\x1b[?25h", unanswered=True)
    waiting.resize(20, 50)
    waiting.append(b"\x1b[20;50H\x1b[6n", unanswered=True)
    waiting.catch_up()
    assert waiting.take_answers() == b"\x1b[1;4R\x1b[2;4R\x1b[?25;2$y\x1b[20;50R"


@pytest.mark.parametrize("line", [b"compiling something\r\n", b"\x1b[32mok\x1b[m something\r\n"])
def test_a_flood_round_a_question_does_not_swallow_it(line: bytes) -> None:
    waiting = backlog()
    flood = line * 400
    for _ in range(300):
        waiting.append(flood, unanswered=True)
    assert waiting.pending < 2 << 20  # it was skipped
    assert not waiting.asked
    waiting.append(b"\x1b[6", unanswered=True)
    waiting.append(b"n" + flood, unanswered=True)
    assert waiting.asked
    for _ in range(300):
        waiting.append(flood, unanswered=True)
    waiting.catch_up()
    assert waiting.take_answers() == b"\x1b[10;1R"


def test_once_it_is_answered_a_flood_is_skipped_again() -> None:
    waiting = backlog()
    flood = b"compiling something\r\n" * 400
    waiting.append(b"\x1b[6n", unanswered=True)
    waiting.advance(4)
    assert not waiting.asked
    for _ in range(300):
        waiting.append(flood, unanswered=True)
    assert waiting.pending < 2 << 20


def test_a_flood_of_questions_is_bounded() -> None:
    waiting = backlog()
    for _ in range(100):
        waiting.append(b"\x1b[c" * 1000, unanswered=True)
        waiting.catch_up()
    answers = waiting.take_answers()
    assert 0 < len(answers) <= MAX_ANSWERS
    assert answers == b"\x1b[?62;22c" * (len(answers) // 9)
    waiting.append(b"\x1b[5n", unanswered=True)
    waiting.catch_up()
    assert waiting.take_answers() == b"\x1b[0n"


def test_a_restore_asks_nothing() -> None:
    model = Terminal(10, 40, 100)
    model.feed(b"".join(question for question, _ in ANSWERS.values()))
    again = Terminal(10, 40, 100)
    again.answering = True
    again.feed(model.restore(100))
    assert again.take_answers() == b""
