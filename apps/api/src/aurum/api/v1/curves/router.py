"""``/v1/curves``: points, differences and strips of curves. Here ``asof`` is a trade date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal

import polars as pl
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Day
from aurum.api.curves.access import reading_of
from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.api.v1.csv import CsvFile, Format
from aurum.api.v1.cursors import Cursors, Position
from aurum.api.v1.curves.points import DIFF_KEY, POINT_KEY, after_position, moves, points_page, strips
from aurum.api.v1.curves.query import CurvesQuery
from aurum.api.v1.curves.schemas import DIFF_COLUMNS, POINT_COLUMNS, CurveDiffPoint, CurvePoint
from aurum.api.v1.envelope import Listed, page_response, responses
from aurum.api.v1.pages import Limit, PageRequest, page_of_rest, requested_page
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission

router = v1_router("/v1/curves", "v1 curves", Permission.CURVES_READ)

_MOST = 500
_LONGEST = timedelta(days=365)

TradeDate = Annotated[Day | None, Query(description="Trade date.", examples=["2024-10-14"])]
AsFormat = Annotated[Format, Query(description="`json` or `csv`.")]


@router.get(
    "",
    operation_id="v1ListCurves",
    summary="Curve points",
    response_class=Response,
    responses=responses(Listed[CurvePoint], csv=True),
)
async def list_curves(
    request: Request,
    *,
    asof: TradeDate = None,
    curves: Annotated[CurvesQuery, Query()],
    tenor_type: Annotated[
        Literal["MONTHLY", "CALENDAR", "SEASON", "QUARTER"] | None, Query(description="Only tenors of this type.")
    ] = None,
    limit: Limit = 200,
    format: AsFormat = "json",
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Points of a trade date; without `asof` the newest of each tenor."""
    requested = requested_page(request, cursors, min(limit, _MOST), width=len(POINT_KEY))
    reading = reading_of(request)
    frame = await points_page(
        reading,
        await curves.products(reading),
        asof,
        tenor_type,
        now=services(request).clock.now(),
        after=requested.trail.after,
        limit=requested.limit,
    )
    return _page(request, frame, requested, POINT_KEY, POINT_COLUMNS, "curves", format)


@router.get(
    "/diff",
    operation_id="v1DiffCurves",
    summary="Difference of curves",
    response_class=Response,
    responses=responses(Listed[CurveDiffPoint], csv=True),
)
async def diff_curves(
    request: Request,
    *,
    asof_a: Annotated[Day, Query(description="Earlier trade date.", examples=["2024-10-11"])],
    asof_b: Annotated[Day, Query(description="Later trade date.", examples=["2024-10-14"])],
    curves: Annotated[CurvesQuery, Query()],
    limit: Limit = 200,
    format: AsFormat = "json",
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Points of two trade dates side by side."""
    if asof_a == asof_b:
        raise BadRequest("asof_b", "must be another date than asof_a", str(asof_b))
    if abs(asof_b - asof_a) > _LONGEST:
        raise BadRequest("asof_b", "must be at most 365 days from asof_a", str(asof_b))
    if curves.is_empty:
        raise BadRequest("curve_key", "at least one filter is needed, such as curve_key or asset_class", code="missing_field")
    requested = requested_page(request, cursors, min(limit, _MOST), width=len(DIFF_KEY))
    reading = reading_of(request)
    frame = await moves(reading, await curves.products(reading), asof_a, asof_b, now=services(request).clock.now())
    rest = after_position(frame, DIFF_KEY, requested.trail.after)
    return _page(request, rest, requested, DIFF_KEY, DIFF_COLUMNS, "curves_diff", format)


@router.get(
    "/strips",
    operation_id="v1CurveStrips",
    summary="Strips of curves",
    response_class=Response,
    responses=responses(Listed[CurvePoint], csv=True),
)
async def curve_strips(
    request: Request,
    *,
    type: Annotated[
        Literal["CALENDAR", "SEASON", "QUARTER"], Query(description="Tenor type of the strips.", examples=["QUARTER"])
    ],
    asof: TradeDate = None,
    curves: Annotated[CurvesQuery, Query()],
    limit: Limit = 200,
    format: AsFormat = "json",
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Strips of a trade date, by default the newest of each curve: quoted ones, else made of shorter tenors."""
    requested = requested_page(request, cursors, min(limit, _MOST), width=len(POINT_KEY))
    reading = reading_of(request)
    frame = await strips(reading, await curves.products(reading), type, asof, now=services(request).clock.now())
    rest = after_position(frame, POINT_KEY, requested.trail.after)
    return _page(request, rest, requested, POINT_KEY, POINT_COLUMNS, "curve_strips", format)


def _page(
    request: Request,
    frame: pl.DataFrame,
    requested: PageRequest,
    key: Sequence[str],
    columns: Sequence[str],
    name: str,
    format: Format,
) -> Response:
    """Return the response with the first rows of a frame. ``name``: of the CSV file."""
    state = state_of(request.scope)
    state.is_private = True
    some = frame.head(requested.limit + 1)
    items = some.select(columns).to_dicts() if some.width else []  # rows: a page

    def row(item: Mapping[str, object]) -> Mapping[str, object]:
        return {field: value.isoformat() if isinstance(value, date) else value for field, value in item.items()}

    def position(item: Mapping[str, object]) -> Position:
        return tuple(str(item[field]) for field in key)

    page = page_of_rest(items, requested, key=position, row=row)
    state.points = len(page.rows)
    return page_response(request, page, CsvFile(name, columns) if format == "csv" else None)
