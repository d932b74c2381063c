"""``/v1/iso/lmp``: locational prices and their components, a row an interval and location."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import polars as pl
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.cursors import CursorParameter, PrevCursor, SinceCursor, requested
from aurum.api.v1.envelope import Format, Listed, Page, answer, responses
from aurum.api.v1.problems import BadRequest, V1Route
from aurum.api.v1.publications import DAY_AHEAD, PUBLICATIONS, REAL_TIME, Publication
from aurum.api.v1.times import End, Start, span_in
from aurum.api.v1.walk import POSITION, Walk, reading_of, walked
from aurum.core.access import Permission
from aurum.core.asof import Span
from aurum.core.markettime import day_start, first_instant, local_day
from aurum.core.names import nearest
from aurum.core.series.model import Series
from aurum.services.observations import MANY_WITH_END, Question, Reading, read_many
from aurum.storage.ports.catalog import SeriesFilter

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v1/iso/lmp", tags=["v1 iso"], route_class=V1Route, deprecated=True
)

_HOUR, _DAY, _INSTANT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


_ISOS = tuple(dict.fromkeys(one.iso_code for one in PUBLICATIONS))
_SPELLINGS = {
    "DA": DAY_AHEAD,
    "DAM": DAY_AHEAD,
    "DAY-AHEAD": DAY_AHEAD,
    "DAYAHEAD": DAY_AHEAD,
    "RT": REAL_TIME,
    "RTM": REAL_TIME,
    "REAL-TIME": REAL_TIME,
    "REALTIME": REAL_TIME,
}
_MARKETS = tuple(dict.fromkeys(one.market for one in PUBLICATIONS if one.market))
_PARTS = ("total", "energy", "congestion", "loss")

IsoCode = Annotated[Text | None, Query(description=f"One of {', '.join(_ISOS)}, in any case.", examples=["NYISO"])]
Market = Annotated[Text | None, Query(description=f"One of {', '.join(_MARKETS)}, in any case.", examples=["DAY_AHEAD"])]
Location = Annotated[Text | None, Query(description="The operator's own id of a location.", examples=["61761"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows in a page at most.")]


class IsoLmpPoint(BaseModel):
    """A price and its components over one interval at one location. What is not known is null."""

    iso_code: str
    market: str | None = Field(examples=["DAY_AHEAD"])
    delivery_date: date = Field(description="The market's local day.")
    interval_start: datetime
    interval_end: datetime
    interval_minutes: int
    location_id: str
    location_name: str | None
    location_type: str | None
    zone: str | None
    hub: str | None
    timezone: str
    price_total: float | None
    price_energy: float | None
    price_congestion: float | None
    price_loss: float | None
    currency: str | None
    uom: str
    settlement_point: str | None
    source_run_id: str = Field(description="The publication: several may price one interval, such as preliminary and final.")


class IsoLmpAggregate(BaseModel):
    """Prices of an hour or of a market's local day, of 23, 24 or 25 hours."""

    iso_code: str
    market: str | None
    interval_start: datetime
    location_id: str
    currency: str | None
    uom: str
    price_avg: float | None
    price_min: float | None
    price_max: float | None
    price_stddev: float | None = Field(description="Of the sample; null for one price.")
    sample_count: int


@dataclass(frozen=True, slots=True)
class _Filters:
    """``span_in``: the span to read, on the clock of a series."""

    iso_code: str | None
    market: str | None
    location_id: str | None
    span_in: Callable[[str], Span]


Shape = Callable[[pl.DataFrame, str], pl.DataFrame]
"""From prices (``key``, ``ts``, ``total``, ``energy``, ``congestion``, ``loss``) on a clock to the rows of an answer."""


@router.get(
    "/last-24h",
    operation_id="v1Last24h",
    summary="Prices of the last 24 hours",
    response_class=Response,
    responses=responses(Listed[IsoLmpPoint], csv=True),
)
async def last_24h(
    request: Request,
    iso_code: IsoCode = None,
    market: Market = None,
    location_id: Location = None,
    limit: Limit = 500,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
    format: Format = "json",
) -> Response:
    """Intervals that began within the last 24 hours."""
    now = services(request).clock.now()
    filters = _Filters(iso_code, market, location_id, lambda _: Span(now - _DAY, now))
    return await _points(request, filters, (cursor, since_cursor, prev_cursor), limit, format, "lmp-last-24h")


@router.get(
    "/negative",
    operation_id="v1NegativePrices",
    summary="Prices below zero",
    response_class=Response,
    responses=responses(Listed[IsoLmpPoint], csv=True),
)
async def negative(
    request: Request,
    iso_code: IsoCode = None,
    market: Market = None,
    location_id: Location = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 200,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
    format: Format = "json",
) -> Response:
    """Intervals with a price below zero; without `start` and `end` those of the last seven days."""
    filters = _Filters(iso_code, market, location_id, _span(request, start, end, days=7))
    cursors = (cursor, since_cursor, prev_cursor)
    return await _points(request, filters, cursors, limit, format, "lmp-negative", only=pl.col("total") < 0)


@router.get(
    "/hourly",
    operation_id="v1HourlyPrices",
    summary="Prices by hour",
    response_class=Response,
    responses=responses(Listed[IsoLmpAggregate], csv=True),
)
async def hourly(
    request: Request,
    iso_code: IsoCode = None,
    market: Market = None,
    location_id: Location = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 500,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
    format: Format = "json",
) -> Response:
    """Prices of each hour that begins in the span; without `start` and `end` of the last seven days."""
    given = _span(request, start, end, days=7)
    filters = _Filters(iso_code, market, location_id, lambda zone: _whole_hours(given(zone)))
    return await _aggregates(request, filters, (cursor, since_cursor, prev_cursor), limit, format, "lmp-hourly", _by_hour)


@router.get(
    "/daily",
    operation_id="v1DailyPrices",
    summary="Prices by day",
    response_class=Response,
    responses=responses(Listed[IsoLmpAggregate], csv=True),
)
async def daily(
    request: Request,
    iso_code: IsoCode = None,
    market: Market = None,
    location_id: Location = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 500,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
    format: Format = "json",
) -> Response:
    """Prices of each day of the market that the span touches; without `start` and `end` of the last thirty days."""
    given = _span(request, start, end, days=30)
    filters = _Filters(iso_code, market, location_id, lambda zone: _whole_days(given(zone), zone))
    return await _aggregates(request, filters, (cursor, since_cursor, prev_cursor), limit, format, "lmp-daily", _by_day)


Bucket = Callable[[pl.Expr, str], pl.Expr]
"""From instants to the beginning of the bucket each lies in, on a clock."""


def _by_hour(ts: pl.Expr, zone: str) -> pl.Expr:
    del zone  # clocks of these markets differ by whole hours
    return ts.dt.truncate("1h")


def _by_day(ts: pl.Expr, zone: str) -> pl.Expr:
    return first_instant(local_day(ts, zone).cast(pl.Datetime("us")), zone)


def _span(request: Request, start: str | None, end: str | None, *, days: int) -> Callable[[str], Span]:
    now = services(request).clock.now()
    span_in("UTC", start, end)  # refuses what is no time before anything is read

    def on_clock(zone: str) -> Span:
        given = span_in(zone, start, end)
        stop = given.end or max(now, given.start or now)
        return Span(given.start or stop - timedelta(days=days), stop)

    return on_clock


def _whole_hours(span: Span) -> Span:
    """A bounded span with whole hours at both ends: clocks of these markets differ by whole hours."""
    assert span.start is not None
    assert span.end is not None
    return Span(_hour(span.start), _hour(span.end - _INSTANT) + _HOUR if span.end > span.start else span.end)


def _whole_days(span: Span, zone: str) -> Span:
    """A bounded span with whole local days at both ends."""
    assert span.start is not None
    assert span.end is not None
    clock = ZoneInfo(zone)
    first, last = (instant.astimezone(clock).date() for instant in (span.start, max(span.end - _INSTANT, span.start)))
    return Span(day_start(first, zone), day_start(last + _DAY, zone))


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


async def _points(
    request: Request,
    filters: _Filters,
    cursors: Sequence[str | None],
    limit: int,
    format: Format,
    name: str,
    only: pl.Expr | None = None,
) -> Response:
    def shape(prices: pl.DataFrame, zone: str) -> pl.DataFrame:
        shown = prices if only is None else prices.filter(only)
        return shown.with_columns(day=local_day(pl.col("ts"), zone))

    def row(series: Series, values: Mapping[str, object]) -> Mapping[str, object]:
        return _point(series, values)

    return await _answered(request, filters, cursors, limit, format, name, shape, row, list(IsoLmpPoint.model_fields))


async def _aggregates(
    request: Request,
    filters: _Filters,
    cursors: Sequence[str | None],
    limit: int,
    format: Format,
    name: str,
    bucket: Bucket,
) -> Response:
    def shape(prices: pl.DataFrame, zone: str) -> pl.DataFrame:
        price = pl.col("total")
        return (
            prices.group_by("key", bucket(pl.col("ts"), zone).alias("ts"))
            .agg(
                price_avg=price.mean(),
                price_min=price.min(),
                price_max=price.max(),
                price_stddev=price.std(),
                sample_count=price.count(),
            )
            .sort("key", "ts")
        )

    return await _answered(
        request, filters, cursors, limit, format, name, shape, _aggregate, list(IsoLmpAggregate.model_fields)
    )


async def _answered(
    request: Request,
    filters: _Filters,
    cursors: Sequence[str | None],
    limit: int,
    format: Format,
    name: str,
    shape: Shape,
    row: Callable[[Series, Mapping[str, object]], Mapping[str, object]],
    fields: Sequence[str],
) -> Response:
    service = services(request)
    trail = requested(request, *cursors, width=POSITION)
    publications = _publications(filters)
    walk = Walk(
        criteria=[SeriesFilter(one.source, one.dataset, None, one.measure, filters.location_id) for one in publications],
        matches=lambda _: True,
        span_of=lambda series: filters.span_in(series.spec.zone),
        rows=_reader(reading_of(service), filters, shape),
        weight=len(_PARTS),
    )
    found = await walked(service.store.catalog.reader, walk, trail, limit)
    rows = found.rows(row)
    return answer(request, Page(rows, trail, found.following, limit), format=format, name=name, fields=fields)


def _publications(filters: _Filters) -> Sequence[Publication]:
    """Those that fit. Raises ``BadRequest``."""
    iso = filters.iso_code.upper() if filters.iso_code else None
    if iso is not None and iso not in _ISOS:
        close = nearest(iso, _ISOS) or _ISOS
        raise BadRequest("iso_code", f"unknown ISO; nearest: {', '.join(close)}", filters.iso_code)
    market = filters.market.upper() if filters.market else None
    market = _SPELLINGS.get(market, market) if market else None
    if market is not None and market not in _MARKETS:
        raise BadRequest("market", f"unknown market; there are {', '.join(_MARKETS)}", filters.market)
    return [one for one in PUBLICATIONS if iso in (None, one.iso_code) and market in (None, one.market)]


def _reader(reading: Reading, filters: _Filters, shape: Shape) -> Callable[[Sequence[Series]], Awaitable[pl.DataFrame]]:
    async def read(group: Sequence[Series]) -> pl.DataFrame:
        zone = group[0].spec.zone
        keys = [str(one.key) for one in group]
        parts = {f"{key.rpartition(':')[0]}:{part}": (key, part) for key in keys for part in _PARTS[1:]}
        companions = await reading.catalog.series_by_key(list(parts))
        owners = [(one.series_id, str(one.key), "total") for one in group]
        owners += [(one.series_id, *parts[key]) for key, one in companions.items()]
        owned = pl.DataFrame(owners, schema={"series_id": pl.Int32, "key": pl.String, "part": pl.String}, orient="row")
        span = filters.span_in(zone)
        found = await read_many(reading, [*group, *companions.values()], Question(start=span.start, end=span.end))
        return shape(_side_by_side(found.frame, owned), zone)

    return read


def _side_by_side(observations: pl.DataFrame, owned: pl.DataFrame) -> pl.DataFrame:
    """``MANY_WITH_END`` as a row an interval, a column a part; null where there is none or it was withdrawn."""
    assert observations.schema == MANY_WITH_END
    long = observations.join(owned, on="series_id").with_columns(pl.col("value").fill_nan(None))
    return long.pivot(on="part", on_columns=list(_PARTS), index=["key", "ts"], values="value").sort("key", "ts")


def _place(series: Series) -> tuple[Publication, str, str | None]:
    key = series.key
    publication = next(one for one in PUBLICATIONS if (one.source, one.dataset) == (key.source, key.dataset))
    return publication, series.spec.unit.partition("/")[2] or series.spec.unit, series.spec.currency


def _point(series: Series, values: Mapping[str, object]) -> Mapping[str, object]:
    publication, uom, currency = _place(series)
    spec, start = series.spec, values["ts"]
    step = spec.frequency.step or _HOUR
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
        "price_total": values["total"],
        "price_energy": values["energy"],
        "price_congestion": values["congestion"],
        "price_loss": values["loss"],
        "currency": currency,
        "uom": uom,
        "settlement_point": series.key.location if publication.measure == "spp" else None,
        "source_run_id": publication.dataset,
    }


def _aggregate(series: Series, values: Mapping[str, object]) -> Mapping[str, object]:
    publication, uom, currency = _place(series)
    return {
        "iso_code": publication.iso_code,
        "market": publication.market,
        "interval_start": values["ts"],
        "location_id": series.key.location,
        "currency": currency,
        "uom": uom,
        **{name: values[name] for name in ("price_avg", "price_min", "price_max", "price_stddev", "sample_count")},
    }
