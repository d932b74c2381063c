"""Blocks of the catalog with their versions, and their writes. ``ports.catalog`` reads their documents alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block as the catalog has it. ``document``: of ``core.calendars.Block``. ``version``: rises with each change, from 1.

    ``is_edited``: an administrator added or changed it, so a release does not replace it. ``updated_at``, ``updated_by``: of
    the last change by an administrator; None: there was none.
    """

    calendar: str
    name: str
    document: Mapping[str, object]
    version: int
    is_edited: bool
    updated_at: datetime | None
    updated_by: str | None


class BlockReader(Protocol):
    """Reads of blocks. All methods raise ``Unavailable`` when the store does not answer."""

    async def blocks(self) -> Sequence[StoredBlock]:
        """Return all blocks, ascending by calendar and name."""
        ...


class BlockWriter(Protocol):
    """Writes of blocks within a transaction. ``version``: the version that the caller has read; another one is a conflict."""

    async def locked(self) -> Sequence[StoredBlock]:
        """Return all blocks, and lock all reference data, so that no other transaction changes it before this one ends."""
        ...

    async def add(self, document: Mapping[str, object], *, by: str) -> StoredBlock:
        """Add a block. Raises ``Conflict`` for one that exists."""
        ...

    async def change(self, document: Mapping[str, object], *, version: int, by: str, is_edited: bool = True) -> StoredBlock:
        """Replace the document of a block. ``is_edited``: False: by that of the release, which replaces it again.

        Raises ``UnknownName``, and ``Conflict`` for another version.
        """
        ...

    async def delete(self, calendar: str, name: str, *, version: int) -> None:
        """Delete a block. Raises like ``change``."""
        ...
