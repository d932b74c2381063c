"""``/v2/curves/sets``: curves that a desk marks together, from draft to official."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import polars as pl
from fastapi import Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.etag import matches_tag, without_coding
from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import own_response, own_tag, reading_of
from aurum.api.curves.respond import table_request, table_response
from aurum.api.curves.set_tables import marks_table
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, PreconditionFailed, problems
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import set_schemas as schemas
from aurum.core.access import Permission
from aurum.core.curves.marks import SetState
from aurum.core.errors import Conflict, Forbidden, NotFound, Unavailable
from aurum.services.curves import marks
from aurum.services.curves.prices import PriceConversions
from aurum.storage.ports.curve_sets import CurveSet, CurveSetFilter

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/curves/sets",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)
approval_router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    writes=Policy(Permission.CURVES_APPROVE),
    prefix="/v2/curves/sets",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)
comparison_router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # A comparison in a body reads as well.
    writes=Policy(Permission.CURVES_READ),
    prefix="/v2/curves/sets",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)

_SUBMIT, _STEP = schemas.SetSubmit(), schemas.SetChange()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MADE = problems(NotFound, Conflict, Forbidden, Unavailable)
_CHANGED = problems(NotFound, Conflict, Forbidden, Unavailable, also=(412,))

SetId = Annotated[Text, Path(description="`set_id` of the set.", examples=["5e884898da28047151d0e56f8dc62927"])]
IfMatch = Annotated[
    str | None,
    Header(
        description="`ETag` of the set as you have read it. The status is 412 when the set, the overrides that hold, or quotes "
        "of its curves have changed since. Default: only `version` is compared.",
        examples=['"01fb93e0df0e2ef00d54e3ad73f0350d"'],
    ),
]


@router.post("", status_code=201, operation_id="createCurveSet", summary="Create a curve set", responses=_MADE)
async def create_set(request: Request, body: schemas.NewSet) -> schemas.SetChanged:
    """Create a draft of your tenant. Its marks are the quotes of its curves on the trade date, until overrides replace some."""
    day = params.trade_day("trade_date", body.trade_date)
    new = marks.NewCurveSet(body.name, day, body.curves, body.as_of, body.overrides_of)
    service = services(request)
    made = await marks.create_set(
        service.store.transactions,
        service.store.curve_sets,
        reading_of(request),
        new,
        by=actor_of(request),
        now=service.clock.now(),
    )
    return _changed(made)


@router.get("", operation_id="listCurveSets", summary="List curve sets", response_model=schemas.SetsPage, responses=problems())
async def list_sets(
    request: Request,
    response: Response,
    state: Annotated[SetState | None, Query(description="Only sets in this state. Default: all.")] = None,
    trade_date: Annotated[
        Text | None, Query(description="Only sets of this trade date, YYYY-MM-DD. Default: all.", examples=["2024-10-14"])
    ] = None,
    name: Annotated[Text | None, Query(description="Only sets of this name. Default: all.", examples=["close"])] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.SetsPage | Response:
    """List the curve sets of your tenant, the newest first."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    criteria = CurveSetFilter(state, params.day_or_none("trade_date", trade_date), name)
    before = (_EPOCH + int(page.after[0]) * _MICROSECOND, page.after[1]) if page.after is not None else None
    listed = await services(request).store.curve_sets.page(
        caller_of(request).tenant, criteria, before=before, limit=page.limit + 1
    )
    meta = page_meta(request, response, page, listed, lambda one: (str((one.created_at - _EPOCH) // _MICROSECOND), one.set_id))
    if (unchanged := own_response(request, response, [(one.set_id, one.version) for one in listed])) is not None:
        return unchanged
    data = [schemas.SetDocument.from_domain(one) for one in listed[: page.limit]]
    return schemas.SetsPage.model_validate({"data": data, "meta": meta})


@router.get(
    "/{set_id}",
    operation_id="readCurveSet",
    summary="Read a curve set",
    response_model=schemas.SetAnswer,
    responses=problems(NotFound, Unavailable),
)
async def read_set(request: Request, response: Response, set_id: SetId) -> schemas.SetAnswer | Response:
    """Return a set with its steps, overrides and marks. Marks that were submitted stay as they were.

    `changed_since` shows quotes that were corrected after the submit.
    """
    service, plan = services(request), await _plan(request, set_id)
    if (unchanged := own_response(request, response, *plan.versions)) is not None:
        return unchanged
    made = await marks.read_set(reading_of(request), service.store.curve_sets, plan)
    return schemas.SetAnswer(data=schemas.SetDetail.from_marks(made, most=service.settings.document_rows))


@router.get(
    "/{set_id}/values",
    operation_id="readCurveSetValues",
    summary="Marks of a curve set",
    responses=answers(schemas.MarksDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def read_values(
    request: Request,
    set_id: SetId,
    output: params.RowsOrPicture,
    curve: Annotated[
        Text | None,
        Query(description="Only the marks of this curve of the set. Default: of all.", examples=["power:DE:base:EEX"]),
    ] = None,
    unit: params.UnitText = None,
    currency: Annotated[
        Text | None,
        Query(
            description="Convert prices to this currency (ISO 4217 code), at the ECB's reference rate of the trade date, as it "
            "was known at `as_of` of the set, else when it was submitted. Default: that of the curve.",
            examples=["USD"],
        ),
    ] = None,
) -> Response:
    """Return the marks of a set by curve and delivery, in every format: the file of the morning.

    A picture shows the marks of one curve, the quotes that overrides replace, dashed, and the differences below.
    """
    plan, reading = await _plan(request, set_id), reading_of(request)
    if curve is not None and curve not in plan.curve_set.curves:
        raise InvalidParameters(("curve", f"must be a curve of the set: {', '.join(plan.curve_set.curves)}", curve))
    conversions, made = PriceConversions(), None
    if unit is not None or currency is not None:
        # The units are those of the marks, which a product may have left since.
        made = await marks.read_set(reading, services(request).store.curve_sets, plan)
        conversions = await marks.conversions_of_marks(reading, made, unit, currency)
    # A set belongs to its tenant, whatever its curves do.
    resolved = table_request(
        request,
        plan.products,
        (*plan.versions, conversions.versions),
        conversions,
        format=output.format,
        layout=output.layout,
        by_pattern=True,
        picture=output.picture,
    )
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    made = made or await marks.read_set(reading, services(request).store.curve_sets, plan)
    made = replace(made, frame=await marks.converted_marks(reading, made, conversions))
    frame = made.frame if curve is None else made.frame.filter(pl.col("curve") == curve)
    meta = _meta(plan.curve_set, frame.height)
    facts = {name: str(meta[name]) for name in ("set_id", "name", "state", "trade_date")}
    return await table_response(
        resolved,
        frame.height,
        lambda nested: marks_table(frame, nested=nested),
        meta,
        facts,
        narrow="format",
        chart=lambda: marks.marks_chart(made, curve),
    )


@router.get(
    "/{set_id}/checks",
    operation_id="readCurveSetChecks",
    summary="Checks of a curve set",
    response_model=schemas.ChecksAnswer,
    responses=problems(NotFound, Unavailable),
)
async def read_checks(request: Request, response: Response, set_id: SetId) -> schemas.ChecksAnswer | Response:
    """Return jumps of units (ten, a hundred, pence and pounds) and stale prices, against the sessions before."""
    plan = await _plan(request, set_id)
    if (unchanged := own_response(request, response, *plan.versions)) is not None:
        return unchanged
    made = await marks.read_set(reading_of(request), services(request).store.curve_sets, plan)
    meta = _meta(plan.curve_set, made.findings.height)
    return schemas.ChecksAnswer.from_marks(made, meta)


@router.post(
    "/{set_id}/overrides",
    status_code=201,
    operation_id="putCurveSetOverride",
    summary="Override a quote",
    responses=_CHANGED,
)
async def put_override(
    request: Request, set_id: SetId, body: schemas.NewSetOverride, if_match: IfMatch = None
) -> schemas.OverrideAnswer:
    """Replace the quote of one period of a draft, with a reason. A set that is not a draft is a conflict."""
    service = services(request)
    now = service.clock.now()
    new = marks.NewOverride(body.curve, body.period, body.settle, body.reason, body.bid, body.ask, body.expires)
    changed, override, period = await marks.put_override(
        service.store.transactions,
        service.store.curve_sets,
        reading_of(request),
        set_id,
        new,
        version=await _version(request, set_id, body.version, if_match),
        by=actor_of(request),
        now=now,
    )
    document = schemas.OverrideDocument.from_domain(override, period, changed.trade_date, now)
    return schemas.OverrideAnswer(data=document, meta=schemas.SetDocument.from_domain(changed))


@router.delete(
    "/{set_id}/overrides",
    operation_id="deleteCurveSetOverride",
    summary="Delete an override",
    responses=_CHANGED,
)
async def delete_override(
    request: Request,
    set_id: SetId,
    curve: Annotated[Text, Query(description="Key of a curve of the set.", examples=["power:DE:base:EEX"])],
    period: Annotated[Text, Query(description="Delivery period of the override.", examples=["Q1-25"])],
    version: Annotated[
        int | None,
        Query(ge=1, le=2**53, description="Version that you have read: another one is a conflict. Default: any.", examples=[2]),
    ] = None,
    if_match: IfMatch = None,
) -> schemas.SetChanged:
    """Delete an override of a draft, so that the quote stands again."""
    service = services(request)
    changed = await marks.delete_override(
        service.store.transactions,
        service.store.curve_sets,
        reading_of(request),
        set_id,
        curve,
        period,
        version=await _version(request, set_id, version, if_match),
        by=actor_of(request),
    )
    return _changed(changed)


@router.post("/{set_id}:submit", operation_id="submitCurveSet", summary="Submit a curve set", responses=_CHANGED)
async def submit_set(
    request: Request, set_id: SetId, body: schemas.SetSubmit = _SUBMIT, if_match: IfMatch = None
) -> schemas.SetChanged:
    """Submit a draft: its marks are pinned as they are now, and another person approves exactly these.

    Curves without quotes are a conflict that names them, unless `allow_missing`.
    """
    service = services(request)
    submitted = await marks.submit_set(
        service.store.transactions,
        service.store.curve_sets,
        reading_of(request),
        set_id,
        version=await _version(request, set_id, body.version, if_match),
        allow_missing=body.allow_missing,
        by=actor_of(request),
        now=service.clock.now(),
    )
    return _changed(submitted)


@approval_router.post("/{set_id}:approve", operation_id="approveCurveSet", summary="Approve a curve set", responses=_CHANGED)
async def approve_set(
    request: Request, set_id: SetId, body: schemas.SetChange = _STEP, if_match: IfMatch = None
) -> schemas.SetChanged:
    """Approve a submitted set, as another person than who submitted it.

    The person of a token is its `sub`, that of an API key its `owner`. Two keys of one owner are one person; a key without an
    owner cannot approve, and sets that it has submitted cannot be approved. Send `version`: else you approve what was submitted
    last, which may have been submitted anew since you read it.
    """
    service, by = services(request), actor_of(request)
    version = await _version(request, set_id, body.version, if_match)
    return _changed(
        await marks.approve_set(
            service.store.transactions, reading_of(request), set_id, version=version, by=by, now=service.clock.now()
        )
    )


@approval_router.post("/{set_id}:reject", operation_id="rejectCurveSet", summary="Reject a curve set", responses=_CHANGED)
async def reject_set(request: Request, set_id: SetId, body: schemas.SetReason, if_match: IfMatch = None) -> schemas.SetChanged:
    """Make a submitted set a draft again, with a reason, instead of approving it."""
    service = services(request)
    rejected = await marks.reject_set(
        service.store.transactions,
        reading_of(request),
        set_id,
        body.reason,
        version=await _version(request, set_id, body.version, if_match),
        by=actor_of(request),
        now=service.clock.now(),
    )
    return _changed(rejected)


@router.post("/{set_id}:close", operation_id="closeCurveSet", summary="Make a curve set official", responses=_CHANGED)
async def close_set(
    request: Request, set_id: SetId, body: schemas.SetChange = _STEP, if_match: IfMatch = None
) -> schemas.SetChanged:
    """Make an approved set official: its marks stay for ever, and valuations refer to its id."""
    service, by = services(request), actor_of(request)
    version = await _version(request, set_id, body.version, if_match)
    return _changed(
        await marks.close_set(
            service.store.transactions, reading_of(request), set_id, version=version, by=by, now=service.clock.now()
        )
    )


@router.post("/{set_id}:reopen", operation_id="reopenCurveSet", summary="Reopen a curve set", responses=_CHANGED)
async def reopen_set(request: Request, set_id: SetId, body: schemas.SetReason, if_match: IfMatch = None) -> schemas.SetChanged:
    """Make a submitted or approved set a draft again. An official set stays: the answer is a new draft that supersedes it."""
    service = services(request)
    reopened = await marks.reopen_set(
        service.store.transactions,
        reading_of(request),
        set_id,
        body.reason,
        version=await _version(request, set_id, body.version, if_match),
        by=actor_of(request),
        now=service.clock.now(),
    )
    return _changed(reopened)


@comparison_router.post(
    "/{set_id}:compare", operation_id="compareCurveSet", summary="Compare a curve set with other prices", responses=_MADE
)
async def compare_set(request: Request, set_id: SetId, body: schemas.CompareBody) -> schemas.CompareAnswer:
    """Return the marks that differ from other prices by more than a tolerance, and what could not be compared, and why.

    A period that the other curve does not quote is compared with its strip, and one that only the other curve quotes with the
    strip of the marks. `meta.not_independent` names the curves whose other price is derived from theirs, or theirs from it.
    """
    service, reading = services(request), reading_of(request)
    made = await marks.read_set(reading, service.store.curve_sets, await _plan(request, set_id))
    tolerances = {name: one.tolerance() for name, one in body.tolerance.curves.items()}
    default = None if body.tolerance.default is None else body.tolerance.default.tolerance()
    question = marks.ComparisonQuestion(service.clock.now(), body.against, body.venue, default, tolerances, body.as_of)
    compared = await marks.compare_set(reading, service.store.derived_curves, made, question)
    return schemas.CompareAnswer.from_domain(compared)


async def _plan(request: Request, set_id: str) -> marks.SetPlan:
    service = services(request)
    return await marks.plan_set(reading_of(request), service.store.curve_sets, set_id, now=service.clock.now())


async def _version(request: Request, set_id: str, version: int | None, if_match: str | None) -> int | None:
    """Return the version that a change expects: that of the caller, else that of the set whose ``ETag`` it has.

    Raises ``PreconditionFailed`` for an ``If-Match`` with another ``ETag``.
    """
    if if_match is None:
        return version
    plan = await _plan(request, set_id)
    path = request.scope["path"]
    tag = own_tag(request, path[: path.rindex(set_id) + len(set_id)], (), *plan.versions)
    if not matches_tag(without_coding(if_match.encode("latin-1")).decode("latin-1"), tag):
        raise PreconditionFailed(f"If-Match is {if_match}, and set {set_id} has the ETag {tag}: read the set again")
    return plan.curve_set.version if version is None else version


def _changed(one: CurveSet) -> schemas.SetChanged:
    return schemas.SetChanged(data=schemas.SetDocument.from_domain(one))


def _meta(one: CurveSet, count: int) -> dict[str, str | int | date | datetime | None]:
    return {
        "count": count,
        "set_id": one.set_id,
        "name": one.name,
        "state": str(one.state),
        "version": one.version,
        "trade_date": one.trade_date,
        "as_of": one.as_of,
        "pinned_at": one.pinned_at,
    }
