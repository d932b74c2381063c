"""Plans and downloads the public files of a dataset for some local days, without a store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from aurum.common.settings import FetchSettings
from aurum.core.clock import Clock
from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.pipelines.fetch.client import DownloadLimits, FetchedFile, Fetcher, Validators
from aurum.pipelines.fetch.credentials import Keys
from aurum.pipelines.fetch.errors import NoPublicFile, NotModified, NotPublished
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.public_files import Publication, PublicFiles, publications, single_days
from aurum.pipelines.registry import Registry


class FetchOutcome(StrEnum):
    """The outcome of requesting a publication."""

    DOWNLOADED = "downloaded"
    UNCHANGED = "unchanged"
    """The publisher has nothing newer than what was loaded before."""
    NOT_PUBLISHED = "not published"


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The result of requesting one publication. ``detail``: why there is no file."""

    publication: Publication
    outcome: FetchOutcome
    files: tuple[FetchedFile, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The publications that hold some local days of a dataset."""

    source: str
    dataset: str
    files: PublicFiles
    publications: tuple[Publication, ...]


class Downloads:
    """Downloads into a folder, for as many datasets as are asked of it.

    ``folder``: of the files. ``turns``: shared by all downloads of a machine. ``address``: returns the address to use for a
    published one, in tests.
    """

    def __init__(
        self,
        registry: Registry,
        settings: FetchSettings,
        folder: Path,
        clock: Clock,
        turns: Turns,
        *,
        address: Callable[[str], str] = lambda url: url,
        limits: DownloadLimits | None = None,
    ) -> None:
        self._registry = registry
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self._address = address
        self._limits = limits
        self._turns = turns

    def plan(self, source: str, dataset: str, days: Iterable[date]) -> Plan:
        """Return the fewest publications that hold the days. Raises ``UnknownName`` and ``NoPublicFile``."""
        publisher = self._registry.source(source)
        by_name = {one.name: one for one in publisher.datasets}
        if dataset not in by_name:
            raise UnknownName(f"dataset of {source}", dataset, nearest(dataset, by_name) or tuple(by_name))
        files = publisher.public_files(dataset)
        if files is None:
            others = ", ".join(name for name in by_name if publisher.public_files(name) is not None) or "none"
            reason = publisher.without_files.get(dataset, "its publisher has no public files")
            raise NoPublicFile(
                f"dataset {source}:{dataset} cannot be downloaded, because {reason}; datasets of {source} with public files: "
                f"{others}",
                source=source,
                dataset=dataset,
            )
        if files.keyless is not None and files.needs is not None and not Keys(self._settings).has(files.needs):
            files = files.keyless
        today = self._clock.now().astimezone(ZoneInfo(by_name[dataset].zone)).date()
        chosen = self._settings.parts.get(f"{source}:{dataset}", self._settings.parts.get(source))
        return Plan(source, dataset, files, tuple(publications(files, days, today=today, parts=chosen)))

    async def run(self, plan: Plan, *, known: Validators | None = None) -> AsyncGenerator[Downloaded]:
        """Download the publications of a plan in order; those of a month without an archive yet by its single days.

        ``known``: of the file that was loaded last, which is not downloaded again. Raises what ``Fetcher.fetch`` raises,
        except that files which are not published are part of the result.
        """
        async with AsyncExitStack() as stack:
            fetcher = await stack.enter_async_context(
                Fetcher(self._folder, self._settings, self._turns, address=self._address, limits=self._limits)
            )
            waiting = list(plan.publications)
            while waiting:
                publication = waiting.pop(0)
                result = await _requested(fetcher, plan, publication, known)
                if result.outcome is FetchOutcome.NOT_PUBLISHED and (days := single_days(plan.files, publication)):
                    waiting = [*days, *waiting]
                    continue
                yield result


async def _requested(fetcher: Fetcher, plan: Plan, publication: Publication, known: Validators | None) -> Downloaded:
    # The parts of a query have several addresses, of which only one is known from the last time.
    is_alone = len(publication.requests) == 1
    try:
        files = await fetcher.fetch(plan.source, plan.dataset, plan.files, publication, known=known if is_alone else None)
    except NotPublished as error:
        return Downloaded(publication, FetchOutcome.NOT_PUBLISHED, detail=error.detail)
    except NotModified as error:
        return Downloaded(publication, FetchOutcome.UNCHANGED, detail=error.detail)
    return Downloaded(publication, FetchOutcome.DOWNLOADED, files)


def days_in(results: Sequence[Downloaded], outcome: FetchOutcome) -> int:
    """Return how many wanted days have an outcome."""
    return sum(len(result.publication.days) for result in results if result.outcome is outcome)
