"""``/v2/curves/diff``: moves of many curves between two trade dates."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.curves import params
from aurum.api.curves.access import reading_of
from aurum.api.curves.respond import table_request, table_response
from aurum.api.curves.tables import curve_meta, diff_table
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import schemas
from aurum.core.access import Permission
from aurum.core.curves.diff import DiffOrder
from aurum.core.errors import NotFound, Unavailable
from aurum.services import curves
from aurum.services.curves import charts
from aurum.services.curves.prices import exchanges_on

_MOST_ROWS = 1_000_000

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ), prefix="/v2/curves", tags=["curves"], dependencies=[Depends(known_only)]
)


@router.get(
    "/diff",
    operation_id="diffCurves",
    summary="Moves of curves between two trade dates",
    responses=answers(schemas.DiffDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def diff_curves(
    request: Request,
    output: params.RowsOrPicture,
    curve: params.Curves,
    a: params.Earlier = "previous",
    b: params.Later = "latest",
    field: params.PriceField = "price",
    kind: params.Kind = None,
    sort: Annotated[
        DiffOrder,
        Query(
            description="`move`: the largest move first, up or down, ties by delivery, without a move last. "
            "`delivery`, `curve`. Default: `move`."
        ),
    ] = DiffOrder.MOVE,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS, description="Largest number of rows.", examples=[20])] = _MOST_ROWS,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    unit: params.UnitText = None,
    currency: params.CurrencyCode = None,
) -> Response:
    """Compare the quotes of many curves on two trade dates, matched by delivery period.

    `previous` and `latest` are sessions that have data: a holiday, or a gap in the files, is skipped. A date on which none of
    the curves has a quote is refused, with the nearest trade dates. A picture of one curve shows both trade dates and the moves
    below, one of several the largest moves.
    """
    reading = reading_of(request)
    products = await curves.curves_of(reading, [curve])
    question = curves.DiffQuestion(
        services(request).clock.now(),
        params.trade_day("a", a),
        params.trade_day("b", b),
        field,
        as_of,
        as_loaded,
        params.several(kind),
        unit,
        currency,
        sort,
        limit,
    )
    plan = await curves.plan_diff(reading, products, question)
    resolved = table_request(
        request,
        products,
        plan.versions,
        plan.conversions,
        format=output.format,
        layout=output.layout,
        times=(as_of, as_loaded),
        by_pattern="*" in curve,
        picture=output.picture,
    )
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    answer = await curves.read_diff(reading, plan)
    meta = {
        "count": answer.frame.height,
        "total": answer.total,
        "a": plan.a,
        "b": plan.b,
        "field": field,
        "as_of": plan.known.as_of,
        "curves": [curve_meta(one, plan.conversions.unit_of(one)) for one in plan.products],
        "fx": await exchanges_on(reading, plan.conversions, [plan.a, plan.b], plan.known),
        "reason": answer.reason,
    }
    facts = {"a": str(plan.a), "b": str(plan.b), "field": field}
    return await table_response(
        resolved,
        answer.frame.height,
        lambda nested: diff_table(answer, nested=nested),
        meta,
        facts,
        narrow="curve",
        chart=lambda: charts.diff_chart(answer),
    )
