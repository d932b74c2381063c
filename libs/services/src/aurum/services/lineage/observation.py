"""The lineage of an observation."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.frames import UTC_US
from aurum.core.lineage import SoughtPoint
from aurum.core.series.model import Series
from aurum.core.series.resample import interval_end
from aurum.services.lineage.answer import MOST_FILES, Lineage, NoSuchNumber, OfSeries, shown_versions
from aurum.services.lineage.origins import origins_of, published_at
from aurum.services.observations import Reading, parse_known, series_of
from aurum.services.observations.bases import with_bases
from aurum.storage.ports.lineage import LineageReader
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.ports.recordings import NotRecorded

_TICK = timedelta(microseconds=1)
_STEPS = 200
"""Steps around a missing interval in which others are looked for."""
_CALENDAR = timedelta(days=800)
_YEARS = range(1000, 9000)
"""Years of a start: times around one can be counted, even in steps of a year."""


async def lineage_of_observation(
    reading: Reading,
    records: LineageReader,
    key: str,
    start: str | datetime,
    *,
    as_of: str | datetime | None = None,
    as_loaded: str | datetime | None = None,
    now: datetime,
    tenant: str | None = None,
) -> Lineage:
    """Return where an observation came from.

    ``records``: those of the owner of the series, ``tenant``. ``start``: of its interval. Raises ``UnknownName`` for a series
    that the readers do not know, ``NoSuchNumber``, and ``InvalidParameters`` for a start within an interval
    or in a year that is out of reach.
    """
    instant = parse_known("start", start, now=now)
    assert instant is not None
    if instant.year not in _YEARS:
        raise InvalidParameters(("start", f"must be in a year from {_YEARS[0]} to {_YEARS[-1]}", _text(instant)))
    known, loaded = parse_known("as_of", as_of, now=now), parse_known("as_loaded", as_loaded, now=now)
    try:
        series = await series_of(reading.catalog, key)
    except UnknownName as error:
        raise error.at("series") from None
    reader = await _reader(reading, loaded)
    here = Span(instant, instant + _TICK)
    versions, touches = await asyncio.gather(
        reader.versions([series.series_id], span=here, as_of=known),
        records.touches(series.series_id, instant, as_loaded=loaded),
    )
    if versions.is_empty():
        raise await _missing(reader, series, instant, known)
    last = versions.row(-1, named=True)
    value, known_at = last["value"], last["known_at"]
    loaded_known, restatements = published_at(known_at, value, touches)
    mentions, basis = await asyncio.gather(
        records.mentions(series.series_id, instant, known_at=loaded_known, as_loaded=loaded, limit=MOST_FILES + 1),
        _basis(reading, series, versions.tail(1)),
    )
    parts, spec = series.key, series.spec
    plain = None if math.isnan(value) else value
    return Lineage(
        number=OfSeries(key, instant, _end(series, instant)),
        value=plain,
        unit=spec.unit,
        currency=spec.currency,
        known_at=known_at,
        basis=basis,
        versions=shown_versions(versions, "value", known),
        origins=origins_of(loaded_known, mentions[:MOST_FILES], touches),
        sought=SoughtPoint(parts.source, parts.dataset, parts.location, parts.measure, instant, plain),
        tenant=tenant,
        version=(series.series_id, series.version),
        as_of=known,
        as_loaded=loaded,
        restatements=restatements,
        more_files=len(mentions) > MOST_FILES,
    )


async def _basis(reading: Reading, series: Series, version: pl.DataFrame) -> str:
    return "" if reading.files is None else (await with_bases(reading, series, version))["known_at_basis"][0]


async def _reader(reading: Reading, as_loaded: datetime | None) -> SeriesReader:
    if as_loaded is None:
        return reading.reader
    if reading.loaded is None:
        raise InvalidParameters(("as_loaded", "does not apply here: leave it out", as_loaded.isoformat()))
    try:
        return await reading.loaded.as_loaded(as_loaded)
    except NotRecorded as error:
        raise InvalidParameters(("as_loaded", error.detail, as_loaded.isoformat()), **dict(error.facts)) from error


async def _missing(reader: SeriesReader, series: Series, start: datetime, as_of: datetime | None) -> Exception:
    """Return the error for a start that no observation has."""
    step = series.spec.frequency.step
    around = _CALENDAR if step is None else max(step * _STEPS, timedelta(days=2))
    frame = await reader.observations(series.series_id, span=Span(start - around, start + around), as_of=as_of)
    before, after = frame.filter(pl.col("ts") < start).tail(1), frame.filter(pl.col("ts") > start).head(1)
    if not before.is_empty():
        first: datetime = before["ts"][0]
        end = _end(series, first)
        if end is not None and start < end:
            why = f"is within the interval from {_text(first)} to {_text(end)}: name its start, {_text(first)}"
            return InvalidParameters(("start", why, start.isoformat()), interval_start=_text(first), interval_end=_text(end))
    nearest = [_text(instant) for instant in (*before["ts"], *after["ts"])]
    if not nearest and series.first_ts is not None and series.last_ts is not None:
        nearest = [_text(series.first_ts), _text(series.last_ts)]
    then = "" if as_of is None else f" that was known at {_text(as_of)}"
    return NoSuchNumber("start", f"{series.key} has no observation from {_text(start)}{then}", _text(start), nearest)


def _end(series: Series, start: datetime) -> datetime | None:
    frame = pl.DataFrame({"ts": [start]}, schema={"ts": UTC_US})
    return frame.select(interval_end(pl.col("ts"), series.spec.interval, series.spec.zone)).item()


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
