"""Converts NYISO's time labels to UTC.

MIS files print ``MM/DD/YYYY HH:MM`` or ``MM/DD/YYYY HH:MM:SS``, OASIS exports ``YYYY/MM/DD HH:MM:SS``, spreadsheets that
re-save one ``M/D/YY H:MM``. An EST/EDT column, where there is one, distinguishes the second 01:00 of the fall-back day from the
first. Other files print the hour twice with nothing but order between the two, daylight time first: the second row of a
location and label is the second hour. A label of that hour that occurs once, or more than twice, is ambiguous
and is refused.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import label_problem, occurrence, to_utc
from aurum.pipelines.sources.nyiso.datasets import ZONE
from aurum.pipelines.tabular import Refusals

# Two-digit years first: "%Y" would read 24 as the year 24.
_FORMATS = (
    "%m/%d/%y %H:%M:%S",
    "%m/%d/%y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
)


def with_instants(
    table: pl.DataFrame, stamp: str, refusals: Refusals, *, location: str = "location", time_zone: str | None = None
) -> pl.DataFrame:
    """Return the table with ``ts`` (UTC) of its column ``stamp``; rows without exactly one instant go to ``refusals``.

    ``location``: column that identifies a row together with the stamp. ``time_zone``: the EST/EDT column, where there is one.
    """
    table = _with_labels(table, stamp)
    second = _by_order(table, location) if time_zone is None else _by_zone(time_zone)
    table = table.with_columns(ts=to_utc(pl.col("__label"), ZONE, second=second))
    return refusals.times(table, pl.col("__label"), ZONE, column=stamp).drop("__label", "__ambiguous")


def on_step(step: str) -> pl.Expr:
    """Return an expression that is true where ``ts`` is a whole step (``5m``, ``15m``, ``1h``)."""
    return pl.col("ts").dt.truncate(step) == pl.col("ts")


def only_on_step(table: pl.DataFrame, step: str, stamp: str, refusals: Refusals) -> pl.DataFrame:
    """Return the table without the rows whose ``ts`` is not a whole step; those go to ``refusals``."""
    detail = f"not a whole {step}"
    return refusals.rows(table, ~on_step(step), column=stamp, reason=Reason.INVALID_TIME, detail=detail)


def _with_labels(table: pl.DataFrame, stamp: str) -> pl.DataFrame:
    # Each stamp occurs on the rows of all locations, so each different text is read once.
    parsed = [pl.col(stamp).str.to_datetime(pattern, strict=False, time_unit="us") for pattern in _FORMATS]
    labels = (
        table.select(pl.col(stamp).unique())
        .with_columns(__label=pl.coalesce(parsed))
        .with_columns(__ambiguous=label_problem(pl.col("__label"), ZONE).eq_missing("ambiguous_time"))
    )
    return table.join(labels, on=stamp, how="left", maintain_order="left", nulls_equal=True)


def _by_zone(time_zone: str) -> pl.Expr:
    name = pl.col(time_zone).str.to_uppercase()
    return pl.when(name == "EST").then(True).when(name == "EDT").then(False).otherwise(None)


def _by_order(table: pl.DataFrame, location: str) -> pl.Expr:
    if not table["__ambiguous"].any():
        return pl.lit(None, pl.Boolean)
    key = [pl.col(location), pl.col("__label")]
    return pl.when(pl.len().over(*key) == 2).then(occurrence(*key) == 1).otherwise(None)
