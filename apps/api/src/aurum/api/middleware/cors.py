"""Requests from pages of other origins (https://fetch.spec.whatwg.org/#http-cors-protocol), by Starlette's middleware."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from aurum.common.settings import ApiSettings

_SHOWN = (
    "Accept-Ranges", "Age", "Content-Disposition", "Content-Length", "Content-Range", "Deprecation", "ETag", "Link",
    "RateLimit", "RateLimit-Limit", "RateLimit-Policy", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Sunset",
    "Warning", "X-Cache", "X-Next-Cursor", "X-Prev-Cursor", "X-Request-Id", "X-Span-Id", "X-Trace-Id",
)  # fmt: skip
_SENT = (
    "Authorization", "X-API-Key", "X-Request-Id", "X-Tenant-ID", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range",
    "Range", "traceparent",
)  # fmt: skip


def cors(app: ASGIApp, settings: ApiSettings) -> ASGIApp:
    """Return the layer. It stands above authentication: a preflight request has no credential. Cookies are never allowed."""
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=_SENT,
        expose_headers=_SHOWN,
        max_age=settings.cors_max_age_s,
    )
