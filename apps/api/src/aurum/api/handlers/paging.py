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

Limit = Annotated[
    int, Query(ge=1, le=1000, description="Largest number of items in a page, 1 to 1,000. Default: 100.", examples=[100])
]
Cursor = Annotated[
    str | None, Query(description="`meta.next_cursor` of the previous page. Default: the first page.", max_length=1000)
]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``after``: the sort key of the last item of the page before, as texts; None for the first page.

    ``limit``: the largest number of items. ``scope``: the path and filters that a cursor belongs to.
    """

    after: list[str] | None
    limit: int
    scope: str


def requested_page(request: Request, *, cursor: str | None, limit: int, width: int) -> Page:
    """Return the page that a request names. ``width``: number of parts of the sort key. Raises ``InvalidParameters``.

    AURUM_API__PAGE_LIMIT may make pages shorter than the contract allows.
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
        raise InvalidParameters(("cursor", "the cursor belongs to another list: use meta.next_cursor of this one", cursor))
    return Page(after, limit, scope)


def page_meta(
    request: Request, response: Response, page: Page, items: Sequence[Item], key: Callable[[Item], tuple[str, ...]]
) -> dict[str, object]:
    """Return the ``meta`` of a page and set its ``Link`` header.

    ``items``: one more than the limit when another page follows.
    """
    more = len(items) > page.limit
    shown = items[: page.limit]
    return sealed_meta(request, response, page, len(shown), key(shown[-1]) if more else None)


def sealed_meta(
    request: Request, response: Response, page: Page, count: int, after: tuple[str, ...] | None
) -> dict[str, object]:
    """Return the ``meta`` of a page of ``count`` items and set its ``Link`` header.

    ``after``: the sort key after which the next page begins; None on the last page.
    """
    secret = services(request).cursor_secret
    cursor = seal(secret, scope=page.scope, position=list(after)) if after is not None else None
    if cursor is not None:
        following = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return {"count": count, "limit": page.limit, "next_cursor": cursor}
