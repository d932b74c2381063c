"""Which files brought a publication, from what recordings and files say of its point. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aurum.core.catalog.entries import FileEntry, KnownAtBasis
from aurum.core.restatement import LONGEST_VERSION
from aurum.storage.ports.lineage import FileMention, Touch
from aurum.storage.ports.recordings import RecordingAction

MOST_RESTATEMENTS = 8
"""Restatements of one publication that are followed back."""


class Role(StrEnum):
    """How sure it is that a file holds a publication."""

    BROUGHT = "brought"
    """Its recording added the publication."""
    MAY_HOLD = "may_hold"
    """It has rows around the point that are known at that time: it repeats the publication, or it brought it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A file that brought a publication, or may hold it. ``recorded_at``: None: loaded before recordings."""

    role: Role
    file: FileEntry
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Restated:
    """A restatement that moved a publication from one known time to another."""

    recorded_at: datetime
    known_from: datetime
    known_to: datetime


def published_at(known_at: datetime, value: float | None, touches: Sequence[Touch]) -> tuple[datetime, tuple[Restated, ...]]:
    """Return the known time with which a publication was loaded, and the restatements since, the last first.

    ``known_at``, ``value``: of the publication. ``touches``: what recordings list of its point, in their order.
    """
    steps: list[Restated] = []
    while len(steps) < MOST_RESTATEMENTS:
        last = next((one for one in reversed(touches) if one.known_at == known_at), None)
        if last is None or last.action is not RecordingAction.RESTATEMENT:
            break
        moved = [
            one for one in touches if one.recording_id == last.recording_id and not one.is_added and one.known_at != known_at
        ]
        before = next((one for one in moved if _is_equal(one.value, value)), None)
        if before is None:
            break
        steps.append(Restated(last.recorded_at, before.known_at, known_at))
        touches = [one for one in touches if one.recorded_at < last.recorded_at]
        known_at = before.known_at
    return known_at, tuple(steps)


def origins_of(known_at: datetime, mentions: Sequence[FileMention], touches: Sequence[Touch]) -> tuple[Origin, ...]:
    """Return the files that brought a publication, then those that may hold it, the likeliest first.

    Likelier is the file whose rows become known sooner after it, and of those the one that was loaded first. ``known_at``:
    with which it was loaded. ``mentions``: files with rows around the point, known then or later. ``touches``: as in
    ``published_at``.
    """
    brought = _brought(known_at, mentions, touches)
    near = [one for one in mentions if one.is_scheduled or one.known_at - known_at <= LONGEST_VERSION]
    holding = [one for one in mentions if one in near or one.file.file_id in brought]
    if not brought:
        # Files whose rows have known times of their own, such as vintages, are known at the latest of them.
        holding += [one for one in mentions if one not in near and one.file.known_at is None]
    roles = [(Role.BROUGHT if one.file.file_id in brought else Role.MAY_HOLD, one) for one in holding]
    ordered = sorted(roles, key=lambda pair: (pair[0] is not Role.BROUGHT, pair[1].known_at, pair[1].file.file_id))
    return tuple(Origin(role, one.file, one.recorded_at) for role, one in ordered)


def _brought(known_at: datetime, mentions: Sequence[FileMention], touches: Sequence[Touch]) -> frozenset[int]:
    """Return the ids of the files whose recording is sure to have added the publication: one at most, or none."""
    # The last recording that lists it: a tie is decided by the content, and the loser is listed as taken away.
    listed = next((one.file_id for one in reversed(touches) if one.known_at == known_at), None)
    if listed is not None:
        return frozenset([listed])
    sole = [one.file.file_id for one in mentions if one.is_sole and one.known_at == known_at]
    if sole:
        return frozenset(sole)
    return frozenset(one.file.file_id for one in mentions if one.is_new)


def basis_of(file: FileEntry, known_at: datetime, *, is_scheduled: bool) -> KnownAtBasis:
    """Return who vouches for the known time of a quote. ``is_scheduled``: of the file's quotes of the product."""
    if file.known_at == known_at:
        return file.known_at_basis
    return KnownAtBasis.SCHEDULED if is_scheduled else file.known_at_basis


def _is_equal(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return first == second or (math.isnan(first) and math.isnan(second))
