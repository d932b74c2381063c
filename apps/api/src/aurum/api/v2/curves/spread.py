"""``POST /v2/curves/spread``: margins and differences of curves; ``GET /v2/curves/spread-templates``: their templates."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Depends
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import page_answers
from aurum.api.contract.params import known_only
from aurum.api.curves.access import reading_of
from aurum.api.curves.respond import most_rows, table_request, table_response
from aurum.api.curves.spread_tables import spread_table
from aurum.api.curves.tables import curve_meta
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import spread_schemas as schemas
from aurum.core.access import Permission
from aurum.core.curves.spread_templates import default_spread_templates
from aurum.core.errors import NotFound, Unavailable
from aurum.services.curves.prices import PriceConversions
from aurum.services.curves.spread_chart import spread_chart
from aurum.services.curves.spread_facts import spread_facts, template_document
from aurum.services.curves.spreads import plan_spread, read_spread

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # A question in a body reads as well.
    writes=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)

_SHOWN: dict[str, Any] = {
    "clean spark spread of curves": {
        "value": {
            "template": "clean_spark",
            "legs": {
                "power": {"curve": "power:DE:base:EEX"},
                "gas": {"curve": "gas:TTF:base:ICE"},
                "emissions": {"curve": "emissions:EUA:base:EEX"},
            },
            "periods": ["Q1-25", "2025"],
            "trade_date": "2024-10-14",
            "parameters": {"efficiency": 0.5, "heating_value": "LHV", "emission_intensity": 0.202},
        }
    },
    "clean dark spread of prices": {
        "value": {
            "template": "clean_dark",
            "legs": {
                "power": {"value": 90.84, "unit": "EUR/MWh"},
                "coal": {"value": 110.0, "unit": "USD/t"},
                "emissions": {"value": 65.0, "unit": "EUR/t"},
            },
            "parameters": {"efficiency": 0.38, "emission_intensity": 0.341},
            "fx": {"kind": "rate", "rate": 1.1, "pair": "EURUSD"},
        }
    },
    "calendar spread": {
        "value": {
            "template": "calendar",
            "legs": {"near": {"curve": "power:DE:base:EEX", "period": "Q1-25"}, "far": {"period": "Q2-25"}},
        }
    },
}


@router.get(
    "/spread-templates",
    operation_id="listSpreadTemplates",
    summary="Templates of spreads",
    response_model=schemas.SpreadTemplatesAnswer,
    responses=problems(),
)
async def list_spread_templates() -> schemas.SpreadTemplatesAnswer:
    """List the templates of spreads with their legs, parameters and defaults."""
    return schemas.SpreadTemplatesAnswer.model_validate(
        {"data": [template_document(one) for one in default_spread_templates()]}
    )


@router.post(
    "/spread",
    operation_id="spreadCurves",
    summary="Spread of curves",
    responses=page_answers(schemas.SpreadDocument, pictures=True) | problems(NotFound, Unavailable, also=(406,)),
    response_class=Response,
)
async def spread_curves(request: Request, body: Annotated[schemas.SpreadBody, Body(openapi_examples=_SHOWN)]) -> Response:
    """Return a spread for each period on a trade date, or through many, with every leg and how its price was made.

    A leg is priced by its quote of the same delivery days, and where it has none by the strip of finer quotes; prices are
    converted to one unit and currency. Where a leg has no price, the value is null and `reason` says why. A picture shows the
    periods on the trade date, or through the trade dates as lines.
    """
    reading = reading_of(request)
    plan = await plan_spread(reading, body.question(services(request).clock.now()))
    products = [one.stored for one in plan.curves]
    resolved = table_request(
        request,
        products,
        plan.versions,
        PriceConversions(),
        format=body.format,
        layout=body.layout,
        body=await request.body(),
        picture=body.picture,
    )
    answer = await read_spread(reading, plan, most=most_rows(resolved))
    facts = spread_facts(plan)
    curves = [curve_meta(one, (one.product.unit, one.product.currency)) for one in products]
    meta = {"count": answer.frame.height, **facts, "curves": curves}
    description = {name: str(facts[name]) for name in ("template", "formula", "unit", "side")}
    return await table_response(
        resolved,
        answer.frame.height,
        lambda nested: spread_table(answer, nested=nested),
        meta,
        description,
        narrow="from" if plan.is_span else "periods",
        chart=lambda: spread_chart(answer),
    )
