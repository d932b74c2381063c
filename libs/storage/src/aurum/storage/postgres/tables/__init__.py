"""The tables of the store in SQLAlchemy Core, one module for each feature. Migrations create them; a test compares the two."""

from aurum.storage.postgres.tables.access import api_key, audit, link, plan, service_secret, tenant
from aurum.storage.postgres.tables.alerts import alert, webhook, webhook_attempt, webhook_delivery
from aurum.storage.postgres.tables.catalog import block, dataset, series, source
from aurum.storage.postgres.tables.curve_sets import curve_set, curve_set_mark, curve_set_override
from aurum.storage.postgres.tables.curves import curve_reference, file_curve, product, quote, quote_publication
from aurum.storage.postgres.tables.derived_curves import derived_curve, derived_curve_change, derived_curve_input
from aurum.storage.postgres.tables.fetch import fetch_state
from aurum.storage.postgres.tables.files import file_series, ingest_file
from aurum.storage.postgres.tables.flags import flag, flag_usage
from aurum.storage.postgres.tables.history import archive_run, archived_part, archived_quotes, removed_series
from aurum.storage.postgres.tables.jobs import job, job_worker
from aurum.storage.postgres.tables.mappings import mapping
from aurum.storage.postgres.tables.metadata import metadata
from aurum.storage.postgres.tables.models import (
    block_hour,
    delivery_period,
    market_day,
    model,
    model_dataset,
    model_freshness,
    model_result,
    model_run,
    strip_part,
)
from aurum.storage.postgres.tables.observations import completeness, observation, observation_confirmation, observation_version
from aurum.storage.postgres.tables.quality import expectation_outcome, quarantine, validation
from aurum.storage.postgres.tables.recordings import change, issue, observation_undo, recording
from aurum.storage.postgres.tables.schedule import fetched_day, schedule, watermark
from aurum.storage.postgres.tables.service import cache_entry, idempotency
from aurum.storage.postgres.tables.usage import usage_day, usage_writer

__all__ = [
    "alert",
    "api_key",
    "archive_run",
    "archived_part",
    "archived_quotes",
    "audit",
    "block",
    "block_hour",
    "cache_entry",
    "change",
    "completeness",
    "curve_reference",
    "curve_set",
    "curve_set_mark",
    "curve_set_override",
    "dataset",
    "delivery_period",
    "derived_curve",
    "derived_curve_change",
    "derived_curve_input",
    "expectation_outcome",
    "fetch_state",
    "fetched_day",
    "file_curve",
    "file_series",
    "flag",
    "flag_usage",
    "idempotency",
    "ingest_file",
    "issue",
    "job",
    "job_worker",
    "link",
    "mapping",
    "market_day",
    "metadata",
    "model",
    "model_dataset",
    "model_freshness",
    "model_result",
    "model_run",
    "observation",
    "observation_confirmation",
    "observation_undo",
    "observation_version",
    "plan",
    "product",
    "quarantine",
    "quote",
    "quote_publication",
    "recording",
    "removed_series",
    "schedule",
    "series",
    "service_secret",
    "source",
    "strip_part",
    "tenant",
    "usage_day",
    "usage_writer",
    "validation",
    "watermark",
    "webhook",
    "webhook_attempt",
    "webhook_delivery",
]
