"""The last successful fetches in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.fetch import FetchState


class MemoryFetchStates:
    """``FetchStates`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def state(self, source: str, dataset: str) -> FetchState | None:
        return self._state.fetches.get((source, dataset))

    async def states(self) -> Sequence[FetchState]:
        return [state for _, state in sorted(self._state.fetches.items())]

    async def record(self, state: FetchState) -> None:
        async with self._state.lock:
            last = self._state.fetches.get((state.source, state.dataset))
            if last is None or last.fetched_at <= state.fetched_at:
                self._state.fetches[state.source, state.dataset] = state
