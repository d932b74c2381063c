"""Agencies and data providers, as opposed to grid operators, and their series."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.frequency import parse_frequency
from aurum.core.names import nearest
from aurum.core.series.model import Series
from aurum.services.catalog import each_series, providers
from aurum.services.observations import series_of
from aurum.storage.ports.catalog import Catalog, SeriesFilter


@dataclass(frozen=True, slots=True)
class ProviderSeriesFilter:
    """The series of providers that are selected; None: all. ``frequency``: of ``core.frequency``, in any accepted spelling.

    ``text``: in key or location name, in upper or lower case.
    """

    provider: str | None = None
    dataset: str | None = None
    frequency: str | None = None
    text: str | None = None


async def provider_series_page(
    catalog: Catalog, selected: ProviderSeriesFilter, *, after: str | None, limit: int
) -> Sequence[Series]:
    """Return up to ``limit`` series of providers after a key, ascending by provider and key.

    Raises ``InvalidParameters`` for an unknown provider, dataset or frequency, with the nearest names.
    """
    names = [source.name for source in await providers(catalog)]
    if selected.provider is not None and selected.provider not in names:
        raise _unknown("provider", selected.provider, names, "/v2/external/providers")
    criteria = [SeriesFilter(name, selected.dataset, text=selected.text) for name in names if selected.provider in (None, name)]
    if selected.dataset is not None:
        datasets = {one.name for one in await catalog.datasets() if one.source in {each.source for each in criteria}}
        if selected.dataset not in datasets:
            raise _unknown("dataset", selected.dataset, sorted(datasets), "/v2/catalog/datasets")
    frequency = _frequency(selected.frequency)

    def matches(series: Series) -> bool:
        return frequency in (None, str(series.spec.frequency)) and str(series.key) != after

    page: list[Series] = []
    async with aclosing(each_series(catalog, criteria, matches, start=after)) as matching:
        async for one in matching:
            page.append(one)
            if len(page) == limit:
                break
    return page


async def provider_series(catalog: Catalog, key: str) -> Series:
    """Return a series of a provider. Raises ``UnknownName``, also for a series of a grid operator."""
    series = await series_of(catalog, key)
    if series.key.source not in {source.name for source in await providers(catalog)}:
        raise UnknownName("series", key, ())
    return series


def _frequency(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(parse_frequency(text))
    except UnknownName as error:
        raise InvalidParameters(("frequency", error.detail, text), nearest=list(error.nearest)) from error


def _unknown(parameter: str, value: str, known: Sequence[str], listed_at: str) -> InvalidParameters:
    close = nearest(value, known) or tuple(known[:5])
    return InvalidParameters(
        (parameter, f"unknown {parameter}; nearest: {', '.join(close)}; see {listed_at}", value), nearest=list(close)
    )
