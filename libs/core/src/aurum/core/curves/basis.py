"""Basis curves: a node or zone is its hub plus a basis, and quotes of the sum itself stand where they exist."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

PERIOD = ("trade_date", "delivery_start", "delivery_end")
SIDES = ("settle", "bid", "ask")

_SLACK = 1e-9
"""Part of a tick that the subtraction itself may round off."""


class Agreement(StrEnum):
    """How an outright quote compares with hub plus basis."""

    EQUAL = "equal"
    ROUNDING = "rounding"
    """They differ by at most one tick."""
    CONTRADICTION = "contradiction"


AGREEMENTS = pl.Enum([one.value for one in Agreement])

RECONCILED = pl.Schema(
    {
        "trade_date": pl.Date(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "outright": pl.Float64(),
        "implied": pl.Float64(),
        "difference": pl.Float64(),
        "agreement": AGREEMENTS,
    }
)
"""Periods with a settlement of both kinds. ``difference``: outright less implied."""


def reconcile(implied: pl.DataFrame, outright: pl.DataFrame, *, tick: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the quotes of a basis curve with outright quotes, and a frame ``RECONCILED`` of the periods that have both.

    ``implied``: hub plus basis; ``outright``: quotes of the sum; both with ``PERIOD``, ``SIDES`` and ``reason``. All prices of
    a row are of one of the two, because a bid of one may be above the ask of the other: the outright ones where they have a
    settlement, else the implied ones, unless there are none. The periods are those of either. ``tick``: in the unit of the
    prices.
    """
    both = implied.join(outright, on=list(PERIOD), how="full", coalesce=True, suffix="_outright")
    stands = pl.col("settle_outright").is_not_null()
    is_outright = stands | pl.all_horizontal(pl.col(SIDES).is_null())
    sides = [pl.when(is_outright).then(pl.col(f"{side}_outright")).otherwise(side).alias(side) for side in SIDES]
    quotes = both.with_columns(*sides, reason=pl.when(~stands).then(pl.coalesce("reason", "reason_outright")))
    difference = pl.col("settle_outright") - pl.col("settle")
    agreement = (
        pl.when(difference == 0)
        .then(pl.lit(Agreement.EQUAL.value))
        .when(difference.abs() <= tick * (1 + _SLACK))
        .then(pl.lit(Agreement.ROUNDING.value))
        .otherwise(pl.lit(Agreement.CONTRADICTION.value))
        .cast(AGREEMENTS)
    )
    reconciled = both.filter(stands & pl.col("settle").is_not_null()).select(
        *PERIOD, outright="settle_outright", implied="settle", difference=difference, agreement=agreement
    )
    return quotes.select(implied.columns), reconciled.sort(PERIOD)
