"""Who asks, and whether they may: 401 and 403 before anything is looked at."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS, problem_of
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import refuse
from aurum.api.security.authenticator import Authenticator
from aurum.api.security.failed_attempts import FailedAttempts
from aurum.common.ratelimit import retry_after
from aurum.core.access import LOCAL, MissingScope, Permission
from aurum.core.errors import AurumError, Forbidden, RateLimited, Unauthenticated

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TENANT_HEADERS = (b"x-tenant-id", b"x-aurum-tenant")


class NoCredential(Unauthenticated):
    """Nobody says who they are."""


class OtherTenant(Forbidden):
    """A credential is of one tenant; a header may name that one and no other. Facts: ``tenant``."""


Rule = tuple[Permission | None, Permission | None]
"""What safe methods and the others need; None: nobody is asked."""


class Access:
    """Pure ASGI. ``rules``: by the first segments of a path, the longest that fits counts.

    A path that no rule knows is asked for a credential like any other, so that strangers learn of no path. ``strangers``:
    addresses that fail too often are refused without a look at what they send, unless it is known to be good.
    """

    def __init__(self, app: ASGIApp, rules: Mapping[tuple[str, ...], Rule], strangers: FailedAttempts) -> None:
        self._app = app
        self._strangers = strangers
        self._rules = dict(rules)
        self._depths: Sequence[int] = sorted({len(prefix) for prefix in rules}, reverse=True)
        self._unknown: Rule = (Permission.CATALOG_READ, Permission.ADMIN_WRITE)
        self._found: dict[str, Rule] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reads, writes = self._rule(scope["path"])
        needed = reads if scope["method"] in _SAFE else writes
        if needed is None:
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        given = state.given
        authenticator: Authenticator = scope["state"]["authenticator"]
        value = given.get(b"authorization") or given.get(b"x-api-key")
        if value is None:
            if authenticator.required:
                error = NoCredential("say who you are: Authorization: Bearer <API key or token>")
                await self._refuse_stranger(error, state, scope, receive, send)
                return
            state.caller = LOCAL
        else:
            found = authenticator.remembered(value)
            if found is None or found.until < time.monotonic():
                if self._strangers.wait(state.address) > 0:
                    await self._refuse_stranger(NoCredential("no"), state, scope, receive, send)
                    return
                try:
                    found = await authenticator.caller(value)
                except AurumError as error:
                    await _refuse(error, scope, receive, send)
                    return
            if found.caller is None:
                await self._refuse_stranger(found.error or NoCredential("no"), state, scope, receive, send)
                return
            state.caller = found.caller
            authenticator.note(found)
        if needed not in state.caller.scopes:
            await _refuse(MissingScope(needed), scope, receive, send)
            return
        if not _names_only(given, state.caller.tenant):
            await _refuse(OtherTenant("the credential is of another tenant", tenant=state.caller.tenant), scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _refuse_stranger(
        self, error: Unauthenticated | Forbidden, state: RequestState, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Say no for this reason, or that there were too many of them from there."""
        wait = self._strangers.wait(state.address)
        if wait > 0:
            detail = "too many requests from this address could not say who they are"
            await refuse(scope, send, KINDS[RateLimited], detail, headers=(retry_after(wait),), retry_after=round(wait, 3))
            return
        self._strangers.failed(state.address)
        await _refuse(error, scope, receive, send)

    def _rule(self, path: str) -> Rule:
        parts = path.split("/", 5)
        key = "/".join(parts[1:4])
        rule = self._found.get(key)
        if rule is None:
            rule = self._look_up(tuple(parts[1:4]))
            if len(self._found) < 1_000:
                self._found[key] = rule
        return rule

    def _look_up(self, parts: tuple[str, ...]) -> Rule:
        for depth in self._depths:
            rule = self._rules.get(parts[:depth])
            if rule is not None and len(parts) >= depth:
                return rule
        return self._unknown


def _names_only(given: Mapping[bytes, bytes], tenant: str) -> bool:
    for header in _TENANT_HEADERS:
        named = given.get(header)
        if named is not None and named.decode("latin-1") != tenant:
            return False
    return True


async def _refuse(error: AurumError, scope: Scope, receive: Receive, send: Send) -> None:
    response: Response = problem_of(Request(scope), error)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="aurum"'
    await response(scope, receive, send)
