"""``/v1/iso/lmp``: locational prices and their components, one row per interval and location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.v1.csv import CsvFile, Format
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.envelope import Listed, responses
from aurum.api.v1.iso.prices import (
    COMPONENTS,
    Shape,
    aggregate,
    below_zero,
    by_day,
    by_hour,
    point,
    prices_reader,
    with_local_day,
)
from aurum.api.v1.iso.query import LmpQuery
from aurum.api.v1.iso.schemas import IsoLmpAggregate, IsoLmpPoint
from aurum.api.v1.iso.spans import SpanOnClock, bounded, last_24_hours, whole_days, whole_hours
from aurum.api.v1.pages import Limit
from aurum.api.v1.routing import v1_router
from aurum.api.v1.times import Times
from aurum.api.v1.walk import RowOf, Walk, requested_rows, walk_response
from aurum.core.access import Permission

router = v1_router("/v1/iso/lmp", "v1 iso", Permission.SERIES_READ)


@dataclass(frozen=True, slots=True)
class _Prices:
    """A kind of list. ``name``: of its CSV file. ``model``, ``row``: the fields of a row, and how they are made."""

    name: str
    shape: Shape
    model: type[BaseModel]
    row: RowOf

    def walk(self, prices: LmpQuery, span_on: SpanOnClock) -> Walk:
        """Return the walk over the rows of a request. Raises ``BadRequest``."""
        return Walk(
            criteria=prices.criteria(),
            span_of=lambda series: span_on(series.spec.zone),
            read=prices_reader(span_on, self.shape),
            row=self.row,
            weight=1 + len(COMPONENTS),
        )

    def file(self, format: Format) -> CsvFile | None:
        """Return the file of the list; None when it is requested as JSON."""
        return CsvFile(self.name, list(self.model.model_fields)) if format == "csv" else None


_LAST_24H = _Prices("lmp-last-24h", with_local_day, IsoLmpPoint, point)
_NEGATIVE = _Prices("lmp-negative", below_zero, IsoLmpPoint, point)
_HOURLY = _Prices("lmp-hourly", by_hour, IsoLmpAggregate, aggregate)
_DAILY = _Prices("lmp-daily", by_day, IsoLmpAggregate, aggregate)


@router.get(
    "/last-24h",
    operation_id="v1Last24h",
    summary="Prices of the last 24 hours",
    response_class=Response,
    responses=responses(Listed[IsoLmpPoint], csv=True),
)
async def last_24h(
    request: Request,
    *,
    prices: Annotated[LmpQuery, Query()],
    limit: Limit = 500,
    cursors: Annotated[Cursors, Query()],
    format: Format = "json",
) -> Response:
    """Intervals that began within the last 24 hours."""
    span_on = last_24_hours(services(request).clock.now())
    requested = requested_rows(request, cursors, limit)
    return await walk_response(request, _LAST_24H.walk(prices, span_on), requested, csv=_LAST_24H.file(format))


@router.get(
    "/negative",
    operation_id="v1NegativePrices",
    summary="Prices below zero",
    response_class=Response,
    responses=responses(Listed[IsoLmpPoint], csv=True),
)
async def negative(
    request: Request,
    *,
    prices: Annotated[LmpQuery, Query()],
    times: Annotated[Times, Query()],
    limit: Limit = 200,
    cursors: Annotated[Cursors, Query()],
    format: Format = "json",
) -> Response:
    """Intervals with a price below zero; without `start` and `end` those of the last seven days."""
    span_on = bounded(times, services(request).clock.now(), days=7)
    requested = requested_rows(request, cursors, limit)
    return await walk_response(request, _NEGATIVE.walk(prices, span_on), requested, csv=_NEGATIVE.file(format))


@router.get(
    "/hourly",
    operation_id="v1HourlyPrices",
    summary="Prices by hour",
    response_class=Response,
    responses=responses(Listed[IsoLmpAggregate], csv=True),
)
async def hourly(
    request: Request,
    *,
    prices: Annotated[LmpQuery, Query()],
    times: Annotated[Times, Query()],
    limit: Limit = 500,
    cursors: Annotated[Cursors, Query()],
    format: Format = "json",
) -> Response:
    """Prices of each hour that begins in the span. Without `start` and `end`: the last seven days."""
    span_on = whole_hours(bounded(times, services(request).clock.now(), days=7))
    requested = requested_rows(request, cursors, limit)
    return await walk_response(request, _HOURLY.walk(prices, span_on), requested, csv=_HOURLY.file(format))


@router.get(
    "/daily",
    operation_id="v1DailyPrices",
    summary="Prices by day",
    response_class=Response,
    responses=responses(Listed[IsoLmpAggregate], csv=True),
)
async def daily(
    request: Request,
    *,
    prices: Annotated[LmpQuery, Query()],
    times: Annotated[Times, Query()],
    limit: Limit = 500,
    cursors: Annotated[Cursors, Query()],
    format: Format = "json",
) -> Response:
    """Prices of each market day that the span touches. Without `start` and `end`: the last thirty days."""
    span_on = whole_days(bounded(times, services(request).clock.now(), days=30))
    requested = requested_rows(request, cursors, limit)
    return await walk_response(request, _DAILY.walk(prices, span_on), requested, csv=_DAILY.file(format))
