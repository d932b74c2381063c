"""Routes that another one replaces: their responses say so in headers."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import Depends, params
from starlette.requests import Request

from aurum.api.http.request_state import state_of


def deprecated(*, since: datetime, ends: datetime, successor: str, guide: str) -> params.Depends:
    """Return the dependency of deprecated routes, which adds headers to each response that their handlers make or cause.

    ``since``: the deprecation (``Deprecation``, RFC 9745). ``ends``: the time from which the routes may be gone (``Sunset``,
    RFC 8594). ``successor``: path of what replaces them; ``guide``: path of the page that says how (``Link``).
    """
    links = f'<{successor}>; rel="successor-version", <{guide}>; rel="deprecation"; type="text/html"'
    headers = (
        (b"deprecation", f"@{int(since.timestamp())}".encode()),
        (b"sunset", format_datetime(ends.astimezone(UTC), usegmt=True).encode()),
        (b"link", links.encode()),
    )

    async def add_headers(request: Request) -> None:
        state = state_of(request.scope)
        state.headers = (*state.headers, *headers)

    return Depends(add_headers)
