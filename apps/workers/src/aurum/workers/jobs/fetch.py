"""``fetch.day``: get one day's file from its publisher and load it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from aurum.common.settings import Settings
from aurum.pipelines.fetch.client import Fetcher
from aurum.pipelines.jobs import FetchDay
from aurum.pipelines.loading.documents import read_documents
from aurum.pipelines.loading.load import FileReport
from aurum.pipelines.registry import default_registry
from aurum.workers.jobs.ingest import InvalidPayload
from aurum.workers.wiring import open_ingestion


@dataclass(frozen=True, slots=True)
class FetchJob:
    """Fetches and loads with the settings of this worker."""

    settings: Settings

    async def run(self, payload: dict[str, object]) -> list[FileReport]:
        """Get a day's file and load it. Raises ``InvalidPayload``, ``NotPublished``, ``Unavailable``."""
        try:
            job = FetchDay.model_validate(payload)
        except ValidationError as error:
            raise InvalidPayload(f"fetch.day: {error.errors()[0]['msg']}", job="fetch.day") from error
        source = default_registry().source(job.source)
        folder: Path = self.settings.data_dir / "fetched"
        async with Fetcher(folder) as fetcher:
            fetched = await fetcher.fetch(source, job.dataset, job.day)
        async with open_ingestion(self.settings) as ingestion:
            reports = ingestion.ingest_all(read_documents(fetched.path), known_at=fetched.known_at)
            return [report async for report in reports]
