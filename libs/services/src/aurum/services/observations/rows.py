"""The rows that a plan transforms: the values known at an instant, those of a lead, or those of an issue."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog.entries import SeriesIssue
from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS
from aurum.core.series.leads import Lead, known_ahead
from aurum.core.series.model import Series
from aurum.services.observations.plan import ReadPlan
from aurum.storage.ports.observations import SeriesReader

_MICROSECOND = timedelta(microseconds=1)


class Rows(Protocol):
    """The reads of ``SeriesReader`` that a plan is answered with, with the same schemas and order."""

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame: ...

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame: ...

    def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]: ...


def rows_of(reader: SeriesReader, series: Sequence[Series], plan: ReadPlan) -> Rows:
    """Return the rows of a plan: the reader itself unless the plan is about a forecast."""
    if plan.lead is not None:
        return LeadRows(reader, plan.lead, {one.series_id: plan.zone_of(one) for one in series})
    if plan.issues is not None:
        return IssueRows(reader, plan.issues)
    return reader


class LeadRows:
    """Rows with the value that was known a lead before each interval. ``zones``: the clock of days, by series id."""

    def __init__(self, reader: SeriesReader, lead: Lead, zones: Mapping[int, str]) -> None:
        self._reader = reader
        self._lead = lead
        self._zones = zones

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return (await self.many([series_id], span=span, as_of=as_of)).select(list(OBSERVATIONS))

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return await _joined(self.stream(series_ids, span=span, as_of=as_of))

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncGenerator[pl.DataFrame]:
        versions = self._reader.version_stream(series_ids, span=span, as_of=as_of)
        async with aclosing(versions):  # pyright: ignore[reportArgumentType] - adapters return generators
            async for batch in versions:
                yield self._known_ahead(batch, as_of)

    def _known_ahead(self, versions: pl.DataFrame, as_of: datetime | None) -> pl.DataFrame:
        by_zone: dict[str, list[int]] = {}
        for series_id in versions["series_id"].unique().to_list():
            by_zone.setdefault(self._zones[series_id], []).append(series_id)
        if len(by_zone) == 1:
            return known_ahead(versions, self._lead, zone=next(iter(by_zone)), as_of=as_of)
        parts = [
            known_ahead(versions.filter(pl.col("series_id").is_in(ids)), self._lead, zone=zone, as_of=as_of)
            for zone, ids in by_zone.items()
        ]
        return pl.concat(parts).sort("series_id", "ts")


class IssueRows:
    """Rows of the points that an issue of each series states, with the values known at the known time of the issue.

    Series with one issue in common are read from one snapshot.
    """

    def __init__(self, reader: SeriesReader, issues: Mapping[int, SeriesIssue]) -> None:
        self._reader = reader
        self._issues = issues

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return (await self.many([series_id], span=span, as_of=as_of)).select(list(OBSERVATIONS))

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return await _joined(self.stream(series_ids, span=span, as_of=as_of))

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncGenerator[pl.DataFrame]:
        del as_of  # the issues were chosen among those known at that time
        ids = [series_id for series_id in sorted(set(series_ids)) if series_id in self._issues]
        for known_at, alike in groupby(ids, key=lambda series_id: self._issues[series_id].known_at):
            run = list(alike)
            covered = self._covered(run, span)
            if covered is None:
                continue
            at = Span(known_at, known_at + _MICROSECOND)
            # Confirmations complete the values only if they are read after them. An issue is small.
            values = await self._reader.many(run, span=covered, as_of=known_at)
            repeated = (await self._reader.confirmations(run, span=covered, known=at)).select(
                "series_id", "ts", pl.lit(True).alias("repeated")
            )
            joined = values.join(repeated, on=["series_id", "ts"], how="left", maintain_order="left")
            stated = pl.col("repeated").fill_null(False) | (pl.col("known_at") == known_at)
            yield joined.filter(stated).select(list(MANY_OBSERVATIONS))

    def _covered(self, run: Sequence[int], span: Span) -> Span | None:
        """Return the part of a span in which the issue of these series has intervals; None if there is none."""
        issues = [self._issues[series_id] for series_id in run]
        first = min(issue.first_ts for issue in issues)
        end = max(issue.last_ts for issue in issues) + _MICROSECOND
        first = first if span.start is None else max(first, span.start)
        end = end if span.end is None else min(end, span.end)
        return Span(first, end) if first < end else None


async def _joined(batches: AsyncGenerator[pl.DataFrame]) -> pl.DataFrame:
    async with aclosing(batches):
        return pl.concat([pl.DataFrame(schema=MANY_OBSERVATIONS), *[batch async for batch in batches]])
