"""Categories of drought, shares of area in them, the Drought Severity and Coverage Index, and changes over weeks.

Categories: https://droughtmonitor.unl.edu/About/AbouttheData/DroughtClassification.aspx. DSCI:
https://droughtmonitor.unl.edu/About/AbouttheData/DSCI.aspx.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl


@dataclass(frozen=True, slots=True)
class Category:
    """A category of the Drought Monitor, from the mildest to the worst."""

    name: str
    title: str


CATEGORIES = (
    Category("D0", "Abnormally dry"),
    Category("D1", "Moderate drought"),
    Category("D2", "Severe drought"),
    Category("D3", "Extreme drought"),
    Category("D4", "Exceptional drought"),
)
SHARES = ("none", *(category.name.lower() for category in CATEGORIES))
"""Columns of shares of area: without drought, and in each category."""
DSCI_MOST = 100 * len(CATEGORIES)
WEEKS = (1, 4, 13, 26, 52)
"""Weeks over which changes are measured: a week, a month, a quarter, half a year, a year."""


class Statistics(StrEnum):
    """How shares of area are counted.

    ``cumulative``: D1 is part of D0, and so on, so that ``none`` and ``d0`` make 100 percent. ``categorical``: each part of the
    area counts in its own category only, so that all shares together make 100 percent.
    """

    CUMULATIVE = "cumulative"
    CATEGORICAL = "categorical"


def dsci(statistics: Statistics) -> pl.Expr:
    """Return the index from the columns ``d0`` to ``d4``, percent of area; null where one is missing.

    It is the sum of the cumulative shares: 0 where nothing is dry, 500 where all is in D4. A categorical share is part of as
    many cumulative ones as its number, counted from 1.
    """
    weights = [1 if statistics is Statistics.CUMULATIVE else number for number in range(1, len(CATEGORIES) + 1)]
    shares = [pl.col(column) * weight for column, weight in zip(SHARES[1:], weights, strict=True)]
    return pl.sum_horizontal(shares, ignore_nulls=False)


def with_changes(frame: pl.DataFrame, columns: Sequence[str], weeks: int) -> pl.DataFrame:
    """Return weekly rows with ``<column>_change`` for each column: its value less that of the map some weeks earlier.

    ``frame``: ``key``, ``day`` (the local day of the map, a date, unique within a key) and the columns, float64. The change is
    null where either value is missing. Rows keep their order.
    """
    earlier = frame.select(
        "key", pl.col("day").dt.offset_by(f"{weeks}w"), *(pl.col(column).alias(f"{column}_change") for column in columns)
    )
    joined = frame.join(earlier, on=["key", "day"], how="left", maintain_order="left")
    return joined.with_columns((pl.col(column) - pl.col(f"{column}_change")).alias(f"{column}_change") for column in columns)
