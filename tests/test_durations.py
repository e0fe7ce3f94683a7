import pytest

from shpool.durations import MAX_SECONDS, DurationError, parse_duration, parse_span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("5s", 5),
        ("5m", 300),
        ("5h", 18_000),
        ("20d", 1_728_000),
        ("10:30", 630),
        ("3:10:30", 11_430),
        ("01:03:10:30", 97_830),
        ("90:00", 5_400),
        ("0:00:00:00", 0),
        (f"{MAX_SECONDS}s", MAX_SECONDS),
    ],
)
def test_both_notations_give_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "want dd:hh:mm:ss or a number with s, m, h or d"),
        ("12", "no unit"),
        ("12\n", "want dd:hh:mm:ss"),
        ("s", "'' is no number"),
        ("12x", "want dd:hh:mm:ss"),
        ("12S", "want dd:hh:mm:ss"),
        ("1.5h", "'1.5' is no number"),
        ("-1s", "'-1' is no number"),
        ("+1s", "'+1' is no number"),
        ("1_0s", "'1_0' is no number"),
        (" 1s", "' 1' is no number"),
        ("1 s", "'1 ' is no number"),
        ("1h30m", "'1h30' is no number"),
        ("٣s", "'٣' is no number"),
        ("²s", "'²' is no number"),
        (":", "'' is no number"),
        (":30", "'' is no number"),
        ("1::30", "'' is no number"),
        ("1:1:1:1:1", "more than dd:hh:mm:ss"),
        ("1:30s", "'30s' is no number"),
        (f"{MAX_SECONDS + 1}s", "longer than 292 years"),
        ("200000d", "longer than 292 years"),
        ("9" * 10_000 + "s", "longer than 292 years"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert f"could not parse {text!r} as duration" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("100ms", 100), ("0ms", 0), ("2s", 2000), ("01:30", 90_000)]
)
def test_a_span_may_be_shorter_than_a_second(text: str, milliseconds: int) -> None:
    assert parse_span(text) == milliseconds


@pytest.mark.parametrize("text", ["ms", "5", "-1ms", "1.5ms", "5 ms"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_span(text)
