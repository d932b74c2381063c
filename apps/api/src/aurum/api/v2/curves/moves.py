"""``/v2/curves/diff``: moves of many curves between two trade dates."""

from __future__ import annotations

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

_MOST_ROWS = 1_000_000

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ), prefix="/v2/curves", tags=["curves"], dependencies=[Depends(known_only)]
)


@router.get(
    "/diff",
    operation_id="diffCurves",
    summary="Moves of curves between two trade dates",
    responses=answers(schemas.DiffDocument) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def diff_curves(
    request: Request,
    curve: Annotated[
        params.ListText,
        Query(
            description="Keys of curves, separated by commas; in a pattern `*` stands for any text.", examples=["power:DE:*"]
        ),
    ],
    a: Annotated[
        Text,
        Query(
            description="Earlier trade date: YYYY-MM-DD; `previous`, the newest with data before `b`; or `latest`. "
            "Default: `previous`.",
            examples=["2024-10-11"],
        ),
    ] = "previous",
    b: Annotated[
        Text,
        Query(
            description="Later trade date: YYYY-MM-DD; `latest`, the newest with data of any of the curves; or `previous`. "
            "Default: `latest`.",
            examples=["2024-10-14"],
        ),
    ] = "latest",
    field: Annotated[
        Text,
        Query(description="Price that is compared, such as `settle`, `bid`, `ask`. Default: `settle`.", examples=["settle"]),
    ] = "settle",
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
    format: params.Format = None,
    layout: params.LayoutOfRows = "rows",
) -> Response:
    """Compare the quotes of many curves on two trade dates, matched by delivery period.

    `previous` and `latest` are sessions that have data: a holiday, or a gap in the files, is skipped.
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
        format=format,
        layout=layout,
        times=(as_of, as_loaded),
        by_pattern="*" in curve,
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
    }
    facts = {"a": str(plan.a), "b": str(plan.b), "field": field}
    return await table_response(
        resolved, answer.frame.height, lambda nested: diff_table(answer, nested=nested), meta, facts, narrow="curve"
    )
