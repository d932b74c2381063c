"""What a series is, and what can be done with its observations."""

from aurum.core.series.model import Series, SeriesSpec
from aurum.core.series.partials import PARTIALS, CannotCompose, buckets_in, compose, composes, keeps_whole_hours, partials
from aurum.core.series.resample import Aggregation, CannotResample, interval_end, resample
from aurum.core.series.revise import Publication, answer, revisions

__all__ = [
    "PARTIALS",
    "Aggregation",
    "CannotCompose",
    "CannotResample",
    "Publication",
    "Series",
    "SeriesSpec",
    "answer",
    "buckets_in",
    "compose",
    "composes",
    "interval_end",
    "keeps_whole_hours",
    "partials",
    "resample",
    "revisions",
]
