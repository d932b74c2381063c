"""``/v2/admin/quarantine``: rows in quarantine, and replay of their files."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import DatasetFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.schemas import QuarantinePage
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.load_log import held_page
from aurum.api.handlers.paging import Cursor, Limit
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.quarantine.schemas import ReplayAnswer, ReplayJob
from aurum.core.access import Permission
from aurum.core.catalog import Reason
from aurum.core.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.services.quality.replay import replay_later

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/admin/quarantine",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

_DIGEST = StringConstraints(pattern=r"^[0-9a-f]{64}$")

HeldFile = Annotated[
    str, _DIGEST, Path(description="SHA-256 of the content of a file, hexadecimal, in lower case.", examples=["0" * 64])
]


@router.get(
    "",
    operation_id="listHeldRows",
    summary="List rows in quarantine",
    responses=problems(Unauthenticated, Forbidden, Unavailable),
)
async def list_rows(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    reason: Annotated[Reason | None, Query(description="Only rows that failed this check.")] = None,
    digest: Annotated[
        str | None, _DIGEST, Query(description="Only rows of the file whose content has this SHA-256.", examples=["0" * 64])
    ] = None,
    replayed: Annotated[bool, Query(description="Include rows whose file was loaded again later. Default: false.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QuarantinePage:
    """List the rows that failed a check, with file, line, column and reason. The response is never cached."""
    return await held_page(
        request,
        response,
        source=source,
        dataset=dataset,
        reason=reason,
        digest=digest,
        replayed=replayed,
        limit=limit,
        cursor=cursor,
    )


@router.post(
    "/{held_file}/replay",
    status_code=202,
    operation_id="replayHeldFile",
    summary="Replay a file",
    responses=problems(Unauthenticated, Forbidden, NotFound, Unavailable),
)
async def replay(request: Request, held_file: HeldFile) -> ReplayAnswer:
    """Create a job that loads the file again, with its original known time. Rows that now pass the checks are stored."""
    store = services(request).store
    job_id = await replay_later(store.transactions, store.quality.log, held_file, by=actor_of(request))
    return ReplayAnswer(data=ReplayJob(job_id=job_id, digest=held_file))
