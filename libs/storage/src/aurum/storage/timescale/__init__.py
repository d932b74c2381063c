"""What TimescaleDB does beyond plain PostgreSQL; reading and writing rows are ``aurum.storage.postgres``, unchanged."""

from aurum.storage.timescale.extension import Extension, Feature, Licence, NotPermitted, TimescaleMissing
from aurum.storage.timescale.hypertables import Chunk
from aurum.storage.timescale.partials_reader import TimescalePartialsReader
from aurum.storage.timescale.policies import DataClass, Policies, RetentionTooShort
from aurum.storage.timescale.upkeep import TimescaleUpkeep

__all__ = [
    "Chunk",
    "DataClass",
    "Extension",
    "Feature",
    "Licence",
    "NotPermitted",
    "Policies",
    "RetentionTooShort",
    "TimescaleMissing",
    "TimescalePartialsReader",
    "TimescaleUpkeep",
]
