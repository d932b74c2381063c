"""Blocks of the catalog in dictionaries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aurum.core.clock import Clock
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.memory.state import BlockChange, MemoryState
from aurum.storage.ports.blocks import StoredBlock


class MemoryBlocks:
    """``BlockReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def blocks(self) -> Sequence[StoredBlock]:
        return _blocks(self._state)


class MemoryBlockWriter:
    """``BlockWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def locked(self) -> Sequence[StoredBlock]:
        return _blocks(self._state)

    async def add(self, document: Mapping[str, object], *, by: str) -> StoredBlock:
        place = str(document["calendar"]), str(document["name"])
        if place in self._state.blocks:
            why = f"calendar {place[0]} has a block {place[1]!r} already: read it and change it"
            raise Conflict(why, calendar=place[0], name=place[1])
        return self._put(place, document, 1, by, is_edited=True)

    async def change(self, document: Mapping[str, object], *, version: int, by: str, is_edited: bool = True) -> StoredBlock:
        place = str(document["calendar"]), str(document["name"])
        self._check(place, version)
        return self._put(place, document, version + 1, by, is_edited=is_edited)

    async def delete(self, calendar: str, name: str, *, version: int) -> None:
        self._check((calendar, name), version)
        for table in (self._state.blocks, self._state.block_changes, self._state.block_versions):
            table.pop((calendar, name), None)
        self._state.changed_blocks.discard((calendar, name))

    def _put(
        self, place: tuple[str, str], document: Mapping[str, object], version: int, by: str, *, is_edited: bool
    ) -> StoredBlock:
        state = self._state
        state.blocks[place] = json.loads(json.dumps(dict(document)))
        state.block_versions[place] = version
        state.block_changes[place] = BlockChange(self._clock.now(), by)
        (state.changed_blocks.add if is_edited else state.changed_blocks.discard)(place)
        return _block(state, place)

    def _check(self, place: tuple[str, str], version: int) -> None:
        calendar, name = place
        if place not in self._state.blocks:
            raise UnknownName(f"block of {calendar}", name)
        stored = self._state.block_versions.get(place, 1)
        if stored != version:
            why = f"block {calendar}:{name} has version {stored}, not {version}: read it again"
            raise Conflict(why, version=stored)


def _blocks(state: MemoryState) -> Sequence[StoredBlock]:
    return [_block(state, place) for place in sorted(state.blocks)]


def _block(state: MemoryState, place: tuple[str, str]) -> StoredBlock:
    change = state.block_changes.get(place)
    return StoredBlock(
        *place,
        state.blocks[place],
        state.block_versions.get(place, 1),
        place in state.changed_blocks,
        None if change is None else change.at,
        None if change is None else change.by,
    )
