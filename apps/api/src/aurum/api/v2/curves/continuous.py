"""``/v2/curves/{key}/continuous``: the price of a tenor through trade dates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import reading_of
from aurum.api.curves.respond import table_request, table_response
from aurum.api.curves.tables import continuous_table, curve_meta
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves.continuous_schemas import ContinuousDocument
from aurum.core.access import Permission
from aurum.core.curves.continuous import Adjust
from aurum.core.curves.quotes import PRICE
from aurum.core.errors import NotFound, Unavailable
from aurum.services import curves
from aurum.services.curves.continuous import ContinuousQuestion, plan_continuous, read_continuous
from aurum.services.curves.continuous_chart import continuous_chart

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ), prefix="/v2/curves", tags=["curves"], dependencies=[Depends(known_only)]
)


@router.get(
    "/{key}/continuous",
    operation_id="readCurveContinuous",
    summary="Continuous series of a tenor",
    responses=answers(ContinuousDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def read_continuous_series(
    request: Request,
    output: params.RowsOrPicture,
    key: params.Key,
    front: Annotated[
        Text,
        Query(
            description="Tenor: `M+1`, the first month that begins after the trade date; `Q+1`, `S+1`, `Y+1`, `W+1`, or a "
            "higher number; `DA`, `WE`, `BOM`, `BOY`. The plus needs no percent-encoding.",
            examples=["M+1"],
        ),
    ],
    roll: params.Roll = "calendar",
    adjust: Annotated[
        Adjust,
        Query(
            description="Adjustment of prices before a roll: `difference` adds the gaps of later rolls, `ratio` multiplies by "
            "their ratios; the newest front keeps its prices. Default: `none`."
        ),
    ] = Adjust.NONE,
    field: params.PriceField = PRICE,
    from_: params.From = None,
    to: params.To = None,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    unit: params.UnitText = None,
    currency: params.CurrencyCode = None,
) -> Response:
    """Return the price of a tenor on each trade date of a curve, with the rolls from contract to contract in `meta`.

    The gap at a roll is measured on the last session of the old front. A trade date on which the front is not quoted has no
    price and the reason: it is never made of finer quotes, nor carried from the day before. A picture marks the rolls.
    """
    reading = reading_of(request)
    product = await curves.curve_of(reading, key)
    question = ContinuousQuestion(
        services(request).clock.now(),
        front,
        roll,
        adjust,
        field,
        params.day_or_none("from", from_),
        params.day_or_none("to", to),
        as_of,
        as_loaded,
        unit,
        currency,
    )
    plan = await plan_continuous(reading, product, question)
    resolved = table_request(
        request,
        [product],
        plan.versions,
        plan.conversions,
        format=output.format,
        layout=output.layout,
        times=(as_of, as_loaded),
        picture=output.picture,
    )
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    answer = await read_continuous(reading, plan)
    meta = {
        "count": answer.frame.height,
        "curve": curve_meta(product, plan.conversions.unit_of(product)),
        "front": str(plan.tenor),
        "roll": str(plan.rule),
        "adjust": adjust,
        "field": field,
        "as_of": plan.known.as_of,
        "summary": answer.summary(),
        "rolls": [one.document() for one in answer.rolls],
        "missing": {str(reason): asdict(days) for reason, days in answer.missing.items()},
        "missing_sessions": None if answer.sessions is None else asdict(answer.sessions),
    }
    facts = {"curve": key, "front": str(plan.tenor), "roll": str(plan.rule), "adjust": str(adjust), "field": field}
    return await table_response(
        resolved,
        answer.frame.height,
        lambda nested: continuous_table(answer, nested=nested),
        meta,
        facts,
        chart=lambda: continuous_chart(answer),
    )
