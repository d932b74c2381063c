"""Failures as RFC 9457 problem documents: one table from the error taxonomy to status, type and title."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from aurum.api.http.request_state import state_of
from aurum.common.resilience.errors import Refused
from aurum.core.errors import (
    AurumError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from aurum.core.errors import InvalidParameters as InvalidParameters  # handlers import their errors from here

MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
"""Prefix of problem types, which are addresses relative to the service; each shows its page of ``contracts/problems``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The HTTP form of an error class: status, last part of the problem type, and title."""

    status: int
    name: str
    title: str


KINDS: Mapping[type[AurumError], Kind] = {
    Invalid: Kind(422, "invalid", "The request is invalid"),
    NotFound: Kind(404, "not-found", "Not found"),
    Gone: Kind(410, "gone", "No longer available"),
    Conflict: Kind(409, "conflict", "The request conflicts with the current state"),
    Unauthenticated: Kind(401, "unauthenticated", "Unauthorized: no valid API key or token"),
    Forbidden: Kind(403, "forbidden", "Forbidden"),
    RateLimited: Kind(429, "rate-limited", "Too many requests"),
    Unavailable: Kind(503, "unavailable", "The service is temporarily unavailable"),
}
_NOT_ACCEPTABLE = Kind(406, "not-acceptable", "No acceptable format")
_PRECONDITION = Kind(412, "precondition-failed", "Precondition failed: the resource has changed")
_METHOD = Kind(405, "method-not-allowed", "Method not allowed")
BAD_REQUEST = Kind(400, "bad-request", "The request is not valid HTTP")
REQUEST_TIMEOUT = Kind(408, "request-timeout", "The request did not arrive in time")
BODY_TOO_LARGE = Kind(413, "body-too-large", "The request body is too large")
URL_TOO_LONG = Kind(414, "url-too-long", "The request URL is too long")
_ANSWER_TOO_LARGE = Kind(413, "answer-too-large", "The answer is too large for HEAD and Range")
_RANGE = Kind(416, "range-not-satisfiable", "The requested range begins beyond the end")
_BUG = Kind(500, "internal", "Internal server error")
_BY_STATUS = {
    kind.status: kind
    for kind in (
        *KINDS.values(),
        BAD_REQUEST,
        _NOT_ACCEPTABLE,
        _METHOD,
        REQUEST_TIMEOUT,
        _PRECONDITION,
        BODY_TOO_LARGE,
        URL_TOO_LONG,
        _RANGE,
        _BUG,
    )
}

ALL_KINDS = (*_BY_STATUS.values(), _ANSWER_TOO_LARGE)
"""Every kind of problem document this service sends; each has a page."""

_log = structlog.get_logger(__name__)


class NotAcceptable(Invalid):
    """None of the formats that the client accepts is available. Facts: ``offered``."""


class PreconditionFailed(Conflict):
    """``If-Match`` names another version than the current one."""


class AnswerTooLarge(Invalid):
    """An answer is longer than the file from which HEAD and Range are served may be. Facts: ``limit``, bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the answer has more than {limit:,} bytes, the most that HEAD and Range serve: send a GET without Range, which "
            "streams an answer of any length, or request less",
            limit=limit,
        )
        self.limit = limit


class RangeNotSatisfiable(Invalid):
    """A range begins beyond the end. Facts: ``length``, bytes of the whole answer."""


_SPECIAL: Mapping[type[AurumError], Kind] = {
    NotAcceptable: _NOT_ACCEPTABLE,
    PreconditionFailed: _PRECONDITION,
    AnswerTooLarge: _ANSWER_TOO_LARGE,
    RangeNotSatisfiable: _RANGE,
}
"""Errors of HTTP alone, each with a form of its own."""


def kind_of(error: AurumError) -> Kind:
    """Return the HTTP form of an error, by the nearest of its bases in ``KINDS``."""
    for base in type(error).__mro__:
        if (kind := _SPECIAL.get(base) or KINDS.get(base)) is not None:
            return kind
    raise TypeError(f"{type(error).__name__} has no HTTP form")


def problem(request: Request, kind: Kind, detail: str, facts: Mapping[str, object] | None = None) -> Response:
    """Return the problem document of a failure as a response."""
    document = {
        "type": TYPES + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": state_of(request.scope).request_id if "aurum" in request.scope else "",
        **(facts or {}),
    }
    return Response(json_bytes(document), kind.status, media_type=MEDIA_TYPE)


def json_bytes(document: Mapping[str, object]) -> bytes:
    """Return JSON of a document that may hold values of the request, also half a surrogate pair or a number of 100 digits."""
    try:
        return orjson.dumps(document, default=str)
    except orjson.JSONEncodeError:
        return json.dumps(document, default=str).encode()


def install(app: FastAPI) -> None:
    """Install the handlers that turn every failure of an application into a problem document."""
    app.add_exception_handler(AurumError, _on_aurum_error)
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_bug)


_ALWAYS = frozenset({401, 403, 413, 414, 422, 429, 500, 503})
_PARAMETER = re.compile(r"\{[^}]*\}")
"""A parameter in the path of a route."""


def problems(*bases: type[AurumError], also: tuple[int, ...] = ()) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that can fail with these errors.

    The statuses of layers, and 422, 500 and 503, are possible on every route. ``also``: further statuses.
    """
    statuses = {KINDS[base].status for base in bases} | _ALWAYS | set(also)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _BY_STATUS[status].title,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted(statuses)
    }


PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. Further members hold facts about the error, such as `nearest` or `errors`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "nearest": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Valid names similar to the one in the request.",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}, "value": {}},
            },
        },
    },
}


def problem_of(request: Request, error: AurumError) -> Response:
    """Return the response for an expected failure; layers send it as well when they refuse a request."""
    kind = kind_of(error)
    response = problem(request, kind, error.detail, error.facts)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    if kind.status >= 500:
        _log.warning("unavailable", detail=error.operator_detail, cause=repr(error.__cause__))
    return response


def refusal_of(request: Request, error: Refused) -> Response:
    """Return the response for a call that a circuit breaker, bulkhead or timeout refused."""
    return problem_of(request, Unavailable(error.detail, retry_after=error.retry_after))


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal_of(request, error)


async def _on_aurum_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AurumError)
    return problem_of(request, error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = wrong_fields(error.errors())
    detail = "; ".join(f"{entry['field']}: {entry['message']}" for entry in errors)
    return problem(request, KINDS[Invalid], detail, {"errors": errors})


def wrong_fields(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Return the errors of Pydantic as a problem document has them: ``field``, ``message`` and ``value`` of each.

    ``field``: the path of a member in the body, or the name of a parameter; ``body`` for the body itself.
    """
    return [{"field": field_of(entry), "message": message_of(entry), "value": _short(entry.get("input"))} for entry in entries]


def field_of(entry: Mapping[str, Any]) -> str:
    """Return the path of the member of a body, or the name of the parameter, that an error of Pydantic is about."""
    place: Sequence[str | int] = entry["loc"]
    if entry["type"] == "json_invalid":
        return str(place[0])  # its second part is the number of a character
    # Pydantic adds this part where the name of a member is wrong, and not its value.
    named = place[:-1] if place[-1] == "[key]" else place
    return ".".join(map(str, named[1:])) or str(named[0])


def message_of(entry: Mapping[str, Any]) -> str:
    """Return what is wrong, of an error of Pydantic."""
    facts = entry.get("ctx", {})
    match entry["type"]:
        case "json_invalid":
            return f"is not JSON: {facts['error']} at character {entry['loc'][-1]}"
        case _ if isinstance(entry.get("input"), bytes):  # FastAPI reads no body as JSON that is not said to be
            return "must be JSON, sent with the header Content-Type: application/json"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "must be an object"
        case "too_short":
            return f"must have at least {_counted(facts['min_length'])}, and has {facts['actual_length'] or 'none'}"
        case "too_long" if facts["actual_length"] is not None:
            return f"may have at most {_counted(facts['max_length'])}, and has {facts['actual_length']:,}"
        case _:
            return str(entry["msg"]).removeprefix("Value error, ")


def _counted(number: int) -> str:
    return f"{number:,} {'item' if number == 1 else 'items'}"


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # FastAPI says 400 for a body that cannot be decoded; here it is invalid like any other wrong body.
        return problem_of(request, InvalidParameters(("body", f"cannot be read: {_unreadable(error)}", None)))
    kind = _BY_STATUS.get(error.status_code, Kind(error.status_code, "http", "The request was refused"))
    detail = "no resource at this path" if error.status_code == 404 else str(error.detail)
    response = problem(request, kind, detail)
    for name, value in (error.headers or {}).items():
        response.headers[name] = _allowed(request) if name == "Allow" else value
    return response


def _unreadable(error: HTTPException) -> str:
    match error.__cause__:
        case RecursionError():
            return "its values are nested too deeply"
        case UnicodeDecodeError():
            return "JSON is UTF-8, and it is not"
        case ValueError():
            return "a number in it has too many digits"
        case _:
            return str(error.detail)


def bug_response(request: Request, error: Exception) -> Response:
    """Return the response for an unexpected error, and log the error."""
    _log.error("bug", exc_info=error, path=request.url.path)
    return problem(request, _BUG, "an unexpected error; its details are in the log of the service under this request id")


async def _on_bug(request: Request, error: Exception) -> Response:
    return bug_response(request, error)


def _allowed(request: Request) -> str:
    """Return the methods of a path: those of its routes, and HEAD wherever there is GET (``middleware.head``).

    Its routes have the most specific path that matches, which is the one with the longest fixed text: ``/v2/jobs/queues`` is
    not a job, though ``/v2/jobs/{job_id}`` matches, and ``/v2/curves/sets/a:submit`` is not a set.
    """
    matching = [
        route for route in request.app.routes if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    path = max((route.path for route in matching), key=lambda path: len(_PARAMETER.sub("", path)), default="")
    methods = {method for route in matching if route.path == path for method in route.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _short(value: object) -> object:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)[:200]  # JSON writers stop at 64 bits
    return value if isinstance(value, int | float | bool | None) else re.sub(r"\s+", " ", str(value))[:200]
