"""``/v1/ref/eia``: observations of EIA's series."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

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
from aurum.api.v1.envelope import Format, Listed, Meta, Page, answer, document, responses
from aurum.api.v1.problems import BadRequest, V1Route
from aurum.api.v1.times import End, Start, span_in
from aurum.api.v1.walk import POSITION, Walk, reading_of, series_from, walked
from aurum.core.access import Permission
from aurum.core.asof import Span
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series
from aurum.services.observations import Question, Reading, read_one
from aurum.storage.ports.catalog import SeriesFilter

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v1/ref/eia", tags=["v1 eia"], route_class=V1Route, deprecated=True
)

_EIA = "eia"
_LABELS = {
    Frequency.HOUR: "HOURLY",
    Frequency.DAY: "DAILY",
    Frequency.WEEK: "WEEKLY",
    Frequency.MONTH: "MONTHLY",
    Frequency.QUARTER: "QUARTERLY",
    Frequency.YEAR: "ANNUAL",
}
_AREAS = frozenset({"region", "balancing authority", "subregion", "state", "country"})
_MOST_VALUES = 1000

SeriesId = Annotated[
    Text | None, Query(description="EIA's id of a series, or its key here.", examples=["NW2_EPG0_SWO_R48_BCF"])
]
FrequencyLabel = Annotated[
    Text | None, Query(description=f"One of {', '.join(_LABELS.values())}, in any case.", examples=["WEEKLY"])
]
Area = Annotated[Text | None, Query(description="Area the series is of.", examples=["R48"])]
Sector = Annotated[Text | None, Query(description="Sector the series is of.", examples=["RES"])]
DatasetName = Annotated[Text | None, Query(description="Dataset.", examples=["gas_storage_weekly"])]
UnitText = Annotated[Text | None, Query(description="Unit.", examples=["Bcf"])]
CanonicalUnit = Annotated[Text | None, Query(description="Unit; values are stored in no other.", examples=["Bcf"])]
CurrencyCode = Annotated[Text | None, Query(description="ISO 4217 code.", examples=["USD"])]
SourceName = Annotated[Text | None, Query(description="Source; all are EIA's.", examples=["eia"])]


class EiaSeriesPoint(BaseModel):
    """A value of a series over a period. What is not known is null; values are stored in the canonical unit only."""

    series_id: str
    period: str = Field(examples=["2026-08"])
    period_start: datetime
    period_end: datetime | None
    frequency: str | None
    value: float | None
    raw_value: float | None
    unit_raw: str | None
    canonical_unit: str
    canonical_currency: str | None
    canonical_value: float | None
    conversion_factor: float | None
    area: str | None
    sector: str | None
    seasonal_adjustment: str | None
    description: str | None
    source: str
    dataset: str
    metadata: dict[str, str]
    ingest_ts: datetime = Field(description="Since when this value has been known.")


class EiaDimensions(BaseModel):
    """Distinct values, up to a thousand each."""

    dataset: list[str]
    area: list[str]
    sector: list[str]
    unit: list[str]
    canonical_unit: list[str]
    canonical_currency: list[str]
    frequency: list[str]
    source: list[str]


class EiaDimensionsAnswer(BaseModel):
    meta: Meta
    data: EiaDimensions


@router.get(
    "/series",
    operation_id="v1EiaSeries",
    summary="Values of EIA's series",
    response_class=Response,
    responses=responses(Listed[EiaSeriesPoint], csv=True),
)
async def eia_series(
    request: Request,
    series_id: SeriesId = None,
    frequency: FrequencyLabel = None,
    area: Area = None,
    sector: Sector = None,
    dataset: DatasetName = None,
    unit: UnitText = None,
    canonical_unit: CanonicalUnit = None,
    canonical_currency: CurrencyCode = None,
    source: SourceName = None,
    start: Start = None,
    end: End = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows in a page at most.")] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000, description="Rows to leave out; use cursors instead.", deprecated=True)] = 0,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
    format: Format = "json",
) -> Response:
    """Values by series and period, as known now."""
    span_in("UTC", start, end)  # refuses what is no time before anything is read
    trail = requested(request, cursor, since_cursor, prev_cursor, width=POSITION)
    matches = _matching(series_id, frequency, area, sector, (unit, canonical_unit), canonical_currency, source)
    service = services(request)

    def span_of(series: Series) -> Span:
        return span_in(series.spec.zone, start, end)

    key = _key(series_id)
    criteria = [SeriesFilter(_EIA, dataset, location=key[2] if key else series_id)]
    walk = Walk(criteria, matches, span_of, _reader(reading_of(service), span_of))
    found = await walked(service.store.catalog.reader, walk, trail, limit, offset=offset)
    rows = found.rows(_point)
    page = Page(rows, trail, found.following, limit, 0 if trail.after else offset)
    return answer(request, page, format=format, name="eia-series", fields=list(EiaSeriesPoint.model_fields))


@router.get(
    "/series/dimensions",
    operation_id="v1EiaDimensions",
    summary="What EIA's series can be filtered by",
    response_class=Response,
    responses=responses(EiaDimensionsAnswer),
)
async def eia_dimensions(
    request: Request,
    series_id: SeriesId = None,
    frequency: FrequencyLabel = None,
    area: Area = None,
    sector: Sector = None,
    dataset: DatasetName = None,
    unit: UnitText = None,
    canonical_unit: CanonicalUnit = None,
    canonical_currency: CurrencyCode = None,
    source: SourceName = None,
) -> Response:
    """Distinct values of the series that fit."""
    matches = _matching(series_id, frequency, area, sector, (unit, canonical_unit), canonical_currency, source)
    values: dict[str, set[str]] = {name: set() for name in EiaDimensions.model_fields}
    async for one in series_from(services(request).store.catalog.reader, [SeriesFilter(_EIA, dataset)], matches):
        for name, value in _facets(one).items():
            if value is not None:
                values[name].add(value)
    return document(request, {"data": {name: sorted(found)[:_MOST_VALUES] for name, found in values.items()}})


def _matching(
    series_id: str | None,
    frequency: str | None,
    area: str | None,
    sector: str | None,
    units: tuple[str | None, str | None],
    currency: str | None,
    source: str | None,
) -> Callable[[Series], bool]:
    """Whether a series fits. Raises ``BadRequest``."""
    if frequency is not None and frequency.upper() not in _LABELS.values():
        raise BadRequest("frequency", f"must be one of {', '.join(_LABELS.values())}", frequency)
    wanted = {
        "frequency": frequency.upper() if frequency else None,
        "area": area,
        "sector": sector,
        "unit": units[0],
        "canonical_unit": units[1],
        "canonical_currency": currency.upper() if currency else None,
        "source": source.lower() if source else None,
    }
    asked = {name: value for name, value in wanted.items() if value is not None}

    def matches(series: Series) -> bool:
        facets = _facets(series)
        named = series_id is None or series_id in (str(series.key), series.key.location)
        return named and all(facets[name] == value for name, value in asked.items())

    return matches


def _key(series_id: str | None) -> tuple[str, str, str] | None:
    """Source, dataset and location of an id that is a key of ours."""
    parts = series_id.split(":") if series_id is not None else []
    return (parts[0], parts[1], ":".join(parts[2:-1])) if len(parts) >= 4 and parts[0] == _EIA else None


def _facets(series: Series) -> Mapping[str, str | None]:
    spec = series.spec
    return {
        "dataset": spec.key.dataset,
        "area": spec.labels.get("area") or (spec.key.location if spec.location_type in _AREAS else None),
        "sector": spec.labels.get("sector"),
        "unit": spec.unit,
        "canonical_unit": spec.unit,
        "canonical_currency": spec.currency,
        "frequency": _LABELS.get(spec.frequency),
        "source": spec.key.source,
    }


def _reader(reading: Reading, span_of: Callable[[Series], Span]) -> Callable[[Sequence[Series]], Awaitable[pl.DataFrame]]:
    async def read(group: Sequence[Series]) -> pl.DataFrame:
        parts = [await _read(reading, one, span_of(one)) for one in group]
        return pl.concat(parts)

    return read


async def _read(reading: Reading, series: Series, span: Span) -> pl.DataFrame:
    spec = series.spec
    found = await read_one(reading, series, Question(start=span.start, end=span.end))
    return found.frame.select(
        pl.lit(str(series.key)).alias("key"),
        "ts",
        "end",
        pl.col("ts").dt.convert_time_zone(spec.zone).dt.replace_time_zone(None).alias("local"),
        pl.col("value").fill_nan(None),
        "known_at",
    )


def _point(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    spec, facets = series.spec, _facets(series)
    return {
        "series_id": spec.key.location if spec.location_type == "series" else str(spec.key),
        "period": _period(spec.frequency, values["local"]),
        "period_start": values["ts"],
        "period_end": values["end"],
        "frequency": facets["frequency"],
        "value": values["value"],
        "raw_value": None,
        "unit_raw": None,
        "canonical_unit": spec.unit,
        "canonical_currency": spec.currency,
        "canonical_value": values["value"],
        "conversion_factor": None,
        "area": facets["area"],
        "sector": facets["sector"],
        "seasonal_adjustment": None,
        "description": spec.location_name or None,
        "source": spec.key.source,
        "dataset": spec.key.dataset,
        "metadata": dict(spec.labels),
        "ingest_ts": values["known_at"],
    }


def _period(frequency: Frequency, local: datetime) -> str:
    """A period as EIA writes it."""
    match frequency:
        case Frequency.YEAR:
            return f"{local:%Y}"
        case Frequency.QUARTER:
            return f"{local:%Y}-Q{(local.month + 2) // 3}"
        case Frequency.MONTH:
            return f"{local:%Y-%m}"
        case Frequency.DAY | Frequency.WEEK:
            return f"{local:%Y-%m-%d}"
        case _:
            return f"{local:%Y-%m-%dT%H}"
