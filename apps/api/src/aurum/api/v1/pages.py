"""Pages of lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Query
from starlette.requests import Request

from aurum.api.v1.cursors import Cursors, Position, Trail, unsealed

Item = TypeVar("Item")
Row = Mapping[str, object]

Limit = Annotated[int, Query(ge=1, le=1000, description="Largest number of rows of a page.")]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page a client asks for. ``offset``: rows to leave out before the first page."""

    trail: Trail
    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a requested page. ``following``: the trail of the next page; None on the last. ``total``: rows of all pages;
    None where counting them would cost more than the page. ``offset``: None for lists without one.
    """

    rows: Sequence[Row]
    requested: PageRequest
    following: Trail | None
    total: int | None = None
    offset: int | None = None


def requested_page(request: Request, cursors: Cursors, limit: int, *, width: int, offset: int = 0) -> PageRequest:
    """Return the page a client asks for. ``width``: parts of the list's sort key. Raises ``BadRequest``.

    A cursor says where its page begins, so an offset counts for the first page only.
    """
    trail = unsealed(request, cursors, width=width)
    return PageRequest(trail, limit, 0 if trail.after else offset)


def page_of_all(
    items: Sequence[Item], requested: PageRequest, *, key: Callable[[Item], Position], row: Callable[[Item], Row]
) -> Page:
    """Return the requested page of a whole list, which ascends by ``key``."""
    left = [item for item in items if key(item) > requested.trail.after]
    page = page_of_rest(left, requested, key=key, row=row)
    return Page(page.rows, requested, page.following, total=len(items))


def page_of_rest(
    items: Sequence[Item], requested: PageRequest, *, key: Callable[[Item], Position], row: Callable[[Item], Row]
) -> Page:
    """Return the requested page from the items behind its beginning; more items than its limit mean that a page follows."""
    shown = items[: requested.limit]
    following = requested.trail.onwards(key(shown[-1])) if len(items) > requested.limit else None
    return Page([row(item) for item in shown], requested, following)
