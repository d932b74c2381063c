"""Pages of lists: a keyset position in an opaque, signed cursor, never an offset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters
from aurum.common.cursor import ForgedCursor, seal, unseal

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=1000, description="Items in a page at most.", examples=[100])]
Cursor = Annotated[str | None, Query(description="`meta.next_cursor` of the page before.", max_length=1000)]


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page begins: the sort key of the last item already seen, as texts; None for the first page.

    ``limit``: items in it at most.
    """

    after: list[str] | None
    limit: int
    scope: str


def requested_page(request: Request, *, cursor: str | None, limit: int, width: int) -> Page:
    """The page a request asks for. ``width``: how many parts the list's sort key has. Raises ``InvalidParameters``.

    A service may have shorter pages than the contract allows (AURUM_API__PAGE_LIMIT); then its limit holds.
    """
    limit = min(limit, services(request).settings.page_limit)
    filters = sorted((name, value) for name, value in request.query_params.multi_items() if name not in ("cursor", "limit"))
    scope = f"{request.url.path}?{urlencode(filters)}"
    if cursor is None:
        return Page(None, limit, scope)
    try:
        after = unseal(services(request).cursor_secret, cursor, scope=scope)
    except ForgedCursor as error:
        raise InvalidParameters(("cursor", str(error), cursor)) from error
    if len(after) != width:
        raise InvalidParameters(("cursor", "the cursor is of another list", cursor))
    return Page(after, limit, scope)


def page_meta(
    request: Request, response: Response, page: Page, items: Sequence[Item], key: Callable[[Item], tuple[str, ...]]
) -> dict[str, object]:
    """The ``meta`` of a page, and its ``Link`` header; ``items`` may hold one more than fits, as a sign that there is more."""
    more = len(items) > page.limit
    shown = items[: page.limit]
    cursor = seal(services(request).cursor_secret, scope=page.scope, position=list(key(shown[-1]))) if more else None
    if cursor is not None:
        following = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return {"count": len(shown), "limit": page.limit, "next_cursor": cursor}
