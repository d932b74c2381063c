"""What TimescaleDB does beyond plain PostgreSQL; reading and writing rows are ``aurum.storage.postgres``, unchanged."""

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
