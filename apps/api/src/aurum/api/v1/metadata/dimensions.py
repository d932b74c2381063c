"""``/v1/metadata/dimensions``: values of dimensions, with the number of series of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Day, Text
from aurum.api.curves.access import reading_of
from aurum.api.handlers.services import services
from aurum.api.v1.envelope import document, responses
from aurum.api.v1.metadata.schemas import Dimensions, Prefix
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.publications import PUBLICATIONS
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.services.catalog import block_counts, has_prefix, series_by_location, series_counts
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.curves import ProductFilter

router = v1_router("/v1/metadata", "v1 metadata", Permission.CATALOG_READ)

_DIMENSIONS = ("asset_class", "iso", "location", "market", "product", "block", "tenor_type")
_TENOR_TYPES = ("MONTHLY", "CALENDAR", "SEASON", "QUARTER")
_SERIES_DIMENSIONS = {"iso": "market", "market": "dataset"}
"""The dimension of series that a dimension of version 1 is computed from."""


class DimensionsQuery(BaseModel):
    """The filters that select dimensions, and the largest number of values of each."""

    model_config = ConfigDict(frozen=True)

    asof: Annotated[Day | None, Query(description="For curves; without them it changes nothing.", examples=["2026-11-20"])] = (
        None
    )
    dims: Annotated[Text | None, Query(description="Only these dimensions, with commas between.", examples=["iso,block"])] = (
        None
    )
    per_dim_limit: Annotated[int, Query(ge=1, le=1000, description="Largest number of values of each dimension.")] = 500
    prefix: Prefix = None
    include_counts: Annotated[bool, Query(description="Also return the number of series of each value.")] = False

    def names(self) -> Sequence[str]:
        """Return the requested dimensions. Raises ``BadRequest``."""
        names = self.dims.split(",") if self.dims else list(_DIMENSIONS)
        unknown = next((name for name in names if name not in _DIMENSIONS), None)
        if unknown is not None:
            raise BadRequest("dims", f"unknown dimension {unknown!r}; accepted: {', '.join(_DIMENSIONS)}", self.dims)
        return names


@router.get(
    "/dimensions",
    operation_id="v1Dimensions",
    summary="Values of dimensions",
    response_class=Response,
    responses=responses(Dimensions),
)
async def dimensions(request: Request, query: Annotated[DimensionsQuery, Query()]) -> Response:
    """Values of each dimension, with the number of series of each."""
    names = query.names()
    counts = await _counts(services(request).store.catalog.reader, names, query)
    curves = await _curve_counts(request) if {"asset_class", "tenor_type"} & set(names) else {}
    shown = {name: _shown(counts.get(name, curves.get(name, {})), query) for name in names}
    body: dict[str, object] = {"data": {name: list(values) for name, values in shown.items()}}
    if query.include_counts:
        body["counts"] = {
            name: [{"value": value, "count": count} for value, count in values.items()] for name, values in shown.items()
        }
    return document(request, body)


async def _counts(catalog: Catalog, names: Sequence[str], query: DimensionsQuery) -> Mapping[str, Mapping[str, int]]:
    """Return the counts of the requested dimensions that have values."""
    counts: dict[str, Mapping[str, int]] = {}
    series = await series_counts(catalog, [_SERIES_DIMENSIONS[name] for name in names if name in _SERIES_DIMENSIONS])
    if "iso" in names:
        counts["iso"] = series["market"]
    if "market" in names:
        counts["market"] = _by_market(series["dataset"])
    if "block" in names:
        counts["block"] = await block_counts(catalog)
    if "location" in names:
        counts["location"] = await series_by_location(catalog, prefix=query.prefix, enough=query.per_dim_limit)
    return counts


async def _curve_counts(request: Request) -> Mapping[str, Mapping[str, int]]:
    """Return the numbers of quoted curves by commodity, and of all of them for each tenor type."""
    reading = reading_of(request)
    facets = await reading.curves.facets(ProductFilter(quoted=True), tenant=reading.tenant)
    commodities = facets.get("commodity", {})
    quoted = sum(commodities.values())
    return {"asset_class": commodities, "tenor_type": dict.fromkeys(_TENOR_TYPES, quoted) if quoted else {}}


def _by_market(series: Mapping[str, int]) -> Mapping[str, int]:
    """Return series by market, from series by dataset."""
    counts: dict[str, int] = {}
    for one in PUBLICATIONS:
        if one.market is not None and one.dataset in series:
            counts[one.market] = counts.get(one.market, 0) + series[one.dataset]
    return counts


def _shown(counts: Mapping[str, int], query: DimensionsQuery) -> Mapping[str, int]:
    values = sorted(value for value in counts if has_prefix(value, query.prefix))
    return {value: counts[value] for value in values[: query.per_dim_limit]}
