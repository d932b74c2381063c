"""The ports of use cases, taken from a store."""

from __future__ import annotations

import sys

from aurum.assembly.store import Store
from aurum.services.movers import WideReading
from aurum.services.observations import Reading


def reading(store: Store, *, most_points: int = sys.maxsize) -> Reading:
    """Return the ports that observations are read through. ``most_points``: observations that one question may span."""
    return Reading(store.catalog.reader, store.observations.reader, store.observations.partials, most_points)


def wide_reading(store: Store, *, most_points: int = sys.maxsize) -> WideReading:
    """Return the ports that movers are read through. ``most_points``: observations that one day of a question may span."""
    return WideReading(store.catalog.reader, store.quality.log, store.observations.wide, most_points)
