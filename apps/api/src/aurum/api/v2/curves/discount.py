"""``/v2/curves/{key}/discount``: discount factors and zero rates of a curve of interest rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import numpy as np
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import reading_of
from aurum.api.curves.respond import table_request, table_response
from aurum.api.curves.tables import curve_meta
from aurum.api.encoding.table import Days, Fragments, Labels, Numbers, Table
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves.schemas import CurveMeta
from aurum.core.access import Permission
from aurum.core.errors import NotFound, Unavailable
from aurum.services.curves import LATEST, curve_of
from aurum.services.curves.discount import (
    Beyond,
    DateStep,
    DiscountQuestion,
    DiscountRow,
    plan_discount,
    read_discount,
)
from aurum.services.curves.prices import PriceConversions

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)


class DiscountFactor(BaseModel):
    """The discount factor of a date."""

    date: date
    days: int = Field(description="Days from the trade date.")
    discount_factor: float = Field(description="Value on the trade date of 1 paid on the date.")
    zero_rate: float = Field(description="Annual compounding, ACT/365, in the unit of the curve.")
    is_extrapolated: bool = Field(description="The date is after the last maturity, whose zero rate is used.")


class DiscountMeta(BaseModel):
    """How the factors were computed."""

    count: int = Field(description="Number of dates.")
    curve: CurveMeta
    trade_date: date | None = Field(description="Null: the curve has no quotes.")
    day_count: str = Field(description="Year fraction of a zero rate: `ACT/365`, days divided by 365.")
    compounding: str = Field(description="Of a zero rate: `annual`.")
    interpolation: str = Field(description="Between two maturities.")
    extrapolate: Beyond = Field(description="As requested.")


class DiscountDocument(BaseModel):
    """Discount factors of a curve, by date."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [
                        {
                            "date": "2026-01-07",
                            "days": 365,
                            "discount_factor": 0.977421561,
                            "zero_rate": 0.0231,
                            "is_extrapolated": False,
                        }
                    ],
                    "meta": {
                        "count": 1,
                        "curve": {
                            "key": "rate:EUR:base:DESK",
                            "title": "EUR rates of the desk",
                            "unit": "ratio",
                            "currency": None,
                            "calendar": "rate",
                            "version": 1,
                            "derived": None,
                        },
                        "trade_date": "2025-01-07",
                        "day_count": "ACT/365",
                        "compounding": "annual",
                        "interpolation": "linear in the logarithm of the discount factor",
                        "extrapolate": "none",
                    },
                }
            ]
        }
    )

    data: list[DiscountFactor]
    meta: DiscountMeta


@router.get(
    "/{key}/discount",
    operation_id="readDiscountFactors",
    summary="Discount factors of a curve of rates",
    responses=answers(DiscountDocument) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def read_factors(
    request: Request,
    key: params.Key,
    trade_date: params.TradeDate = None,
    dates: Annotated[
        params.ListText | None,
        Query(
            description="Dates, separated by commas. Default: the maturities of the quotes.", examples=["2025-06-30,2026-01-07"]
        ),
    ] = None,
    from_: Annotated[
        Text | None, Query(alias="from", description="First date of a range, with `to` and `freq`.", examples=["2025-02-01"])
    ] = None,
    to: Annotated[Text | None, Query(description="Last date of the range, inclusive.", examples=["2027-02-01"])] = None,
    freq: Annotated[DateStep, Query(description="Step of the range. Default: `P1M`.")] = DateStep.MONTH,
    extrapolate: Annotated[
        Beyond,
        Query(
            description="After the last maturity: `none` refuses the date, `flat` holds the last zero rate. Default: `none`."
        ),
    ] = Beyond.NONE,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
    format: params.Format = None,
    layout: params.LayoutOfRows = "rows",
) -> Response:
    """Return discount factors and zero rates at some dates, from the rates that a curve of commodity `rate` quotes.

    A quote of a rate is for the last delivery day of its period: a period of one day, such as `2026-01-07`, is its maturity.
    """
    reading = reading_of(request)
    product = await curve_of(reading, key)
    question = DiscountQuestion(
        services(request).clock.now(),
        params.trade_day("trade_date", trade_date or LATEST),
        _days(dates),
        params.day_or_none("from", from_),
        params.day_or_none("to", to),
        freq,
        extrapolate,
        as_of,
        as_loaded,
    )
    plan = await plan_discount(reading, product, question)
    same = PriceConversions()
    times = (as_of, as_loaded)
    resolved = table_request(request, [product], plan.versions, same, format=format, layout=layout, times=times)
    if (unchanged := resolved.not_modified()) is not None:
        return unchanged
    rows = await read_discount(reading, plan)
    meta = {
        "count": len(rows),
        "curve": curve_meta(product, same.unit_of(product)),
        "trade_date": plan.trade_date,
        "day_count": "ACT/365",
        "compounding": "annual",
        "interpolation": "linear in the logarithm of the discount factor",
        "extrapolate": extrapolate,
    }
    facts = {"curve": key, "trade_date": str(plan.trade_date), "unit": product.product.unit}
    return await table_response(resolved, len(rows), lambda nested: _table(rows, nested=nested), meta, facts, narrow="dates")


def _days(text: str | None) -> Sequence[date]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    return [day for name in names if (day := params.day_or_none("dates", name)) is not None]


def _table(rows: Sequence[DiscountRow], *, nested: bool) -> Table:
    codes = np.arange(len(rows))
    flags = tuple("true" if one.is_extrapolated else "false" for one in rows)
    return Table(
        {
            "date": Days(np.array([one.day.toordinal() - _EPOCH for one in rows], np.int32)),
            "days": Numbers(np.array([one.days for one in rows], np.float64)),
            "discount_factor": Numbers(np.array([one.factor for one in rows], np.float64)),
            "zero_rate": Numbers(np.array([one.zero_rate for one in rows], np.float64)),
            "is_extrapolated": Fragments(codes, flags) if nested else Labels(codes, flags),
        }
    )


_EPOCH = date(1970, 1, 1).toordinal()
