"""Weights of the cells of a build: the hours of a product weighted by hours, or its days alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aurum.core.calendars import Block
from aurum.core.curves.calendars import day_hours
from aurum.core.curves.grids import Grid
from aurum.core.curves.products import Weighting


def cell_weights(weighting: Weighting, block: Block | None, grid: Grid) -> NDArray[np.float64] | None:
    """Return the weights of cells where days count alike; None where hours count, as those of a block always do."""
    if weighting is Weighting.HOURS or block is not None:
        return None
    return grid.hours / day_hours(grid.calendar, grid.first, grid.end)[grid.day]
