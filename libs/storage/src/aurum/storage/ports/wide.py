"""Scans over many series in a copy of history.

They return hourly sums of archived parts instead of rows. The copy may lag behind the archive log. ``storage.tiered`` adds the
hours of the hot store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.storage.ports.history import ArchivedPart, HistoryStore

if TYPE_CHECKING:
    import polars as pl


class CopyBehind(Unavailable):
    """The copy lacks parts that the archive log names, or some of their rows.

    Facts: ``missing``; ``series_id`` and ``month`` of the first.
    """

    def __init__(self, missing: Sequence[ArchivedPart]) -> None:
        first = missing[0]
        super().__init__(
            f"the ClickHouse copy of history lacks {len(missing)} of the requested parts: run `aurum archive copy`",
            retry_after=60.0,
            missing=len(missing),
            series_id=first.series_id,
            month=first.month.isoformat(),
        )


class WideScans(Protocol):
    """Reads of hourly sums of many series from a copy of history.

    All methods raise ``Unavailable`` when the store does not answer, or not by the deadline of the task if it has one.
    """

    async def partials(self, parts: Sequence[ArchivedPart], *, span: Span) -> pl.DataFrame:
        """Return the buckets of the values known now, for the hours that start in the span. Each bucket covers its whole hour.

        Schema ``core.series.partials.PARTIALS``. Raises ``CopyBehind`` rather than leave a part out.
        """
        ...

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        """Return the parts whose row count in the copy differs from the log, ascending by series and month."""
        ...


@dataclass(frozen=True, slots=True)
class HistoryCopy:
    """The two ports of a copy of history."""

    store: HistoryStore
    scans: WideScans
