"""Scans over many series in a copy of history: sums by the hour instead of rows.

For screening, such as what moved most from one day to another. They read the archived parts that the log names, from a copy
that may be behind it; what is still in the hot store comes from there, and ``storage.tiered`` puts both together.
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
    """Parts that the log names are not there, or not whole. Facts: ``missing``; ``series_id`` and ``month`` of the first."""

    def __init__(self, missing: Sequence[ArchivedPart]) -> None:
        first = missing[0]
        super().__init__(
            f"the copy for wide scans lacks {len(missing)} of the parts asked for",
            retry_after=60.0,
            missing=len(missing),
            series_id=first.series_id,
            month=first.month.isoformat(),
        )


class WideScans(Protocol):
    """Many series at once. All methods raise ``Unavailable`` when the store does not answer, by the task's deadline if any."""

    async def partials(self, parts: Sequence[ArchivedPart], *, span: Span) -> pl.DataFrame:
        """Return the buckets of the values now known that start in the span, each of them whole.

        Schema ``core.series.partials.PARTIALS``. Raises ``CopyBehind`` rather than leave a part out.
        """
        ...

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        """Those that do not have as many rows here as the log says, ascending by series and month."""
        ...


@dataclass(frozen=True, slots=True)
class HistoryCopy:
    """History once more, for wide scans."""

    store: HistoryStore
    scans: WideScans
