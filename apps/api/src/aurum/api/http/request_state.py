"""The state of one request that layers and handlers share, in ``scope["aurum"]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope

from aurum.api.http.data_class import Caching
from aurum.core.access import LOCAL, Caller

HeaderList = list[tuple[bytes, bytes]]

NOTHING_LOADED = b"default-src 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of a response that is not a page: a browser that shows it loads nothing."""
_POLICY = b"content-security-policy"


def policy_for(headers: HeaderList, policy: bytes) -> HeaderList:
    """Return the header with a Content-Security-Policy for a response; none for one that has its own, as pictures do."""
    return [] if any(name == _POLICY for name, _ in headers) else [(_POLICY, policy)]


@dataclass(slots=True)
class RequestState:
    """The state of a request. The outermost layer makes it, those below fill it.

    ``started``, ``begun``: ``time.perf_counter`` seconds of the request and of the start of its response, 0 before.
    ``request_headers``: by name, as ``by_name`` returns them. ``deadline``: ``time.monotonic`` seconds by which the response
    must begin. ``address``: of the client, behind trusted proxies. ``headers``: headers to be added to the response.
    ``status``: of the response, 0 before it begins. ``route``: the template of the path, empty when no route matched.
    ``cache``: the result of the response cache: ``hit``, ``stale``, ``joined`` (it waited for the response to another
    request), ``spool`` (sent from a spooled file), ``miss``, ``bypass``. ``caching``: how the response may be cached, as its
    handler says. ``content_policy``: the Content-Security-Policy; pages have their own. ``holds_secret``: the response holds a
    secret and must not be stored. ``trace_id``: hexadecimal, where traces are sent. ``shows_errors_as_pages``: the client is
    a browser, which gets errors as HTML pages. ``is_listening``: the response has no end of its own, so it holds no place once
    it has begun. ``is_counted``: the request counts as usage of its caller, because no limit has refused it. ``points``:
    observations in the response. ``is_private``: the response is about private series of the caller's tenant, so no cache of
    this service may hold it. ``link``, ``signature``: id and signature of the link by which the request came, else empty.
    """

    request_id: str
    started: float
    request_headers: Mapping[bytes, bytes]
    address: str = ""
    caller: Caller = LOCAL
    deadline: float = float("inf")
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 0
    begun: float = 0.0
    route: str = ""
    cache: str = "bypass"
    caching: Caching | None = None
    content_policy: bytes = NOTHING_LOADED
    holds_secret: bool = False
    trace_id: str = ""
    shows_errors_as_pages: bool = False
    is_listening: bool = False
    is_counted: bool = False
    points: int = 0
    is_private: bool = False
    link: str = ""
    signature: str = ""

    def log_fields(self) -> Mapping[str, str]:
        """Return the fields of every log line of this request, also of layers outside of its span."""
        fields = {"request_id": self.request_id, "tenant": self.caller.tenant}
        if self.link and not self.signature:
            fields["link"] = self.link
        return fields | {"trace_id": self.trace_id} if self.trace_id else fields


def by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name. Values of a repeated name are joined to one list (RFC 9110, 5.3)."""
    values = dict(headers)
    if len(values) == len(headers):
        return values
    values.clear()
    for name, value in headers:
        values[name] = values[name] + b", " + value if name in values else value
    return values


def state_of(scope: Scope) -> RequestState:
    """Return the state of a request by its scope."""
    return scope["aurum"]


def caller_of(request: Request) -> Caller:
    """Return the caller of a request."""
    return state_of(request.scope).caller
