"""Load records and quarantine of files."""

from aurum.services.quality.files import NoSuchContent, NothingHeld, check_held, records_of

__all__ = ["NoSuchContent", "NothingHeld", "check_held", "records_of"]
