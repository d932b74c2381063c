"""Who does something, for the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.services.audit import record
from aurum.storage.ports.access import Actor


def actor_of(request: Request) -> Actor:
    """Who sends a request."""
    state = state_of(request.scope)
    return Actor(state.caller.subject, state.caller.tenant, state.request_id, state.address)


async def on_record(request: Request, action: str, target: str, detail: Mapping[str, object]) -> None:
    """Record what is about to be changed outside the store, and then change it: nothing is done that is not on record.

    What is changed in the store is recorded there, in one transaction.
    """
    await record(services(request).store.transactions, action, target, detail, by=actor_of(request))
