"""The job ``fetch.day``: it fetches one day's file from its publisher and loads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aurum.assembly.pipelines import Pipelines
from aurum.pipelines.fetch.client import Fetcher
from aurum.pipelines.jobs import FetchDay
from aurum.pipelines.loading.load import FileReport
from aurum.workers.jobs.payload import read_payload


def _as_published(url: str) -> str:
    return url


@dataclass(frozen=True, slots=True)
class FetchJob:
    """Fetches files to the data directory and loads them. ``address``: replaces a published URL, in tests."""

    pipelines: Pipelines
    address: Callable[[str], str] = _as_published

    async def run(self, payload: Mapping[str, object]) -> list[FileReport]:
        """Fetch a day's file, load it and return the reports.

        Raises ``InvalidPayload``, ``UnknownName``, ``NoPublicFile``, ``NotPublished``, ``FetchRefused``, ``Unavailable``.
        """
        job = read_payload(FetchDay, payload)
        source = self.pipelines.registry.source(job.source)
        async with Fetcher(self.pipelines.store.settings.data_dir / "fetched", address=self.address) as fetcher:
            fetched = await fetcher.fetch(source, job.dataset, job.day)
        reports = self.pipelines.ingestion.ingest_all(self.pipelines.read(fetched.path), known_at=fetched.known_at)
        return [report async for report in reports]
