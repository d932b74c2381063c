"""Failures as v1 told them: RFC 7807 with absolute types, 400 where today's surface says 422, and a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.http.problems import MEDIA_TYPE, json_bytes, problem_of
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


class NotYet(Exception):
    """A promise of v1 that today's service does not keep yet. The text says which."""


class BadRequest(Invalid):
    """A parameter is wrong. Facts: ``errors``."""

    def __init__(self, field: str, message: str, value: object = None, *, code: str = "invalid_value") -> None:
        error = {"field": field, "message": message, "value": value, "code": code, "constraint": "custom"}
        super().__init__(message, errors=[error])


_SCHEMA: Mapping[str, Any] = {
    "title": "V1Problem",
    "description": "RFC 7807. What is refused before it comes to a route has no `timestamp`.",
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
    """Lets the expected failures of a handler become v1's problems. Others are those of the whole service."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _problem(request, _Kind(400, f"{_TYPES}validation-error", "Validation error"), *_validation(error))
            except NotYet as error:
                return _problem(request, _Kind(501, "about:blank", "Not implemented"), str(error), {})
            except (Invalid, NotFound, Forbidden) as error:
                status, name, title = next(_STATUSES[base] for base in type(error).__mro__ if base in _STATUSES)
                return _problem(request, _Kind(status, _TYPES + name, title), error.detail, _told(error))
            except (Unavailable, Refused) as error:
                return _unavailable(request, error)

        return handled


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route of v1: its own failures and those of the layers around it."""
    own = dict.fromkeys(sorted({400, 401, 403, 413, 414, 429, 500, 503, *statuses}))
    return {status: {"description": "A problem", "content": {MEDIA_TYPE: {"schema": dict(_SCHEMA)}}} for status in own}


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
    """As today's surface answers it, with v1's document."""
    known = error if isinstance(error, Unavailable) else Unavailable(error.detail, retry_after=error.retry_after)
    today = problem_of(request, known)
    told = _problem(request, _Kind(503, f"{_TYPES}service-unavailable", "Service unavailable"), known.detail, known.facts)
    if "retry-after" in today.headers:
        told.headers["Retry-After"] = today.headers["retry-after"]
    return told


def _validation(error: RequestValidationError) -> tuple[str, Mapping[str, object]]:
    found = [
        {
            "field": ".".join(map(str, one["loc"][1:])),
            "message": one["msg"].removeprefix("Value error, "),
            "value": str(one.get("input"))[:200],
            "code": "missing_field" if one["type"] == "missing" else "invalid_value",
            "constraint": _CONSTRAINTS.get(one["type"], "type" if one["type"].endswith("_parsing") else "format"),
        }
        for one in error.errors()
    ]
    return "; ".join(f"{one['field']}: {one['message']}" for one in found), {"errors": found}


def _told(error: AurumError) -> Mapping[str, object]:
    """Facts in v1's shape: fields that today's surface names without a code get one."""
    facts = dict(error.facts)
    errors = facts.get("errors")
    if isinstance(errors, list):
        facts["errors"] = [{"code": "invalid_value", "constraint": "custom", **one} for one in errors]
    return facts
