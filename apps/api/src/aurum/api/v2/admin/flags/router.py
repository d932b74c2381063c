"""``/v2/admin/flags``: create, change, switch off and evaluate feature flags."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.etag import matches_tag
from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import PreconditionFailed, problems
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.flags.schemas import (
    EvaluationAnswer,
    EvaluationDocument,
    EvaluationRequest,
    FlagAnswer,
    FlagAnswerDocument,
    FlagList,
    UseDocument,
    UseList,
)
from aurum.common.flags import FlagDocument, FlagName
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.services import flags
from aurum.storage.ports.flags import StoredFlag

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ),
    writes=Policy(Permission.ADMIN_FLAGS),
    prefix="/v2/admin/flags",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

InPath = Annotated[FlagName, Path(description="Name of the flag.", examples=["new-curves"])]
_USE_DAYS = timedelta(days=30)
_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


def _document(stored: StoredFlag) -> FlagAnswerDocument:
    return FlagAnswerDocument(
        name=stored.name,
        version=stored.version,
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
        flag=FlagDocument.model_validate(stored.document),
    )


def _tag(stored: StoredFlag) -> str:
    return f'"{stored.version}"'


def _only_tenant(request: Request) -> str | None:
    """Return the only tenant that a change of this caller may reach; None: all."""
    caller = caller_of(request)
    return None if caller.may(Permission.TENANT_MANAGE) else caller.tenant


def _refuse_for_one_tenant(request: Request, name: str) -> None:
    """Raise ``ReachesOtherTenants`` for a caller whose changes may reach one tenant only."""
    if (tenant := _only_tenant(request)) is not None:
        raise flags.ReachesOtherTenants(name, tenant)


async def _stored(request: Request, name: str) -> StoredFlag:
    return await flags.read_flag(services(request).store.flags, name)


@router.get("", operation_id="listFlags", summary="List feature flags", responses=_FAILURES)
async def list_flags(request: Request) -> FlagList:
    """List all flags, ascending by name."""
    return FlagList(data=[_document(one) for one in await services(request).store.flags.flags()])


@router.get("/{name}", operation_id="readFlag", summary="Read a flag", responses=_ONE)
async def read_flag(request: Request, response: Response, name: InPath) -> FlagAnswer:
    """Return a flag. Its version is also the `ETag`, for `If-Match`."""
    stored = await _stored(request, name)
    response.headers["ETag"] = _tag(stored)
    return FlagAnswer(data=_document(stored))


@router.put(
    "/{name}",
    operation_id="putFlag",
    summary="Create or change a flag",
    responses=problems(Unauthenticated, Forbidden, Conflict, Unavailable, also=(412,)),
)
async def put_flag(
    request: Request,
    response: Response,
    name: InPath,
    flag: FlagDocument,
    version: Annotated[
        int | None,
        Query(ge=0, le=2**31, description="Version to change; 0: only create the flag. Default: any version.", examples=[1]),
    ] = None,
    if_match: Annotated[
        str | None,
        Header(description="`ETag` of the flag to change. The status is 412 when the flag has another one.", examples=['"1"']),
    ] = None,
) -> FlagAnswer:
    """Create a flag, or replace it. Every process applies it within a second.

    Without `tenant:manage` a caller may only add, change and remove rules with a condition that `tenant` is its own.
    """

    def precondition(current: StoredFlag | None) -> None:
        tag = _tag(current) if current is not None else None
        if if_match is not None and not matches_tag(if_match, tag):
            state = f"has the ETag {tag}" if tag is not None else "does not exist"
            raise PreconditionFailed(f"If-Match is {if_match}, and flag {name!r} {state}: read the flag again", flag=name)

    stored = await flags.put_flag(
        services(request).store.transactions,
        name,
        flag,
        version=version,
        precondition=precondition,
        tenant=_only_tenant(request),
        by=actor_of(request),
    )
    response.headers["ETag"] = _tag(stored)
    return FlagAnswer(data=_document(stored))


@router.delete("/{name}", operation_id="deleteFlag", summary="Delete a flag", responses=_ONE, status_code=204)
async def delete_flag(request: Request, name: InPath) -> None:
    """Delete a flag. Code that evaluates it gets its own default. Needs `tenant:manage` as well."""
    _refuse_for_one_tenant(request, name)
    await flags.delete_flag(services(request).store.transactions, name, by=actor_of(request))


@router.post("/{name}/kill", operation_id="killFlag", summary="Switch a flag off", responses=_ONE)
async def kill_flag(request: Request, name: InPath) -> FlagAnswer:
    """Switch a flag off: every caller gets its off variant, and its rules do not apply. Needs `tenant:manage` as well."""
    return await _switched(request, name, enabled=False)


@router.post("/{name}/revive", operation_id="reviveFlag", summary="Switch a flag on again", responses=_ONE)
async def revive_flag(request: Request, name: InPath) -> FlagAnswer:
    """Switch a flag on again: its rules apply. Needs `tenant:manage` as well."""
    return await _switched(request, name, enabled=True)


@router.post(
    "/{name}/evaluate",
    operation_id="evaluateFlag",
    summary="Evaluate a flag",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def evaluate_flag(request: Request, name: InPath, body: EvaluationRequest) -> EvaluationAnswer:
    """Return the variant of a flag for these attributes, and the reason. The evaluation is not counted."""
    service = services(request)
    result = await flags.evaluate_flag(service.store.flags, name, body.attributes, key=body.key, now=service.clock.now())
    document = EvaluationDocument(variant=result.variant, value=result.value, reason=result.outcome, rule=result.rule)
    return EvaluationAnswer(data=document)


@router.get("/{name}/use", operation_id="readFlagUse", summary="Evaluations of a flag by day", responses=_ONE)
async def read_use(request: Request, name: InPath) -> UseList:
    """List the evaluations of the last 30 days by day and variant. Those of the last minute may be missing."""
    await _stored(request, name)
    service = services(request)
    uses = await service.store.flags.use(name, since=service.clock.now().date() - _USE_DAYS)
    return UseList(data=[UseDocument(day=one.day, variant=one.variant, evaluations=one.evaluations) for one in uses])


async def _switched(request: Request, name: str, *, enabled: bool) -> FlagAnswer:
    _refuse_for_one_tenant(request, name)
    changed = await flags.switch_flag(services(request).store.transactions, name, enabled=enabled, by=actor_of(request))
    return FlagAnswer(data=_document(changed))
