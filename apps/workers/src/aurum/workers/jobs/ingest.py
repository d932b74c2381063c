"""``ingest.file``: load one file."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from aurum.common.settings import Settings
from aurum.core.errors import Invalid, NotFound
from aurum.pipelines.jobs import IngestFile
from aurum.pipelines.loading.documents import read_documents
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileReport
from aurum.workers.wiring import open_ingestion


class InvalidPayload(Invalid):
    """A payload that is none of the job's. Facts: ``job``."""


class NoSuchFile(NotFound):
    """The worker cannot see the file. Facts: ``path``."""


@dataclass(frozen=True, slots=True)
class IngestJob:
    """Loads files with the settings of this worker."""

    settings: Settings

    async def run(self, payload: dict[str, object]) -> list[FileReport]:
        """Load the file of a payload, or all its archive holds. Raises ``InvalidPayload``, ``NoSuchFile``, ``Unavailable``.

        A file that is refused is recorded with its reason, and the job is done.
        """
        try:
            job = IngestFile.model_validate(payload)
        except ValidationError as error:
            raise InvalidPayload(f"ingest.file: {error.errors()[0]['msg']}", job="ingest.file") from error
        if not job.path.is_file():
            raise NoSuchFile(f"no file {job.path}", path=str(job.path))
        policy = KnownAtPolicy.parse(job.known_at)
        async with open_ingestion(self.settings) as ingestion:
            reports = ingestion.ingest_all(read_documents(job.path), known_at=policy, force=job.force)
            return [report async for report in reports]
