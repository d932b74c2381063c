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
from aurum.pipelines.reading.dates import labelled, read_once, times
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.sources.nyiso.datasets import ZONE

_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M")


def with_instants(
    table: pl.DataFrame, stamp: str, refusals: Refusals, *, location: str = "location", time_zone: str | None = None
) -> pl.DataFrame:
    """Return the table with ``ts`` (UTC) of its column ``stamp``; rows without exactly one instant go to ``refusals``.

    ``location``: column that identifies a row together with the stamp. ``time_zone``: the EST/EDT column, where there is one.
    """
    if time_zone is not None:
        return _by_zone(table, stamp, time_zone, refusals)
    table = _with_labels(table, stamp)
    table = table.with_columns(ts=to_utc(pl.col("__label"), ZONE, second=_by_order(table, location)))
    return refusals.times(table, pl.col("__label"), ZONE, column=stamp).drop("__label", "__ambiguous")


def on_step(step: str) -> pl.Expr:
    """Return an expression that is true where ``ts`` is a whole step (``5m``, ``15m``, ``1h``)."""
    return pl.col("ts").dt.truncate(step) == pl.col("ts")


def _with_labels(table: pl.DataFrame, stamp: str) -> pl.DataFrame:
    label = times(pl.col(stamp), _FORMATS)
    ambiguous = label_problem(label, ZONE).eq_missing("ambiguous_time")
    return read_once(table, stamp, label.alias("__label"), ambiguous.alias("__ambiguous"))


def _by_zone(table: pl.DataFrame, stamp: str, time_zone: str, refusals: Refusals) -> pl.DataFrame:
    """Return the table with ``ts`` of stamps that have an EST/EDT column; a label of another clock is held back."""
    label, name = times(pl.col(stamp), _FORMATS), pl.col(time_zone)
    instant = labelled(label, ZONE, name, standard=("EST",), daylight=("EDT",))
    # Of a stamp that names one instant only the label can be wrong.
    contradicts = instant.is_null() & name.is_not_null() & label.is_not_null() & label_problem(label, ZONE).is_null()
    table = read_once(
        table, [stamp, time_zone], instant.alias("ts"), label.alias("__label"), contradicts.alias("__contradicts")
    )
    detail = pl.format("{} is not the clock of New York then: EST or EDT", time_zone)
    table = refusals.rows(table, pl.col("__contradicts"), column=time_zone, reason=Reason.INVALID_TIME, detail=detail)
    return refusals.times(table, pl.col("__label"), ZONE, column=stamp).drop("__label", "__contradicts")


def _by_order(table: pl.DataFrame, location: str) -> pl.Expr:
    if not table["__ambiguous"].any():
        return pl.lit(None, pl.Boolean)
    key = [pl.col(location), pl.col("__label")]
    return pl.when(pl.len().over(*key) == 2).then(occurrence(*key) == 1).otherwise(None)
