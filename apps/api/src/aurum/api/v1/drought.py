"""``/v1/drought``: the Drought Monitor's index and shares of area."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
from aurum.api.v1.envelope import Listed, Meta, Page, answer, document, responses
from aurum.api.v1.problems import BadRequest, V1Route
from aurum.api.v1.times import EndDate, StartDate, days_in
from aurum.api.v1.walk import POSITION, Walk, reading_of, series_from, walked
from aurum.core.access import Permission
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.observations import Question, Reading, read_many, read_one
from aurum.storage.ports.catalog import SeriesFilter

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v1/drought", tags=["v1 drought"], route_class=V1Route, deprecated=True
)

_SOURCE, _INDEX, _SHARES = "drought_monitor", "dsci", "area_percent_cumulative"
_DATASET, _INDEX_NAME = "USDM", "DSCI"
_CATEGORIES = ("d0", "d1", "d2", "d3", "d4")

DatasetName = Annotated[Text | None, Query(description="Dataset; there is `USDM`.", examples=["USDM"])]
IndexName = Annotated[Text | None, Query(description="Index; there is `DSCI`.", examples=["DSCI"])]
Timescale = Annotated[Text | None, Query(description="Of indices that have several; `DSCI` has none.", examples=["1M"])]
Region = Annotated[Text | None, Query(description="`TYPE:ID`.", examples=["NAME:California"])]
RegionType = Annotated[Text | None, Query(description="Kind of region.", examples=["NAME"])]
RegionId = Annotated[Text | None, Query(description="Id of a region.", examples=["California"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows in a page at most.")]


class DroughtIndexPoint(BaseModel):
    """A value of an index on a day."""

    series_id: str
    dataset: str
    index: str
    timescale: str | None
    valid_date: date
    as_of: datetime = Field(description="Since when this value has been known.")
    value: float | None
    unit: str
    region_type: str | None
    region_id: str
    region_name: str | None


class UsdmPoint(BaseModel):
    """Shares of a region's area in a category of drought or a worse one, from 0 to 1."""

    region_type: str | None
    region_id: str
    region_name: str | None
    valid_date: date
    as_of: datetime = Field(description="Since when these values have been known.")
    d0_frac: float | None
    d1_frac: float | None
    d2_frac: float | None
    d3_frac: float | None
    d4_frac: float | None


class DroughtDimensions(BaseModel):
    datasets: list[str]
    indices: list[str]
    timescales: list[str]
    layers: list[str]
    region_types: list[str]


class DroughtDimensionsAnswer(BaseModel):
    meta: Meta
    data: DroughtDimensions


@dataclass(frozen=True, slots=True)
class _Regions:
    kind: str | None
    region_id: str | None

    def match(self, series: Series) -> bool:
        """Whether a series is of such a region."""
        kind = self.kind is None or series.spec.location_type.upper() == self.kind.upper()
        return kind and self.region_id in (None, series.key.location)


@router.get(
    "/dimensions",
    operation_id="v1DroughtDimensions",
    summary="What drought data can be filtered by",
    response_class=Response,
    responses=responses(DroughtDimensionsAnswer),
)
async def dimensions(request: Request) -> Response:
    """Values that there are."""
    kinds: set[str] = set()
    async for one in series_from(services(request).store.catalog.reader, [SeriesFilter(_SOURCE)], lambda _: True):
        kinds.add(one.spec.location_type.upper())
    data = {
        "datasets": [_DATASET],
        "indices": [_INDEX_NAME],
        "timescales": [],
        "layers": [],
        "region_types": sorted(kinds - {""}),
    }
    return document(request, {"data": data})


@router.get(
    "/indices",
    operation_id="v1DroughtIndices",
    summary="Drought indices",
    response_class=Response,
    responses=responses(Listed[DroughtIndexPoint]),
)
async def indices(
    request: Request,
    dataset: DatasetName = None,
    index: IndexName = None,
    timescale: Timescale = None,
    region: Region = None,
    region_type: RegionType = None,
    region_id: RegionId = None,
    start: StartDate = None,
    end: EndDate = None,
    limit: Limit = 250,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
) -> Response:
    """Values by region and day."""
    there = all(
        (
            dataset is None or dataset.upper() == _DATASET,
            index is None or index.upper() == _INDEX_NAME,
            timescale is None,
        )
    )
    regions = _regions(region, region_type, region_id)
    criteria = [SeriesFilter(_SOURCE, _INDEX, location=regions.region_id)] if there else []
    cursors = (cursor, since_cursor, prev_cursor)
    return await _answered(request, criteria, regions, (start, end), cursors, limit, _index_rows, _index_point)


@router.get(
    "/usdm",
    operation_id="v1DroughtMonitor",
    summary="Shares of area in drought",
    response_class=Response,
    responses=responses(Listed[UsdmPoint]),
)
async def usdm(
    request: Request,
    region: Region = None,
    region_type: RegionType = None,
    region_id: RegionId = None,
    start: StartDate = None,
    end: EndDate = None,
    limit: Limit = 250,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
) -> Response:
    """Shares by region and day."""
    regions = _regions(region, region_type, region_id)
    criteria = [SeriesFilter(_SOURCE, _SHARES, None, "area_d0", regions.region_id)]
    cursors = (cursor, since_cursor, prev_cursor)
    return await _answered(request, criteria, regions, (start, end), cursors, limit, _usdm_rows, _usdm_point)


Rows = Callable[[Reading, Series, Span], Awaitable[pl.DataFrame]]


async def _answered(
    request: Request,
    criteria: Sequence[SeriesFilter],
    regions: _Regions,
    days: tuple[date | None, date | None],
    cursors: Sequence[str | None],
    limit: int,
    rows_of: Rows,
    row: Callable[[Series, Mapping[str, Any]], Mapping[str, object]],
) -> Response:
    days_in("UTC", *days)  # refuses what is no span before anything is read
    trail = requested(request, *cursors, width=POSITION)
    service = services(request)

    def span_of(series: Series) -> Span:
        return days_in(series.spec.zone, *days)

    async def read(group: Sequence[Series]) -> pl.DataFrame:
        return pl.concat([await rows_of(reading_of(service), one, span_of(one)) for one in group])

    walk = Walk(criteria, regions.match, span_of, read)
    found = await walked(service.store.catalog.reader, walk, trail, limit)
    rows = found.rows(row)
    return answer(request, Page(rows, trail, found.following, limit))


def _regions(region: str | None, kind: str | None, region_id: str | None) -> _Regions:
    if region is None:
        return _Regions(kind, region_id)
    named, colon, named_id = region.partition(":")
    if not colon or not named or not named_id:
        raise BadRequest("region", "must be TYPE:ID", region)
    return _Regions(named, named_id)


async def _index_rows(reading: Reading, series: Series, span: Span) -> pl.DataFrame:
    found = await read_one(reading, series, Question(start=span.start, end=span.end))
    return found.frame.select(
        pl.lit(str(series.key)).alias("key"),
        "ts",
        pl.col("ts").dt.convert_time_zone(series.spec.zone).dt.date().alias("day"),
        pl.col("value").fill_nan(None),
        "known_at",
    )


async def _usdm_rows(reading: Reading, series: Series, span: Span) -> pl.DataFrame:
    base = str(series.key).rpartition(":")[0]
    keys = {f"{base}:area_{category}": f"{category}_frac" for category in _CATEGORIES}
    known = await reading.catalog.series_by_key(list(keys))
    owned = [(one.series_id, keys[key]) for key, one in known.items()]
    part = pl.DataFrame(owned, schema={"series_id": pl.Int32, "part": pl.String}, orient="row")
    found = await read_many(reading, list(known.values()), Question(start=span.start, end=span.end))
    long = found.frame.join(part, on="series_id").with_columns(pl.col("value").fill_nan(None) / 100)
    known_at = long.group_by("ts").agg(pl.col("known_at").max())
    wide = long.pivot(on="part", on_columns=list(keys.values()), index="ts", values="value").join(known_at, on="ts").sort("ts")
    day = pl.col("ts").dt.convert_time_zone(series.spec.zone).dt.date()
    return wide.select(pl.lit(str(series.key)).alias("key"), "ts", day.alias("day"), *keys.values(), "known_at")


def _region(series: Series) -> Mapping[str, object]:
    return {
        "region_type": series.spec.location_type.upper() or None,
        "region_id": series.key.location,
        "region_name": series.spec.location_name or None,
    }


def _index_point(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    return {
        "series_id": str(series.key),
        "dataset": _DATASET,
        "index": _INDEX_NAME,
        "timescale": None,
        "valid_date": values["day"],
        "as_of": values["known_at"],
        "value": values["value"],
        "unit": series.spec.unit,
        **_region(series),
    }


def _usdm_point(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    shares = {f"{category}_frac": values[f"{category}_frac"] for category in _CATEGORIES}
    return {**_region(series), "valid_date": values["day"], "as_of": values["known_at"], **shares}
