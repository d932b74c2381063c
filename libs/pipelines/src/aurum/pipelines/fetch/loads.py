"""Fetches and loads days of a dataset, for those who keep a record of each day: failures are outcomes, too."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import date

from aurum.pipelines.fetch.catch_up import Load, Loaded
from aurum.pipelines.fetch.downloads import FetchOutcome
from aurum.pipelines.fetch.errors import FetchFailed, FetchRefused, MissingCredential, TooLarge
from aurum.pipelines.fetch.fetching import Fetched, Fetching
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome
from aurum.pipelines.public_files import Granularity
from aurum.storage.ports.watermarks import DayState

_WHOLE = (Granularity.DAY, Granularity.QUERY)
"""Files that appear when their days are published. Files of a longer span are there before, and grow."""


def load_with(
    fetching: Fetching,
    source: str,
    dataset: str,
    *,
    known_at: KnownAtPolicy | None = None,
    force: bool = False,
    tell: Callable[[Fetched], None] = lambda _fetched: None,
) -> Load:
    """Return what fetches and loads days of a dataset. ``tell``: called with each publication.

    What it returns raises ``UnknownName``, ``NoPublicFile``, and ``Unavailable`` when the store or the folder of downloads does
    not answer; what the publisher does wrong is an outcome.
    """

    async def load(days: Sequence[date]) -> AsyncGenerator[Loaded]:
        results = fetching.fetch_days(source, dataset, days, known_at=known_at, force=force)
        try:
            async with aclosing(results):
                async for fetched in results:
                    tell(fetched)
                    yield _outcome(fetched)
        except (FetchFailed, FetchRefused, MissingCredential, TooLarge) as error:
            yield Loaded((), DayState.FAILED, reason=error.detail, error=error)

    return load


def _outcome(fetched: Fetched) -> Loaded:
    days, is_growing = fetched.days, fetched.download.publication.granularity not in _WHOLE
    match fetched.download.outcome:
        case FetchOutcome.NOT_PUBLISHED:
            return Loaded(days, DayState.MISSING, reason=fetched.download.detail)
        case FetchOutcome.UNCHANGED:
            return Loaded(days, DayState.LOADED, is_new=False, is_growing=is_growing)
        case FetchOutcome.DOWNLOADED:
            refused = [report for report in fetched.reports if report.outcome is FileOutcome.REFUSED]
            if refused:
                reason = "; ".join(f"{report.name}: {report.reason}" for report in refused[:3])
                return Loaded(days, DayState.REFUSED, is_growing=is_growing, reason=reason)
            is_new = any(report.outcome is FileOutcome.APPLIED for report in fetched.reports)
            return Loaded(days, DayState.LOADED, is_new=is_new, is_growing=is_growing)
