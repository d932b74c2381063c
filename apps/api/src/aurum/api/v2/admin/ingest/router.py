"""``/v2/admin/ingest``: files that were loaded into the store or refused."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import DatasetFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.schemas import FilePage
from aurum.api.contract.text import Moment
from aurum.api.handlers.load_log import file_page
from aurum.api.handlers.paging import Cursor, Limit
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.ingest.schemas import FileRecords
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.services.quality import records_of

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ), prefix="/v2/admin/ingest", tags=["admin"], dependencies=[Depends(known_only)]
)

Digest = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Path(description="SHA-256 of the content of a file, hexadecimal, in lower case.", examples=["0" * 64]),
]


@router.get(
    "",
    operation_id="listIngestedFiles",
    summary="List ingested files",
    responses=problems(Unauthenticated, Forbidden, Unavailable),
)
async def list_files(
    request: Request,
    response: Response,
    status: Annotated[Literal["applied", "refused"] | None, Query(description="Only files with this result.")] = None,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    since: Annotated[
        Moment | None, Query(description="Only files from this RFC 3339 date-time on.", examples=["2026-11-20T00:00:00Z"])
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> FilePage:
    """List files that were loaded or refused, newest first. The response is never cached."""
    return await file_page(
        request, response, status=status, source=source, dataset=dataset, since=since, limit=limit, cursor=cursor
    )


@router.get(
    "/{digest}",
    operation_id="readIngestedFile",
    summary="Records of a file by its content",
    responses=problems(Unauthenticated, Forbidden, NotFound, Unavailable),
)
async def read_file(request: Request, digest: Digest) -> FileRecords:
    """List the loads and refusals of this content, oldest first. Content that the store already had is not recorded again."""
    records = await records_of(services(request).store.files.log, digest)
    return FileRecords.model_validate({"data": [asdict(one) for one in records]})
