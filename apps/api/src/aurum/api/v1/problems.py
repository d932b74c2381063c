"""Problem documents of version 1: RFC 7807 with absolute types, 400 where version 2 answers 422, and a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.http.problems import MEDIA_TYPE, field_of, json_bytes, message_of, problem_of
from aurum.api.http.request_state import state_of
from aurum.common.resilience.errors import Refused
from aurum.core.errors import AurumError, Forbidden, Invalid, NotFound, Unavailable

_TYPES = "https://api.aurum.com/problems/"
_STATUSES: Mapping[type[AurumError], tuple[int, str, str]] = {
    Invalid: (400, "validation-error", "Validation error"),
    NotFound: (404, "not-found", "Not found"),
    Forbidden: (403, "forbidden", "Forbidden"),
}
_CONSTRAINTS = {
    "missing": "required",
    "greater_than_equal": "min",
    "less_than_equal": "max",
    "string_too_short": "length",
    "string_too_long": "length",
    "string_pattern_mismatch": "pattern",
    "enum": "enum",
    "literal_error": "enum",
}


class BadRequest(Invalid):
    """A parameter cannot be used. Facts: ``errors``."""

    def __init__(self, field: str, message: str, value: object = None, *, code: str = "invalid_value") -> None:
        error = {"field": field, "message": message, "value": value, "code": code, "constraint": "custom"}
        super().__init__(message, errors=[error])


_SCHEMA: Mapping[str, Any] = {
    "title": "V1Problem",
    "description": "RFC 7807. A request that is refused before it reaches a route gets a document without `timestamp`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": [f"{_TYPES}validation-error"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "value": {},
                    "code": {"type": "string"},
                    "constraint": {
                        "type": "string",
                        "enum": [
                            "required", "type", "format", "min", "max", "length", "pattern", "enum", "unique", "custom",
                        ],
                    },
                },
            },
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    status: int
    type: str
    title: str


class V1Route(APIRoute):
    """A route whose expected failures become problem documents of version 1; other failures are those of the whole service."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _problem(request, _Kind(400, f"{_TYPES}validation-error", "Validation error"), *_validation(error))
            except (Invalid, NotFound, Forbidden) as error:
                status, name, title = next(_STATUSES[base] for base in type(error).__mro__ if base in _STATUSES)
                return _problem(request, _Kind(status, _TYPES + name, title), error.detail, _facts(error))
            except (Unavailable, Refused) as error:
                return _unavailable(request, error)

        return handled


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route of version 1: its own failures and those of the layers around it."""
    every = sorted({400, 401, 403, 413, 414, 429, 500, 503, *statuses})
    return {status: {"description": "A problem", "content": {MEDIA_TYPE: {"schema": dict(_SCHEMA)}}} for status in every}


def _problem(request: Request, kind: _Kind, detail: str, facts: Mapping[str, object]) -> Response:
    document = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": state_of(request.scope).request_id,
        "timestamp": services(request).clock.now().isoformat().replace("+00:00", "Z"),
        **facts,
    }
    return Response(json_bytes(document), kind.status, media_type=MEDIA_TYPE)


def _unavailable(request: Request, error: Unavailable | Refused) -> Response:
    """Answer 503 with the document of version 1; log line and ``Retry-After`` are those of version 2."""
    known = error if isinstance(error, Unavailable) else Unavailable(error.detail, retry_after=error.retry_after)
    logged = problem_of(request, known)
    response = _problem(request, _Kind(503, f"{_TYPES}service-unavailable", "Service unavailable"), known.detail, known.facts)
    if "retry-after" in logged.headers:
        response.headers["Retry-After"] = logged.headers["retry-after"]
    return response


def _validation(error: RequestValidationError) -> tuple[str, Mapping[str, object]]:
    errors = [
        {
            "field": field_of(one),
            "message": message_of(one),
            "value": str(one.get("input"))[:200],
            "code": "missing_field" if one["type"] == "missing" else "invalid_value",
            "constraint": _CONSTRAINTS.get(one["type"], "type" if one["type"].endswith("_parsing") else "format"),
        }
        for one in error.errors()
    ]
    return "; ".join(f"{one['field']}: {one['message']}" for one in errors), {"errors": errors}


def _facts(error: AurumError) -> Mapping[str, object]:
    """Return the facts of an error as version 1 writes them: each wrong field has a code and a constraint."""
    facts = dict(error.facts)
    errors = facts.get("errors")
    if isinstance(errors, list):
        facts["errors"] = [{"code": "invalid_value", "constraint": "custom", **one} for one in errors]
    return facts
