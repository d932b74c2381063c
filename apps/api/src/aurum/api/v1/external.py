"""``/v1/external``: series of agencies and data providers, as opposed to those of grid operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import polars as pl
from fastapi import Path, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.cursors import CursorParameter, PrevCursor, SinceCursor, requested
from aurum.api.v1.envelope import Format, Listed, Page, answer, page_of, responses
from aurum.api.v1.problems import BadRequest, V1Route
from aurum.api.v1.times import Asof, EndDate, StartDate, days_in, known_by
from aurum.api.v1.walk import POSITION, Walk, reading_of, series_from, walked
from aurum.core.access import Permission
from aurum.core.asof import Span
from aurum.core.catalog.entries import SourceEntry
from aurum.core.errors import UnknownName
from aurum.core.frequency import parse_frequency
from aurum.core.series.model import Series
from aurum.services.observations import Question, read_one, series_of
from aurum.storage.ports.catalog import SeriesFilter

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v1/external", tags=["v1 external"], route_class=V1Route, deprecated=True
)

Limit = Annotated[int, Query(ge=1, le=1000, description="Rows in a page at most.")]
Provider = Annotated[Text | None, Query(description="Provider; see `/v1/external/providers`.", examples=["ecb"])]


class ExternalProvider(BaseModel):
    """Who publishes."""

    name: str
    title: str
    homepage: str
    terms: str | None
    series_count: int | None = Field(description="Only with `include_counts`.")


class ExternalSeries(BaseModel):
    """A series of a provider."""

    provider: str
    series_id: str
    title: str | None
    dataset: str
    frequency: str
    unit: str
    currency: str | None
    timezone: str
    observation_start: datetime | None
    observation_end: datetime | None
    last_updated: datetime | None


class ExternalObservation(BaseModel):
    """A value, as known at ``asof``."""

    provider: str
    series_id: str
    day: date = Field(alias="date", description="Local day on which the period begins.")
    period_start: datetime
    value: float | None
    unit: str
    currency: str | None
    known_at: datetime


_OBSERVATION_FIELDS = ("provider", "series_id", "date", "period_start", "value", "unit", "currency", "known_at")


@router.get(
    "/providers",
    operation_id="v1ListProviders",
    summary="Providers",
    response_class=Response,
    responses=responses(Listed[ExternalProvider]),
)
async def list_providers(
    request: Request,
    include_counts: Annotated[bool, Query(description="Tell how many series each has.")] = False,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
) -> Response:
    """Providers by name."""
    trail = requested(request, cursor, since_cursor, prev_cursor, width=1)
    catalog = services(request).store.catalog.reader
    counts = (await catalog.dimensions()).get("source", {}) if include_counts else None

    def row(one: SourceEntry) -> Mapping[str, object]:
        count = counts.get(one.name, 0) if counts is not None else None
        return {
            "name": one.name,
            "title": one.title,
            "homepage": one.homepage,
            "terms": one.terms or None,
            "series_count": count,
        }

    return answer(request, page_of(await _providers(request), trail, limit, key=lambda one: (one.name,), row=row))


@router.get(
    "/series",
    operation_id="v1ListExternalSeries",
    summary="Series of providers",
    response_class=Response,
    responses=responses(Listed[ExternalSeries]),
)
async def list_series(
    request: Request,
    provider: Provider = None,
    frequency: Annotated[Text | None, Query(description="Step, such as `1d`.", examples=["1d"])] = None,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
) -> Response:
    """Series by provider and id."""
    trail = requested(request, cursor, since_cursor, prev_cursor, width=1)
    names = [one.name for one in await _providers(request)]
    if provider is not None and provider not in names:
        raise BadRequest("provider", f"unknown provider; there are {', '.join(names)}", provider)
    wanted = _frequency(frequency)
    criteria = [SeriesFilter(name) for name in names if provider in (None, name)]
    after = trail.after[0] if trail.after else None
    found: list[Series] = []
    async for one in series_from(
        services(request).store.catalog.reader,
        criteria,
        lambda series: wanted in (None, str(series.spec.frequency)),
        start=after,
    ):
        if str(one.key) != after:
            found.append(one)
        if len(found) > limit:
            break
    shown = found[:limit]
    following = trail.onwards((str(shown[-1].key),)) if len(found) > limit else None
    return answer(request, Page([_series(one) for one in shown], trail, following, limit))


@router.get(
    "/series/{series_id:path}/observations",
    operation_id="v1ExternalObservations",
    summary="Values of a provider's series",
    response_class=Response,
    responses=responses(Listed[ExternalObservation], 404, csv=True),
)
async def observations(
    request: Request,
    series_id: Annotated[Text, Path(description="Id of a series.", examples=["ecb:reference_rates:EURUSD:rate"])],
    asof: Asof = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    limit: Limit = 500,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
    format: Format = "json",
) -> Response:
    """Values by period."""
    service = services(request)
    trail = requested(request, cursor, since_cursor, prev_cursor, width=POSITION)
    series = await series_of(service.store.catalog.reader, series_id)
    if series.key.source not in {one.name for one in await _providers(request)}:
        raise UnknownName("series", series_id, ())
    span = days_in(series.spec.zone, start_date, end_date)
    question = Question(start=span.start, end=span.end, as_of=known_by(asof))

    async def read(group: Sequence[Series]) -> pl.DataFrame:
        (one,) = group
        found = await read_one(reading_of(service), one, question)
        return found.frame.select(
            pl.lit(str(one.key)).alias("key"),
            "ts",
            pl.col("ts").dt.convert_time_zone(one.spec.zone).dt.date().alias("day"),
            pl.col("value").fill_nan(None),
            "known_at",
        )

    def span_of(_: Series) -> Span:
        return span

    key = series.key
    criteria = [SeriesFilter(key.source, key.dataset, None, key.measure, key.location)]
    found = await walked(service.store.catalog.reader, Walk(criteria, lambda _: True, span_of, read), trail, limit)
    rows = found.rows(_observation)
    page = Page(rows, trail, found.following, limit)
    return answer(request, page, format=format, name="observations", fields=_OBSERVATION_FIELDS)


async def _providers(request: Request) -> Sequence[SourceEntry]:
    """Sources that publish what is of no market."""
    catalog = services(request).store.catalog.reader
    names = {one.source for one in await catalog.datasets() if one.market is None}
    return [one for one in await catalog.sources() if one.name in names]


def _frequency(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(parse_frequency(text))
    except UnknownName as error:
        raise BadRequest("frequency", error.detail, text) from error


def _series(series: Series) -> Mapping[str, object]:
    spec = series.spec
    return {
        "provider": spec.key.source,
        "series_id": str(spec.key),
        "title": spec.location_name or None,
        "dataset": spec.key.dataset,
        "frequency": str(spec.frequency),
        "unit": spec.unit,
        "currency": spec.currency,
        "timezone": spec.zone,
        "observation_start": series.first_ts,
        "observation_end": series.last_ts,
        "last_updated": series.updated_at,
    }


def _observation(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    return {
        "provider": series.key.source,
        "series_id": str(series.key),
        "date": values["day"],
        "period_start": values["ts"],
        "value": values["value"],
        "unit": series.spec.unit,
        "currency": series.spec.currency,
        "known_at": values["known_at"],
    }
