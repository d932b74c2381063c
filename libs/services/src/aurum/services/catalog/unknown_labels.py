"""Labels that no mapping knows: they are kept in quarantine with their cells, and listed here until they are mapped and loaded.

The list is read from the explanations of rows in quarantine, so that a file that is loaded again after a mapping leaves it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aurum.core.catalog import Reason
from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind
from aurum.core.curves.broker_labels import KINDS, venues
from aurum.storage.ports.mappings import HeldText, MappingReader

MOST_LABELS = 1_000
"""Largest number of explanations that are read, those with the most rows first."""

_SOURCES = ("eod_workbook", "simple", "eia")
_REASONS = (Reason.UNKNOWN_CODE, Reason.INVALID_TIME)
_TEXT = r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LABEL = re.compile(rf"(?P<header>\w+) {_TEXT}(?: of (?P<where>.+?))? is not in the mapping(?: \(known.*)?")
_UNIT = re.compile(r"unit '(?P<text>.*)' is not known", re.DOTALL)
_PERIOD = re.compile(rf"period {_TEXT}: write .*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class UnknownLabel:
    """A label that files have and no mapping knows.

    ``kind``, ``scope``: of the mapping that would make it known. ``where``: the other labels of its columns, for a location.
    ``columns``: number of columns or tenors that are held back. ``file_name``, ``digest``: of the file that was loaded last.
    """

    kind: MappingKind
    scope: str
    label: str
    where: str
    source: str
    dataset: str
    columns: int
    files: int
    first_seen: datetime
    last_seen: datetime
    file_name: str
    digest: str


async def unknown_labels(reader: MappingReader, *, kind: MappingKind | None = None) -> Sequence[UnknownLabel]:
    """Return the unknown labels of files in quarantine, those with the most columns first. ``kind``: only of one kind."""
    held = await reader.held_texts(_SOURCES, _REASONS, limit=MOST_LABELS)
    labels = [label for one in held if (label := _label_of(one)) is not None]
    return [label for label in labels if kind is None or label.kind is kind]


def _label_of(held: HeldText) -> UnknownLabel | None:
    """Return the label that an explanation names; None for another explanation, such as of a column without labels."""
    if match := _PERIOD.fullmatch(held.detail):
        return _unknown(held, MappingKind.PERIOD, ANY_SCOPE, _literal(match))
    if match := _UNIT.fullmatch(held.detail):
        return _unknown(held, MappingKind.UNIT, ANY_SCOPE, match["text"])
    venue = venues().get(held.dataset.upper())
    match = _LABEL.fullmatch(held.detail)
    if venue is None or match is None or match["header"] not in venue.scheme.headers:
        return None
    kind = KINDS[venue.scheme.headers.index(match["header"])]
    return _unknown(held, kind, venue.scheme.name, _literal(match), match["where"] or "")


def _literal(match: re.Match[str]) -> str:
    return str(ast.literal_eval(match["text"]))


def _unknown(held: HeldText, kind: MappingKind, scope: str, label: str, where: str = "") -> UnknownLabel:
    return UnknownLabel(
        kind,
        scope,
        label,
        where,
        held.source,
        held.dataset,
        held.rows,
        held.files,
        held.first_seen,
        held.last_seen,
        held.file_name,
        held.digest,
    )
