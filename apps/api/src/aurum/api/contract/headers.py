"""Headers that the layers read from every request and add to every response, described once for the OpenAPI document."""

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
        "description": (
            "Id of the request, repeated in the response and in the log: up to 128 letters, digits and `. _ : -`. "
            "Without a valid id the service makes one."
        ),
        "schema": _TEXT,
        "example": "desk-7.morning-run",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` of a response that the client has: the status is 304 while it is current.",
        "schema": _TEXT,
        "example": '"9f86d081884c7d659a2feaa0"',
    },
    "Range": {
        "name": "Range",
        "in": "header",
        "required": False,
        "description": (
            "A range of bytes of a data file (CSV, NDJSON, Arrow or Parquet): `bytes=0-99`, `bytes=100-` or `bytes=-100`. All "
            "ranges that a credential requests of one address within a minute are parts of one state of the data. Several "
            "ranges at once, other units and ranges of JSON are ignored."
        ),
        "schema": _TEXT,
        "example": "bytes=0-1048575",
    },
    "IfRange": {
        "name": "If-Range",
        "in": "header",
        "required": False,
        "description": "The `ETag` of a part that the client has: other bytes are sent whole, with status 200.",
        "schema": _TEXT,
        "example": '"01fb93e0df0e2ef00d54e3ad73f0350d"',
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` of a part that the client has: the status is 412 when the bytes are others.",
        "schema": _TEXT,
        "example": '"01fb93e0df0e2ef00d54e3ad73f0350d"',
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            "A key chosen by the client, 1 to 255 visible characters. A repetition within 24 hours gets the stored response. "
            "Responses with status 500 or above, or longer than 1 MiB, are not stored, and the request is carried out again; "
            "a response that held a secret is replaced by 409."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
}

RESPONSE: Mapping[str, Mapping[str, Any]] = {
    "X-Request-Id": {"description": "Id of the request, as it appears in the log of the service.", "schema": _TEXT},
    "RateLimit-Limit": {
        "description": "Requests allowed in the window that has the fewest left; only for callers with a rate plan.",
        "schema": _COUNT,
    },
    "RateLimit-Remaining": {"description": "Requests left in that window.", "schema": _COUNT},
    "RateLimit-Reset": {"description": "Seconds until that window allows all of its requests again.", "schema": _COUNT},
    "RateLimit-Policy": {
        "description": "All windows of the plan, in the form of draft-ietf-httpapi-ratelimit-headers.",
        "schema": _TEXT,
    },
    "Retry-After": {"description": "Seconds after which the same request may succeed.", "schema": {**_COUNT, "minimum": 1}},
    "WWW-Authenticate": {"description": "`Bearer`: the request needs an API key or a token.", "schema": _TEXT},
    "ETag": {
        "description": "Tag of the data version, query, format and content coding of the response; for `If-None-Match`.",
        "schema": _TEXT,
    },
    "Cache-Control": {"description": "How long clients and proxies may cache the response.", "schema": _TEXT},
    "Vary": {"description": "The request headers that the response depends on.", "schema": _TEXT},
    "X-Cache": {
        "description": (
            "`hit`: sent from the response cache; `stale`: cached and out of date; `spool`: sent from the file of an earlier "
            "HEAD or Range; `miss`: made for this request."
        ),
        "schema": _TEXT,
    },
    "Age": {"description": "Seconds since a cached response was made.", "schema": _COUNT},
    "Warning": {"description": "110: the store does not answer, and the cached response may be out of date.", "schema": _TEXT},
    "Accept-Ranges": {"description": "`bytes`: the answer is a file, and `Range` may request parts of it.", "schema": _TEXT},
    "Content-Range": {"description": "The bytes that the answer has, and the length of the file.", "schema": _TEXT},
    "Link": {"description": '`rel="next"`: the next page of the list.', "schema": _TEXT},
    "Idempotent-Replayed": {
        "description": (
            "`true`: this is the response to the first request with this `Idempotency-Key`. `not-kept`: this response is too "
            "long to be stored, so a repetition is carried out again."
        ),
        "schema": _TEXT,
    },
}

_EVERY = ("X-Request-Id",)
_LIMITED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
_CACHING = ("ETag", "Cache-Control", "Vary", "X-Cache", "Age", "Warning")
_BY_STATUS = {
    "206": ("Accept-Ranges", "Content-Range"),
    "416": ("Content-Range",),
    "401": ("WWW-Authenticate",),
    "429": (*_LIMITED, "Retry-After"),
    "503": ("Retry-After",),
}


def document_headers(document: dict[str, Any], tagged_paths: Collection[str]) -> None:
    """Add the headers of requests and responses to an OpenAPI document. ``tagged_paths``: paths whose responses have a tag."""
    components = document.setdefault("components", {})
    components["parameters"] = {name: dict(one) for name, one in REQUEST.items()}
    components["headers"] = {name: dict(one) for name, one in RESPONSE.items()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _document_operation(operation, method, is_tagged=path in tagged_paths and method == "get")


def _document_operation(operation: dict[str, Any], method: str, *, is_tagged: bool) -> None:
    request_headers = ["RequestId"]
    responses: dict[str, dict[str, Any]] = operation["responses"]
    if is_tagged:
        request_headers.append("IfNoneMatch")
        responses.setdefault("304", {"description": "Not modified: `If-None-Match` names the current `ETag`"})
    if "206" in responses:
        request_headers += ["Range", "IfRange", "IfMatch"]
    if method == "post":
        request_headers.append("IdempotencyKey")
        responses.setdefault("409", problems(Conflict)[409])
    if "requestBody" in operation:
        responses.setdefault("408", problems(also=(408,))[408])
    operation["parameters"] = [
        *operation.get("parameters", []),
        *({"$ref": f"#/components/parameters/{name}"} for name in request_headers),
    ]
    is_paged = any(one.get("name") == "cursor" for one in operation["parameters"])
    for status, response in responses.items():
        is_success = status < "400"
        names = [*_EVERY, *_BY_STATUS.get(status, ()), *(_LIMITED if is_success and operation.get("security") else ())]
        names += _CACHING if is_tagged and is_success else ()
        names += ("Link",) if is_paged and status == "200" else ()
        names += ("Idempotent-Replayed",) if method == "post" and is_success else ()
        response["headers"] = response.get("headers", {}) | {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    operation["responses"] = dict(sorted(responses.items()))
