"""Mappings that administrators stored over the shipped ones: spellings of labels and units, and units of broker prices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aurum.core.catalog.mapping_kinds import MappingKind

EXPLAINED = r"""^(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^;'"])*(?:['"][^;]*)?"""
"""Pattern of an explanation up to its first semicolon outside of quotes, as Python and PostgreSQL both read it.

A quote that is not closed is an apostrophe, which hides no semicolon.
"""
_EXPLAINED = re.compile(EXPLAINED, re.DOTALL)


def explained(detail: str) -> str:
    """Return an explanation without what follows its first semicolon; a label in quotes may have one.

    >>> explained("region 'Al;bion' is not in the mapping; 3 prices")
    "region 'Al;bion' is not in the mapping"
    """
    match = _EXPLAINED.match(detail)
    assert match is not None, "the pattern also matches nothing"
    return match[0]


@dataclass(frozen=True, slots=True)
class NewMapping:
    """A mapping to store. ``folded``: the spelling as it is compared, by which a mapping is unique in its kind and scope."""

    kind: MappingKind
    scope: str
    spelling: str
    folded: str
    target: str


@dataclass(frozen=True, slots=True)
class StoredMapping:
    """A stored mapping. ``version``: rises with each change, from 1. Mappings belong to all tenants."""

    mapping_id: int
    kind: MappingKind
    scope: str
    spelling: str
    folded: str
    target: str
    version: int
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class HeldText:
    """Rows in quarantine with one explanation. ``detail``: the explanation up to its first semicolon outside of quotes.

    ``rows``: their number. ``files``: number of contents. ``file_name``, ``digest``: of the file that was loaded last.
    """

    source: str
    dataset: str
    reason: str
    detail: str
    rows: int
    files: int
    first_seen: datetime
    last_seen: datetime
    file_name: str
    digest: str


class MappingReader(Protocol):
    """Reads of mappings. All methods raise ``Unavailable`` when the store does not answer."""

    async def mappings(self, *, kind: MappingKind | None = None) -> Sequence[StoredMapping]:
        """Return mappings, ascending by kind, scope and folded spelling."""
        ...

    async def mapping(self, mapping_id: int) -> StoredMapping:
        """Return one mapping. Raises ``UnknownName``."""
        ...

    async def held_texts(self, sources: Sequence[str], reasons: Sequence[str], *, limit: int) -> Sequence[HeldText]:
        """Return the explanations of pending rows in quarantine, the most rows first."""
        ...


class MappingWriter(Protocol):
    """Writes of mappings within a transaction."""

    async def add(self, mapping: NewMapping, *, by: str) -> StoredMapping:
        """Store a mapping. Raises ``Conflict`` for a spelling that has one in its kind and scope."""
        ...

    async def change(self, mapping_id: int, target: str, *, version: int, by: str) -> StoredMapping:
        """Give a mapping another target. ``version``: the version that the caller has read.

        Raises ``UnknownName``, and ``Conflict`` for another version.
        """
        ...

    async def delete(self, mapping_id: int, *, version: int) -> None:
        """Delete a mapping. Raises like ``change``."""
        ...
