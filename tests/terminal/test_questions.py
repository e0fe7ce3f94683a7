"""Whether a terminal that is left may still be about to answer something."""

import random
from unittest.mock import patch

import pytest

from shpool.terminal import questions
from shpool.terminal.leave import Watch, asks
from shpool.terminal.questions import Questions

QUESTIONS = [
    *(b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c", b"\x1bZ"),
    *(b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?996n", b"\x1b[>q", b"\x1b[>0q", b"\x1b[?u"),
    *(b"\x1b[?2026$p", b"\x1b[4$p", b"\x1b[14t", b"\x1b[18t", b"\x1b[21t", b"\x1b[x"),
    *(b"\x1b]11;?\x1b\\", b"\x1b]4;1;?\x07", b"\x1b]52;c;?\x07", b"\x1b[?1;1;0S"),
    *(b"\x1bP+q544e\x1b\\", b"\x1bP$qm\x1b\\", b"\x1b_Gi=1,a=q;AAAA\x1b\\"),
]

NO_QUESTIONS = [
    *(b"\x1b[m", b"\x1b[1;31m", b"\x1b[>4;2m", b"\x1b[>1u", b"\x1b[<u", b"\x1b[u", b"\x1b[2 q"),
    *(
        b"\x1b[22;0t",
        b"\x1b[8;24;80t",
        b"\x1b[S",
        b"\x1b[3S",
        b"\x1b[?25h",
        b"\x1b[>1n",
        b"\x1b[!p",
    ),
    *(b"\x1b]0;what? a title; really\x07", b"\x1b]8;;http://a/?b\x1b\\", b"\x1b]11;#fff\x07"),
    *(b"\x1bPq#0;2;0\x1b\\", b"\x1b_Gi=1,q=2,a=T;AAAA\x1b\\", b"c[c?u", b"\x1b7\x1b8\x1b(B"),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_known_wherever_it_stands(question: bytes) -> None:
    assert asks(question)
    assert asks(b"\x1b[mtext" + question + b"\x1b[31mmore \x1b[H")
    for at in range(len(question)):
        watch = Watch()
        watch.output(b"before" + question[:at], 1.0)
        watch.output(question[at:] + b"behind", 1.0)
        assert watch.asked(1.0)


@pytest.mark.parametrize("output", NO_QUESTIONS)
def test_what_terminals_do_not_answer_is_no_question(output: bytes) -> None:
    assert not asks(output)


def test_a_question_is_remembered_until_it_is_answered_or_never_will_be() -> None:
    watch = Watch()
    watch.output(b"\x1b[c", 100.0)
    assert watch.asked(104.0)
    assert not watch.asked(106.0)
    watch.output(b"x" * 60_000, 104.0)  # what a program draws behind it
    assert watch.asked(105.0)
    watch.settled()
    assert not watch.asked(105.0)
    watch.output(b"\x1b[c", 200.0)
    watch.output(b"more", 206.0)
    watch.output(b"more", 212.0)
    assert not watch.asked(212.0)


def test_no_more_output_is_kept_than_is_looked_at() -> None:
    watch = Watch()
    for size in (1, 100, 16_384, 65_536, 1_000):
        for _ in range(300):
            watch.output(bytes(size), 1.0)
        assert len(watch._older) + len(watch._recent) < 4 * 65_536


def test_a_watch_is_told_what_another_one_knows() -> None:
    watch = Watch()
    watch.unseen(4)
    assert watch.asked(0.0)
    watch.settled()
    assert not watch.asked(0.0)


ANSWERED_BY = {
    "?c": (b"\x1b[c", b"\x1b[0c", b"\x1bZ"),
    ">c": (b"\x1b[>c", b"\x1b[>0c"),
    "n": (b"\x1b[5n",),
    "R": (b"\x1b[6n",),
    "?R": (b"\x1b[?6n",),
    "?n": (b"\x1b[?996n", b"\x1b[?15n"),
    "?u": (b"\x1b[?u",),
    "$y": (b"\x1b[4$p",),
    "?$y": (b"\x1b[?2026$p",),
    "t": (b"\x1b[14t", b"\x1b[18t"),
    "x": (b"\x1b[x", b"\x1b[1x"),
    "?S": (b"\x1b[?1;1;0S",),
    ">m": (b"\x1b[?4m",),
    "osc": (b"\x1b[21t", b"\x1b[20t", b"\x1b]11;?\x1b\\", b"\x1b]4;1;?\x07", b"\x1b]52;c;?\x07"),
    "dcs": (
        *(b"\x1b[=c", b"\x1b[>q", b"\x1b[>0q", b"\x1b[1;1;1;1;1;1*y"),
        *(b"\x1bP+q544e\x1b\\", b"\x1bP$qm\x1b\\"),
    ),
    "apc": (b"\x1b_Gi=1,a=q;AAAA\x1b\\", b"\x1b_Ga=q\x1b\\"),
}


def test_every_question_has_its_answer() -> None:
    assert {question for some in ANSWERED_BY.values() for question in some} >= set(QUESTIONS)


@pytest.mark.parametrize("answer", ANSWERED_BY)
def test_questions_are_found_with_what_answers_them_wherever_output_is_cut(answer: str) -> None:
    for question in ANSWERED_BY[answer]:
        output = b"before\x1b[m" + question + b"\x1b[31mbehind"
        for at in range(len(output) + 1):
            finder = Questions()
            assert finder.find(output[:at]) + finder.find(output[at:]) == [answer], output[:at]
        finder = Questions()
        found = [each for at in range(len(output)) for each in finder.find(output[at : at + 1])]
        assert found == [answer]


@pytest.mark.parametrize("output", [*NO_QUESTIONS, b"\x1b[4m", b"\x1b[>4m", b"\x1b[2q"])
def test_where_nothing_is_asked_nothing_is_found(output: bytes) -> None:
    for at in range(len(output) + 1):
        finder = Questions()
        assert finder.find(output[:at]) + finder.find(output[at:]) == []


def test_in_a_crowd_of_sequences_the_same_is_found() -> None:
    """Where it is first looked whether there can be any."""
    pick = random.Random(1)
    some = [
        *QUESTIONS,
        *NO_QUESTIONS,
        b"\x1b[?4m",
        b"\x1b[<6n",
        b"\x1b[1;1;1;1;1;1*y",
        b"\x1b",
        b"[",
    ]
    crowd = [b"\x1b[%d%c" % (number, final) for number in range(4) for final in b"AHKmhlrd@"] * 2
    for _ in range(400):
        pieces = [*pick.sample(some, pick.randrange(3)), *pick.sample(crowd, 40)]
        pick.shuffle(pieces)
        output = b"".join(pieces)
        whole, alone = Questions(), Questions()
        with patch.object(questions, "_may_ask", lambda data: True):
            expected = alone.find(output)
        assert (whole.find(output), whole.cut) == (expected, alone.cut), output
    with patch.object(questions, "_QUESTION", None):
        assert Questions().find(b"\x1b[?25l\x1b[2;3H\x1b[K\x1b[?25h\x1b[m") == []


def test_questions_come_in_order_and_little_is_kept_of_what_is_none() -> None:
    finder = Questions()
    everything = b"\x1b[c\x1b]11;?\x07text\x1b[6n\x1b[5n"
    assert finder.find(everything) == ["?c", "osc", "R", "n"]
    finder.find(b"\x1b]0;" + b"x" * 100_000)
    assert finder.cut == b""
    finder.find(b"\x1b]0;" + b"x" * 100)
    assert len(finder.cut) == 104
