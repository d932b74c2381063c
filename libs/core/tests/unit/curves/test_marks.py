"""Marks: quotes and overrides together, the states of a set, and comparisons."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from aurum.core.curves.marks import (
    CHANGED_QUOTES,
    MARKS,
    QUOTED_MARKS,
    Override,
    SetState,
    SetStep,
    WrongState,
    breaches,
    changed_quotes,
    check_draft,
    marks,
    state_after,
)

JAN, FEB = date(2025, 1, 1), date(2025, 2, 1)
AT = datetime(2024, 10, 14, 16, tzinfo=UTC)
SCHEMA = {name: kind for name, kind in QUOTED_MARKS.items() if name != "known_at"}


def quotes(*rows: tuple[date, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [("a", first, first + timedelta(days=31), price, None, None, AT) for first, price in rows],
        schema=QUOTED_MARKS,
        orient="row",
    )


def overrides(*rows: tuple[date, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [("a", first, first + timedelta(days=31), price, price - 1, None) for first, price in rows], schema=SCHEMA, orient="row"
    )


def test_an_override_replaces_the_whole_price_and_a_quote_stands_else() -> None:
    made = marks(quotes((JAN, 100.0), (FEB, None)), overrides((JAN, 101.0)), overrides())
    assert made.schema == MARKS
    assert made.select("quoted", "override", "value", "bid", "ask", "source", "flags").rows() == [
        (100.0, 101.0, 101.0, 100.0, None, "override", "override"),
        (None, None, None, None, None, None, "unpriced"),
    ]


def test_an_override_of_a_period_that_is_not_quoted_is_flagged() -> None:
    (row,) = marks(quotes(), overrides((JAN, 101.0)), overrides()).rows(named=True)
    assert (row["value"], row["known_at"], row["flags"]) == (101.0, None, "override,not_quoted")


def test_an_expired_override_leaves_the_quote_and_a_flag() -> None:
    (row,) = marks(quotes((JAN, 100.0)), overrides(), overrides((JAN, 90.0))).rows(named=True)
    assert (row["value"], row["source"], row["flags"]) == (100.0, "quote", "override_expired")


@pytest.mark.parametrize(
    ("expires", "holds"),
    [
        (None, True),
        (date(2024, 10, 13), False),
        (date(2024, 10, 14), True),
        (AT, False),
        (AT + timedelta(seconds=1), True),
    ],
)
def test_an_override_holds_through_its_last_trade_date_or_until_its_instant(
    expires: date | datetime | None, *, holds: bool
) -> None:
    override = Override("a", JAN, FEB, 1.0, None, None, "why", expires, AT, "key:1")
    assert override.holds(date(2024, 10, 14), AT) is holds


def test_each_step_has_its_states() -> None:
    allowed = {(step, state) for step in SetStep for state in SetState if not isinstance(_attempt(step, state), WrongState)}
    assert allowed == {
        (SetStep.SUBMIT, SetState.DRAFT),
        (SetStep.APPROVE, SetState.SUBMITTED),
        (SetStep.REJECT, SetState.SUBMITTED),
        (SetStep.CLOSE, SetState.APPROVED),
        *((SetStep.REOPEN, state) for state in SetState if state is not SetState.DRAFT),
    }
    check_draft(SetState.DRAFT)
    with pytest.raises(WrongState, match="reopen it first"):
        check_draft(SetState.APPROVED)


def _attempt(step: SetStep, state: SetState) -> SetState | WrongState:
    try:
        return state_after(step, state)
    except WrongState as error:
        return error


def test_a_quote_that_was_corrected_added_or_lost_has_changed() -> None:
    pinned = marks(quotes((JAN, 100.0), (FEB, 90.0)), overrides((JAN, 7.0), (date(2025, 5, 1), 3.0)), overrides())
    assert changed_quotes(pinned, quotes((JAN, 100.0), (FEB, 90.0))).is_empty()
    changed = changed_quotes(pinned, quotes((JAN, 100.5), (date(2025, 3, 1), 80.0)))
    assert changed.select("delivery_start", "pinned", "current").rows() == [
        (JAN, 100.0, 100.5),
        (FEB, 90.0, None),
        (date(2025, 3, 1), None, 80.0),
    ]


def test_a_change_of_a_bid_alone_is_shown_with_the_source_of_the_mark() -> None:
    pinned = marks(quotes((JAN, 100.0), (FEB, 90.0)), overrides((JAN, 101.0)), overrides())
    now = quotes((JAN, 100.0), (FEB, 90.0)).with_columns(bid=pl.when(pl.col("delivery_start") == JAN).then(99.0))
    changed = changed_quotes(pinned, now)
    assert changed.schema == CHANGED_QUOTES
    assert changed.select("source", "pinned", "current", "pinned_bid", "current_bid").rows() == [
        ("override", 100.0, 100.0, None, 99.0)
    ]


def test_breaches_come_by_size_and_the_larger_tolerance_counts() -> None:
    compared = pl.DataFrame(
        {
            "curve": ["a", "a", "b", "b"],
            "delivery_start": [JAN, FEB, JAN, FEB],
            "delivery_end": [FEB, FEB, FEB, FEB],
            "value": [100.0, 50.5, -20.0, 10.1],
            "other": [101.0, 50.0, -22.5, 10.0],
            "absolute": [0.5, 0.5, None, None],
            "relative": [0.02, None, 0.1, 0.001],
        }
    )
    judged = breaches(compared)
    assert judged.select("curve", "difference", "is_breach").rows() == [
        ("b", 2.5, True),
        ("a", -1.0, False),
        ("a", 0.5, False),
        ("b", pytest.approx(0.1), True),
    ]
    assert judged["tolerance"].to_list() == [2.25, 2.02, 0.5, 0.01]
