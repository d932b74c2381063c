"""``/v2/drought``: index and shares of area by region and week, regions, and the publisher."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal

import polars as pl
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import page_answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.encoding.frames import frame_table
from aurum.api.handlers.paging import Cursor, Limit, Page, page_meta, requested_page, sealed_meta
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.observations.table_page import Format, table_page_response
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.drought import schemas
from aurum.core.access import Permission
from aurum.core.drought import CATEGORIES, DSCI_MOST, WEEKS, Region, RegionFilter, RegionType, Statistics
from aurum.core.errors import NotFound, UnknownName
from aurum.services.catalog import source_datasets
from aurum.services.drought import (
    SOURCE,
    ZONE,
    WeeklyPage,
    WeeklyQuestion,
    index_page,
    known_state,
    regions,
    selected_regions,
    shares_page,
)
from aurum.services.walk import Position

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ, is_shared=True, cached=CacheRule(DataClass.DAY, ("any series", "catalog"))),
    prefix="/v2/drought",
    tags=["drought"],
    dependencies=[Depends(known_only)],
)

INDEX = "DSCI"

RegionText = Annotated[
    Text | None,
    Query(
        description="Only regions with this id or name, or `TYPE:ID` where several have it; see `/v2/drought/dimensions`.",
        examples=["CONUS"],
    ),
]
Kind = Annotated[RegionType | None, Query(description="Only regions of this type.")]
StateText = Annotated[
    Text | None, Query(description="Only this state and its counties: code, name or FIPS code.", examples=["TX"])
]
Start = Annotated[
    Text | None,
    Query(
        description="Start of the requested span, inclusive: a date on the publisher's clock (Eastern), or an RFC 3339 "
        "date-time. Default: the first week.",
        examples=["2009-01-06"],
    ),
]
End = Annotated[
    Text | None,
    Query(
        description="End of the span, exclusive, in the formats of `start`. Default: after the last week.",
        examples=["2010-01-05"],
    ),
]
AsOf = Annotated[
    Text | None,
    Query(
        description="Point in time: values, and those they are compared with, as known at this instant. Default: now.",
        examples=["2026-11-20T00:00:00Z"],
    ),
]
Weeks = Annotated[
    Text | None,
    Query(
        description=f"Adds the change over this many weeks to each value: one of {', '.join(map(str, WEEKS))}.",
        examples=["4"],
    ),
]


@router.get(
    "/indices",
    operation_id="listDroughtIndices",
    summary="Drought index by region and week",
    responses=page_answers(schemas.IndexPage) | problems(also=(406,)),
    response_class=Response,
)
async def list_indices(
    request: Request,
    response: Response,
    index: Annotated[Literal["DSCI"], Query(description="Index; there is one.")] = INDEX,
    region: RegionText = None,
    region_type: Kind = None,
    state: StateText = None,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    weeks: Weeks = None,
    format: Format = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the Drought Severity and Coverage Index as its publisher states it, ascending by region and week.

    `weeks` adds its change. The index made of stored shares of area is in `/v2/drought/usdm`.
    """
    question = WeeklyQuestion(_filter(region, region_type, state), start, end, as_of, _weeks(weeks))
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    weekly = await index_page(services(request).reading, question, after=_position(page, cursor), limit=page.limit)
    frame = weekly.frame.with_columns(index=pl.lit(index))
    meta = _meta(request, response, page, weekly, question)
    return table_page_response(request, response, frame_table(_in_order(frame, "index")), meta, format)


@router.get(
    "/usdm",
    operation_id="listDroughtShares",
    summary="Shares of area in drought by region and week",
    responses=page_answers(schemas.SharesPage) | problems(also=(406,)),
    response_class=Response,
)
async def list_shares(
    request: Request,
    response: Response,
    statistics: Annotated[
        Statistics,
        Query(
            description="`cumulative`: the share in a category or a worse one. `categorical`: the share in a category and no "
            "other. Default: `cumulative`."
        ),
    ] = Statistics.CUMULATIVE,
    region: RegionText = None,
    region_type: Kind = None,
    state: StateText = None,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    weeks: Weeks = None,
    format: Format = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List percent of area in each category and the index made of them, ascending by region and week.

    `weeks` adds the change of each.
    """
    question = WeeklyQuestion(_filter(region, region_type, state), start, end, as_of, _weeks(weeks))
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    reading = services(request).reading
    weekly = await shares_page(reading, question, statistics, after=_position(page, cursor), limit=page.limit)
    meta = _meta(request, response, page, weekly, question) | {"statistics": statistics}
    return table_page_response(request, response, frame_table(_in_order(weekly.frame)), meta, format)


@router.get("/dimensions", operation_id="listDroughtDimensions", summary="Regions with drought data", responses=problems())
async def list_dimensions(
    request: Request,
    response: Response,
    region: RegionText = None,
    region_type: Kind = None,
    state: StateText = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.DimensionsPage:
    """List the regions, the largest first; `meta` has the values of the other parameters of drought data."""
    page = requested_page(request, cursor=cursor, limit=limit, width=3)
    catalog = services(request).store.catalog.reader
    chosen = await selected_regions(catalog, _filter(region, region_type, state))
    if page.after is not None:
        last = _region_key(Region(RegionType(page.after[0]), page.after[1], "", "", page.after[2]))
        chosen = [one for one in chosen if _region_key(one) > last]
    meta = page_meta(request, response, page, chosen, lambda one: (str(one.type), one.id, one.location))
    counts = Counter(one.type for one in await regions(catalog))
    meta |= {
        "indices": [INDEX],
        "statistics": list(Statistics),
        "weeks": list(WEEKS),
        "region_types": {kind: counts[kind] for kind in RegionType if counts[kind]},
    }
    data = [
        {
            "label": one.label,
            "type": one.type,
            "id": one.id,
            "name": one.name,
            "state": one.state,
            "location": one.location,
        }
        for one in chosen[: page.limit]
    ]
    return schemas.DimensionsPage.model_validate({"data": data, "meta": meta})


@router.get("/info", operation_id="readDroughtInfo", summary="The Drought Monitor", responses=problems(NotFound))
async def read_info(request: Request) -> schemas.InfoAnswer:
    """Return the publisher and its terms, the categories and the index, and the datasets with their publication times."""
    store = services(request).store
    source = next((one for one in await store.catalog.reader.sources() if one.name == SOURCE), None)
    if source is None:
        raise UnknownName("source", SOURCE, ())
    datasets = await source_datasets(store.catalog.reader, store.quality.log, SOURCE, now=services(request).clock.now())
    index = schemas.IndexDocument(
        name=INDEX,
        title="Drought Severity and Coverage Index",
        least=0,
        most=DSCI_MOST,
        definition="Sum of the percent of area in D0 to D4, each with the worse categories.",
    )
    return schemas.InfoAnswer(
        data=schemas.InfoDocument(
            source=source.name,
            title=source.title,
            homepage=source.homepage,
            terms=source.terms,
            tz=ZONE,
            map_day="Tuesday",
            categories=[schemas.CategoryDocument(name=one.name, title=one.title) for one in CATEGORIES],
            indices=[index],
            datasets=[
                schemas.DroughtDataset(
                    name=one.entry.name,
                    title=one.entry.title,
                    schedule=one.entry.schedule,
                    reference=one.entry.reference,
                    newest=one.newest_ts,
                )
                for one in datasets
            ],
        )
    )


def _filter(region: str | None, kind: RegionType | None, state: str | None) -> RegionFilter:
    return RegionFilter(region, kind, known_state(state))


def _weeks(text: str | None) -> int | None:
    if text is None:
        return None
    accepted = [str(weeks) for weeks in WEEKS]
    if text not in accepted:
        raise InvalidParameters(("weeks", f"must be one of {', '.join(accepted)}", text), nearest=accepted)
    return int(text)


def _position(page: Page, cursor: str | None) -> Position | None:
    if page.after is None:
        return None
    try:
        return page.after[0], datetime.fromisoformat(page.after[1])
    except ValueError as error:
        raise InvalidParameters(
            ("cursor", "the cursor belongs to another list: use meta.next_cursor of this one", cursor)
        ) from error


def _meta(request: Request, response: Response, page: Page, weekly: WeeklyPage, question: WeeklyQuestion) -> dict[str, object]:
    following = (weekly.following[0], weekly.following[1].isoformat()) if weekly.following is not None else None
    meta = sealed_meta(request, response, page, weekly.frame.height, following)
    span = weekly.plan.span
    return meta | {"start": span.start, "end": span.end, "as_of": weekly.plan.as_of, "weeks": question.weeks}


def _in_order(frame: pl.DataFrame, *more: str) -> pl.DataFrame:
    """Return the columns of a row in the order in which they are written: the region, the week, the values, their origin."""
    first = ["region_type", "region", "region_name", "state", "day", "ts", "end", *more]
    last = ["known_at", "series"]
    values = [name for name in frame.columns if name not in (*first, *last)]
    return frame.select(*first, *values, *last).rename({"ts": "start"})


def _region_key(region: Region) -> tuple[int, str, str]:
    return list(RegionType).index(region.type), region.id, region.location
