"""``/v2/external``: agencies and data providers, and their series."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.schemas import SeriesDocument
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.external.schemas import ProviderDocument, ProviderPage, ProviderSeriesPage
from aurum.core.access import Permission
from aurum.services.catalog import providers, series_counts
from aurum.services.external import ProviderSeriesFilter, provider_series_page

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ, is_shared=True, cached=CacheRule(DataClass.DAY, ("any series", "catalog"))),
    prefix="/v2/external",
    tags=["external"],
    dependencies=[Depends(known_only)],
)


@router.get("/providers", operation_id="listProviders", summary="Agencies and data providers", responses=problems())
async def list_providers(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> ProviderPage:
    """List agencies and data providers, as opposed to grid operators, ascending by name."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    catalog = services(request).store.catalog.reader
    after = page.after[0] if page.after else ""
    listed = [one for one in await providers(catalog) if one.name > after]
    counts = (await series_counts(catalog, ["source"]))["source"]
    datasets = await catalog.datasets()
    meta = page_meta(request, response, page, listed, lambda one: (one.name,))
    data = [
        ProviderDocument(
            name=one.name,
            title=one.title,
            homepage=one.homepage,
            terms=one.terms,
            datasets=[dataset.name for dataset in datasets if dataset.source == one.name],
            series=counts.get(one.name, 0),
        )
        for one in listed[: page.limit]
    ]
    return ProviderPage.model_validate({"data": data, "meta": meta})


@router.get("/series", operation_id="listProviderSeries", summary="Series of providers", responses=problems())
async def list_series(
    request: Request,
    response: Response,
    provider: Annotated[
        Text | None, Query(description="Only series of this provider; see `/v2/external/providers`.", examples=["ecb"])
    ] = None,
    dataset: Annotated[
        Text | None, Query(description="Only series of this dataset of a provider.", examples=["reference_rates"])
    ] = None,
    frequency: Annotated[Text | None, Query(description="Only series with this step.", examples=["1d"])] = None,
    text: Annotated[
        Text | None,
        Query(description="Only series with this text in their key or location name; case is ignored.", examples=["EUR"]),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ProviderSeriesPage:
    """List series of agencies and data providers, ascending by key. Several filters are combined with AND."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    series = await provider_series_page(
        services(request).store.catalog.reader,
        ProviderSeriesFilter(provider, dataset, frequency, text),
        after=page.after[0] if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, series, lambda one: (str(one.key),))
    return ProviderSeriesPage.model_validate(
        {"data": [SeriesDocument.from_domain(one) for one in series[: page.limit]], "meta": meta}
    )
