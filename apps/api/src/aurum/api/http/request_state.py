"""What the layers of the service know of one request, in ``scope["aurum"]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope

from aurum.api.http.data_class import Caching
from aurum.core.access import LOCAL, Caller

HeaderList = list[tuple[bytes, bytes]]

NOTHING_LOADED = b"default-src 'none'; frame-ancestors 'none'"
"""What a browser may do with an answer when it is shown as a page."""


@dataclass(slots=True)
class RequestState:
    """Made by the outermost layer, filled by those below.

    ``started``: ``time.perf_counter`` seconds. ``begun``: likewise, of its answer; 0 before. ``given``: the request's headers
    ``by_name``, one of each name. ``deadline``: ``time.monotonic`` seconds by which an answer must be there. ``address``: of
    the caller, behind trusted proxies. ``headers``: that the answer shall bear besides its own. ``status``: of the answer; 0
    before it begins. ``route``: the template of the path; empty when none matched. ``slice``: the name of the slice.
    ``cache``: what the response cache had to say: ``hit``, ``stale``, ``joined`` (it waited for another request's answer),
    ``miss``, ``bypass``. ``caching``: what its handler said may be kept of the answer. ``content_policy``: the answer's
    Content-Security-Policy; pages of the docs say their own. ``holds_secret``: the answer holds one, and must be kept nowhere.
    ``trace_id``: of its trace, hexadecimal, where traces are sent. ``shows_errors_as_pages``: a browser asked, which gets
    errors as HTML pages.
    """

    request_id: str
    started: float
    given: Mapping[bytes, bytes]
    address: str = ""
    caller: Caller = LOCAL
    deadline: float = float("inf")
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 0
    begun: float = 0.0
    route: str = ""
    slice: str = ""
    cache: str = "bypass"
    caching: Caching | None = None
    content_policy: bytes = NOTHING_LOADED
    holds_secret: bool = False
    trace_id: str = ""
    shows_errors_as_pages: bool = False

    def log_fields(self) -> Mapping[str, str]:
        """What each line that is logged for this request bears, also by layers outside of its span."""
        fields = {"request_id": self.request_id, "tenant": self.caller.tenant}
        return fields | {"trace_id": self.trace_id} if self.trace_id else fields


def by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name. One that was given twice is one list (RFC 9110, 5.3): whoever reads it reads the same of it."""
    given = dict(headers)
    if len(given) == len(headers):
        return given
    given.clear()
    for name, value in headers:
        given[name] = given[name] + b", " + value if name in given else value
    return given


def state_of(scope: Scope) -> RequestState:
    """The state of a request's scope."""
    return scope["aurum"]


def caller_of(request: Request) -> Caller:
    """Who asks."""
    return state_of(request.scope).caller
