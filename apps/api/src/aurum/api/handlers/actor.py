"""The actor of a request, for the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.services.audit import record
from aurum.storage.ports.access import Actor


def actor_of(request: Request) -> Actor:
    """Return the actor who sends a request."""
    state = state_of(request.scope)
    caller = state.caller
    return Actor(caller.subject, caller.tenant, state.request_id, state.address, caller.person)


async def on_record(request: Request, action: str, target: str, detail: Mapping[str, object]) -> None:
    """Write the audit record of a change outside the store. Call it before the change, so that no change lacks its record.

    Changes of the store are recorded there, in the same transaction.
    """
    await record(services(request).store.transactions, action, target, detail, by=actor_of(request))
