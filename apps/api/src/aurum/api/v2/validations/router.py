"""``/v2/catalog/quality/validations``: what each check of a file or a mart found, expectation by expectation."""

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


@router.get("", operation_id="listValidations", summary="Checks of files and marts, the newest first", responses=problems())
async def list_validations(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    mart: Annotated[Text | None, Query(description="Mart, by the name of its model.", examples=["fct_lmp_daily"])] = None,
    success: Annotated[bool | None, Query(description="Whether every critical expectation held.", examples=[False])] = None,
    since: Annotated[
        Moment | None, Query(description="Only what was checked then or later.", examples=["2026-11-20T00:00:00Z"])
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.ValidationPage:
    """Each time rows were checked against their suite: a file's when it was offered, a mart's when it was built."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    found = await services(request).store.quality.validations.validations_page(
        ValidationFilter(source=source, dataset=dataset, mart=mart, success=success, since=since),
        before=int(page.after[0]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, found, lambda one: (str(one.validation_id),))
    return schemas.ValidationPage.model_validate({"data": [asdict(one) for one in found[: page.limit]], "meta": meta})


@router.get(
    "/{validation_id}", operation_id="readValidation", summary="One check, with every outcome", responses=problems(NotFound)
)
async def read_validation(
    request: Request,
    validation_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number in the list.", examples=[1])],
) -> schemas.ValidationDetail:
    """How each expectation fared, in the order of the suite, with the first rows that broke it."""
    found = await services(request).store.quality.validations.validation(validation_id)
    data = {**asdict(found.entry), "outcomes": [{**asdict(one), "wording": one.wording} for one in found.outcomes]}
    return schemas.ValidationDetail.model_validate({"data": data})
