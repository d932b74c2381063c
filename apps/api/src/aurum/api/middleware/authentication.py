"""Who asks, and whether they may: 401 and 403 before anything is looked at."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS, problem_of
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import refuse
from aurum.api.routing.table import PolicyTable
from aurum.api.security.authenticator import Authenticator
from aurum.api.security.failed_attempts import FailedAttempts
from aurum.common.ratelimit import retry_after
from aurum.core.access import LOCAL, MissingScope
from aurum.core.errors import AurumError, Forbidden, RateLimited, Unauthenticated

_TENANT_HEADERS = (b"x-tenant-id", b"x-aurum-tenant")


class NoCredential(Unauthenticated):
    """Nobody says who they are."""


class OtherTenant(Forbidden):
    """A credential is of one tenant; a header may name that one and no other. Facts: ``tenant``."""


class Access:
    """Pure ASGI, by the policy of the route that a path leads to.

    ``attempts``: addresses that fail too often are refused without a look at their credential, unless it is known to be good.
    """

    def __init__(self, app: ASGIApp, policies: PolicyTable, attempts: FailedAttempts) -> None:
        self._app = app
        self._policies = policies
        self._attempts = attempts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        needed = self._policies.needed(scope["method"], scope["path"])
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
                if self._attempts.wait(state.address) > 0:
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
        wait = self._attempts.wait(state.address)
        if wait > 0:
            detail = "too many requests from this address could not say who they are"
            await refuse(scope, send, KINDS[RateLimited], detail, headers=(retry_after(wait),), retry_after=round(wait, 3))
            return
        self._attempts.failed(state.address)
        await _refuse(error, scope, receive, send)


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
