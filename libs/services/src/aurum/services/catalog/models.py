"""dbt models over the store, by name."""

from __future__ import annotations

from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.models import ModelLog, ModelState


async def model_named(log: ModelLog, name: str) -> ModelState:
    """Return the state of a model: its last build, and the last results of its tests and freshness checks.

    Raises ``UnknownName`` with the nearest names.
    """
    states = await log.models(name=name)
    if not states:
        raise UnknownName("model", name, nearest(name, [state.entry.name for state in await log.models()]))
    return states[0]
