"""``/v2/curves/{key}/shape``: hourly price-forward curves, and the shapes that are learned for them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.etag import entity_tag, is_current
from aurum.api.contract.answers import page_answers
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Day, Moment, Text
from aurum.api.curves import params
from aurum.api.curves.access import reading_of
from aurum.api.curves.cells import bulk_cells, cells_table
from aurum.api.curves.documents import Owner
from aurum.api.curves.ownership import written_owner
from aurum.api.curves.reference import ReferenceAnswer, ReferenceDocumentAnswer
from aurum.api.curves.respond import drawn
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.negotiate import MEDIA_TYPES, PICTURES, chosen_format
from aurum.api.encoding.table import Table
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.observations.private import PRIVATE_HEADERS
from aurum.api.observations.respond import WholeResponse
from aurum.api.pictures.headers import picture_headers
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves.build_schemas import ShapeAnswerDocument
from aurum.core.access import Permission
from aurum.core.curves.build import Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.shapes import Profile
from aurum.core.errors import Conflict, NotFound
from aurum.services.curves import Known, charts
from aurum.services.curves.build import build, curve_terms, versions_of
from aurum.services.curves.build_answer import BuildAnswer
from aurum.services.curves.build_question import BuildQuestion, InDelivery, Prior
from aurum.services.curves.build_terms import terms_of
from aurum.services.curves.documents import check_document_quota, reference_entry
from aurum.services.curves.shapes import learned_shape, store_shape
from aurum.services.curves.spot import series_that_settles
from aurum.storage.ports.curves import ReferenceKind

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # Shared shapes need admin:write as well.
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/curves",
    tags=["curves"],
    dependencies=[Depends(known_only)],
)

ARROW_ABOVE = 10_000
"""Cells above which the answer is Arrow unless the request names a format."""

From = Annotated[
    Text | None,
    Query(alias="from", description="First delivery day. Default: that of the quotes.", examples=["2025-01-01"]),
]
To = Annotated[
    Text | None, Query(description="Delivery day to end before. Default: the end of the quotes.", examples=["2025-02-01"])
]
ResolutionName = Annotated[Resolution, Query(description="Length of the cells. Default: `PT1H`.", examples=["PT1H"])]
ShapeName = Annotated[
    Text | None,
    Query(
        description="Name of a shape; see `/v2/shapes`. Default: learned from the spot prices that the product settles on, "
        "over the year up to the trade date, or up to the last stored day, as known at `as_of`.",
        examples=["de-workdays"],
    ),
]
Level = Annotated[
    Literal["shape", "smooth"],
    Query(
        description="`shape`: the profile around a level that is constant between the ends of quotes. `smooth`: the profile "
        "added to the smooth curve of days. Default: `shape`."
    ),
]
ProfileName = Annotated[
    Profile,
    Query(
        description="Factors or differences; `auto` takes factors where the price is at least a quarter of the mean of the "
        "window that the shape was learned on. Default: `auto`."
    ),
]


@router.get(
    "/{key}/shape",
    operation_id="readCurveShape",
    summary="Hourly price-forward curve",
    responses=page_answers(ShapeAnswerDocument, pictures=True)
    | {304: {"description": "Not modified: `If-None-Match` names the current `ETag`"}}
    | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_shape(
    request: Request,
    output: params.RowsOrPicture,
    key: params.Key,
    start: From = None,
    to: To = None,
    resolution: ResolutionName = Resolution.HOUR,
    trade_date: params.TradeDate = None,
    together: Annotated[
        Text | None,
        Query(description="Key of the same curve in another block, kept as well.", examples=["power:DE:peak:EEX"]),
    ] = None,
    shape: ShapeName = None,
    level: Level = "shape",
    profile: ProfileName = Profile.AUTO,
    in_delivery: Annotated[
        InDelivery, Query(description="Quotes whose delivery has begun: left out, or less their realised spot hours.")
    ] = InDelivery.EXCLUDE,
    extrapolate: Annotated[
        Extrapolate, Query(description="Prices of days between `from` and `to` that no quote covers. Default: none.")
    ] = Extrapolate.NONE,
    as_of: params.AsOf = None,
    as_loaded: params.AsLoaded = None,
) -> Response:
    """Return a price for every hour that keeps the price of every quote, with the profile of the spot prices.

    Above 10,000 cells the answer is an Arrow stream unless `format` or `Accept` names another format.
    """
    service, state = services(request), state_of(request.scope)
    known = Known.parse(as_of, as_loaded, now=service.clock.now())
    question = BuildQuestion(
        curve=key,
        together=() if together is None else (together,),
        trade_date=params.trade_day_or_none("trade_date", trade_date),
        as_of=known.as_of,
        as_loaded=known.as_loaded,
        grid=resolution,
        objective=Objective.SHAPE if level == "shape" else Objective.SMOOTH,
        prior=None if level == "shape" else Prior(shape=shape, learned=shape is None),
        profile=profile,
        shape=shape if level == "shape" else None,
        in_delivery=in_delivery,
        extrapolate=extrapolate,
        first=params.day_or_none("from", start),
        end=params.day_or_none("to", to),
    )
    reading = reading_of(request)
    accept = state.request_headers.get(b"accept")
    is_open = output.format is None and accept in (None, b"*/*")
    name = chosen_format(output.format, accept.decode("latin-1") if accept else None, pictures=True)
    output.picture.check_format(is_picture=name in PICTURES)
    terms = await curve_terms(reading, question)
    versions = await versions_of(reading, question, terms)
    parameters = sorted(request.query_params.multi_items())
    tenant = caller_of(request).tenant
    tag = entity_tag(service.feed.timeline, request.url.path, parameters, name, is_open, versions, known, tenant)
    state.is_private = True
    headers = {"ETag": tag, **PRIVATE_HEADERS}
    if is_current(request, tag):
        return Response(status_code=304, headers=headers)
    answer = await build(reading, question, terms=terms)
    if name in PICTURES:
        content = await drawn(request, name, output.picture, tag, lambda: charts.build_chart(answer))
        return WholeResponse(
            content, {**headers, **picture_headers(request.url.path, name)}, PICTURES[name], len(answer.starts)
        )
    table = await asyncio.to_thread(cells_table, answer)
    if is_open and table.height > ARROW_ABOVE:
        name = "arrow"
    if name == "json" and table.height > (most := service.settings.document_rows):
        why = f"a JSON document may have {most:,} cells; the curve has {table.height:,}: request arrow, parquet or csv"
        raise InvalidParameters(("format", why, output.format))
    content = await asyncio.to_thread(_encoded, answer, table, name, output.layout)
    return WholeResponse(content, headers, MEDIA_TYPES[name], table.height)


class NewShape(BaseModel):
    """A shape to learn from spot prices, as a new document or as the next version of one."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={"examples": [{"name": "de_2024", "from": "2023-06-01", "to": "2024-06-01"}]},
    )

    name: Annotated[Text, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = Field(
        description="Name of the shape."
    )
    start: Day = Field(alias="from", description="First delivery day of the window.")
    to: Day = Field(description="Delivery day to end before.")
    series: Text | None = Field(None, description="Series of spot prices. Default: the one that the product settles on.")
    by_month: bool = Field(False, strict=True, description="A profile for each calendar month.")
    as_of: Moment | None = Field(None, description="Spot prices as known at this instant. Default: now.")
    owner: Owner = Field("tenant", description="`tenant`: yours. `shared`: of all, which needs `admin:write`.")
    version: int | None = Field(None, strict=True, ge=1, description="Version to replace. Default: the name must be new.")


@router.post(
    "/{key}/shape",
    operation_id="learnCurveShape",
    summary="Learn a shape",
    status_code=201,
    responses=problems(NotFound, Conflict),
)
async def learn_shape(request: Request, key: params.Key, body: NewShape) -> ReferenceAnswer:
    """Learn the profile of spot prices by working day, Saturday and Sunday and hour, and store it as a version of a shape.

    It needs nine tenths of the hours of the window.
    """
    service, reading = services(request), reading_of(request)
    tenant = written_owner(request, body.owner)
    if body.to <= body.start:
        raise InvalidParameters(("to", "must be after from", body.to.isoformat()))
    terms = await terms_of(reading, key)
    series = body.series or series_that_settles(terms, "series")
    now = service.clock.now()
    shape, origin = await learned_shape(
        reading, terms, series, body.start, body.to, Known(body.as_of), by_month=body.by_month, learned_at=now
    )
    if tenant is not None and body.version is None:
        await check_document_quota(reading, tenant, service.store.settings.private.documents)
    await store_shape(
        service.store.transactions, body.name, shape, origin, tenant=tenant, version=body.version, by=actor_of(request)
    )
    entry = await reference_entry(reading, ReferenceKind.SHAPE, body.name)
    return ReferenceAnswer(data=ReferenceDocumentAnswer.from_entry(entry))


def _encoded(answer: BuildAnswer, table: Table, name: str, layout: str) -> bytes:
    meta = answer.meta()
    if name != "json":
        return bulk_cells(table, name, meta)
    return (json_columns if layout == "columns" else json_rows)(table, meta)
