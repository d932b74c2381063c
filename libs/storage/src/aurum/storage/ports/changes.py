"""Changes that a store announces, so that no process serves an outdated answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ChangeKind(StrEnum):
    """Kind of a change. ``EVERYTHING``: the feed was interrupted, so anything may have changed."""

    SERIES = "series"
    """Observations of series; ``names`` are their ids."""
    CATALOG = "catalog"
    """The lists of series, sources, datasets and blocks."""
    RECORDED = "recorded"
    """A recording was committed; the name is its last position in the list of changes."""
    FILES = "files"
    """A file was applied or refused."""
    ACCESS = "access"
    """Keys, tenants or plans."""
    CURVES = "curves"
    """Quotes or terms of shared products; ``names`` are their ids. Without names: the list of products or reference data."""
    LINKS = "links"
    """Signed links were revoked; ``names`` are their ids."""
    FLAGS = "flags"
    MODELS = "models"
    """Models were built or tested."""
    CACHE = "cache"
    """A request to drop cached entries; ``names`` are their tags."""
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change. ``names``: the changed objects; empty when the change concerns all objects of its kind."""

    kind: ChangeKind
    names: tuple[str, ...] = ()


class ChangeFeed(Protocol):
    """Changes of one store, delivered to every process that listens.

    Changes are delivered in the order of commits, each after it can be read. ``delivered_until`` is the instant
    (``time.monotonic`` seconds) up to which every change is certain to be delivered; it falls behind while the store does
    not answer.
    """

    @property
    def delivered_until(self) -> float: ...

    @property
    def timeline(self) -> str:
        """Return an identifier of the store and its timeline.

        Restoring a backup or promoting a standby begins a new timeline, in which version numbers may repeat. Until the store
        first answers, it is a random name.
        """
        ...

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` on every change from now on. After an interruption it receives ``EVERYTHING``."""
        ...

    async def catch_up(self) -> None:
        """Return once every change committed before the call is delivered. Raises ``Unavailable``."""
        ...

    async def publish(self, change: Change) -> None:
        """Send a change that no table records to every process. A name must not contain a comma. Raises ``Unavailable``."""
        ...


VOUCHED_S = 1.0
"""Longest lag of a feed, in seconds, at which cached entries are used. A cached answer is outdated for at most that long."""


def vouches(feed: ChangeFeed, now: float) -> bool:
    """Return whether the feed has delivered all changes up to ``VOUCHED_S`` before ``now`` (``time.monotonic`` seconds)."""
    return now - feed.delivered_until < VOUCHED_S
