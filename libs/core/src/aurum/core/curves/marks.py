"""Marks: prices of a set of curves as a desk states them: quotes, and overrides of quotes with a reason and an expiry.

A set is a draft until its values are pinned by submitting it; another person approves them, and closing makes them official.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import polars as pl

from aurum.core.curves.quotes import PRICE, PriceFrom, price_columns
from aurum.core.errors import Conflict
from aurum.core.frames import UTC_US

IDENTITY = ("curve", "delivery_start", "delivery_end")
"""Columns by which two marks are the same. ``curve``: key of the product."""

QUOTED_MARKS = pl.Schema(
    {
        "curve": pl.String(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "settle": pl.Float64(),
        "bid": pl.Float64(),
        "ask": pl.Float64(),
        "known_at": UTC_US,
    }
)
"""Quotes of one trade date, at most one of each period of a curve. Overrides have the same columns, without ``known_at``."""

MARKS = pl.Schema(
    {
        "curve": pl.String(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "quoted": pl.Float64(),
        "quoted_bid": pl.Float64(),
        "quoted_ask": pl.Float64(),
        "override": pl.Float64(),
        "value": pl.Float64(),
        "bid": pl.Float64(),
        "ask": pl.Float64(),
        "source": pl.String(),
        "known_at": UTC_US,
        "flags": pl.String(),
    }
)
"""Marks, ascending by identity. ``source``: ``quote``, ``mid`` (the mean of bid and ask of a quote without a settlement) or
``override``; null where there is no price. ``known_at``: of the quote. ``flags``: names of ``MarkFlag``, joined by commas."""

NAMED_MARKS = pl.Schema(
    {
        **MARKS,
        "label": pl.String(),
        "kind": pl.String(),
        "starts_at": UTC_US,
        "ends_at": UTC_US,
        "hours": pl.Float64(),
        "unit": pl.String(),
        "currency": pl.String(),
    }
)
"""Marks with the name of their period, its instants, the hours of the block, and the unit and currency of their prices: all
that a reader needs when the terms of a product change later."""


class SetState(StrEnum):
    """State of a curve set."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    OFFICIAL = "official"


class SetStep(StrEnum):
    """A step of a curve set from one state to another."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    CLOSE = "close"
    REOPEN = "reopen"


class MarkFlag(StrEnum):
    """A fact about a mark that its readers should know."""

    OVERRIDE = "override"
    OVERRIDE_EXPIRED = "override_expired"
    """An override has expired, so the quote stands."""
    NOT_QUOTED = "not_quoted"
    """An override of a period that the curve does not quote on this trade date."""
    UNPRICED = "unpriced"
    """Listed without a price, and not overridden."""
    UNIT_JUMP = "unit_jump"
    STALE = "stale"
    NOT_REBUILT = "not_rebuilt"
    """A quote of a derived curve that is not fresh: an input has changed since it was computed."""


CHANGED_QUOTES = pl.Schema(
    {
        "curve": pl.String(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "source": pl.String(),
        "pinned": pl.Float64(),
        "pinned_bid": pl.Float64(),
        "pinned_ask": pl.Float64(),
        "current": pl.Float64(),
        "current_bid": pl.Float64(),
        "current_ask": pl.Float64(),
        "known_at": UTC_US,
    }
)
"""Quotes that differ from those of pinned marks, ascending by identity. ``source``: of the pinned mark. ``pinned``,
``current``: settlements. ``known_at``: of the present quote; null where there is none now."""


class WrongState(Conflict):
    """A step that the state of a set does not allow. Facts: ``state``."""

    def __init__(self, what: str, state: SetState, hint: str) -> None:
        super().__init__(f"a set that is {state} cannot be {what}: {hint}", state=str(state))


@dataclass(frozen=True, slots=True)
class Override:
    """A price that replaces the quote of one period.

    ``first``, ``end``: delivery days, half-open. ``settle``, ``bid``, ``ask``: in the unit of the product; with an override the
    quoted bid and ask do not count. ``expires``: the last trade date of sets that it holds for, or the instant from which it
    holds no more; None: it holds for its set, as long as that exists. ``person``: who made it; None: a key without an owner.
    """

    curve: str
    first: date
    end: date
    settle: float
    bid: float | None
    ask: float | None
    reason: str
    expires: date | datetime | None
    made_at: datetime
    made_by: str
    person: str | None = None

    def holds(self, trade_date: date, now: datetime) -> bool:
        """Return whether it applies to a set of a trade date at an instant, UTC."""
        if self.expires is None:
            return True
        if isinstance(self.expires, datetime):
            return now < self.expires
        return trade_date <= self.expires


_ALLOWED = {
    SetStep.SUBMIT: ({SetState.DRAFT}, SetState.SUBMITTED, "submitted", "only a draft can"),
    SetStep.APPROVE: ({SetState.SUBMITTED}, SetState.APPROVED, "approved", "only a submitted set can"),
    SetStep.REJECT: ({SetState.SUBMITTED}, SetState.DRAFT, "rejected", "only a submitted set can"),
    SetStep.CLOSE: ({SetState.APPROVED}, SetState.OFFICIAL, "closed", "only an approved set can"),
    SetStep.REOPEN: (
        {SetState.SUBMITTED, SetState.APPROVED, SetState.OFFICIAL},
        SetState.DRAFT,
        "reopened",
        "it is open for changes already",
    ),
}


def state_after(step: SetStep, state: SetState) -> SetState:
    """Return the state after a step; of the new draft, where an official set is reopened. Raises ``WrongState``."""
    allowed, following, done, hint = _ALLOWED[step]
    if state not in allowed:
        raise WrongState(done, state, hint)
    return following


def check_draft(state: SetState) -> None:
    """Raise ``WrongState`` unless overrides of a set in this state may change."""
    if state is not SetState.DRAFT:
        raise WrongState("changed", state, "reopen it first; an official set gets a new draft, with another set_id")


def marks(quotes: pl.DataFrame, overrides: pl.DataFrame, expired: pl.DataFrame) -> pl.DataFrame:
    """Return the marks of some curves on one trade date, schema ``MARKS``.

    ``quotes``: ``QUOTED_MARKS``. ``overrides``: those that hold; ``expired``: those that do not; their columns but
    ``known_at``. An override replaces the whole price: its bid and ask stand, or none.
    """
    quoted = quotes.with_columns(pl.col(list(_QUOTED)).fill_nan(None)).select(
        *IDENTITY,
        *(pl.col(name).alias(alias) for name, alias in _QUOTED.items()),
        "known_at",
        **price_columns(PRICE),
        is_quoted=pl.lit(value=True),
    )
    over = overrides.select(*IDENTITY, override="settle", over_bid="bid", over_ask="ask", is_over=pl.lit(value=True))
    ended = expired.select(*IDENTITY, is_expired=pl.lit(value=True))
    joined = quoted.join(over, on=IDENTITY, how="full", coalesce=True, validate="1:1").join(ended, on=IDENTITY, how="left")
    is_over = pl.col("is_over").fill_null(value=False)
    chosen = joined.with_columns(
        value=pl.when(is_over).then("override").otherwise("price"),
        bid=pl.when(is_over).then("over_bid").otherwise("quoted_bid"),
        ask=pl.when(is_over).then("over_ask").otherwise("quoted_ask"),
    )
    flags = {
        MarkFlag.OVERRIDE: is_over,
        MarkFlag.OVERRIDE_EXPIRED: pl.col("is_expired").fill_null(value=False) & ~is_over,
        MarkFlag.NOT_QUOTED: pl.col("is_quoted").is_null(),
        MarkFlag.UNPRICED: pl.col("value").is_null(),
    }
    of_quote = pl.col("price_from").replace_strict(_SOURCES, return_dtype=pl.String)
    source = pl.when(is_over).then(pl.lit("override")).otherwise(of_quote)
    flagged = chosen.with_columns(source=source, flags=joined_flags(flags))
    return flagged.select(pl.col(name).cast(kind) for name, kind in MARKS.items()).sort(IDENTITY)


def joined_flags(flags: dict[MarkFlag, pl.Expr]) -> pl.Expr:
    """Return an expression with the names of the flags that are true in a row, joined by commas."""
    parts = [pl.when(condition).then(pl.lit(str(name))) for name, condition in flags.items()]
    return pl.concat_str(parts, separator=",", ignore_nulls=True)


def changed_quotes(pinned: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Return the quotes that differ from those of pinned marks, schema ``CHANGED_QUOTES``.

    ``pinned``: ``MARKS``. ``quotes``: ``QUOTED_MARKS`` of the same curves and trade date, as they are known now.
    """
    was, now = ({name: alias.replace("quoted", prefix) for name, alias in _QUOTED.items()} for prefix in ("pinned", "current"))
    before = pinned.select(*IDENTITY, "source", *(pl.col(alias).alias(was[name]) for name, alias in _QUOTED.items()))
    present = quotes.select(*IDENTITY, *(pl.col(name).fill_nan(None).alias(now[name]) for name in _QUOTED), "known_at")
    joined = before.join(present, on=IDENTITY, how="full", coalesce=True, validate="1:1")
    differs = pl.any_horizontal(pl.col(was[name]).ne_missing(pl.col(now[name])) for name in _QUOTED)
    return joined.filter(differs).select(list(CHANGED_QUOTES)).sort(IDENTITY)


def breaches(compared: pl.DataFrame) -> pl.DataFrame:
    """Return compared prices with what they differ by, the largest difference first, ties by identity.

    ``compared``: the identity, ``value``, ``other``, and the tolerance ``absolute`` (in the unit of the price) and ``relative``
    (a fraction of ``other``), null where there is none; the larger of the two counts. Adds ``difference`` = value - other,
    ``tolerance`` and ``is_breach``: the difference is larger than the tolerance, beyond the noise of binary numbers.
    """
    share = pl.col("relative").fill_null(0.0) * pl.col("other").abs()
    tolerance = pl.max_horizontal(pl.col("absolute").fill_null(0.0), share)
    measured = compared.with_columns(difference=pl.col("value") - pl.col("other"), tolerance=tolerance)
    noise = 1e-12 * pl.max_horizontal(pl.col("value").abs(), pl.col("other").abs())
    judged = measured.with_columns(is_breach=pl.col("difference").abs() > pl.col("tolerance") * (1 + 1e-9) + noise)
    size = pl.col("difference").abs()
    return judged.sort([size, *(pl.col(name) for name in IDENTITY)], descending=[True, False, False, False])


_SOURCES = {str(PriceFrom.SETTLE): "quote", str(PriceFrom.MID): "mid"}
_QUOTED = {"settle": "quoted", "bid": "quoted_bid", "ask": "quoted_ask"}
