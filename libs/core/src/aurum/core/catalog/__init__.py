"""Vocabularies of the catalog."""

from aurum.core.catalog.quality import Quality, Reason

__all__ = ["Quality", "Reason"]
