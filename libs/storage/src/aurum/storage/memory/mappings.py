"""Mappings in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aurum.core.catalog.entries import QuarantinedRow
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.clock import Clock
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.mappings import HeldText, NewMapping, StoredMapping, explained


class MemoryMappings:
    """``MappingReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def mappings(self, *, kind: MappingKind | None = None) -> Sequence[StoredMapping]:
        wanted = (one for one in self._state.mappings.values() if kind is None or one.kind is kind)
        return sorted(wanted, key=lambda one: (one.kind, one.scope, one.folded))

    async def mapping(self, mapping_id: int) -> StoredMapping:
        return _known(self._state, mapping_id)

    async def held_texts(self, sources: Sequence[str], reasons: Sequence[str], *, limit: int) -> Sequence[HeldText]:
        groups: dict[tuple[str, str, str, str], list[QuarantinedRow]] = {}
        for row in self._state.quarantine:
            if row.replayed_at is None and row.source in sources and row.reason in reasons:
                text = explained(row.detail)
                groups.setdefault((row.source, row.dataset, row.reason, text), []).append(row)
        held = [_held(*about, rows) for about, rows in groups.items()]
        return sorted(held, key=lambda one: (-one.rows, one.source, one.dataset, one.detail))[:limit]


class MemoryMappingWriter:
    """``MappingWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def add(self, mapping: NewMapping, *, by: str) -> StoredMapping:
        about = mapping.kind, mapping.scope, mapping.folded
        if any((one.kind, one.scope, one.folded) == about for one in self._state.mappings.values()):
            why = f"{mapping.kind} {mapping.spelling!r} of {mapping.scope} has a mapping already: change or remove that one"
            raise Conflict(why, spelling=mapping.spelling)
        self._state.last_mapping_id += 1
        number, now = self._state.last_mapping_id, self._clock.now()
        values = (mapping.kind, mapping.scope, mapping.spelling, mapping.folded, mapping.target)
        stored = self._state.mappings[number] = StoredMapping(number, *values, 1, now, by)
        return stored

    async def change(self, mapping_id: int, target: str, *, version: int, by: str) -> StoredMapping:
        stored = self._of_version(mapping_id, version)
        changed = replace(stored, target=target, version=version + 1, updated_at=self._clock.now(), updated_by=by)
        self._state.mappings[mapping_id] = changed
        return changed

    async def delete(self, mapping_id: int, *, version: int) -> None:
        self._of_version(mapping_id, version)
        del self._state.mappings[mapping_id]

    def _of_version(self, mapping_id: int, version: int) -> StoredMapping:
        stored = _known(self._state, mapping_id)
        if stored.version != version:
            why = f"mapping {mapping_id} has version {stored.version}, not {version}: read it again"
            raise Conflict(why, version=stored.version)
        return stored


def _known(state: MemoryState, mapping_id: int) -> StoredMapping:
    if mapping_id not in state.mappings:
        raise UnknownName("mapping", str(mapping_id))
    return state.mappings[mapping_id]


def _held(source: str, dataset: str, reason: str, text: str, rows: Sequence[QuarantinedRow]) -> HeldText:
    seen = [row.created_at for row in rows]
    files = len({row.digest for row in rows})
    last = rows[-1]
    return HeldText(source, dataset, reason, text, len(rows), files, min(seen), max(seen), last.file_name, last.digest)
