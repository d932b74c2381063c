"""Feature flags in dictionaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from aurum.core.errors import Conflict, UnknownName
from aurum.storage.memory.access import AccessState
from aurum.storage.ports.access import Actor
from aurum.storage.ports.flags import FlagUse, StoredFlag


class MemoryFlagStore:
    """``FlagStore`` in memory."""

    def __init__(self, state: AccessState) -> None:
        self._state = state
        self._flags: dict[str, StoredFlag] = {}
        self._used: Counter[tuple[str, str, date]] = Counter()

    async def flags(self) -> Sequence[StoredFlag]:
        return [self._flags[name] for name in sorted(self._flags)]

    async def put(
        self,
        name: str,
        document: Mapping[str, object],
        *,
        version: int | None,
        by: Actor,
        check: Callable[[Sequence[StoredFlag]], None] | None = None,
    ) -> StoredFlag:
        if check is not None:
            check(await self.flags())
        there = self._flags[name].version if name in self._flags else 0
        if version is not None and version != there:
            raise Conflict(f"flag {name!r} is at version {there}, not {version}", flag=name, version=there)
        made = StoredFlag(name, document, there + 1, self._state.clock.now(), by.subject)
        self._flags[name] = made
        self._state.record("flag.put", name, {"version": made.version, "document": document}, by, by.tenant)
        return made

    async def delete(self, name: str, *, by: Actor) -> None:
        if self._flags.pop(name, None) is None:
            raise UnknownName("flag", name)
        self._state.record("flag.delete", name, {}, by, by.tenant)

    async def add_use(self, used: Mapping[tuple[str, str], int], day: date) -> None:
        for (name, variant), evaluations in used.items():
            self._used[name, variant, day] += evaluations

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        found = [FlagUse(*key, count) for key, count in self._used.items() if key[0] == name and key[2] >= since]
        return sorted(found, key=lambda one: (one.day, one.variant))
