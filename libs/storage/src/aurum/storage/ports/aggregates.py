"""What hours come to, for those who would only add up the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.storage.ports.capabilities import Capability


class PartlyArchived(Unavailable):
    """Months of the span stand in history, of which a hot store keeps no sums: ``storage.tiered`` adds up the rows."""

    def __init__(self) -> None:
        super().__init__("months of this span are archived: name their place with AURUM_HISTORY__TIER")


class PartialsReader(Protocol):
    """Sums, counts and extremes of hours of UTC, of the values now known.

    ``Capability.PARTIALS`` in ``capabilities`` promises that asking is cheaper than reading the rows. The answer is that of
    ``core.series.partials`` over the rows in one snapshot, also in the moment after a correction of the remotest hour; sums are
    added in the order of time, so that the same rows give the same bits. The rows are all that the ``SeriesReader`` beside it
    reads: where that one reads several stores, this one must too, or declare nothing.
    """

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        """The buckets that start in the span, each of them whole, schema ``PARTIALS``; unknown ids have none.

        Raises ``Unsupported`` without ``Capability.PARTIALS``, ``Unavailable`` when the store does not answer,
        ``PartlyArchived`` from a hot store alone.
        """
        ...
