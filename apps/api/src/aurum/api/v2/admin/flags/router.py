"""``/v2/admin/flags``: make, change, kill and try feature flags."""

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
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.flags.schemas import (
    Asking,
    EvaluationAnswer,
    EvaluationDocument,
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

InPath = Annotated[FlagName, Path(description="Name of a flag.", examples=["new-curves"])]
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


async def _stored(request: Request, name: str) -> StoredFlag:
    return await flags.read_flag(services(request).store.flags, name)


@router.get("", operation_id="listFlags", summary="Feature flags", responses=_FAILURES)
async def list_flags(request: Request) -> FlagList:
    """Flags by name."""
    return FlagList(data=[_document(one) for one in await services(request).store.flags.flags()])


@router.get("/{name}", operation_id="readFlag", summary="One flag", responses=_ONE)
async def read_flag(request: Request, response: Response, name: InPath) -> FlagAnswer:
    """A flag; its version is the tag, for `If-Match`."""
    stored = await _stored(request, name)
    response.headers["ETag"] = _tag(stored)
    return FlagAnswer(data=_document(stored))


@router.put(
    "/{name}",
    operation_id="putFlag",
    summary="Make or change a flag",
    responses=problems(Unauthenticated, Forbidden, Conflict, Unavailable, also=(412,)),
)
async def put_flag(
    request: Request,
    response: Response,
    name: InPath,
    flag: FlagDocument,
    version: Annotated[
        int | None,
        Query(ge=0, le=2**31, description="The version that is changed, 0 for a new flag; any, when not given.", examples=[1]),
    ] = None,
    if_match: Annotated[
        str | None, Header(description="The tag of the flag that is changed, as it was read; else 412.", examples=['"1"'])
    ] = None,
) -> FlagAnswer:
    """Make a flag, or change it: every process has it within a second."""

    def precondition(current: StoredFlag | None) -> None:
        tag = _tag(current) if current is not None else None
        if if_match is not None and not matches_tag(if_match, tag):
            raise PreconditionFailed(f"flag {name!r} is at {tag or 'no version'}, not at {if_match}", flag=name)

    stored = await flags.put_flag(
        services(request).store.transactions, name, flag, version=version, precondition=precondition, by=actor_of(request)
    )
    response.headers["ETag"] = _tag(stored)
    return FlagAnswer(data=_document(stored))


@router.delete("/{name}", operation_id="deleteFlag", summary="Delete a flag", responses=_ONE, status_code=204)
async def delete_flag(request: Request, name: InPath) -> None:
    """Delete a flag: whoever asks for it gets the default of the code."""
    await flags.delete_flag(services(request).store.transactions, name, by=actor_of(request))


@router.post("/{name}/kill", operation_id="killFlag", summary="Turn a flag off for everybody", responses=_ONE)
async def kill_flag(request: Request, name: InPath) -> FlagAnswer:
    """The kill switch: everybody gets the off variant, whatever the rules say."""
    return await _switched(request, name, enabled=False)


@router.post("/{name}/revive", operation_id="reviveFlag", summary="Let a flag's rules hold again", responses=_ONE)
async def revive_flag(request: Request, name: InPath) -> FlagAnswer:
    """Undo the kill switch."""
    return await _switched(request, name, enabled=True)


@router.post(
    "/{name}/evaluate",
    operation_id="evaluateFlag",
    summary="What somebody would get",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def evaluate_flag(request: Request, name: InPath, asking: Asking) -> EvaluationAnswer:
    """What a flag would give, and why. Nothing is counted."""
    service = services(request)
    found = await flags.evaluate_flag(service.store.flags, name, asking.attributes, key=asking.key, now=service.clock.now())
    document = EvaluationDocument(variant=found.variant, value=found.value, reason=found.outcome, rule=found.rule)
    return EvaluationAnswer(data=document)


@router.get("/{name}/use", operation_id="readFlagUse", summary="How often variants were given", responses=_ONE)
async def read_use(request: Request, name: InPath) -> UseList:
    """Evaluations of the last 30 days by day and variant; those of the last minute may be missing."""
    await _stored(request, name)
    service = services(request)
    found = await service.store.flags.use(name, since=service.clock.now().date() - _USE_DAYS)
    return UseList(data=[UseDocument(day=one.day, variant=one.variant, evaluations=one.evaluations) for one in found])


async def _switched(request: Request, name: str, *, enabled: bool) -> FlagAnswer:
    changed = await flags.switch_flag(services(request).store.transactions, name, enabled=enabled, by=actor_of(request))
    return FlagAnswer(data=_document(changed))
