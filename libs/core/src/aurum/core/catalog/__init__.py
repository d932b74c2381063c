"""Vocabularies of the catalog."""

from aurum.core.catalog.dimensions import Fuel, Kind, MarketRun
from aurum.core.catalog.quality import Quality, Reason

__all__ = ["Fuel", "Kind", "MarketRun", "Quality", "Reason"]
