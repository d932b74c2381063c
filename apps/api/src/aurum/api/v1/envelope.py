"""Answers of v1: ``{meta, data}`` or CSV, with its tag, its lifetime and its links."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import orjson
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.etag import is_current
from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.api.v1.cursors import Position, Trail, sealed
from aurum.api.v1.problems import failures

Row = TypeVar("Row")
Item = TypeVar("Item")
Rows = Sequence[Mapping[str, object]]
Format = Literal["json", "csv"]

_MAX_AGE_S = 60
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


class Meta(BaseModel):
    """Of an answer."""

    request_id: str
    query_time_ms: int
    next_cursor: str | None = None
    prev_cursor: str | None = None
    has_more: bool | None = None
    count: int | None = None
    total: int | None = Field(default=None, description="Null where it would cost more than the page.")
    offset: int | None = None
    limit: int | None = None


class Listed(BaseModel, Generic[Row]):
    meta: Meta
    data: list[Row]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page. ``following``: the trail of the next page; None on the last."""

    rows: Rows
    trail: Trail
    following: Trail | None
    limit: int
    offset: int | None = None
    total: int | None = None


def page_of(
    items: Sequence[Item],
    trail: Trail,
    limit: int,
    *,
    key: Callable[[Item], Position],
    row: Callable[[Item], Mapping[str, object]],
) -> Page:
    """The page of a trail out of all items of a list, which ascend by ``key``."""
    left = [item for item in items if key(item) > trail.after]
    shown = left[:limit]
    following = trail.onwards(key(shown[-1])) if len(left) > limit else None
    return Page([row(item) for item in shown], trail, following, limit, total=len(items))


def answer(
    request: Request, page: Page, *, format: Format = "json", name: str = "data", fields: Sequence[str] = ()
) -> Response:
    """A page in the format asked for. ``name``: of the file. ``fields``: columns of the CSV, when there may be no row."""
    following, before = sealed(request, page.following), sealed(request, page.trail.back())
    links = _links(request, following, before)
    if format == "csv":
        cursors = {"X-Next-Cursor": following, "X-Prev-Cursor": before}
        headers = {name: value for name, value in cursors.items() if value is not None}
        headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return _tagged(request, csv_bytes(page.rows, fields), "text/csv; charset=utf-8", {**headers, "Link": links})
    meta = {
        "next_cursor": following,
        "prev_cursor": before,
        "has_more": page.following is not None,
        "count": len(page.rows),
        "total": page.total,
        "offset": page.offset,
        "limit": page.limit,
    }
    return document(request, {"data": page.rows}, meta=meta, links=links)


def document(
    request: Request, body: Mapping[str, object], *, meta: Mapping[str, object] | None = None, links: str | None = None
) -> Response:
    """A JSON document. Its tag is of all but ``meta``, which is another each time."""
    about = {"request_id": state_of(request.scope).request_id, "query_time_ms": _took_ms(request), **(meta or {})}
    tagged = orjson.dumps(body, option=_OPTIONS | orjson.OPT_SORT_KEYS)
    full = orjson.dumps({"meta": about, **body}, option=_OPTIONS)
    return _tagged(request, full, "application/json", {"Link": links or _links(request, None, None)}, of=tagged)


def csv_bytes(rows: Rows, fields: Sequence[str]) -> bytes:
    """Rows as v1 writes CSV: nothing for null, ISO 8601 times, numbers without exponents, JSON for what is nested."""
    names = list(rows[0]) if rows else list(fields)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue().encode()


def responses(model: Any, *statuses: int, csv: bool = False) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route that answers with this model."""
    found: dict[str, Any] = {"model": model, "description": "The answer"}
    if csv:
        found["content"] = {"text/csv": {"schema": {"type": "string"}}}
    unchanged = {"description": "The caller has the answer already (`If-None-Match`)"}
    return {200: found, 304: unchanged} | failures(*statuses)


def _tagged(
    request: Request, content: bytes, media_type: str, headers: Mapping[str, str], *, of: bytes | None = None
) -> Response:
    tag = f'"{hashlib.sha256(content if of is None else of).hexdigest()}"'
    whose = "public" if services(request).public else "private"
    kept = f"{whose}, max-age={_MAX_AGE_S}, stale-while-revalidate={_MAX_AGE_S // 2}, stale-if-error={3 * _MAX_AGE_S}"
    if is_current(request, tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": kept, "Link": headers["Link"]})
    return Response(content, headers={**headers, "ETag": tag, "Cache-Control": kept}, media_type=media_type)


def _links(request: Request, following: str | None, before: str | None) -> str:
    bare = request.url.remove_query_params(["cursor", "since_cursor", "prev_cursor"])
    found = [("canonical", bare)]
    # Rows to leave out are those of the first page; a cursor knows its place without them.
    onwards = bare.remove_query_params("offset")
    if following is not None:
        found.insert(0, ("next", onwards.include_query_params(cursor=following)))
    if before is not None:
        found.insert(0, ("prev", onwards.include_query_params(prev_cursor=before)))
    return ", ".join(f'<{url.path}{"?" + url.query if url.query else ""}>; rel="{rel}"' for rel, url in found)


def _took_ms(request: Request) -> int:
    return int((time.perf_counter() - state_of(request.scope).started) * 1000)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return format(Decimal(repr(value)), "f")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case dict() | list():
            return orjson.dumps(value).decode()
        case _:
            return str(value)
