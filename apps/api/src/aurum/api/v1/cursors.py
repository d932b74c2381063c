"""Cursors of v1: signed, good for an hour and for the filters they were made with, forwards and some pages back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import Query
from starlette.requests import Request

from aurum.api.handlers.services import services
from aurum.api.v1.problems import BadRequest
from aurum.common.cursor import ForgedCursor, seal, unseal

_GOOD_FOR_S = 3600
_BACK = 4
"""Pages that can be gone back from any page, where keys are not so long that fewer beginnings fit into a cursor."""
_LONGEST = 1_000
_NO_FILTERS = frozenset({"cursor", "since_cursor", "prev_cursor", "limit", "format", "offset"})

CursorParameter = Annotated[str | None, Query(max_length=_LONGEST, description="`meta.next_cursor` of the page before.")]
SinceCursor = Annotated[str | None, Query(max_length=_LONGEST, description="Another name of `cursor`.")]
PrevCursor = Annotated[str | None, Query(max_length=_LONGEST, description="`meta.prev_cursor` of the page after.")]

Position = tuple[str, ...]
"""The sort key of the last row before a page, as texts; empty before the first page."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a page and those before it begin, the page's own beginning last."""

    starts: tuple[Position, ...] = ((),)

    @property
    def after(self) -> Position:
        return self.starts[-1]

    def onwards(self, last: Position) -> Trail:
        """The trail of the page that begins after ``last``."""
        return Trail((*self.starts, last)[-_BACK - 1 :])

    def back(self) -> Trail | None:
        """The trail of the page before; None where that is not known."""
        return Trail(self.starts[:-1]) if len(self.starts) > 1 else None


def requested(request: Request, *cursors: str | None, width: int) -> Trail:
    """The page that the first cursor given stands for; the first page without one. Raises ``BadRequest``.

    ``width``: parts of a position.
    """
    text = next((cursor for cursor in cursors if cursor is not None), None)
    if text is None:
        return Trail()
    try:
        made, filters, *starts = unseal(services(request).cursor_secret, text, scope="v1")
    except (ForgedCursor, ValueError) as error:
        raise BadRequest("cursor", "Invalid cursor", text) from error
    if services(request).clock.now().timestamp() - float(made) > _GOOD_FOR_S:
        raise BadRequest("cursor", "Cursor has expired", text)
    if filters != _filters(request):
        raise BadRequest("cursor", "Cursor filters mismatch", text)
    trail = Trail(tuple(tuple(orjson.loads(start)) for start in starts))
    if len(trail.after) not in (0, width):
        raise BadRequest("cursor", "Invalid cursor", text)
    return trail


def sealed(request: Request, trail: Trail | None) -> str | None:
    """A cursor for a page, with as many of the pages before it as there is room for; None for none."""
    if trail is None:
        return None
    made, filters = str(int(services(request).clock.now().timestamp())), _filters(request)
    starts = [orjson.dumps(start).decode() for start in trail.starts]
    while True:
        cursor = seal(services(request).cursor_secret, scope="v1", position=[made, filters, *starts])
        if len(cursor) <= _LONGEST or len(starts) == 1:
            return cursor
        del starts[0]


def _filters(request: Request) -> str:
    given = sorted((name, value) for name, value in request.query_params.multi_items() if name not in _NO_FILTERS)
    return hashlib.blake2b(f"{request.url.path}?{urlencode(given)}".encode(), digest_size=8).hexdigest()
