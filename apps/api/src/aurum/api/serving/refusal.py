"""Problem documents as the bytes of HTTP/1.1, for requests that the server refuses before any layer sees them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from http import HTTPStatus

import httptools
import orjson

from aurum.api.http.problems import MEDIA_TYPE, TYPES, Kind
from aurum.api.http.request_state import NOTHING_LOADED, HeaderList

_LONGEST_PATH = 200


class Unreadable(Exception):
    """A request that the server must not accept. The text says why and becomes the detail of the problem document."""


def refusal(kind: Kind, detail: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the response of a server that closes the connection after it.

    ``target``: path and query, as far as they were read. ``headers``: of every response.
    """
    request_id = secrets.token_hex(10)
    document = {
        "type": TYPES + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": target.partition(b"?")[0][:_LONGEST_PATH].decode("latin-1"),
        "request_id": request_id,
    }
    body = orjson.dumps(document)
    own: HeaderList = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", NOTHING_LOADED),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    status = b"HTTP/1.1 %d %s" % (kind.status, HTTPStatus(kind.status).phrase.encode())
    lines = [status, *(b"%s: %s" % pair for pair in (*own, *headers))]
    return b"\r\n".join((*lines, b"", body))


def check_head(method: bytes, version: str, headers: HeaderList, *, most: int) -> None:
    """Raise ``Unreadable`` for a head that the parser accepts and RFC 9112 (3.2) or RFC 9110 (9.3.6) does not.

    ``most``: header lines of a request.
    """
    if len(headers) > most:
        raise Unreadable(f"a request may have at most {most} header lines")
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1:
        raise Unreadable("the request has several Host headers")
    if not hosts and version not in ("0.9", "1.0"):
        raise Unreadable("the request has no Host header")
    if method == b"CONNECT":
        raise Unreadable("the service is not a proxy: CONNECT is not supported")


def reason_of(error: httptools.HttpParserError) -> str:
    """Return why the parser refuses a request. The text holds no part of the request."""
    cause = error.__context__
    if isinstance(cause, Unreadable):
        return str(cause)
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return "the method of the request is unknown"
    if isinstance(error, httptools.HttpParserInvalidURLError | httptools.HttpParserCallbackError):
        return "the target of the request is not a path"
    text = str(error)
    return f"the request is not valid HTTP/1.1: {text}" if text else "the request is not valid HTTP/1.1"
