"""Authentication and permissions: 401 and 403 before the request is looked at."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS, problem_of
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import refuse
from aurum.api.routing.policy import Credential
from aurum.api.routing.table import PolicyTable
from aurum.api.security.authenticator import Authenticator, UnknownCredential
from aurum.api.security.failed_attempts import FailedAttempts
from aurum.api.security.links import LinkVerifier
from aurum.common.ratelimit import retry_after
from aurum.core.access import LOCAL, Caller, MissingScope
from aurum.core.errors import AurumError, Forbidden, RateLimited, Unauthenticated

_TENANT_HEADERS = (b"x-tenant-id", b"x-aurum-tenant")


class NoCredential(Unauthenticated):
    """A request without a credential."""


class OtherTenant(Forbidden):
    """A header names another tenant than that of the credential. Facts: ``tenant``."""


class Access:
    """Pure ASGI. Applies the policy of the route that a path leads to.

    ``attempts``: an address with too many failures gets 429 instead of 401; good credentials from it are served.
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
        caller = await self._identified(state, scope, receive, send)
        if caller is None:
            return
        state.caller = caller
        if not isinstance(needed, Credential) and needed not in caller.scopes:
            await _refuse(MissingScope(needed), scope, receive, send)
            return
        if not _names_only(state.request_headers, caller.tenant):
            await _refuse(
                OtherTenant("the request names another tenant than that of its credential", tenant=caller.tenant),
                scope,
                receive,
                send,
            )
            return
        state.is_counted = True
        await self._app(scope, receive, send)

    async def _identified(self, state: RequestState, scope: Scope, receive: Receive, send: Send) -> Caller | None:
        """Return the caller; None when the request has been refused."""
        authenticator: Authenticator = scope["state"]["authenticator"]
        if state.signature:
            return await self._by_link(state, scope, receive, send)
        value = state.request_headers.get(b"authorization") or state.request_headers.get(b"x-api-key")
        if value is None:
            if not authenticator.required:
                return LOCAL
            error = NoCredential("no API key or token: send Authorization: Bearer <API key or token>")
            await self._refuse_attempt(error, state, scope, receive, send)
            return None
        now = time.monotonic()
        if (caller := authenticator.admit(value, now)) is not None:
            return caller
        if (refusal := authenticator.refusal(value, now)) is not None:
            await self._refuse_attempt(refusal, state, scope, receive, send)
            return None
        try:
            if self._attempts.wait(state.address) > 0 and not authenticator.was_good(value):
                async with self._attempts.checks:
                    result = await authenticator.look_up(value)
            else:
                result = await authenticator.look_up(value)
        except AurumError as error:
            await _refuse(error, scope, receive, send)
            return None
        if result.caller is None:
            await self._refuse_attempt(
                result.error or UnknownCredential("the API key is unknown, expired or revoked"), state, scope, receive, send
            )
        return result.caller

    async def _by_link(self, state: RequestState, scope: Scope, receive: Receive, send: Send) -> Caller | None:
        """Return the caller of a request by a signed link; None when the request has been refused."""
        links: LinkVerifier = scope["state"]["links"]
        try:
            return await links.caller(scope, state)
        except Unauthenticated as error:
            await self._refuse_attempt(error, state, scope, receive, send)
        except AurumError as error:
            await _refuse(error, scope, receive, send)
        return None

    async def _refuse_attempt(
        self, error: Unauthenticated | Forbidden, state: RequestState, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Refuse a request for this reason, or because too many requests from its address have failed."""
        wait = self._attempts.wait(state.address)
        if wait > 0:
            await _refuse_too_many(wait, scope, send)
            return
        self._attempts.failed(state.address)
        await _refuse(error, scope, receive, send)


def _names_only(headers: Mapping[bytes, bytes], tenant: str) -> bool:
    for header in _TENANT_HEADERS:
        named = headers.get(header)
        if named is not None and named.decode("latin-1") != tenant:
            return False
    return True


async def _refuse_too_many(wait: float, scope: Scope, send: Send) -> None:
    detail = (
        f"too many requests from this address had no valid credential: wait {max(1, math.ceil(wait))} s, "
        "then send a valid API key or token"
    )
    await refuse(scope, send, KINDS[RateLimited], detail, headers=(retry_after(wait),), retry_after=round(wait, 3))


async def _refuse(error: AurumError, scope: Scope, receive: Receive, send: Send) -> None:
    response: Response = problem_of(Request(scope), error)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="aurum"'
    await response(scope, receive, send)
