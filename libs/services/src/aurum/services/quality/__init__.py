"""Load records and quarantine of files."""

from aurum.services.quality.files import NoSuchContent, NothingQuarantined, check_quarantined, records_of

__all__ = ["NoSuchContent", "NothingQuarantined", "check_quarantined", "records_of"]
