"""The ports and the limit that reads of observations need."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.observations import PartialsReader, SeriesReader


@dataclass(frozen=True, slots=True)
class Reading:
    """The ports that observations are read through, and the size limit of a question.

    ``partials``: stored hourly sums; None: coarse steps are computed from the rows. ``most_points``: observations that one
    question may span; no limit unless set.
    """

    catalog: Catalog
    reader: SeriesReader
    partials: PartialsReader | None = None
    most_points: int = sys.maxsize
