"""The feature flags of a service, made from its store."""

from __future__ import annotations

from contextlib import AsyncExitStack

from aurum.api.handlers.flags import Flags
from aurum.assembly.store import Store
from aurum.storage.ports.changes import ChangeFeed


async def open_flags(store: Store, feed: ChangeFeed, stack: AsyncExitStack) -> Flags:
    """Return the feature flags, read once and kept current by the feed; ``stack`` writes the last counts of their use."""
    flags = Flags(store.flags, store.clock)
    feed.listen(flags.changed)
    await flags.begin()
    stack.push_async_callback(flags.flush)
    return flags
