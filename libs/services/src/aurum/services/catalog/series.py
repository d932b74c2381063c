"""Series of the catalog, one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog, SeriesFilter

_PAGE = 500


async def each_series(
    catalog: Catalog, criteria: Sequence[SeriesFilter], matches: Callable[[Series], bool], *, start: str | None = None
) -> AsyncGenerator[Series]:
    """Yield the matching series by key, criterion after criterion, from the key ``start`` on, that series included.

    Each criterion names a source, and may name a dataset; criteria ascend by them. Close the generator
    (``contextlib.aclosing``) when not all series are read.
    """
    for criterion in criteria:
        after = None
        if start is not None:
            prefix = f"{criterion.source}:{criterion.dataset}:" if criterion.dataset else f"{criterion.source}:"
            if start.startswith(prefix):
                first = (await catalog.series_by_key([start])).get(start)
                if first is not None and matches(first):
                    yield first
                after = start
            elif start > prefix:
                continue
        while True:
            page = await catalog.series_page(criterion, after=after, limit=_PAGE)
            for series in page:
                if matches(series):
                    yield series
            if len(page) < _PAGE:
                break
            after = str(page[-1].key)
