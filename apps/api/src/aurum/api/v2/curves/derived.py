"""``/v2/curves/derived``: curves whose quotes are computed from those of other curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves.access import own_response, reading_of, written
from aurum.api.curves.ownership import stored_owner, written_owner
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import derived_schemas as schemas
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unavailable
from aurum.services.curves import CurveReading
from aurum.services.curves.derived import add_derived, ask_rebuild, remove_derived
from aurum.storage.ports.curves import ProductFilter
from aurum.storage.ports.derived_curves import DerivedCurve

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # Shared curves need admin:write as well.
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/curves/derived",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)

_WRITTEN = problems(NotFound, Conflict, Forbidden, Unavailable)

DerivedId = Annotated[
    Text, Path(description="`derived_id` of the derived curve.", examples=["5e884898da28047151d0e56f8dc62927"])
]


@router.get(
    "",
    operation_id="listDerivedCurves",
    summary="List derived curves",
    response_model=schemas.DerivedCurvePage,
    responses=problems(),
)
async def list_derived(
    request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None
) -> schemas.DerivedCurvePage | Response:
    """List shared derived curves and those of your tenant, ascending by key, each with its state."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    reading = reading_of(request)
    after = page.after[0] if page.after else None
    reader = services(request).store.derived_curves
    curves = await reader.page(tenant=reading.tenant, after=after, limit=page.limit + 1)
    meta = page_meta(request, response, page, curves, lambda one: (one.key,))
    versions = await _versions(reading, curves[: page.limit])
    if (unchanged := own_response(request, response, curves, sorted(versions.items()))) is not None:
        return unchanged
    data = [schemas.DerivedCurveDocument.from_domain(one, versions) for one in curves[: page.limit]]
    return schemas.DerivedCurvePage.model_validate({"data": data, "meta": meta})


@router.get(
    "/{derived_id}",
    operation_id="readDerivedCurve",
    summary="Read a derived curve",
    response_model=schemas.DerivedCurveAnswer,
    responses=problems(NotFound),
)
async def read_derived(request: Request, response: Response, derived_id: DerivedId) -> schemas.DerivedCurveAnswer | Response:
    """Return a derived curve: its expression, the versions of its inputs, what made it stale, and the report of its build."""
    reading = reading_of(request)
    curve = await services(request).store.derived_curves.curve(derived_id, tenant=reading.tenant)
    versions = await _versions(reading, [curve])
    if (unchanged := own_response(request, response, curve, sorted(versions.items()))) is not None:
        return unchanged
    return schemas.DerivedCurveAnswer(data=schemas.DerivedCurveDocument.from_domain(curve, versions))


@router.post("", operation_id="addDerivedCurve", summary="Add a derived curve", status_code=201, responses=_WRITTEN)
async def post_derived(request: Request, body: schemas.NewDerivedCurve) -> schemas.DerivedCurveAnswer:
    """Add a curve that is computed from others. Its quotes are stored like those of any curve, and known from the build on.

    With few quotes it is built before this responds (`state` is `fresh`), and if that fails nothing is added; else a job builds
    it (`building`), as also while a derived curve that it reads is not fresh. When quotes or terms of an input change it is
    `stale` from then on, and a job builds it again. A product that has quotes already can only be used if all of them were
    derived.
    """
    service, reading = services(request), reading_of(request)
    tenant = written_owner(request, body.owner)
    curve = await add_derived(
        service.store.transactions,
        service.store.derived_curves,
        reading,
        service.store.files.loader,
        body.to_domain(),
        tenant=tenant,
        by=actor_of(request),
        now=service.clock.now(),
        most=service.store.settings.private.products,
    )
    await written(request)
    return await _answer(reading, curve)


@router.delete(
    "/{derived_id}", operation_id="removeDerivedCurve", summary="Delete a derived curve", status_code=204, responses=_WRITTEN
)
async def delete_derived(request: Request, derived_id: DerivedId) -> None:
    """Delete a derived curve. Its quotes stay, and the title of its product says until when they were derived.

    An input of another derived curve is a conflict that names that one.
    """
    service, reading = services(request), reading_of(request)
    curve = await service.store.derived_curves.curve(derived_id, tenant=reading.tenant)
    await remove_derived(
        service.store.transactions,
        service.store.derived_curves,
        reading,
        derived_id,
        tenant=stored_owner(request, curve.tenant),
        by=actor_of(request),
        now=service.clock.now(),
    )
    await written(request)


@router.post(
    "/{derived_id}:rebuild",
    operation_id="rebuildDerivedCurve",
    summary="Build a derived curve anew",
    status_code=202,
    responses=_WRITTEN,
)
async def rebuild_derived(request: Request, response: Response, derived_id: DerivedId) -> schemas.RebuildAnswer:
    """Create a job that computes all trade dates of a derived curve. What did not change is not stored again."""
    service = services(request)
    curve = await service.store.derived_curves.curve(derived_id, tenant=reading_of(request).tenant)
    job_id = await ask_rebuild(
        service.store.transactions,
        service.store.derived_curves,
        derived_id,
        tenant=stored_owner(request, curve.tenant),
        by=actor_of(request),
    )
    response.headers["Location"] = f"/v2/jobs/{job_id}"
    return schemas.RebuildAnswer(data=schemas.RebuildDocument(job_id=job_id))


async def _answer(reading: CurveReading, curve: DerivedCurve) -> schemas.DerivedCurveAnswer:
    versions = await _versions(reading, [curve])
    return schemas.DerivedCurveAnswer(data=schemas.DerivedCurveDocument.from_domain(curve, versions))


async def _versions(reading: CurveReading, curves: Sequence[DerivedCurve]) -> dict[str, int]:
    """Return the present versions of the inputs of some curves, by key."""
    keys = tuple(sorted({one.key for curve in curves for one in curve.inputs}))
    if not keys:
        return {}
    products = await reading.curves.products(ProductFilter(keys=keys), tenant=reading.tenant)
    return {str(one.product.key): one.version for one in products}
