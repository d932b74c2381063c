"""What a series is, and what can be done with its observations."""

from aurum.core.series.model import Series, SeriesSpec
from aurum.core.series.resample import Aggregation, CannotResample, interval_end, resample
from aurum.core.series.revise import Publication, answer, revisions

__all__ = [
    "Aggregation",
    "CannotResample",
    "Publication",
    "Series",
    "SeriesSpec",
    "answer",
    "interval_end",
    "resample",
    "revisions",
]
