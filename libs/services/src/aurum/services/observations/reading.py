"""The ports and the limit that reads of observations need."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aurum.core.errors import InvalidParameters
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.files import BasesReader
from aurum.storage.ports.observations import PartialsReader, SeriesReader
from aurum.storage.ports.recordings import LoadedReaders, NotRecorded

if TYPE_CHECKING:
    from aurum.services.observations.plan import ReadPlan


@dataclass(frozen=True, slots=True)
class Reading:
    """The ports that observations are read through, and the size limit of a question.

    ``partials``: stored hourly sums; None: coarse steps are computed from the rows. ``most_points``: observations that one
    question may span; no limit unless set. ``loaded``: readers of the store as it stood; None: it is read as it is now only.
    ``files``: records of files, for the bases of known times.
    """

    catalog: Catalog
    reader: SeriesReader
    partials: PartialsReader | None = None
    most_points: int = sys.maxsize
    loaded: LoadedReaders | None = None
    files: BasesReader | None = None


async def reader_for(reading: Reading, plan: ReadPlan) -> SeriesReader:
    """Return the reader of observations, and of exchange rates, for a plan.

    Raises ``InvalidParameters`` for an ``as_loaded`` in the future or before the store began to record its loads.
    """
    return await reader_as_loaded(reading, plan.as_loaded)


async def reader_as_loaded(reading: Reading, as_loaded: datetime | None) -> SeriesReader:
    """Return the reader of observations as the store stood at an instant; None: as it is now. Raises as ``reader_for`` does."""
    if as_loaded is None:
        return reading.reader
    if reading.loaded is None:
        raise InvalidParameters(("as_loaded", "does not apply here: leave it out", as_loaded.isoformat()))
    try:
        return await reading.loaded.as_loaded(as_loaded)
    except NotRecorded as error:
        raise InvalidParameters(("as_loaded", error.detail, as_loaded.isoformat()), **dict(error.facts)) from error
