from datetime import UTC, datetime, timedelta, timezone

import pytest

from aurum.core.asof import InvalidSpan, Span

START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)


def test_span_is_kept_in_utc() -> None:
    eastern = timezone(timedelta(hours=-5))
    span = Span(datetime(2025, 1, 1, tzinfo=eastern), END)
    assert span.start == datetime(2025, 1, 1, 5, tzinfo=UTC)
    assert span.start.tzinfo is UTC


def test_span_may_be_open_or_empty() -> None:
    assert Span() == Span(None, None)
    assert Span(START, START).end == START


def test_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidSpan) as caught:
        Span(END, START)
    assert caught.value.facts == {"start": END.isoformat(), "end": START.isoformat()}


@pytest.mark.parametrize("name", ["start", "end"])
def test_span_with_a_naive_end_is_refused_and_says_which(name: str) -> None:
    with pytest.raises(InvalidSpan, match=name) as caught:
        Span(**{name: datetime.fromisoformat("2025-01-01")})
    assert caught.value.facts == {name: "2025-01-01T00:00:00"}
