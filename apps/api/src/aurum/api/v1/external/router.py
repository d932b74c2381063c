"""``/v1/external``: agencies and data providers, as opposed to grid operators, and their series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.envelope import Listed, list_response, page_response, responses
from aurum.api.v1.external.schemas import ExternalProvider, ExternalSeries
from aurum.api.v1.pages import Limit, page_of_rest, requested_page
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.core.catalog.entries import SourceEntry
from aurum.core.series.model import Series
from aurum.services.catalog import providers, series_counts
from aurum.services.external import ProviderSeriesFilter, provider_series_page

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
    series = await provider_series_page(
        services(request).store.catalog.reader,
        ProviderSeriesFilter(provider, frequency=frequency),
        after=requested.trail.after[0] if requested.trail.after else None,
        limit=requested.limit + 1,
    )
    return page_response(request, page_of_rest(series, requested, key=lambda one: (str(one.key),), row=_row))


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
