"""``/v2/curves``: products that are quoted forward, their quotes, history and strips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import own_response, reading_of
from aurum.api.curves.respond import table_request, table_response
from aurum.api.curves.tables import curve_meta, strips_table
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import schemas
from aurum.api.v2.curves.quotes import quotes_response
from aurum.charts import Chart
from aurum.core.access import Permission
from aurum.core.curves.products import Weighting
from aurum.core.errors import NotFound, Unavailable
from aurum.services import curves
from aurum.services.curves import QuotesAnswer, QuotesQuestion, Side, charts
from aurum.services.curves.prices import exchanges_on
from aurum.services.curves.sparklines import sparklines
from aurum.storage.ports.curves import ProductFilter

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)

_Commodity = Annotated[Text | None, Query(description="Only curves of this commodity.", examples=["power"])]
_Area = Annotated[Text | None, Query(description="Only curves of this market area, hub or contract.", examples=["DE"])]
_Block = Annotated[Text | None, Query(description="Only curves of this block.", examples=["base"])]
_Venue = Annotated[Text | None, Query(description="Only curves of this exchange or broker.", examples=["EEX"])]
_Words = Annotated[Text | None, Query(description="Words that the key or the title must have.", examples=["german"])]
_SettlesOn = Annotated[
    Text | None,
    Query(
        description="Only curves that settle against this series of spot prices.",
        examples=["eex:day_ahead_auction:DE:price_60min"],
    ),
]
_Quoted = Annotated[bool, Query(description="Only curves with quotes. Default: false.")]


@router.get("", operation_id="listCurves", summary="List curves", response_model=schemas.CurvesAnswer, responses=problems())
async def list_curves(
    request: Request,
    response: Response,
    commodity: _Commodity = None,
    area: _Area = None,
    block: _Block = None,
    venue: _Venue = None,
    text: _Words = None,
    quoted: _Quoted = False,
    settles_on: _SettlesOn = None,
    sparkline: Annotated[
        bool,
        Query(description="Also the price of the front month on the last 30 trade dates of each curve. Default: false."),
    ] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.CurvesAnswer | Response:
    """List shared curves and those of the caller's tenant, ascending by key, with counts by facet in `meta`.

    With `sparkline` a page has at most 100 curves.
    """
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    criteria = ProductFilter(commodity, area, block, venue, text, quoted=quoted, settles_on=settles_on)
    after = page.after[0] if page.after else None
    listed = await curves.curves_page(reading_of(request), criteria, after=after, limit=page.limit)
    meta = page_meta(request, response, page, listed.products, lambda one: (str(one.product.key),))
    versions = [one.tag for one in listed.products]
    if (unchanged := own_response(request, response, versions, listed.facets)) is not None:
        return unchanged
    shown = listed.products[: page.limit]
    lines = await sparklines(reading_of(request), shown) if sparkline else None
    data = [schemas.CurveDocument.from_domain(one, lines) for one in shown]
    return schemas.CurvesAnswer.model_validate({"data": data, "meta": meta | {"facets": listed.facets}})


@router.get(
    "/{key}",
    operation_id="readCurve",
    summary="Read a curve",
    response_model=schemas.CurveAnswer,
    responses=problems(NotFound, Unavailable),
)
async def read_curve(
    request: Request,
    response: Response,
    key: params.Key,
    by_kind: Annotated[
        bool, Query(description="Also the completeness of each kind of period: months may be complete while quarters are not.")
    ] = False,
) -> schemas.CurveAnswer | Response:
    """Return a curve with its terms, its delivery calendar, and the sessions that its quotes lack."""
    reading = reading_of(request)
    plan = await curves.plan_curve(reading, key)
    if (unchanged := own_response(request, response, plan.versions)) is not None:
        return unchanged
    facts = await curves.read_curve(reading, plan, by_kind=by_kind)
    return schemas.CurveAnswer(data=schemas.CurveFactsDocument.from_facts(facts))


@router.get(
    "/{key}/quotes",
    operation_id="readCurveQuotes",
    summary="Quotes of a curve",
    responses=answers(schemas.QuotesDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def read_quotes(
    request: Request,
    output: params.RowsOrPicture,
    key: params.Key,
    trade_date: params.TradeDate = None,
    from_: params.From = None,
    to: params.To = None,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    kind: params.Kind = None,
    fields: params.Fields = None,
    unit: params.UnitText = None,
    currency: params.CurrencyCode = None,
    vs: Annotated[
        Text | None,
        Query(
            description="In a picture also the quotes of this trade date: YYYY-MM-DD, or `previous`, the newest with data "
            "before `trade_date`. Default: none.",
            examples=["2024-10-11"],
        ),
    ] = None,
) -> Response:
    """Return all quotes of a curve on one trade date, or from one trade date to another, by trade date and delivery.

    A quote without `settle` is a listed product without a price. Without `trade_date`, `from` and `to`: the newest trade date
    with data. A picture shows `settle`, or the first of `fields`, on one trade date, and with `vs` that of an earlier one;
    of a curve without settlements the mean of bid and ask.
    """
    question = QuotesQuestion(
        services(request).clock.now(),
        params.trade_day_or_none("trade_date", trade_date),
        params.day_or_none("from", from_),
        params.day_or_none("to", to),
        as_of,
        as_loaded,
        params.several(kind),
        (),
        params.several(fields),
        unit,
        currency,
    )
    return await _quotes_of_one(request, key, question, output, charts.quotes_chart, vs=vs)


@router.get(
    "/{key}/history",
    operation_id="readCurveHistory",
    summary="History of a delivery period",
    responses=answers(schemas.QuotesDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def read_history(
    request: Request,
    output: params.RowsOrPicture,
    key: params.Key,
    period: params.Periods,
    from_: params.From = None,
    to: params.To = None,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    fields: params.Fields = None,
    unit: params.UnitText = None,
    currency: params.CurrencyCode = None,
) -> Response:
    """Return the quotes of one delivery period, or of several, through the trade dates."""
    question = QuotesQuestion(
        services(request).clock.now(),
        None,
        params.day_or_none("from", from_),
        params.day_or_none("to", to),
        as_of,
        as_loaded,
        (),
        (period,),
        params.several(fields),
        unit,
        currency,
        default=None,
    )
    return await _quotes_of_one(request, key, question, output, lambda answer, _: charts.history_chart(answer))


@router.get(
    "/{key}/strips",
    operation_id="readCurveStrips",
    summary="Prices of delivery periods",
    responses=answers(schemas.StripsDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def read_strips(
    request: Request,
    output: params.RowsOrPicture,
    key: params.Key,
    period: params.Periods,
    trade_date: params.TradeDate = None,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    weighting: Annotated[
        Weighting | None,
        Query(description="Weights of the parts: `hours` of the block, `days`, `sessions`, or `equal`. Default: by the curve."),
    ] = None,
    block: Annotated[
        Text | None,
        Query(
            description="Another block of the same area and venue, or `off_peak`, which is made of base and peak by hours. "
            "Default: that of the curve.",
            examples=["off_peak"],
        ),
    ] = None,
    side: Annotated[
        Side,
        Query(
            description="Price that the strip is made of. Default: `settle`, and where a quote has no settlement the mean of "
            "its bid and ask."
        ),
    ] = Side.SETTLE,
    unit: params.UnitText = None,
    currency: params.CurrencyCode = None,
) -> Response:
    """Return the price of each requested period: the weighted average of the quotes that tile it, beside the exchange's own.

    A period that the quotes do not tile has no value, and `reason` says why: it is never an average of what there is.
    """
    reading = reading_of(request)
    product = await curves.curve_of(reading, key)
    question = curves.StripsQuestion(
        services(request).clock.now(),
        (period,),
        params.trade_day("trade_date", trade_date or curves.LATEST),
        as_of,
        as_loaded,
        weighting,
        block,
        side,
        unit,
        currency,
    )
    plan = await curves.plan_strips(reading, product, question)
    legs = plan.legs
    resolved = table_request(
        request,
        [product, *legs],
        plan.versions,
        plan.conversions,
        format=output.format,
        layout=output.layout,
        times=(as_of, as_loaded),
        picture=output.picture,
    )
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    strips = await curves.read_strips(reading, plan)
    meta = {
        "count": len(strips),
        "curve": curve_meta(legs[0], plan.conversions.unit_of(legs[0])),
        "trade_date": plan.trade_date,
        "as_of": plan.known.as_of,
        "side": side,
        "weighting": plan.weighting,
        "block": plan.block,
        "fx": await exchanges_on(reading, plan.conversions, [plan.trade_date], plan.known),
    }
    facts = {"curve": key, "trade_date": str(plan.trade_date), "side": str(side)}
    return await table_response(
        resolved,
        len(strips),
        lambda nested: strips_table(strips, nested=nested),
        meta,
        facts,
        narrow="period",
        chart=lambda: charts.strips_chart(plan, strips, side),
    )


async def _quotes_of_one(
    request: Request,
    key: str,
    question: QuotesQuestion,
    output: params.Output,
    chart: Callable[[QuotesAnswer, QuotesAnswer | None], Chart],
    *,
    vs: str | None = None,
) -> Response:
    reading = reading_of(request)
    product = await curves.curve_of(reading, key)
    plan = await curves.plan_quotes(reading, [product], question)
    earlier = None if vs is None else await curves.plan_reference(reading, plan, question, params.trade_day("vs", vs))
    times = [text for text in (question.as_of, question.as_loaded) if isinstance(text, str)]
    versions = plan.versions if earlier is None else (*plan.versions, earlier.span)
    resolved = table_request(
        request,
        [product],
        versions,
        plan.conversions,
        format=output.format,
        layout=output.layout,
        times=times,
        picture=output.picture.also("vs", vs),
    )
    return await quotes_response(reading, resolved, plan, many=False, chart=chart, earlier=earlier)
