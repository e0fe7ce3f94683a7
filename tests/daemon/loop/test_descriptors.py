import errno
import resource

import pytest

from shpool.daemon.loop import descriptors


def first_refused(suits: object, limit: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """The lowest descriptor that does not suit where there may be `limit`."""
    assert callable(suits)
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    return next(fd for fd in range(limit + 1) if not suits(fd))


@pytest.mark.parametrize(
    ("limit", "subscriber", "session", "answer"),
    [(64, 32, 48, 58), (256, 160, 224, 250), (1024, 736, 992, 1018), (4096, 3808, 4064, 4090)],
)
def test_subscribers_are_refused_before_sessions_and_sessions_before_answers(
    monkeypatch: pytest.MonkeyPatch, limit: int, subscriber: int, session: int, answer: int
) -> None:
    assert first_refused(descriptors.suits_subscriber, limit, monkeypatch) == subscriber
    assert first_refused(descriptors.suits_session, limit, monkeypatch) == session
    assert first_refused(descriptors.suits_answer, limit, monkeypatch) == answer


def test_without_a_limit_everything_suits(monkeypatch: pytest.MonkeyPatch) -> None:
    infinity = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda what: (infinity, infinity))
    assert descriptors.suits_subscriber(1_000_000)


def test_a_pty_that_no_session_may_have_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/null") as probe:
        free = probe.fileno()
    monkeypatch.setattr(resource, "getrlimit", lambda what: (free + 1, free + 1))
    with pytest.raises(OSError, match="Too many open files") as caught:
        descriptors.open_pty()
    assert caught.value.errno == errno.EMFILE
    with open("/dev/null") as probe:
        assert probe.fileno() == free
