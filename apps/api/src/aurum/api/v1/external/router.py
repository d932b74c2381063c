"""``/v1/external``: agencies and data providers, as opposed to grid operators, and their series."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.envelope import Listed, list_response, page_response, responses
from aurum.api.v1.external.schemas import ExternalProvider, ExternalSeries
from aurum.api.v1.pages import Limit, PageRequest, page_of_rest, requested_page
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.core.catalog.entries import SourceEntry
from aurum.core.errors import UnknownName
from aurum.core.frequency import parse_frequency
from aurum.core.series.model import Series
from aurum.services.catalog import each_series, providers, series_counts
from aurum.storage.ports.catalog import Catalog, SeriesFilter

router = v1_router("/v1/external", "v1 external", Permission.SERIES_READ)


@router.get(
    "/providers",
    operation_id="v1ListProviders",
    summary="Providers",
    response_class=Response,
    responses=responses(Listed[ExternalProvider]),
)
async def list_providers(
    request: Request,
    *,
    include_counts: Annotated[bool, Query(description="Also return the number of series of each.")] = False,
    limit: Limit = 100,
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Providers by name."""
    requested = requested_page(request, cursors, limit, width=1)
    catalog = services(request).store.catalog.reader
    counts = (await series_counts(catalog, ["source"]))["source"] if include_counts else None

    def row(source: SourceEntry) -> Mapping[str, object]:
        return {
            "name": source.name,
            "title": source.title,
            "homepage": source.homepage,
            "terms": source.terms or None,
            "series_count": counts.get(source.name, 0) if counts is not None else None,
        }

    return list_response(request, await providers(catalog), requested, key=lambda source: (source.name,), row=row)


@router.get(
    "/series",
    operation_id="v1ListExternalSeries",
    summary="Series of providers",
    response_class=Response,
    responses=responses(Listed[ExternalSeries]),
)
async def list_series(
    request: Request,
    *,
    provider: Annotated[Text | None, Query(description="Provider; see `/v1/external/providers`.", examples=["ecb"])] = None,
    frequency: Annotated[Text | None, Query(description="Step, such as `1d`.", examples=["1d"])] = None,
    limit: Limit = 100,
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Series by provider and id."""
    requested = requested_page(request, cursors, limit, width=1)
    catalog = services(request).store.catalog.reader
    names = [source.name for source in await providers(catalog)]
    if provider is not None and provider not in names:
        raise BadRequest("provider", f"unknown provider; accepted: {', '.join(names)}", provider)
    criteria = [SeriesFilter(name) for name in names if provider in (None, name)]
    series = await _series_behind(catalog, criteria, _frequency(frequency), requested)
    return page_response(request, page_of_rest(series, requested, key=lambda one: (str(one.key),), row=_row))


async def _series_behind(
    catalog: Catalog, criteria: list[SeriesFilter], frequency: str | None, requested: PageRequest
) -> list[Series]:
    """Return the series of a page, and one more where there is one."""
    after = requested.trail.after[0] if requested.trail.after else None

    def matches(series: Series) -> bool:
        return frequency in (None, str(series.spec.frequency))

    behind: list[Series] = []
    async with aclosing(each_series(catalog, criteria, matches, start=after)) as matching:
        async for one in matching:
            if str(one.key) != after:
                behind.append(one)
            if len(behind) > requested.limit:
                break
    return behind


def _frequency(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(parse_frequency(text))
    except UnknownName as error:
        raise BadRequest("frequency", error.detail, text) from error


def _row(series: Series) -> Mapping[str, object]:
    spec = series.spec
    return {
        "provider": spec.key.source,
        "series_id": str(spec.key),
        "title": spec.location_name or None,
        "dataset": spec.key.dataset,
        "frequency": str(spec.frequency),
        "unit": spec.unit,
        "currency": spec.currency,
        "timezone": spec.zone,
        "observation_start": series.first_ts,
        "observation_end": series.last_ts,
        "last_updated": series.updated_at,
    }
