"""Cursors of version 1: signed, valid for an hour and for the filters they were made with, forwards and some pages back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from aurum.api.handlers.services import services
from aurum.api.v1.problems import BadRequest
from aurum.common.cursor import ForgedCursor, seal, unseal

CURSOR_NAMES = ("cursor", "since_cursor", "prev_cursor")

_VALID_S = 3600
_PAGES_BACK = 4
"""Pages that a cursor leads back to, at most: with long keys fewer beginnings fit into a cursor."""
_LONGEST = 1_000
_NO_FILTERS = frozenset({*CURSOR_NAMES, "limit", "format", "offset"})

Position = tuple[str, ...]
"""The sort key of the last row before a page, as texts; empty before the first page."""


class Cursors(BaseModel):
    """The cursor of a page under the three names of version 1; the first that is set counts."""

    model_config = ConfigDict(frozen=True)

    cursor: Annotated[str | None, Query(max_length=_LONGEST, description="`meta.next_cursor` of the previous page.")] = None
    since_cursor: Annotated[str | None, Query(max_length=_LONGEST, description="Another name of `cursor`.")] = None
    prev_cursor: Annotated[str | None, Query(max_length=_LONGEST, description="`meta.prev_cursor` of the following page.")] = (
        None
    )

    def text(self) -> str | None:
        """Return the cursor; None for the first page."""
        return next((text for text in (self.cursor, self.since_cursor, self.prev_cursor) if text is not None), None)


@dataclass(frozen=True, slots=True)
class Trail:
    """The beginnings of a page and of those before it; the page's own beginning is the last."""

    starts: tuple[Position, ...] = ((),)

    @property
    def after(self) -> Position:
        return self.starts[-1]

    def onwards(self, last: Position) -> Trail:
        """Return the trail of the page that begins after ``last``."""
        return Trail((*self.starts, last)[-_PAGES_BACK - 1 :])

    def back(self) -> Trail | None:
        """Return the trail of the previous page; None where its beginning is unknown."""
        return Trail(self.starts[:-1]) if len(self.starts) > 1 else None


def unsealed(request: Request, cursors: Cursors, *, width: int) -> Trail:
    """Return the trail of the requested page. ``width``: parts of a position. Raises ``BadRequest``."""
    text = cursors.text()
    if text is None:
        return Trail()
    service = services(request)
    try:
        made, filters, *starts = unseal(service.cursor_secret, text, scope="v1")
    except (ForgedCursor, ValueError) as error:
        raise BadRequest("cursor", "the cursor is invalid: start again without it", text) from error
    if service.clock.now().timestamp() - float(made) > _VALID_S:
        raise BadRequest("cursor", "the cursor is older than an hour: start again without it", text)
    if filters != _filters(request):
        raise BadRequest("cursor", "the cursor belongs to other filters: send those it was made with", text)
    trail = Trail(tuple(tuple(orjson.loads(start)) for start in starts))
    if len(trail.after) not in (0, width):
        raise BadRequest("cursor", "the cursor is invalid: start again without it", text)
    return trail


def sealed(request: Request, trail: Trail | None) -> str | None:
    """Return the cursor of a page, with as many of the previous pages as fit into it; None without a page."""
    if trail is None:
        return None
    service = services(request)
    made, filters = str(int(service.clock.now().timestamp())), _filters(request)
    starts = [orjson.dumps(start).decode() for start in trail.starts]
    while True:
        cursor = seal(service.cursor_secret, scope="v1", position=[made, filters, *starts])
        if len(cursor) <= _LONGEST or len(starts) == 1:
            return cursor
        del starts[0]


def _filters(request: Request) -> str:
    filters = sorted((name, value) for name, value in request.query_params.multi_items() if name not in _NO_FILTERS)
    return hashlib.blake2b(f"{request.url.path}?{urlencode(filters)}".encode(), digest_size=8).hexdigest()
