"""Feature flags in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date

from aurum.core.clock import Clock
from aurum.core.errors import UnknownName
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.flags import FlagUse, StoredFlag


class MemoryFlagStore:
    """``FlagStore`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def flags(self) -> Sequence[StoredFlag]:
        return _by_name(self._state)

    async def add_use(self, evaluations: Mapping[tuple[str, str], int], day: date) -> None:
        async with self._state.lock:
            for (name, variant), count in evaluations.items():
                self._state.flag_use[name, variant, day] += count

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        uses = [FlagUse(*key, count) for key, count in self._state.flag_use.items() if key[0] == name and key[2] >= since]
        return sorted(uses, key=lambda use: (use.day, use.variant))


class MemoryFlagWriter:
    """``FlagWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def locked(self) -> Sequence[StoredFlag]:
        return _by_name(self._state)

    async def put(self, name: str, document: Mapping[str, object], *, by: str) -> StoredFlag:
        version = self._state.flags[name].version + 1 if name in self._state.flags else 1
        self._state.flags[name] = StoredFlag(name, deepcopy(dict(document)), version, self._clock.now(), by)
        return self._state.flags[name]

    async def delete(self, name: str) -> None:
        if self._state.flags.pop(name, None) is None:
            raise UnknownName("flag", name)


def _by_name(state: MemoryState) -> Sequence[StoredFlag]:
    return [state.flags[name] for name in sorted(state.flags)]
