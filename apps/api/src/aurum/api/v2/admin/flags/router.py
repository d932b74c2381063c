"""``/v2/admin/flags``: make, change, kill and try feature flags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.actor import actor_of
from aurum.api.etag import matches_tag
from aurum.api.flags import known
from aurum.api.params import known_only
from aurum.api.problems import InvalidParameters, PreconditionFailed, problems
from aurum.api.services import services
from aurum.common.flags import CircularPrerequisite, FlagDocument, FlagName, Outcome, evaluate, refuse_circle
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.flags import StoredFlag

router = APIRouter(prefix="/v2/admin/flags", tags=["admin"], dependencies=[Depends(known_only)])

InPath = Annotated[FlagName, Path(description="Name of a flag.", examples=["new-curves"])]
_USE_DAYS = timedelta(days=30)
_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


class FlagAnswerDocument(BaseModel):
    """A flag as it stands."""

    name: str
    version: int = Field(description="Rises with every change.")
    updated_at: datetime
    updated_by: str
    flag: FlagDocument


class FlagList(BaseModel):
    data: list[FlagAnswerDocument]


class FlagAnswer(BaseModel):
    data: FlagAnswerDocument


class Asking(BaseModel):
    """Who would ask."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"key": "acme", "attributes": {"tenant": "acme"}}]}
    )

    key: str = Field(max_length=200, description="What percentages go by; the tenant, when the service asks.")
    attributes: dict[str, JsonValue] = Field(default={}, max_length=50)


class EvaluationDocument(BaseModel):
    """What would be given, and why."""

    variant: str
    value: JsonValue
    reason: Outcome
    rule: int | None = Field(description="Place of the rule that gave it, from 0.")


class EvaluationAnswer(BaseModel):
    data: EvaluationDocument


class UseDocument(BaseModel):
    """How often a variant was given on a day (UTC)."""

    day: date
    variant: str
    evaluations: int


class UseList(BaseModel):
    data: list[UseDocument]


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
    flags = {one.name: one for one in await services(request).flag_store.flags()}
    if name not in flags:
        raise UnknownName("flag", name, nearest(name, flags))
    return flags[name]


@router.get("", operation_id="listFlags", summary="Feature flags", responses=_FAILURES)
async def list_flags(request: Request) -> FlagList:
    """Flags by name."""
    return FlagList(data=[_document(one) for one in await services(request).flag_store.flags()])


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
    store = services(request).flag_store

    def check(there: Sequence[StoredFlag]) -> None:
        current = next((_tag(one) for one in there if one.name == name), None)
        if if_match is not None and not matches_tag(if_match, current):
            raise PreconditionFailed(f"flag {name!r} is at {current or 'no version'}, not at {if_match}", flag=name)
        try:
            refuse_circle(name, {**known(there), name: flag})
        except CircularPrerequisite as error:
            raise InvalidParameters(("prerequisites", str(error), None)) from error

    document = flag.model_dump(mode="json")
    stored = await store.put(name, document, version=version, by=actor_of(request), check=check)
    response.headers["ETag"] = _tag(stored)
    return FlagAnswer(data=_document(stored))


@router.delete("/{name}", operation_id="deleteFlag", summary="Delete a flag", responses=_ONE, status_code=204)
async def delete_flag(request: Request, name: InPath) -> None:
    """Delete a flag: whoever asks for it gets the default of the code."""
    await services(request).flag_store.delete(name, by=actor_of(request))


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
    await _stored(request, name)
    service = services(request)
    flags = known(await service.flag_store.flags())
    if name not in flags:
        raise Conflict(f"flag {name!r} was written for another version of this service, which cannot read it", flag=name)
    try:
        found = evaluate(name, flags, asking.attributes, key=asking.key, now=service.clock.now())
    except CircularPrerequisite as error:
        raise Conflict(str(error), flag=name) from error
    document = EvaluationDocument(variant=found.variant, value=found.value, reason=found.outcome, rule=found.rule)
    return EvaluationAnswer(data=document)


@router.get("/{name}/use", operation_id="readFlagUse", summary="How often variants were given", responses=_ONE)
async def read_use(request: Request, name: InPath) -> UseList:
    """Evaluations of the last 30 days by day and variant; those of the last minute may be missing."""
    await _stored(request, name)
    service = services(request)
    found = await service.flag_store.use(name, since=service.clock.now().date() - _USE_DAYS)
    return UseList(data=[UseDocument(day=one.day, variant=one.variant, evaluations=one.evaluations) for one in found])


async def _switched(request: Request, name: str, *, enabled: bool) -> FlagAnswer:
    stored = await _stored(request, name)
    document: dict[str, Any] = {**stored.document, "enabled": enabled}
    changed = await services(request).flag_store.put(name, document, version=stored.version, by=actor_of(request))
    return FlagAnswer(data=_document(changed))
