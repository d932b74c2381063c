"""``/v2/catalog/quality``: freshness, completeness, files and quarantine."""

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


@router.get("", operation_id="readQuality", summary="Quality of datasets", responses=problems())
async def read_quality(request: Request, source: SourceFilter = None) -> schemas.QualityList:
    """List the freshness, gaps, rows in quarantine and refused files of each dataset."""
    service = services(request)
    qualities = await service.store.quality.log.datasets_quality(now=service.clock.now(), source=source)
    data = [{**asdict(one), "newest": one.newest_ts, "reasons": dict(one.reasons)} for one in qualities]
    return schemas.QualityList.model_validate({"data": data})


@router.get("/completeness", operation_id="listCompleteness", summary="Completeness by series and day", responses=problems())
async def list_completeness(
    request: Request,
    response: Response,
    series: SeriesFilter = None,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    start: Annotated[
        Day | None, Query(description="First local day, YYYY-MM-DD, inclusive. Default: the first.", examples=["2025-11-01"])
    ] = None,
    end: Annotated[
        Day | None,
        Query(
            description="Day after the last local day, YYYY-MM-DD, exclusive. Default: after the last.", examples=["2025-11-03"]
        ),
    ] = None,
    incomplete: Annotated[bool, Query(description="Only days with missing intervals. Default: true.")] = True,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.CompletenessPage:
    """List the expected, present and missing intervals of each published local day, ascending by series and day."""
    if start is not None and end is not None and start > end:
        raise InvalidParameters(("start", f"is after end {end}: send a start that is not after end", str(start)))
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    days = await services(request).store.quality.log.completeness_page(
        CompletenessFilter(series, source, dataset, start, end, only_incomplete=incomplete),
        after=(page.after[0], date.fromisoformat(page.after[1])) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, days, lambda one: (one.key, one.day.isoformat()))
    data = [
        {"series": one.key, "day": one.day, "expected": one.expected, "present": one.present, "missing": one.missing}
        for one in days[: page.limit]
    ]
    return schemas.CompletenessPage.model_validate({"data": data, "meta": meta})


@router.get("/files", operation_id="listFiles", summary="List ingested files", responses=problems())
async def list_files(
    request: Request,
    response: Response,
    status: Annotated[Literal["applied", "refused"] | None, Query(description="Only files with this result.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> FilePage:
    """List the files that were loaded into the store or refused, newest first."""
    return await file_page(request, response, status=status, limit=limit, cursor=cursor)


@router.get("/quarantine", operation_id="listQuarantine", summary="List rows in quarantine", responses=problems())
async def list_quarantine(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    reason: Annotated[Reason | None, Query(description="Only rows that failed this check.")] = None,
    replayed: Annotated[bool, Query(description="Include rows whose file was loaded again later. Default: false.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QuarantinePage:
    """List the rows that failed a check, with file, line, column, raw text and reason."""
    return await held_page(
        request, response, source=source, dataset=dataset, reason=reason, replayed=replayed, limit=limit, cursor=cursor
    )
