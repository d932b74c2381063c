"""The features of TimescaleDB beyond plain PostgreSQL. ``aurum.storage.postgres`` reads and writes rows, unchanged."""

from aurum.storage.timescale.extension import Extension, Feature, Licence, NotPermitted, TimescaleMissing
from aurum.storage.timescale.partials_reader import TimescalePartialsReader
from aurum.storage.timescale.tuning import TimescaleTuning

__all__ = [
    "Extension",
    "Feature",
    "Licence",
    "NotPermitted",
    "TimescaleMissing",
    "TimescalePartialsReader",
    "TimescaleTuning",
]
