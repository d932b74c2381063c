"""``/v2/links``: signed addresses of single reads, for readers that cannot send a header."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.routing.table import PolicyTable
from aurum.api.security.links import LinkVerifier
from aurum.api.v2.links import schemas
from aurum.core.access import MissingScope, Permission
from aurum.core.errors import Conflict, NotFound
from aurum.core.links import LINK, READ_SCOPES, SIGNATURE, read_of_text
from aurum.services import access
from aurum.services.access import NewLink
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.links import Link

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ),
    writes=Policy(Permission.SERIES_READ),
    prefix="/v2/links",
    tags=["links"],
    dependencies=[Depends(known_only)],
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

LinkId = Annotated[Text, Path(description="`link_id` of the link.", examples=["5e884898da28047151d0e56f8dc62927"])]


@router.post("", status_code=201, operation_id="createLink", summary="Create a link", responses=problems(NotFound, Conflict))
async def create_link(request: Request, body: schemas.NewLink) -> schemas.NewLinkAnswer:
    """Create an address that answers one read without a key, for programs that cannot send a header.

    It reads as you do, with your rate limits, and only what you may read. It ends when it expires, when it is revoked, and when
    the key that made it is revoked. Only this response holds the signed address; every client that has it reads the same.
    """
    caller, service = caller_of(request), services(request)
    read = _checked(request, body.query)
    longest = service.links.longest_s
    if body.expires_in > longest:
        raise InvalidParameters(
            ("expires_in", f"a link of this service lasts {longest:,} seconds at most", body.expires_in), limit=longest
        )
    verifier: LinkVerifier = request.scope["state"]["links"]
    issued = await access.create_link(
        service.store.transactions,
        NewLink(caller.tenant, caller.subject, read, timedelta(seconds=body.expires_in)),
        await verifier.secret(),
        by=actor_of(request),
        may=caller.scopes,
        most=service.links.per_tenant,
        now=service.clock.now(),
    )
    state_of(request.scope).holds_secret = True
    document = schemas.LinkDocument.from_domain(issued.link).model_dump()
    url = str(request.base_url).rstrip("/") + issued.address
    return schemas.NewLinkAnswer(data=schemas.NewLinkDocument(**document, path=issued.address, url=url))


@router.get("", operation_id="listLinks", summary="List your links", responses=problems())
async def list_links(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> schemas.LinkPage:
    """List the links that your key or user made, the newest first, with expired ones of the last day and revoked ones."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    caller = caller_of(request)
    links = await services(request).store.access.links.page(
        caller.tenant, subject=caller.subject, before=_position(page.after), limit=page.limit + 1
    )
    meta = page_meta(request, response, page, links, _sort_key)
    data = [schemas.LinkDocument.from_domain(one) for one in links[: page.limit]]
    response.headers["Cache-Control"] = "no-store"
    return schemas.LinkPage.model_validate({"data": data, "meta": meta})


@router.delete("/{link_id}", operation_id="revokeLink", summary="Revoke a link", responses=problems(NotFound))
async def revoke_link(request: Request, link_id: LinkId) -> schemas.LinkAnswer:
    """Revoke a link of your key or user. Within a second no process answers it; revoking it again changes nothing."""
    caller = caller_of(request)
    link = await access.revoke_link(
        services(request).store.transactions, caller.tenant, link_id, subject=caller.subject, by=actor_of(request)
    )
    verifier: LinkVerifier = request.scope["state"]["links"]
    # Other processes learn of it from the change feed; here it holds at once.
    verifier.changed(Change(ChangeKind.LINKS, (link_id,)))
    return schemas.LinkAnswer(data=schemas.LinkDocument.from_domain(link))


def _checked(request: Request, query: str) -> str:
    """Return the spelling of a read that a link may answer. Raises ``InvalidParameters``, ``MissingScope``."""
    path, read = read_of_text(query)
    if not path.startswith("/v2/") or "#" in query:
        raise InvalidParameters(
            ("query", "must be a path under /v2 with its query, such as /v2/observations?series=...&format=parquet", query)
        )
    names = {pair.partition("=")[0] for pair in read.partition("?")[2].split("&")}
    if names & {LINK, SIGNATURE}:
        raise InvalidParameters(("query", f"must not have the parameters {LINK} and {SIGNATURE}", "..."))
    policies: PolicyTable = request.app.surface.policies
    policy = policies.readable(path)
    needs = policy.needs if policy is not None else None
    if not isinstance(needs, Permission) or needs not in READ_SCOPES or path.startswith("/v2/links"):
        raise InvalidParameters(
            ("query", "is not a read of data: a link answers a GET such as /v2/observations, and no stream of events", query)
        )
    if needs not in caller_of(request).scopes:
        raise MissingScope(needs)
    return read


def _sort_key(link: Link) -> tuple[str, str]:
    return str((link.created_at - _EPOCH) // _MICROSECOND), link.link_id


def _position(after: list[str] | None) -> tuple[datetime, str] | None:
    return (_EPOCH + int(after[0]) * _MICROSECOND, after[1]) if after is not None else None
