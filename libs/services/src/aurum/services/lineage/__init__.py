"""Where a number came from: its versions, the files that brought them, and its place in these files."""

from aurum.services.lineage.answer import Lineage, NoSuchNumber, OfCurve, OfSeries, Version, is_computed, sender_of
from aurum.services.lineage.document import lineage_document
from aurum.services.lineage.locating import PlaceJobs, file_to_search, unlocated
from aurum.services.lineage.number_readers import NumberReaders
from aurum.services.lineage.observation import lineage_of_observation
from aurum.services.lineage.origins import Origin, Restated, Role
from aurum.services.lineage.quote import lineage_of_quote

__all__ = [
    "Lineage",
    "NoSuchNumber",
    "NumberReaders",
    "OfCurve",
    "OfSeries",
    "Origin",
    "PlaceJobs",
    "Restated",
    "Role",
    "Version",
    "file_to_search",
    "is_computed",
    "lineage_document",
    "lineage_of_observation",
    "lineage_of_quote",
    "sender_of",
    "unlocated",
]
