"""The ports of use cases, taken from a store."""

from __future__ import annotations

import sys

from aurum.assembly.store import Store
from aurum.services.movers import WideReading
from aurum.services.observations import Reading
from aurum.storage.changed_points import LoadedChangedPoints
from aurum.storage.ports.recordings import ChangedPointsReader


def reading(store: Store, *, most_points: int = sys.maxsize) -> Reading:
    """Return the ports that observations are read through. ``most_points``: observations that one question may span."""
    observations = store.observations
    return Reading(
        store.catalog.reader,
        observations.reader,
        observations.partials,
        most_points,
        observations.loaded,
        store.files.log,
    )


def wide_reading(store: Store, *, most_points: int = sys.maxsize) -> WideReading:
    """Return the ports that movers are read through. ``most_points``: observations that one day of a question may span."""
    return WideReading(store.catalog.reader, store.quality.log, store.observations.wide, most_points)


def changed_points(store: Store) -> ChangedPointsReader:
    """Return the reader of the points of an entry of the list of changes."""
    return LoadedChangedPoints(store.change_log, store.observations.loaded)
