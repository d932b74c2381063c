"""What a store tells of its own changes, so that nobody serves what is no longer so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ChangeKind(StrEnum):
    """What changed. ``EVERYTHING``: the feed was interrupted, so anything may have."""

    SERIES = "series"
    """Observations of series; ``names`` are their ids."""
    CATALOG = "catalog"
    """What series, sources, datasets and blocks there are."""
    FILES = "files"
    """A file was applied or refused."""
    ACCESS = "access"
    """Keys, tenants or plans."""
    FLAGS = "flags"
    MODELS = "models"
    """Models were built or tested."""
    CACHE = "cache"
    """Somebody asked to forget; ``names`` are tags."""
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change. ``names``: of what; empty when the kind says all."""

    kind: ChangeKind
    names: tuple[str, ...] = ()


class ChangeFeed(Protocol):
    """Changes of one store, told to every process that listens.

    A change is told after it can be read, in the order of commits. ``told_until`` is the instant (``time.monotonic`` seconds)
    up to which every change has been told for certain; it falls behind while the store does not answer.
    """

    @property
    def told_until(self) -> float: ...

    @property
    def timeline(self) -> str:
        """Names the store and the course of its history: after it was restored from a copy, versions count on as another one.

        Before the store has answered once: a name that stands for this process alone.
        """
        ...

    def listen(self, told: Callable[[Change], None]) -> None:
        """Call ``told`` on every change from now on. After an interruption it is told ``EVERYTHING``."""
        ...

    async def catch_up(self) -> None:
        """Return once all that was committed before the call has been told. Raises ``Unavailable``."""
        ...

    async def tell(self, change: Change) -> None:
        """Tell every process of a change that no table knows of; no name may hold a comma. Raises ``Unavailable``."""
        ...


VOUCHED_S = 1.0
"""Seconds for which a feed vouches for what it has told: no answer from memory is older than its data for longer."""


def vouches(feed: ChangeFeed, now: float) -> bool:
    """Return whether the feed has told all changes up to a moment ago. ``now``: ``time.monotonic`` seconds."""
    return now - feed.told_until < VOUCHED_S
