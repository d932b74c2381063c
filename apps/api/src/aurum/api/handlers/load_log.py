"""Pages of ingested files and of quarantined rows, for users and for operators."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.schemas import FilePage, QuarantinePage
from aurum.api.handlers.paging import page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.core.catalog import Reason
from aurum.storage.ports.files import FileFilter
from aurum.storage.ports.quality import QuarantineFilter


async def file_page(
    request: Request,
    response: Response,
    *,
    status: str | None,
    source: str | None = None,
    dataset: str | None = None,
    since: datetime | None = None,
    limit: int,
    cursor: str | None,
) -> FilePage:
    """Return a page of files, the newest first. Raises ``InvalidParameters``, ``Unavailable``."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    entries = await services(request).store.files.log.files_page(
        FileFilter(status=status, source=source, dataset=dataset, since=since),
        before=int(page.after[0]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, entries, lambda one: (str(one.file_id),))
    return FilePage.model_validate({"data": [asdict(one) for one in entries[: page.limit]], "meta": meta})


async def held_page(
    request: Request,
    response: Response,
    *,
    source: str | None,
    dataset: str | None,
    reason: Reason | None,
    digest: str | None = None,
    replayed: bool,
    limit: int,
    cursor: str | None,
) -> QuarantinePage:
    """Return a page of quarantined rows. Raises ``InvalidParameters``, ``Unavailable``."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    criteria = QuarantineFilter(
        source=source,
        dataset=dataset,
        reason=str(reason) if reason else None,
        digest=digest,
        pending_only=not replayed,
    )
    entries = await services(request).store.quality.log.quarantine_page(
        criteria,
        after=int(page.after[0]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, entries, lambda one: (str(one.row_id),))
    return QuarantinePage.model_validate({"data": [asdict(one) for one in entries[: page.limit]], "meta": meta})
