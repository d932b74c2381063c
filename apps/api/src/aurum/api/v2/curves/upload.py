"""``POST /v2/curves/quotes``: quotes of the products of the caller's tenant."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl
from fastapi import Depends
from pydantic import ValidationError
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.contract.refused_rows import refused_rows
from aurum.api.curves.access import reading_of
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves import schemas
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, Unauthenticated, Unavailable
from aurum.services.curves.rows import COLUMNS, QUOTE_ROWS, csv_quote_rows
from aurum.services.curves.upload import upload_quotes

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)

_JSON, _CSV = "application/json", "text/csv"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {"$ref": f"#/components/schemas/{schemas.QuoteRows.__name__}"},
                "examples": {
                    "one quote": {
                        "value": {
                            "data": [
                                {
                                    "trade_date": "2025-01-07",
                                    "product": "power:DE:base:DESK",
                                    "period": "Q1-25",
                                    "settle": 92.15,
                                    "bid": 92.1,
                                    "ask": 92.2,
                                }
                            ]
                        }
                    }
                },
            },
            _CSV: {
                "schema": {"type": "string"},
                "example": "trade_date,product,period,settle,bid,ask\n2025-01-07,power:DE:base:DESK,Q1-25,92.15,92.1,92.2\n",
            },
        },
    }
}


@router.post(
    "/quotes",
    operation_id="storeQuotes",
    summary="Store quotes of your own products",
    openapi_extra=_BODY,
    responses=problems(Unauthenticated, Forbidden, Conflict, Unavailable, also=(413,)),
)
async def store_quotes(request: Request) -> schemas.StoredQuotesAnswer:
    """Store quotes of products that your tenant has declared, all of them or none: one bad row refuses the request.

    A row states a whole quote: a field that it lacks is empty, and replaces what stood. The same quote again changes nothing.
    Another one is a correction: it counts from its known time on, by default from now, and the earlier one stays readable with
    `as_of`. The columns of CSV are those of a SIMPLE file, and `known_at`.
    """
    service, body = services(request), await request.body()
    state_of(request.scope).is_private = True
    rows = await asyncio.to_thread(rows_of_body, body, request.headers.get("content-type", _JSON))
    tenant = caller_of(request).tenant
    stored = await upload_quotes(
        reading_of(request),
        service.store.private.of(tenant).loader,
        rows,
        tenant=tenant,
        file_name="request",
        size=len(body),
        most=service.store.settings.private.points,
        now=service.clock.now(),
        by=actor_of(request),
    )
    return schemas.StoredQuotesAnswer(data=schemas.StoredQuotesDocument.model_validate(stored, from_attributes=True))


def rows_of_body(body: bytes, content_type: str) -> pl.DataFrame:
    """Return the rows of a body, schema ``QUOTE_ROWS``. Raises ``InvalidParameters``, ``BadRows``, ``Invalid``."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _CSV:
        return csv_quote_rows(body)
    if kind != _JSON:
        raise InvalidParameters(("Content-Type", f"must be {_JSON} or {_CSV}", content_type[:100]))
    try:
        document = schemas.QuoteRows.model_validate_json(body)
    except ValidationError as error:
        raise refused_rows(error) from error
    # rows: pydantic made an object of each; the columns are taken from it once.
    columns = [pl.Series(name, [getattr(row, name) for row in document.data]).cast(pl.String) for name in COLUMNS]
    return pl.DataFrame(columns).with_row_index("line", offset=1).cast({"line": pl.UInt32}).select(list(QUOTE_ROWS))
