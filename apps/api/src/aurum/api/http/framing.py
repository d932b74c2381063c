"""Framing of stored responses: how a client knows where the body ends."""

from __future__ import annotations

from http import HTTPStatus

from aurum.api.http.request_state import HeaderList

_FRAMING = (b"content-length", b"transfer-encoding")
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def framed(status: int, headers: HeaderList, size: int) -> HeaderList:
    """Return headers with the length of the body and no other framing (RFC 9112, 6.3).

    A streamed response has no length: the server sent it in chunks. Sent again in one piece without a length, it would last
    until the connection is closed.
    """
    others = [pair for pair in headers if pair[0].lower() not in _FRAMING]
    return others if status in _WITHOUT_BODY else [*others, (b"content-length", str(size).encode())]
