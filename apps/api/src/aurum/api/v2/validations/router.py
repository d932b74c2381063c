"""``/v2/catalog/quality/validations``: checks of files and marts, with the outcome of each expectation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import DatasetFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Moment, Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.validations import schemas
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.storage.ports.quality import ValidationFilter

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ, is_shared=True, cached=CacheRule(DataClass.LIVE, ("files",))),
    prefix="/v2/catalog/quality/validations",
    tags=["quality"],
    dependencies=[Depends(known_only)],
)


@router.get("", operation_id="listValidations", summary="List checks of files and marts", responses=problems())
async def list_validations(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    mart: Annotated[
        Text | None, Query(description="Only checks of this mart, by the name of its model.", examples=["fct_lmp_daily"])
    ] = None,
    success: Annotated[
        bool | None, Query(description="Only checks that succeeded (true) or failed (false). Default: both.", examples=[False])
    ] = None,
    since: Annotated[
        Moment | None, Query(description="Only checks from this RFC 3339 date-time on.", examples=["2026-11-20T00:00:00Z"])
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.ValidationPage:
    """List the checks of rows against their suite, newest first: of a file when it is loaded, of a mart after it is built."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    entries = await services(request).store.quality.validations.validations_page(
        ValidationFilter(source=source, dataset=dataset, mart=mart, success=success, since=since),
        before=int(page.after[0]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, entries, lambda one: (str(one.validation_id),))
    return schemas.ValidationPage.model_validate({"data": [asdict(one) for one in entries[: page.limit]], "meta": meta})


@router.get(
    "/{validation_id}", operation_id="readValidation", summary="Read a check with its outcomes", responses=problems(NotFound)
)
async def read_validation(
    request: Request,
    validation_id: Annotated[
        int, Path(ge=1, le=2**63 - 1, description="`validation_id` of the check in the list.", examples=[1])
    ],
) -> schemas.ValidationDetail:
    """Return a check with the outcome of each expectation, in the order of the suite, and the first rows that broke it."""
    validation = await services(request).store.quality.validations.validation(validation_id)
    data = {**asdict(validation.entry), "outcomes": [{**asdict(one), "wording": one.wording} for one in validation.outcomes]}
    return schemas.ValidationDetail.model_validate({"data": data})
