"""``/v1/metadata/eia``: datasets of EIA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.eia.schemas import EiaDataset, EiaDatasetAnswer
from aurum.api.v1.envelope import Listed, document, list_response, responses
from aurum.api.v1.metadata.schemas import Prefix
from aurum.api.v1.pages import Limit, requested_page
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.services.catalog import DatasetReach, has_prefix, source_dataset, source_datasets

router = v1_router("/v1/metadata/eia", "v1 metadata", Permission.CATALOG_READ)

_EIA = "eia"


@router.get(
    "/datasets",
    operation_id="v1ListEiaDatasets",
    summary="EIA's datasets",
    response_class=Response,
    responses=responses(Listed[EiaDataset]),
)
async def list_eia_datasets(
    request: Request,
    *,
    prefix: Prefix = None,
    limit: Limit = 100,
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Datasets by path, which is their name here."""
    requested = requested_page(request, cursors, limit, width=1)
    service = services(request)
    every = await source_datasets(service.store.catalog.reader, service.store.quality.log, _EIA, now=service.clock.now())
    matching = [reach for reach in every if has_prefix(reach.entry.name, prefix)]
    return list_response(request, matching, requested, key=lambda reach: (reach.entry.name,), row=_row)


@router.get(
    "/datasets/{dataset_path:path}",
    operation_id="v1ReadEiaDataset",
    summary="One of EIA's datasets",
    response_class=Response,
    responses=responses(EiaDatasetAnswer, 404),
)
async def read_eia_dataset(
    request: Request, dataset_path: Annotated[Text, Path(description="Path of a dataset.", examples=["gas_storage_weekly"])]
) -> Response:
    """One dataset."""
    service = services(request)
    catalog, quality = service.store.catalog.reader, service.store.quality.log
    reach = await source_dataset(catalog, quality, _EIA, dataset_path, now=service.clock.now())
    return document(request, {"data": _row(reach)})


def _row(reach: DatasetReach) -> Mapping[str, object]:
    entry = reach.entry
    return {
        "path": entry.name,
        "name": entry.title,
        "description": entry.reference or None,
        "default_frequency": entry.frequency,
        "start_period": None,
        "end_period": reach.newest_ts.date().isoformat() if reach.newest_ts else None,
        "facets": [],
        "data_columns": [measure["name"] for measure in entry.measures],
        "frequencies": [entry.frequency],
    }
