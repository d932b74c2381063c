"""The envelope of version 1: ``{meta, data}`` as JSON, or rows as CSV, with entity tag, lifetime and links."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.etag import is_current
from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.api.v1.csv import CsvFile, csv_bytes
from aurum.api.v1.cursors import CURSOR_NAMES, Position, sealed
from aurum.api.v1.pages import Page, PageRequest, page_of_all
from aurum.api.v1.problems import failures

Item = TypeVar("Item")
Row = TypeVar("Row")

_MAX_AGE_S = 60
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


class Meta(BaseModel):
    """Facts about an answer."""

    request_id: str
    query_time_ms: int
    next_cursor: str | None = None
    prev_cursor: str | None = None
    has_more: bool | None = None
    count: int | None = None
    total: int | None = Field(default=None, description="Null where counting would cost more than the page.")
    offset: int | None = None
    limit: int | None = None


class Listed(BaseModel, Generic[Row]):
    meta: Meta
    data: list[Row]


def list_response(
    request: Request,
    items: Sequence[Item],
    requested: PageRequest,
    *,
    key: Callable[[Item], Position],
    row: Callable[[Item], Mapping[str, object]],
) -> Response:
    """Answer with the requested page of a whole list, which ascends by ``key``."""
    return page_response(request, page_of_all(items, requested, key=key, row=row))


def whole_list(request: Request, rows: Sequence[object]) -> Response:
    """Answer with all rows of a short list at once."""
    return document(request, {"data": rows}, meta={"count": len(rows), "total": len(rows)})


def page_response(request: Request, page: Page, csv: CsvFile | None = None) -> Response:
    """Answer with a page, as a CSV file or as JSON."""
    following, before = sealed(request, page.following), sealed(request, page.requested.trail.back())
    links = _links(request, following, before)
    if csv is not None:
        cursors = {"X-Next-Cursor": following, "X-Prev-Cursor": before}
        headers = {name: value for name, value in cursors.items() if value is not None}
        headers |= {"Content-Disposition": f'attachment; filename="{csv.name}.csv"', "Link": links}
        return _tagged(request, csv_bytes(page.rows, csv.columns), "text/csv; charset=utf-8", headers)
    meta = {
        "next_cursor": following,
        "prev_cursor": before,
        "has_more": page.following is not None,
        "count": len(page.rows),
        "total": page.total,
        "offset": page.offset,
        "limit": page.requested.limit,
    }
    return document(request, {"data": page.rows}, meta=meta, links=links)


def document(
    request: Request, body: Mapping[str, object], *, meta: Mapping[str, object] | None = None, links: str | None = None
) -> Response:
    """Answer with a JSON document. Its entity tag leaves out ``meta``, which differs from request to request."""
    about = {"request_id": state_of(request.scope).request_id, "query_time_ms": _milliseconds(request), **(meta or {})}
    tagged = orjson.dumps(body, option=_OPTIONS | orjson.OPT_SORT_KEYS)
    full = orjson.dumps({"meta": about, **body}, option=_OPTIONS)
    return _tagged(request, full, "application/json", {"Link": links or _links(request, None, None)}, of=tagged)


def responses(model: Any, *statuses: int, csv: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that answers with this model."""
    answer: dict[str, Any] = {"model": model, "description": "The answer"}
    if csv:
        answer["content"] = {"text/csv": {"schema": {"type": "string"}}}
    unchanged = {"description": "The client has the answer already (`If-None-Match`)"}
    return {200: answer, 304: unchanged} | failures(*statuses)


def _tagged(
    request: Request, content: bytes, media_type: str, headers: Mapping[str, str], *, of: bytes | None = None
) -> Response:
    tag = f'"{hashlib.sha256(content if of is None else of).hexdigest()}"'
    lifetime = _lifetime(public=services(request).public)
    if is_current(request, tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": lifetime, "Link": headers["Link"]})
    return Response(content, headers={**headers, "ETag": tag, "Cache-Control": lifetime}, media_type=media_type)


def _lifetime(*, public: bool) -> str:
    stale = f"stale-while-revalidate={_MAX_AGE_S // 2}, stale-if-error={3 * _MAX_AGE_S}"
    return f"{'public' if public else 'private'}, max-age={_MAX_AGE_S}, {stale}"


def _links(request: Request, following: str | None, before: str | None) -> str:
    bare = request.url.remove_query_params(CURSOR_NAMES)
    links = [("canonical", bare)]
    # Rows to leave out are those of the first page; a cursor knows its place without them.
    onwards = bare.remove_query_params("offset")
    if following is not None:
        links.insert(0, ("next", onwards.include_query_params(cursor=following)))
    if before is not None:
        links.insert(0, ("prev", onwards.include_query_params(prev_cursor=before)))
    return ", ".join(f'<{url.path}{"?" + url.query if url.query else ""}>; rel="{rel}"' for rel, url in links)


def _milliseconds(request: Request) -> int:
    return int((time.perf_counter() - state_of(request.scope).started) * 1000)
