"""Models over the store, by name."""

from __future__ import annotations

from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.models import ModelLog, ModelState


async def model_named(log: ModelLog, name: str) -> ModelState:
    """Return one model with its last run and tests. Raises ``UnknownName`` with the nearest names."""
    found = await log.models(name=name)
    if not found:
        raise UnknownName("model", name, nearest(name, [one.entry.name for one in await log.models()]))
    return found[0]
