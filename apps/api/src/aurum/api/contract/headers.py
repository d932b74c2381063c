"""Headers as openapi.json tells of them: what layers read of every request and write on every answer, said once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aurum.api.http.problems import problems
from aurum.core.errors import Conflict

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

REQUEST: Mapping[str, Mapping[str, Any]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "required": False,
        "description": "Comes back and stands in the log: up to 128 letters, digits and `. _ : -`; another one is replaced.",
        "schema": _TEXT,
        "example": "desk-7.morning-run",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` of an answer the caller has: 304 when it still stands.",
        "schema": _TEXT,
        "example": '"9f86d081884c7d659a2feaa0"',
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Sent again within 24 hours with the same body, the request is done once and answered twice.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
}

RESPONSE: Mapping[str, Mapping[str, Any]] = {
    "X-Request-Id": {"description": "Leads to what the service logged of the request.", "schema": _TEXT},
    "RateLimit-Limit": {"description": "Requests of the window that has the least left; to those on a plan.", "schema": _COUNT},
    "RateLimit-Remaining": {"description": "What is left of them.", "schema": _COUNT},
    "RateLimit-Reset": {"description": "Seconds until the window is full again.", "schema": _COUNT},
    "RateLimit-Policy": {"description": "All windows, as draft-ietf-httpapi-ratelimit-headers writes them.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds after which the same request may succeed.", "schema": {**_COUNT, "minimum": 1}},
    "WWW-Authenticate": {"description": "`Bearer`: an API key or a token is asked for.", "schema": _TEXT},
    "ETag": {"description": "Of everything the answer depends on, in its coding.", "schema": _TEXT},
    "Cache-Control": {"description": "What callers and proxies may keep.", "schema": _TEXT},
    "Vary": {"description": "The request headers the answer depends on.", "schema": _TEXT},
    "X-Cache": {"description": "`hit`, `miss`, `stale` or `bypass`.", "schema": _TEXT},
    "Age": {"description": "Seconds since a kept answer was made.", "schema": _COUNT},
    "Warning": {"description": "110: the store is away, and the answer may be out of date.", "schema": _TEXT},
    "Link": {"description": "`next`: the following page.", "schema": _TEXT},
    "Idempotent-Replayed": {"description": "`true`: the answer of the first request with this key.", "schema": _TEXT},
}

_EVERY = ("X-Request-Id",)
_LIMITED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
_KEPT = ("ETag", "Cache-Control", "Vary", "X-Cache", "Age", "Warning")
_BY_STATUS = {"401": ("WWW-Authenticate",), "429": (*_LIMITED, "Retry-After"), "503": ("Retry-After",)}


def say_headers(document: dict[str, Any], kept: Collection[str]) -> None:
    """Write into an OpenAPI document what headers operations take and give. ``kept``: paths whose answers have a tag."""
    components = document.setdefault("components", {})
    components["parameters"] = {name: dict(one) for name, one in REQUEST.items()}
    components["headers"] = {name: dict(one) for name, one in RESPONSE.items()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _say(operation, method, tagged=path in kept and method == "get")


def _say(operation: dict[str, Any], method: str, *, tagged: bool) -> None:
    taken = ["RequestId"]
    answers: dict[str, dict[str, Any]] = operation["responses"]
    if tagged:
        taken.append("IfNoneMatch")
        answers.setdefault("304", {"description": "The caller has the answer already (`If-None-Match`)"})
    if method == "post":
        taken.append("IdempotencyKey")
        answers.setdefault("409", problems(Conflict)[409])
    operation["parameters"] = [
        *operation.get("parameters", []),
        *({"$ref": f"#/components/parameters/{name}"} for name in taken),
    ]
    paged = any(one.get("name") == "cursor" for one in operation["parameters"])
    for status, answer in answers.items():
        good = status < "400"
        given = [*_EVERY, *_BY_STATUS.get(status, ()), *(_LIMITED if good and operation.get("security") else ())]
        given += _KEPT if tagged and good else ()
        given += ("Link",) if paged and status == "200" else ()
        given += ("Idempotent-Replayed",) if method == "post" and good else ()
        answer["headers"] = answer.get("headers", {}) | {name: {"$ref": f"#/components/headers/{name}"} for name in given}
    operation["responses"] = dict(sorted(answers.items()))
