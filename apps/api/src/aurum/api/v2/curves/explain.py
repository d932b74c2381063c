"""``/v2/curves/explain``: the change of curves by tenor, and the profit and loss of positions, in components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import reading_of
from aurum.api.curves.explain_tables import positions_table, tenors_table
from aurum.api.curves.respond import table_request, table_response
from aurum.api.curves.tables import curve_meta
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves.explain_schemas import ExplainBody, ExplainDocument, PositionsDocument
from aurum.core.access import Permission
from aurum.core.curves.quotes import PRICE
from aurum.core.errors import NotFound, Unavailable
from aurum.services import curves
from aurum.services.curves.explain import ExplainAnswer, ExplainQuestion, plan_explain, read_explain
from aurum.services.curves.explain_chart import explain_chart, positions_chart
from aurum.services.curves.explain_positions import PositionsAnswer, explain_positions
from aurum.services.curves.prices import exchanges_on

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # Positions in a body are read, and not stored.
    writes=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)


@router.get(
    "/explain",
    operation_id="explainCurve",
    summary="Change of curves by tenor, in components",
    responses=answers(ExplainDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def explain_curve(
    request: Request,
    output: params.RowsOrPicture,
    curve: params.Curves,
    a: params.Earlier = "previous",
    b: params.Later = "latest",
    as_of_a: Annotated[
        Text | None,
        Query(
            description="Prices of `a` as they were known at this instant, in any form of `as_of`. Default: just before the "
            "first quotes of the next trade date became known, or when the first of `a` did where that was later, and "
            "where `a` and `b` are one trade date.",
            examples=["2024-10-11T18:00:00Z"],
        ),
    ] = None,
    as_of_b: Annotated[
        Text | None,
        Query(
            description="All other prices as they were known at this instant, in any form of `as_of`. Default: as known now.",
            examples=["2024-10-14T18:00:00Z"],
        ),
    ] = None,
    as_loaded: params.AsLoaded = None,
    roll: params.Roll = "calendar",
    field: params.PriceField = PRICE,
    unit: params.UnitText = None,
    currency: params.CurrencyCode = None,
) -> Response:
    """Explain the change of each tenor of one curve or of many between two trade dates: moves of the contract that was held,
    rolls into new contracts, corrections that became known later, and prices made by another method. The four sum to the total
    exactly.

    A picture shows the components of each tenor as steps, and its total beside them; of many tenors, those of the largest
    totals.
    """
    reading = reading_of(request)
    products = await curves.curves_of(reading, [curve])
    question = ExplainQuestion(
        services(request).clock.now(),
        params.trade_day("a", a),
        params.trade_day("b", b),
        as_of_a,
        as_of_b,
        as_loaded,
        roll,
        field,
        unit,
        currency,
    )
    plan = await plan_explain(reading, products, question)
    resolved = table_request(
        request,
        products,
        plan.versions,
        plan.conversions,
        format=output.format,
        layout=output.layout,
        times=(as_of_a, as_of_b, as_loaded),
        by_pattern="*" in curve,
        picture=output.picture,
    )
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    answer = await read_explain(reading, plan)
    changes = answer.changes
    facts = {"curve": curve, "a": str(plan.span.a), "b": str(plan.span.b), "field": field}
    return await table_response(
        resolved,
        len(changes),
        lambda nested: tenors_table(changes, nested=nested),
        _tenors_meta(answer, roll, len(changes)),
        facts,
        narrow="curve",
        chart=lambda: explain_chart(answer),
    )


@router.post(
    "/explain",
    operation_id="explainPositions",
    summary="Profit and loss of positions, in components",
    responses=answers(PositionsDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def explain_profit(request: Request, body: ExplainBody) -> Response:
    """Explain the profit and loss of positions between two trade dates, by position, by tenor and by currency.

    A position without a price on one of the dates has no amount and the reason, and its totals are incomplete. Amounts of
    several currencies are summed only in a `currency` that the request names. Nothing is stored. A picture shows the totals by
    tenor, and that of all positions.
    """
    reading = reading_of(request)
    answer = await explain_positions(reading, body.question(services(request).clock.now()))
    products = [one.product for one in answer.curves]
    versions = [one.product.tag for one in answer.curves]
    resolved = table_request(
        request,
        products,
        (versions, answer.conversions.versions),
        answer.conversions,
        format=body.format,
        layout=body.layout,
        body=await request.body(),
        picture=body.picture,
    )
    facts = {"a": str(answer.span.a), "b": str(answer.span.b), "field": body.field}
    return await table_response(
        resolved,
        len(answer.changes),
        lambda nested: positions_table(answer.changes, nested=nested),
        _positions_meta(body, answer, await exchanges_on(reading, answer.conversions, [answer.span.b], answer.span.known)),
        facts,
        narrow="positions",
        chart=lambda: positions_chart(answer, body.field),
    )


def _tenors_meta(answer: ExplainAnswer, roll: str, count: int) -> Mapping[str, object]:
    plan = answer.plan
    metas = [curve_meta(one.product, plan.conversions.unit_of(one.product)) for one in answer.curves]
    only = answer.curves[0] if len(answer.curves) == 1 else None
    return {
        "count": count,
        "curve": metas[0] if only is not None else None,
        "curves": [
            {**one, "as_of_a": made.then.as_of, "mids": made.mids} for one, made in zip(metas, answer.curves, strict=True)
        ],
        "a": plan.span.a,
        "b": plan.span.b,
        "as_of_a": only.then.as_of if only is not None else None,
        "as_of_b": plan.span.known.as_of,
        "roll": str(plan.curves[0].rule) if plan.curves else roll,
        "field": plan.question.field,
        "mids": only.mids if only is not None else None,
        "reason": answer.reason,
    }


def _positions_meta(body: ExplainBody, answer: PositionsAnswer, fx: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    return {
        "count": len(answer.changes),
        "a": answer.span.a,
        "b": answer.span.b,
        "as_of_b": answer.span.known.as_of,
        "field": body.field,
        "exchange": f"at the ECB's reference rate for {answer.span.b}, an approximation" if fx else None,
        "fx": fx,
        "curves": [
            {
                **curve_meta(one.product, (one.product.product.unit, one.product.product.currency)),
                "as_of_a": one.then.as_of,
                "mids": one.mids,
            }
            for one in answer.curves
        ],
        "totals": [one.document() for one in answer.totals],
        "buckets": [one.document() for one in answer.buckets],
    }
