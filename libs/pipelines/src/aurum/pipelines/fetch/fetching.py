"""Fetches the files of a dataset for some local days: downloads them, loads them, and records that its addresses work."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from aurum.core.clock import Clock
from aurum.pipelines.fetch.client import FetchedFile, Validators
from aurum.pipelines.fetch.downloads import Downloaded, Downloads, FetchOutcome
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, FileReport, Ingestion
from aurum.pipelines.loading.no_data import Skipped
from aurum.pipelines.loading.unpacking import Unreadable
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.fetch import FetchState, FetchStates

Read = Callable[[Path], Iterator[SourceFile | Unreadable | Skipped]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of one publication: the download and the reports of its files, one for each member of an archive."""

    download: Downloaded
    reports: tuple[FileReport, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """The wanted days that the publication holds."""
        return self.download.publication.days


class Fetching:
    """Downloads and loads public files. The command and the jobs use the same object."""

    def __init__(self, downloads: Downloads, ingestion: Ingestion, read: Read, states: FetchStates, clock: Clock) -> None:
        self._downloads = downloads
        self._ingestion = ingestion
        self._read = read
        self._states = states
        self._clock = clock

    async def fetch_days(
        self,
        source: str,
        dataset: str,
        days: Iterable[date],
        *,
        known_at: KnownAtPolicy | None = None,
        force: bool = False,
    ) -> AsyncGenerator[Fetched]:
        """Fetch the publications that hold some local days, oldest first, each loaded before the next is downloaded.

        A failure leaves the earlier ones loaded, and the same call can be made again. ``known_at``: None for the best that is
        known of each file. ``force``: download and load what was loaded before, too. Raises ``UnknownName``, ``NoPublicFile``,
        ``MissingCredential``, ``FetchFailed``, ``FetchRefused``, ``TooLarge``, ``FolderUnusable``, ``Unavailable``.
        """
        chosen = known_at or KnownAtPolicy()
        plan = self._downloads.plan(source, dataset, days)
        known = None if force else await self._validators(source, dataset)
        async with aclosing(self._downloads.run(plan, known=known)) as downloads:
            async for download in downloads:
                reports: list[FileReport] = []
                for file in download.files:
                    policy = replace(file.known_at, choice=chosen.choice, time=chosen.time)
                    documents = self._read(file.path)
                    reports += [one async for one in self._ingestion.ingest_all(documents, known_at=policy, force=force)]
                if download.outcome is FetchOutcome.DOWNLOADED and _are_loaded(reports):
                    await self._record(source, dataset, download.files[-1])
                yield Fetched(download, tuple(reports))

    async def _validators(self, source: str, dataset: str) -> Validators | None:
        state = await self._states.state(source, dataset)
        return Validators(state.url, state.etag, state.modified) if state is not None else None

    async def _record(self, source: str, dataset: str, file: FetchedFile) -> None:
        said = file.validators or Validators(file.url)
        await self._states.record(
            FetchState(source, dataset, self._clock.now(), file.url, said.etag, said.modified, file.digest)
        )


def _are_loaded(reports: list[FileReport]) -> bool:
    """Return whether files were loaded and none was refused, so that an unchanged file need not be downloaded again."""
    outcomes = {report.outcome for report in reports}
    return bool(outcomes & {FileOutcome.APPLIED, FileOutcome.ALREADY_LOADED}) and FileOutcome.REFUSED not in outcomes
