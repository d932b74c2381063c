"""Responses with quotes, and ``POST /v2/curves/query``: the quotes of many curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.curves import params
from aurum.api.curves.access import reading_of
from aurum.api.curves.respond import TableRequest, most_rows, table_request, table_response
from aurum.api.curves.tables import curve_meta, quotes_table
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import schemas
from aurum.charts import Chart
from aurum.core.access import Permission
from aurum.core.curves.quotes import MID
from aurum.core.errors import Conflict, NotFound, Unavailable
from aurum.services import curves
from aurum.services.curves import CurveReading, QuotesAnswer, QuotesPlan, QuotesQuestion
from aurum.services.curves.prices import exchanges_on

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # A query in a body reads as well.
    writes=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)


@router.post(
    "/query",
    operation_id="queryCurves",
    summary="Quotes of many curves",
    responses=answers(schemas.QuotesDocument) | problems(NotFound, Conflict, Unavailable, also=(406,)),
    response_class=Response,
)
async def query_curves(request: Request, body: schemas.CurvesQuery) -> Response:
    """Return the quotes of many curves in one answer, with the key of each in `curve`.

    Without `trade_date`, `from` and `to`: the newest trade date with data of any of them.
    """
    reading = reading_of(request)
    products = await curves.curves_of(reading, body.curves, parameter="curves")
    question = QuotesQuestion(
        services(request).clock.now(),
        params.trade_day_or_none("trade_date", body.trade_date),
        params.day_or_none("from", body.from_),
        params.day_or_none("to", body.to),
        body.as_of,
        body.as_loaded,
        body.kind,
        body.periods,
        body.fields,
        body.unit,
        body.currency,
    )
    plan = await curves.plan_quotes(reading, products, question)
    resolved = table_request(
        request,
        products,
        plan.versions,
        plan.conversions,
        format=body.format,
        layout=body.layout,
        body=await request.body(),
    )
    return await quotes_response(reading, resolved, plan, many=True)


async def quotes_response(
    reading: CurveReading,
    resolved: TableRequest,
    plan: QuotesPlan,
    *,
    many: bool,
    chart: Callable[[QuotesAnswer, QuotesAnswer | None], Chart] | None = None,
    earlier: QuotesPlan | None = None,
) -> Response:
    """Return the response with the quotes of a plan. ``many``: with the key of the curve in each row.

    ``chart``: makes the chart of a picture, of these quotes and those of the plan ``earlier``.
    """
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    answer = await curves.read_quotes(reading, plan, most=most_rows(resolved))
    before = await curves.read_quotes(reading, earlier, most=most_rows(resolved)) if earlier is not None else None
    span = plan.span
    described = [curve_meta(one, plan.conversions.unit_of(one)) for one in plan.products]
    about: Mapping[str, object] = {"curves": described} if many else {"curve": described[0]}
    trade_date = span.first if span is not None and span.first == span.last else None
    meta = {
        "count": answer.frame.height,
        **about,
        "trade_date": trade_date,
        "as_of": plan.known.as_of,
        "derived": [name for name in plan.fields if name == MID],
        "fx": await exchanges_on(reading, plan.conversions, [trade_date], plan.known),
        "reason": answer.reason,
    }
    facts = {"curves": ",".join(str(one.product.key) for one in plan.products[:20])}
    return await table_response(
        resolved,
        answer.frame.height,
        lambda nested: quotes_table(answer, nested=nested, with_curve=many),
        meta,
        facts,
        narrow="from" if span is None or span.first != span.last else "curves" if many else "kind",
        chart=None if chart is None else lambda: chart(answer, before),
    )
