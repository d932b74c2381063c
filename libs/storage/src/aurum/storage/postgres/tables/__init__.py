"""The tables of the store in SQLAlchemy Core, one module for each feature. Migrations create them; a test compares the two."""

from aurum.storage.postgres.tables.access import api_key, audit, plan, tenant
from aurum.storage.postgres.tables.catalog import block, dataset, series, source
from aurum.storage.postgres.tables.files import file_series, ingest_file
from aurum.storage.postgres.tables.flags import flag, flag_usage
from aurum.storage.postgres.tables.history import archive_run, archived_part, removed_series
from aurum.storage.postgres.tables.metadata import metadata
from aurum.storage.postgres.tables.models import (
    block_hour,
    market_day,
    model,
    model_dataset,
    model_freshness,
    model_result,
    model_run,
)
from aurum.storage.postgres.tables.observations import completeness, observation, observation_confirmation, observation_version
from aurum.storage.postgres.tables.quality import expectation_outcome, quarantine, validation
from aurum.storage.postgres.tables.service import cache_entry, idempotency

__all__ = [
    "api_key",
    "archive_run",
    "archived_part",
    "audit",
    "block",
    "block_hour",
    "cache_entry",
    "completeness",
    "dataset",
    "expectation_outcome",
    "file_series",
    "flag",
    "flag_usage",
    "idempotency",
    "ingest_file",
    "market_day",
    "metadata",
    "model",
    "model_dataset",
    "model_freshness",
    "model_result",
    "model_run",
    "observation",
    "observation_confirmation",
    "observation_version",
    "plan",
    "quarantine",
    "removed_series",
    "series",
    "source",
    "tenant",
    "validation",
]
