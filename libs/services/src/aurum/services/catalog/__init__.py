"""Catalog queries: calendars and blocks, datasets, dimensions, locations, series and sources, models by name."""

from aurum.services.catalog.blocks import Expansion, blocks, calendar_blocks, calendars, expand_block
from aurum.services.catalog.datasets import DatasetReach, source_dataset, source_datasets
from aurum.services.catalog.dimensions import block_counts, series_counts
from aurum.services.catalog.locations import NoSuchLocation, location_of, market_locations, series_by_location
from aurum.services.catalog.models import model_named
from aurum.services.catalog.prefixes import has_prefix
from aurum.services.catalog.series import each_series
from aurum.services.catalog.sources import providers

__all__ = [
    "DatasetReach",
    "Expansion",
    "NoSuchLocation",
    "block_counts",
    "blocks",
    "calendar_blocks",
    "calendars",
    "each_series",
    "expand_block",
    "has_prefix",
    "location_of",
    "market_locations",
    "model_named",
    "providers",
    "series_by_location",
    "series_counts",
    "source_dataset",
    "source_datasets",
]
