"""``/v2/changes``: the list of changes in the order of commits, the points of an entry, and the push of new entries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.changes import change_document
from aurum.api.contract.filters import DatasetFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.handlers.paging import Cursor, Limit, requested_page, sealed_meta
from aurum.api.handlers.services import services
from aurum.api.http.event_stream import EVENT_STREAM, EventStream
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.process.drain import Drain
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.changes import schemas
from aurum.api.v2.changes.points import point_documents
from aurum.core.access import Permission
from aurum.core.errors import Gone, NotFound
from aurum.services.changes import is_visible, position_text
from aurum.storage.ports.recordings import ChangeFilter

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v2/changes", tags=["changes"], dependencies=[Depends(known_only)]
)

_MOST_PATTERNS = 100

Series = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=8_000,
        pattern=r"^[^\x00]*$",
        description="Only entries with one of these series: keys, or patterns in which `*` stands for any text, separated by "
        f"commas; at most {_MOST_PATTERNS}. Each entry then says how many of its series match, and names up to 100.",
        examples=["nyiso:damlbmp_zone:*"],
    ),
]
After = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Only entries after this position: `meta.next` of the page before, or `position` of an entry. Default: "
        "from the oldest entry that is served.",
        examples=["4711-1c9a03fe"],
    ),
]
AfterEvent = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Begin with the first entry after this position. `Last-Event-ID` takes precedence. Default: with the next "
        "commit.",
        examples=["4711-1c9a03fe"],
    ),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=100,
        description="The last `id` received: the stream resumes after it.",
        examples=["4711-1c9a03fe"],
    ),
]
Position = Annotated[str, Path(description="Position of an entry.", max_length=100, examples=["4711-1c9a03fe"])]


@router.get("", operation_id="listChanges", summary="List changes", responses=problems(Gone))
async def list_changes(
    request: Request,
    response: Response,
    after: After = None,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    series: Series = None,
    limit: Limit = 100,
) -> schemas.ChangePageDocument:
    """List what files and restatements changed, one entry for each of their datasets, in the order of commits.

    No entry ever appears before one that was returned: continue with `after=<meta.next>`, as often as you like. Known times
    are no order, because history arrives late.
    """
    service = services(request)
    changes = service.changes
    criteria = _criteria(source, dataset, series)
    start = (await changes.bounds()).oldest if after is None else await changes.resumed(after, parameter="after")
    limit = min(limit, service.settings.page_limit)
    page = await changes.log.changes(start, criteria, limit=limit)
    tenant = caller_of(request).tenant
    data = [change_document(one) for one in page.entries if is_visible(one, tenant)]
    meta = schemas.ChangesMeta(count=len(data), limit=limit, next=position_text(page.next), last=position_text(page.last))
    response.headers["Cache-Control"] = "no-store"
    return schemas.ChangePageDocument(data=data, meta=meta)


@router.get(
    "/events",
    operation_id="followChanges",
    summary="Follow changes",
    status_code=200,
    response_class=EventStream,
    responses={
        **problems(Gone),
        200: {
            "description": "Server-sent events: `id` is the position, `event` is `change`, `data` an entry of the list",
            "content": {"text/event-stream": EVENT_STREAM},
        },
    },
)
async def follow_changes(
    request: Request,
    after: AfterEvent = None,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    series: Series = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Send each new entry of the list of changes as a server-sent event, within a second of its commit.

    A client that connects again with the `id` it received last gets every entry once. The stream ends when the service stops,
    when keys change, and after some minutes; connect again after the time in its field `retry`.
    """
    service = services(request)
    changes, hub, caller = service.changes, service.hub, caller_of(request)
    criteria = _criteria(source, dataset, series)
    resumed = last_event_id or after
    if resumed is None:
        start = (await changes.bounds()).last
    else:
        start = await changes.resumed(resumed, parameter="Last-Event-ID" if last_event_id else "after")
    if request.scope.get("is_head"):
        return Response(media_type=EventStream.media_type, headers={"Cache-Control": "no-store"})
    drain: Drain | None = request.scope["state"].get("drain")
    if drain is not None:
        drain.call_at_begin(hub.drain)
    leave = hub.places.enter(caller)
    state_of(request.scope).is_listening = True
    events = hub.stream(criteria, start, caller, resumes=resumed is not None)
    return EventStream(events, send_s=hub.send_s, closed=leave)


@router.get(
    "/{position}/points",
    operation_id="listChangedPoints",
    summary="List changed points",
    responses=problems(NotFound, Gone),
)
async def list_changed_points(
    request: Request, response: Response, position: Position, limit: Limit = 100, cursor: Cursor = None
) -> schemas.ChangedPointPage:
    """List the observations that an entry added or revised, ascending by series and interval, each with the one before it."""
    service = services(request)
    entry = await service.changes.entry(position, caller_of(request).tenant)
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    changed = await service.changed_points.points(entry, after=_point_after(page.after, cursor), limit=page.limit)
    data = point_documents(changed.points)
    state_of(request.scope).points = len(data)
    following = (changed.next[0], changed.next[1].isoformat()) if changed.next is not None else None
    response.headers["Cache-Control"] = "no-store"
    return schemas.ChangedPointPage.model_validate(
        {"data": data, "meta": sealed_meta(request, response, page, len(data), following)}
    )


def _criteria(source: str | None, dataset: str | None, series: str | None) -> ChangeFilter:
    patterns = tuple(dict.fromkeys(one.strip() for one in series.split(","))) if series is not None else ()
    if series is not None and not all(patterns):
        raise InvalidParameters(("series", "has an empty key or pattern: separate them with single commas", series))
    if len(patterns) > _MOST_PATTERNS:
        raise InvalidParameters(
            ("series", f"has {len(patterns)} keys and patterns: send at most {_MOST_PATTERNS}, or fewer patterns", series)
        )
    return ChangeFilter(source, dataset, patterns)


def _point_after(after: list[str] | None, cursor: str | None) -> tuple[str, datetime] | None:
    if after is None:
        return None
    try:
        return after[0], datetime.fromisoformat(after[1])
    except ValueError as error:
        raise InvalidParameters(
            ("cursor", "the cursor belongs to another list: use meta.next_cursor of this one", cursor)
        ) from error
