"""Checks of prices against the sessions before: jumps by a power of ten, as of pence and pounds, and stale prices.

A check flags, it refuses nothing: a true price can look like a fault.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

SPAN = ("curve", "delivery_start", "delivery_end")

CHECKED_PRICES = pl.Schema(
    {
        "curve": pl.String(),
        "trade_date": pl.Date(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "price": pl.Float64(),
    }
)
"""Prices of some curves over several sessions, in any order; at most one of each period and trade date. Null: unpriced."""

FLAGGED = pl.Schema(
    {
        "curve": pl.String(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "check": pl.String(),
        "price": pl.Float64(),
        "before": pl.Float64(),
        "ratio": pl.Float64(),
        "sessions": pl.Int32(),
    }
)
"""Findings, ascending by curve and delivery, findings about a whole curve (delivery null) first.

``check``: a ``MarkCheck``. ``price``, ``before``: of the quote on its session and on the one before. ``ratio``: of the prices;
of a curve the median ratio. ``sessions``: of a stale quote the number of sessions without a move."""

UNIT_TOLERANCE = 0.06
"""Distance of the logarithm (base 10) of a ratio from a whole number up to which it is a jump of units: 0.87 to 1.15 times."""
NEAR_ZERO_TICKS = 20
"""Prices below as many ticks say nothing by their ratio."""
NEAR_ZERO_SHARE = 0.02
"""Nor do those below this share of the median price of their curve in the session before, unless the price now is usual."""
USUAL_TIMES = 2.0
"""A price is usual for its curve from the median price of the session before divided by this to that times this."""
STALE_SESSIONS = 3
"""Moves of its curve without one of a quote after which it is stale."""
MOVED_SHARE = 0.5
"""Share of the other quotes of a curve that move when the curve does."""


class MarkCheck(StrEnum):
    """Kind of a finding."""

    UNIT_JUMP = "unit_jump"
    STALE = "stale"


def check_marks(
    prices: pl.DataFrame, ticks: pl.DataFrame, *, overridden: pl.DataFrame | None = None, stale_sessions: int = STALE_SESSIONS
) -> pl.DataFrame:
    """Return the findings about the last session of each curve, schema ``FLAGGED``.

    ``prices``: ``CHECKED_PRICES``; sessions are the trade dates that a curve has. ``ticks``:
    ``curve`` and ``tick``, the smallest step of its prices. ``overridden``: ``SPAN`` of prices of the last session that a
    person has set: they are not stale, and the others of their curve are judged without them. A curve with one session has no
    findings.
    """
    priced = prices.filter(pl.col("price").is_not_null() & pl.col("price").is_finite())
    dated = priced.with_columns(session=(pl.col("trade_date").rank("dense", descending=True) - 1).over("curve").cast(pl.Int32))
    recent = dated.filter(pl.col("session") <= stale_sessions)
    pairs = _pairs(recent)
    last = pairs.filter(pl.col("session") == 0)
    quoted = pairs if overridden is None else pairs.join(overridden, on=SPAN, how="anti")
    published = quoted.filter(pl.col("session") == 0)
    checks = [_unit_jumps(last, ticks, recent), _stale_curves(published), _stale_quotes(quoted, stale_sessions)]
    frames = [one.select(pl.col(name).cast(kind) for name, kind in FLAGGED.items()) for one in checks]
    return pl.concat(frames).unique(maintain_order=True).sort(*SPAN, "check", nulls_last=False)


def _pairs(recent: pl.DataFrame) -> pl.DataFrame:
    """Return each price beside that of the session before. ``session``: 0 is the last one."""
    before = recent.select(*SPAN, session=pl.col("session") - 1, before="price")
    return recent.join(before, on=[*SPAN, "session"], how="inner")


def _unit_jumps(last: pl.DataFrame, ticks: pl.DataFrame, recent: pl.DataFrame) -> pl.DataFrame:
    """Return jumps of single quotes, and of curves whose median ratio is one.

    A change of sign is not a jump, and near zero a ratio says nothing. The price now may be small against the curve: a price in
    pounds where the curve is in pence is. The price before may be as small where the price now is usual for the curve: then the
    session before had the wrong one.
    """
    scale = recent.filter(pl.col("session") == 1).group_by("curve").agg(scale=pl.col("price").abs().median())
    sized = last.join(scale, on="curve", how="left").join(ticks.select("curve", "tick"), on="curve", how="left")
    floor = NEAR_ZERO_TICKS * pl.col("tick").fill_null(0.0) * (1 - 1e-9)
    smallest = pl.min_horizontal(pl.col("price").abs(), pl.col("before").abs())
    of_curve = pl.col("scale").fill_null(0.0)
    is_sized = pl.col("before").abs() >= NEAR_ZERO_SHARE * of_curve
    is_usual = pl.col("price").abs().is_between(of_curve / USUAL_TIMES, of_curve * USUAL_TIMES)
    same_sign = pl.col("price").sign() == pl.col("before").sign()
    compared = sized.filter((smallest > 0) & (smallest >= floor) & same_sign)
    ratios = compared.with_columns(ratio=pl.col("price") / pl.col("before"), is_sized=is_sized, is_usual=is_usual)
    is_jump = (pl.col("is_sized") | pl.col("is_usual")) & _is_power_of_ten(pl.col("ratio"))
    of_quotes = ratios.filter(is_jump).with_columns(check=_named(MarkCheck.UNIT_JUMP), sessions=_NONE)
    medians = ratios.filter("is_sized").group_by("curve").agg(pl.col("ratio").median(), count=pl.len())
    of_curves = medians.filter(_is_power_of_ten(pl.col("ratio")) & (pl.col("count") > 1)).with_columns(
        _no_date("delivery_start"),
        _no_date("delivery_end"),
        check=_named(MarkCheck.UNIT_JUMP),
        price=_NO_PRICE,
        before=_NO_PRICE,
        sessions=_NONE,
    )
    return pl.concat([one.select(pl.col(name).cast(kind) for name, kind in FLAGGED.items()) for one in (of_quotes, of_curves)])


def _stale_curves(last: pl.DataFrame) -> pl.DataFrame:
    """Return the curves whose prices all equal those of the session before."""
    same = last.group_by("curve").agg(is_same=(pl.col("price") == pl.col("before")).all())
    return same.filter("is_same").with_columns(
        _no_date("delivery_start"),
        _no_date("delivery_end"),
        check=_named(MarkCheck.STALE),
        price=_NO_PRICE,
        before=_NO_PRICE,
        ratio=_NO_PRICE,
        sessions=pl.lit(1, pl.Int32),
    )


def _stale_quotes(pairs: pl.DataFrame, sessions: int) -> pl.DataFrame:
    """Return the quotes that have not moved in any of the last sessions, while most others of their curve moved in each."""
    moved = pairs.with_columns(moved=pl.col("price") != pl.col("before"))
    others = pl.len().over("curve", "session") - 1
    moves_of_others = pl.col("moved").sum().over("curve", "session") - pl.col("moved")
    stood = moved.with_columns(
        stood=~pl.col("moved") & (others > 0) & (moves_of_others.cast(pl.Float64) >= MOVED_SHARE * others)
    )
    counted = stood.group_by(SPAN).agg(
        pl.col("stood").sum().alias("count"), pl.col("price", "before").sort_by("session").first()
    )
    return counted.filter(pl.col("count") == sessions).with_columns(
        check=_named(MarkCheck.STALE), ratio=_NO_PRICE, sessions=pl.col("count").cast(pl.Int32)
    )


def _is_power_of_ten(ratio: pl.Expr) -> pl.Expr:
    power = ratio.log(10)
    return (power.round() != 0) & ((power - power.round()).abs() <= UNIT_TOLERANCE)


def _named(check: MarkCheck) -> pl.Expr:
    return pl.lit(str(check))


def _no_date(name: str) -> pl.Expr:
    return pl.lit(None, pl.Date).alias(name)


_NO_PRICE = pl.lit(None, pl.Float64)
_NONE = pl.lit(None, pl.Int32)
