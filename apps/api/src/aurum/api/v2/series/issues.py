"""``/v2/series/{key}/issues``: the issues of a forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.observations.private import reading_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.series.schemas import IssueDocument, IssuePage
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.services.observations import parse_as_of, series_of

router = FeatureRouter(reads=Policy(Permission.SERIES_READ, is_shared=True), prefix="/v2/series", tags=["series"])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@router.get(
    "/{key:path}/issues",
    operation_id="listIssues",
    summary="List the issues of a forecast",
    response_model=IssuePage,
    responses=problems(NotFound),
    dependencies=[Depends(known_only)],
)
async def list_issues(
    request: Request,
    response: Response,
    key: Annotated[
        str,
        Path(
            description="Key of the series, `source:dataset:location:measure`.",
            examples=["nyiso:isolf:61761:load_forecast"],
        ),
    ],
    as_of: Annotated[
        Text | None,
        Query(
            description="Only issues known at this instant, that instant included: an RFC 3339 date-time, or a date in UTC. "
            "Default: all issues.",
            examples=["2026-03-08T12:00:00Z"],
        ),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> IssuePage:
    """List the publications of a forecast that have values of this series, newest first. Other series have no issues.

    Send the `known_at` of one as `issue` to read it.
    """
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    catalog = reading_of(request, [key]).catalog
    series = await series_of(catalog, key)
    issues = await catalog.issues_page(
        series.series_id, as_of=parse_as_of(as_of), before=_position(page.after), limit=page.limit + 1
    )
    meta = page_meta(
        request, response, page, issues, lambda issue: (str((issue.known_at - _EPOCH) // _MICROSECOND), str(issue.file_id))
    )
    data = [IssueDocument.from_domain(issue) for issue in issues[: page.limit]]
    return IssuePage.model_validate({"data": data, "meta": meta})


def _position(after: list[str] | None) -> tuple[datetime, int] | None:
    if after is None:
        return None
    try:
        return _EPOCH + int(after[0]) * _MICROSECOND, int(after[1])
    except (ValueError, OverflowError) as error:
        why = "the cursor belongs to another list: use meta.next_cursor of this one"
        raise InvalidParameters(("cursor", why, None)) from error
