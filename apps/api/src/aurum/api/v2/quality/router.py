"""``/v2/catalog/quality``: freshness, completeness, files, quarantine."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import DatasetFilter, SeriesFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.schemas import FilePage, QuarantinePage
from aurum.api.contract.text import Day
from aurum.api.handlers.load_log import file_page, held_page
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.quality import schemas
from aurum.core.access import Permission
from aurum.core.catalog import Reason
from aurum.storage.ports.quality import CompletenessFilter

router = FeatureRouter(
    reads=Policy(
        Permission.CATALOG_READ,
        is_shared=True,
        cached=CacheRule(
            DataClass.LIVE,
            (
                "files",
                "any series",
                "catalog",
            ),
        ),
    ),
    prefix="/v2/catalog/quality",
    tags=["quality"],
    dependencies=[Depends(known_only)],
)


@router.get("", operation_id="readQuality", summary="The state of every dataset", responses=problems())
async def read_quality(request: Request, source: SourceFilter = None) -> schemas.QualityList:
    """Freshness, gaps, quarantine and refused files of each dataset."""
    service = services(request)
    found = await service.store.quality.log.datasets_quality(now=service.clock.now(), source=source)
    data = [{**asdict(one), "newest": one.newest_ts, "reasons": dict(one.reasons)} for one in found]
    return schemas.QualityList.model_validate({"data": data})


@router.get("/completeness", operation_id="listCompleteness", summary="Days and what is missing of them", responses=problems())
async def list_completeness(
    request: Request,
    response: Response,
    series: SeriesFilter = None,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    start: Annotated[Day | None, Query(description="First local day.", examples=["2025-11-01"])] = None,
    end: Annotated[Day | None, Query(description="The day after the last.", examples=["2025-11-03"])] = None,
    incomplete: Annotated[bool, Query(description="Only days with something missing.")] = True,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.CompletenessPage:
    """Published local days by series and day: how many intervals there should be and are."""
    if start is not None and end is not None and start > end:
        raise InvalidParameters(("start", f"is after end {end}", str(start)))
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    found = await services(request).store.quality.log.completeness_page(
        CompletenessFilter(series, source, dataset, start, end, only_incomplete=incomplete),
        after=(page.after[0], date.fromisoformat(page.after[1])) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, found, lambda one: (one.key, one.day.isoformat()))
    data = [
        {"series": one.key, "day": one.day, "expected": one.expected, "present": one.present, "missing": one.missing}
        for one in found[: page.limit]
    ]
    return schemas.CompletenessPage.model_validate({"data": data, "meta": meta})


@router.get("/files", operation_id="listFiles", summary="Files, the newest first", responses=problems())
async def list_files(
    request: Request,
    response: Response,
    status: Annotated[Literal["applied", "refused"] | None, Query(description="What became of the file.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> FilePage:
    """What was offered to the store and what became of it."""
    return await file_page(request, response, status=status, limit=limit, cursor=cursor)


@router.get("/quarantine", operation_id="listQuarantine", summary="Rows held back", responses=problems())
async def list_quarantine(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    reason: Annotated[Reason | None, Query(description="Why the row is held back.")] = None,
    replayed: Annotated[bool, Query(description="Also rows whose file was loaded again since.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QuarantinePage:
    """Rows that failed a check, with file, line, column, raw text and reason."""
    return await held_page(
        request, response, source=source, dataset=dataset, reason=reason, replayed=replayed, limit=limit, cursor=cursor
    )
