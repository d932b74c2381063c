"""``/v2/series/movers``: what moved most from one market day to another."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Day, Text
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.series.schemas import MoversAnswer
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.services.movers import MoversQuestion, movers

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ, is_shared=True, cached=CacheRule(DataClass.DAY, ("any series", "catalog"))),
    prefix="/v2/series",
    tags=["series"],
)


@router.get(
    "/movers",
    operation_id="listMovers",
    summary="What moved most from one day to another",
    response_model=MoversAnswer,
    responses=problems(NotFound),
    dependencies=[Depends(known_only)],
)
async def list_movers(
    request: Request,
    measure: Annotated[Text, Query(description="Measure; see `/v2/catalog/dimensions`.", examples=["lmp"])],
    market: Annotated[
        Text, Query(description="Market, in upper or lower case; see `/v2/catalog/markets`.", examples=["NYISO"])
    ],
    day: Annotated[Day, Query(description="Market day, on the market's own clock.", examples=["2024-06-04"])],
    against: Annotated[
        Text,
        Query(
            description="Compared with `previous` (the day before), `week` (the same weekday a week before) or a date.",
            examples=["week"],
        ),
    ] = "previous",
    block: Annotated[
        Text | None,
        Query(
            description="Only hours of this block of the market's calendar, or of `calendar:block`; see `/v2/catalog/blocks`.",
            examples=["ON_PEAK"],
        ),
    ] = None,
    unit: Annotated[
        Text | None, Query(description="Only series in this unit; values are not converted.", examples=["USD/MWh"])
    ] = None,
    currency: Annotated[
        Text | None, Query(description="Only series in this currency; values are not converted.", examples=["USD"])
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=500, description="Largest number of movers, and of incomplete series. Default: 20.", examples=[20])
    ] = 20,
) -> MoversAnswer:
    """Rank the series of one measure and market by how much their mean changed between two market days, as known now.

    The greatest change comes first, up or down; equal ones by key. Days have 23, 24 or 25 hours. Series that lack an interval
    on either day are not ranked but listed as `incomplete`.
    """
    service = services(request)
    most = min(limit, service.settings.page_limit)
    question = MoversQuestion(measure, market, day, against, block, unit, currency, most)
    answer = await movers(service.wide, question)
    return MoversAnswer.model_validate(answer.document())
