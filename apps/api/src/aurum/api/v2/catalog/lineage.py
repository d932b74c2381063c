"""``/v2/catalog/lineage``: where an observation or a quote came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import reading_of as curves_of
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.observations.private import reading_of as series_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.catalog.lineage_schemas import LineageAnswer
from aurum.core.access import MissingScope, Permission
from aurum.core.errors import NotFound, Unavailable
from aurum.core.lineage import Place, PlaceState
from aurum.services.curves import LATEST
from aurum.services.lineage import (
    Lineage,
    PlaceJobs,
    lineage_document,
    lineage_of_observation,
    lineage_of_quote,
    unlocated,
)
from aurum.storage.ports.lineage import LineageReader
from aurum.storage.ports.private import is_private

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v2/catalog", tags=["catalog"], dependencies=[Depends(known_only)]
)

_OF_SERIES, _OF_CURVE = ("start",), ("trade_date", "period", "field")


@router.get(
    "/lineage",
    operation_id="readLineage",
    summary="Where a number came from",
    response_model=LineageAnswer,
    responses=problems(NotFound, Unavailable),
)
async def read_lineage(
    request: Request,
    response: Response,
    series: Annotated[
        Text | None,
        Query(
            description="Key of a series: the lineage of its observation at `start`.", examples=["nyiso:damlbmp_zone:61761:lmp"]
        ),
    ] = None,
    start: Annotated[
        Text | None, Query(description="Start of the interval of the observation.", examples=["2025-11-02T06:00:00Z"])
    ] = None,
    curve: Annotated[
        Text | None,
        Query(
            description="Key of a curve: the lineage of its quote of `trade_date` and `period`.", examples=["power:DE:base:EEX"]
        ),
    ] = None,
    trade_date: params.TradeDate = None,
    period: Annotated[
        Text | None, Query(description="Delivery period of the quote: its label, or `start..end`.", examples=["Jan-25"])
    ] = None,
    field: Annotated[
        Text | None, Query(description="Field of the quote, such as `settle`, `bid`. Default: `settle`.", examples=["settle"])
    ] = None,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    locate: Annotated[
        bool, Query(description="Whether the place in the stored file is looked for, by a job. Default: true.")
    ] = True,
    wait: Annotated[
        float, Query(ge=0, le=10, description="Most seconds to wait for the place in the file. Default: 2.", examples=[2])
    ] = 2.0,
) -> LineageAnswer:
    """Return the versions of a number, the files that brought the one in force at `as_of`, and its place in them.

    A place is found by a job, which parses the stored file again: while it runs, `state` is `pending`, and the same request has
    the result later. Curves need the scope `curves:read`.
    """
    _check(series, curve, {"start": start, "trade_date": trade_date, "period": period, "field": field})
    state_of(request.scope).is_private = True
    response.headers["Cache-Control"] = "no-store"
    caller, service = caller_of(request), services(request)
    now = service.clock.now()
    if series is not None and start is not None:
        is_own = is_private(series)
        lineage = await lineage_of_observation(
            series_of(request, [series]),
            _records(request, caller.tenant if is_own else None),
            series,
            start,
            as_of=as_of,
            as_loaded=as_loaded,
            now=now,
            tenant=caller.tenant if is_own else None,
        )
    else:
        assert curve is not None
        assert period is not None
        if not caller.may(Permission.CURVES_READ):
            raise MissingScope(Permission.CURVES_READ)
        lineage = await lineage_of_quote(
            curves_of(request),
            lambda tenant: _records(request, tenant),
            curve,
            period,
            trade_date=params.trade_day("trade_date", trade_date or LATEST),
            field=field or "settle",
            as_of=as_of,
            as_loaded=as_loaded,
            now=now,
            derived=service.store.derived_curves,
        )
    places = await _places(request, lineage, wait if locate else None)
    return LineageAnswer.model_validate(lineage_document(lineage, places))


def _check(series: str | None, curve: str | None, others: dict[str, str | None]) -> None:
    """Raise ``InvalidParameters`` unless the parameters name one observation or one quote."""
    if (series is None) == (curve is None):
        why = "is missing: name a series and start, or a curve and period" if series is None else "does not go with curve"
        raise InvalidParameters(("series", why, series))
    wanted, foreign = (("start",), _OF_CURVE) if series is not None else (("period",), _OF_SERIES)
    of = "series" if series is not None else "curve"
    missing = [(name, f"is missing: it goes with {of}", None) for name in wanted if others[name] is None]
    wrong = [(name, f"does not go with {of}: leave it out", others[name]) for name in foreign if others[name] is not None]
    if missing or wrong:
        raise InvalidParameters(*missing, *wrong)


def _records(request: Request, tenant: str | None) -> LineageReader:
    store = services(request).store
    return store.lineage if tenant is None else store.private.of(tenant).lineage


async def _places(request: Request, lineage: Lineage, wait_s: float | None) -> Sequence[Place]:
    """Return the place in each file. ``wait_s``: None: it is not looked for."""
    if wait_s is None:
        not_requested = Place(PlaceState.NOT_REQUESTED, "locate is false")
        return [unlocated(origin, number) or not_requested for number, origin in enumerate(lineage.origins)]
    store = services(request).store
    files = store.files.log if lineage.tenant is None else store.private.of(lineage.tenant).files
    jobs = PlaceJobs(
        store.transactions,
        store.jobs,
        files,
        store.curves,
        store.catalog.mappings,
        actor_of(request),
        caller_of(request).tenant,
    )
    return await jobs.places(lineage, wait_s=wait_s)
