"""The feature flag ``v1``: version 1 on or off, tenant by tenant."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from aurum.api.handlers.flags import context_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import problem_of
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.lifecycle import GUIDE, PREFIX, leave_out_lifecycle
from aurum.core.access import Permission
from aurum.core.errors import NotFound

FLAG = "v1"


class SwitchedOff(NotFound):
    """Version 1 is switched off for a tenant. Facts: ``tenant``, ``guide``."""

    def __init__(self, tenant: str) -> None:
        detail = f"version 1 of the API is switched off for tenant {tenant!r}; {GUIDE} says which path of version 2 to use"
        super().__init__(detail, tenant=tenant, guide=GUIDE)


class OffSwitch(BaseRoute):
    """Answers 404 to every request for version 1 from a tenant whose flag is off; it matches no other request.

    A route and not a layer, so that requests for version 2, whose routes are looked through before, do not pay for it. It
    stands before the other routes of version 1. The response cache answers before any route does, so answers of version 1 are
    never cached.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX) or is_on(Request(scope)):
            return Match.NONE, {}
        return Match.FULL, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        leave_out_lifecycle(scope)
        response = problem_of(request, SwitchedOff(caller_of(request).tenant))
        await response(scope, receive, send)


def is_on(request: Request) -> bool:
    """Return whether version 1 answers this client: true while the flag is missing or was never read."""
    return services(request).flags.client.get_boolean_value(FLAG, True, context_of(caller_of(request)))


router = FeatureRouter(reads=Policy(Permission.CATALOG_READ))
router.routes.append(OffSwitch())
