"""What observations are read with."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.observations import PartialsReader, SeriesReader


@dataclass(frozen=True, slots=True)
class Reading:
    """The ports and the limit of a reader of observations.

    ``partials``: sums by the hour; None: coarse steps are computed from the rows. ``most_points``: observations one question
    may span; any number unless set.
    """

    catalog: Catalog
    reader: SeriesReader
    partials: PartialsReader | None = None
    most_points: int = sys.maxsize
