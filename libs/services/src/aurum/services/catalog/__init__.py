"""Catalog queries: calendars and blocks, datasets, dimensions, locations, series and sources, models by name, search."""

from aurum.services.catalog.blocks import Expansion, blocks, calendar_blocks, calendars, expand_block
from aurum.services.catalog.datasets import DatasetReach, ListedDataset, listed_datasets, source_dataset, source_datasets
from aurum.services.catalog.dimensions import block_counts, series_counts
from aurum.services.catalog.locations import NoSuchLocation, location_of, market_locations, series_by_location
from aurum.services.catalog.models import model_named
from aurum.services.catalog.prefixes import has_prefix
from aurum.services.catalog.search import Hit, Place, Reading, SearchAnswer, SearchQuestion, search_series
from aurum.services.catalog.series import each_series
from aurum.services.catalog.sources import providers

__all__ = [
    "DatasetReach",
    "Expansion",
    "Hit",
    "ListedDataset",
    "NoSuchLocation",
    "Place",
    "Reading",
    "SearchAnswer",
    "SearchQuestion",
    "block_counts",
    "blocks",
    "calendar_blocks",
    "calendars",
    "each_series",
    "expand_block",
    "has_prefix",
    "listed_datasets",
    "location_of",
    "market_locations",
    "model_named",
    "providers",
    "search_series",
    "series_by_location",
    "series_counts",
    "source_dataset",
    "source_datasets",
]
