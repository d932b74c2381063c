"""The usual publication times of observations of a dataset, by its rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.frames import UTC_US
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, PublicationRule
from aurum.core.series.weeks import Week, week_of
from aurum.pipelines.source import Dataset

_GROUP = ["rule", "zone", "frequency", "labels"]
_NEAR = pl.Duration("us")


def usual_times(dataset: Dataset, rows: pl.DataFrame, *, issue_at: datetime | None = None) -> pl.DataFrame:
    """Return when each row is usually published, and how long after it a file counts as taken in at its publication.

    ``rows``: ``location``, ``measure``, ``ts`` (UTC), and of their series ``zone``, ``frequency`` and ``labels``. ``issue_at``:
    the usual publication time of rows that are one issue, UTC. Returns ``scheduled`` (UTC) and ``near`` (a duration) in the
    order of ``rows``; both are null where no rule holds.
    """
    series = rows.select("location", "measure").unique()
    ruled = series.with_columns(_position(dataset.rules).alias("rule"))
    placed = rows.join(ruled, on=["location", "measure"], how="left", maintain_order="left")
    groups = placed.select(_GROUP).unique()
    if groups.height == 1:
        return _of_group(dataset, placed["ts"], groups.row(0), issue_at)
    numbered = placed.with_row_index("row")
    parts = [
        part.select("row").hstack(_of_group(dataset, part["ts"], group, issue_at))
        for group, part in numbered.partition_by(_GROUP, as_dict=True).items()
    ]
    return pl.concat(parts).sort("row").drop("row") if parts else pl.DataFrame(schema={"scheduled": UTC_US, "near": _NEAR})


def usual_times_of_quotes(dataset: Dataset, rows: pl.DataFrame, terms: ReadingTerms = SHIPPED_TERMS) -> pl.DataFrame:
    """Return ``scheduled`` and ``near``, as ``usual_times`` does, of quotes.

    ``rows``: ``delivery_start``, ``delivery_end``, ``trade_date``. ``terms``: have the sessions of the venue.

    The first rule of the dataset counts, from the trade date; a final settlement is not known before its last hours are.
    """
    rule = next((rule for rule in dataset.rules if isinstance(rule.moment, OnDay)), None)
    if rule is None or not isinstance(rule.moment, OnDay):
        return pl.DataFrame({"scheduled": pl.Series([None] * rows.height, dtype=UTC_US)}).with_columns(
            pl.lit(None, _NEAR).alias("near")
        )
    days = rows["trade_date"].unique().drop_nulls().to_list()
    instants = pl.col("trade_date").replace_strict(days, [rule.moment.of_day(day) for day in days], return_dtype=UTC_US)
    scheduled = rows.select(instants.alias("scheduled"))
    if dataset.quotes is not None and dataset.quotes.final is not None:
        final = dataset.quotes.final
        earliest = final.earliest(rows, calendar=terms.session_calendar(final.sessions))
        scheduled = scheduled.select(pl.max_horizontal("scheduled", earliest).alias("scheduled"))
    return scheduled.with_columns(pl.lit(rule.near(dataset.frequency), _NEAR).alias("near"))


def _position(rules: Sequence[PublicationRule]) -> pl.Expr:
    """Return the position of the first rule that holds for a series; null if none does."""
    if not rules:
        return pl.lit(None, pl.Int32)
    return pl.coalesce(pl.when(_holds(rule)).then(pl.lit(position, pl.Int32)) for position, rule in enumerate(rules))


def _holds(rule: PublicationRule) -> pl.Expr:
    measure = pl.col("measure").is_in(list(rule.measures)) if rule.measures else pl.lit(value=True)
    location = pl.col("location").is_in(list(rule.locations)) if rule.locations else pl.lit(value=True)
    return measure & location


def _of_group(dataset: Dataset, ts: pl.Series, group: Sequence[object], issue_at: datetime | None) -> pl.DataFrame:
    """Return the usual times of rows of series with one rule and one clock."""
    position, zone, step, labels = group
    if not isinstance(position, int):
        nothing = (pl.lit(None, UTC_US).alias("scheduled"), pl.lit(None, _NEAR).alias("near"))
        return pl.DataFrame({"ts": ts}).with_columns(nothing).select("scheduled", "near")
    rule, frequency = dataset.rules[position], Frequency(str(step))
    if rule.per_issue:
        scheduled = pl.DataFrame({"ts": ts}).with_columns(pl.lit(issue_at, UTC_US).alias("scheduled"))["scheduled"]
    else:
        is_flow = week_of(frequency, json.loads(str(labels))) is Week.FLOW
        later = timedelta(days=Week.FLOW.days_before_stamp) if is_flow else timedelta()
        scheduled = rule.times(ts, zone=str(zone), frequency=frequency, later=later)
    near = pl.lit(rule.near(frequency), _NEAR)
    return pl.DataFrame({"scheduled": scheduled}).with_columns(near.alias("near"))
