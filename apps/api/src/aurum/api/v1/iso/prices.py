"""Prices in columns: an interval and its components, or statistics of an hour or a local day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from aurum.api.v1.iso.query import publication_of
from aurum.api.v1.iso.spans import SpanOnClock
from aurum.api.v1.publications import Publication
from aurum.core.markettime import first_instant, local_day
from aurum.core.series.model import Series
from aurum.services.observations import Question, Reading, read_side_by_side
from aurum.services.walk import ReadGroup

COMPONENTS = ("energy", "congestion", "loss")

Shape = Callable[[pl.DataFrame, str], pl.DataFrame]
"""From prices (``key``, ``ts``, ``total``, ``energy``, ``congestion``, ``loss``) on a clock to the rows of an answer."""


def prices_reader(span_on: SpanOnClock, shape: Shape) -> ReadGroup:
    """Return a reader of prices and their components over a span, in a shape."""

    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        zone = group[0].spec.zone
        span = span_on(zone)
        question = Question(start=span.start, end=span.end)
        components = {name: name for name in COMPONENTS}
        return shape(await read_side_by_side(reading, group, question, main="total", beside=components), zone)

    return read


def with_local_day(prices: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Add the market's local day of each interval."""
    return prices.with_columns(day=local_day(pl.col("ts"), zone))


def below_zero(prices: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Leave the intervals with a price below zero, each with its local day."""
    return with_local_day(prices.filter(pl.col("total") < 0), zone)


def by_hour(prices: pl.DataFrame, _zone: str) -> pl.DataFrame:
    """Return the statistics of each hour: clocks of these markets differ by whole hours."""
    return _statistics(prices, pl.col("ts").dt.truncate("1h"))


def by_day(prices: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return the statistics of each local day."""
    return _statistics(prices, first_instant(local_day(pl.col("ts"), zone).cast(pl.Datetime("us")), zone))


def point(series: Series, values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields of an ``IsoLmpPoint``."""
    publication, spec, start = _publication(series), series.spec, values["ts"]
    step = spec.frequency.step or timedelta(hours=1)
    assert isinstance(start, datetime)
    kind, name = spec.location_type.upper(), spec.location_name or None
    return {
        "iso_code": publication.iso_code,
        "market": publication.market,
        "delivery_date": values["day"],
        "interval_start": start,
        "interval_end": start + step,
        "interval_minutes": step // timedelta(minutes=1),
        "location_id": series.key.location,
        "location_name": name,
        "location_type": kind or None,
        "zone": name if kind == "ZONE" else None,
        "hub": name if kind == "HUB" else None,
        "timezone": spec.zone,
        **{f"price_{part}": values[part] for part in ("total", *COMPONENTS)},
        "currency": spec.currency,
        "uom": _energy_unit(series),
        "settlement_point": series.key.location if publication.measure == "spp" else None,
        "source_run_id": publication.dataset,
    }


def aggregate(series: Series, values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields of an ``IsoLmpAggregate``."""
    publication = _publication(series)
    return {
        "iso_code": publication.iso_code,
        "market": publication.market,
        "interval_start": values["ts"],
        "location_id": series.key.location,
        "currency": series.spec.currency,
        "uom": _energy_unit(series),
        **{name: values[name] for name in ("price_avg", "price_min", "price_max", "price_stddev", "sample_count")},
    }


def _statistics(prices: pl.DataFrame, bucket: pl.Expr) -> pl.DataFrame:
    price = pl.col("total")
    statistics = prices.group_by("key", bucket.alias("ts")).agg(
        price_avg=price.mean(),
        price_min=price.min(),
        price_max=price.max(),
        price_stddev=price.std(),
        sample_count=price.count(),
    )
    return statistics.sort("key", "ts")


def _publication(series: Series) -> Publication:
    return publication_of(series.key.source, series.key.dataset)


def _energy_unit(series: Series) -> str:
    """Return the unit a price is per: ``MWh`` of ``USD/MWh``."""
    return series.spec.unit.partition("/")[2] or series.spec.unit
