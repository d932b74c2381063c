"""The downloads of this machine, for the command and the workers."""

from __future__ import annotations

from pathlib import Path

from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.clock import Clock
from aurum.pipelines.fetch.downloads import Downloads
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.registry import Registry


def downloads_of(settings: Settings, registry: Registry, folder: Path | None = None, clock: Clock | None = None) -> Downloads:
    """Return the downloads into a folder; None for ``fetched`` in the data directory. All of them share one set of turns."""
    clock = clock or SystemClock()
    usual = settings.data_dir / "fetched"
    politeness = [rule for source in registry.sources for rule in source.politeness]
    turns = Turns(usual / ".turns", clock, politeness, seconds=settings.fetch.seconds_between)
    return Downloads(registry, settings.fetch, folder or usual, clock, turns)
