"""Rows of many series for one page of version 1, read by ``services.walk``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.api.v1.csv import CsvFile
from aurum.api.v1.cursors import Cursors, Position
from aurum.api.v1.envelope import page_response
from aurum.api.v1.pages import Page, PageRequest, requested_page
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.walk import Position as WalkPosition
from aurum.services.walk import ReadGroup, every_series, walk_page
from aurum.services.walk import Walk as SeriesWalk
from aurum.storage.ports.catalog import SeriesFilter

_POSITION_PARTS = 2
"""A position is a series key and an instant."""

RowOf = Callable[[Series, Mapping[str, Any]], Mapping[str, object]]
"""Makes a row of an answer from its series and its columns."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A list of rows as in ``services.walk``, and the function that makes the fields of a row."""

    criteria: Sequence[SeriesFilter]
    span_of: Callable[[Series], Span]
    read: ReadGroup
    row: RowOf
    matches: Callable[[Series], bool] = every_series
    weight: int = 1


def requested_rows(request: Request, cursors: Cursors, limit: int, *, offset: int = 0) -> PageRequest:
    """Return the page of a walk that a client asks for. Raises ``BadRequest``."""
    return requested_page(request, cursors, limit, width=_POSITION_PARTS, offset=offset)


async def walk_response(
    request: Request, walk: Walk, requested: PageRequest, *, csv: CsvFile | None = None, shows_offset: bool = False
) -> Response:
    """Answer with the requested page of a walk, as a CSV file or as JSON."""
    service = services(request)
    page = await walk_page(
        service.store.catalog.reader,
        service.reading,
        SeriesWalk(walk.criteria, walk.span_of, walk.read, walk.matches, walk.weight),
        after=_walk_position(requested.trail.after),
        limit=requested.limit,
        offset=requested.offset,
    )
    following = requested.trail.onwards(_position(page.following)) if page.following is not None else None
    values = page.frame.to_dicts()  # rows: a page, a thousand at most
    rows = [walk.row(page.series[one["key"]], one) for one in values]
    shown = Page(rows, requested, following, offset=requested.offset if shows_offset else None)
    response = page_response(request, shown, csv)
    if response.status_code == HTTPStatus.OK:
        state_of(request.scope).points = len(rows)
    return response


def _walk_position(position: Position) -> WalkPosition | None:
    return (position[0], datetime.fromisoformat(position[1]).astimezone(UTC)) if position else None


def _position(position: WalkPosition) -> Position:
    return position[0], position[1].isoformat()
