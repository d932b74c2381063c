"""``POST /v2/observations/query``: a query that is too long for a URL, or a batch of several queries."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.either import either, refused_members
from aurum.api.contract.params import DAYS_AHEAD, HOURS_AHEAD, LIMIT, MANY_SERIES, MIN_COVERAGE, SERIES_PARAMETER
from aurum.api.contract.schemas import ManySeriesObservations
from aurum.api.contract.text import Text
from aurum.api.encoding.negotiate import MEDIA_TYPES
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problem_of, problems
from aurum.api.http.request_state import state_of
from aurum.api.observations.batch_table import batch_table, of_query
from aurum.api.observations.many import answer_many, resolve_many
from aurum.api.observations.private import PRIVATE_HEADERS
from aurum.api.observations.respond import ObservationsRequest, WholeResponse
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, Invalid, NotFound
from aurum.services.observations.complexity import Budget

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ),
    writes=Policy(Permission.SERIES_READ),
    prefix="/v2/observations",
    tags=["observations"],
)

_MOST_QUERIES = 1_000
_AT_ONCE = 4
"""Queries of one batch that are executed at the same time: one request must not use all connections of the store."""

_NYC, _WEST = "nyiso:damlbmp_zone:61761:lmp", "nyiso:damlbmp_zone:61752:lmp"

Keys = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
"""A series key, or several separated by commas."""

_MaybeText = Annotated[Text | None, "optional"]
_optional: dict[str, Any] = {
    parameter.name: (_MaybeText, Field(default=None, description=parameter.description))
    for parameter in MANY_SERIES
    if parameter not in (SERIES_PARAMETER, MIN_COVERAGE, DAYS_AHEAD, HOURS_AHEAD, LIMIT)
}
# Their bounds are checked with the query, so that a wrong one fails a query of a batch and not the batch.
_optional |= {
    parameter.name: (
        kind | None,
        Field(default=None, strict=True, description=parameter.description, json_schema_extra=dict(parameter.schema)),
    )
    for parameter, kind in ((MIN_COVERAGE, float), (DAYS_AHEAD, int), (HOURS_AHEAD, float), (LIMIT, int))
}
ObservationsQuery = create_model(
    "ObservationsQuery",
    __config__=ConfigDict(extra="forbid"),
    __doc__="One query: the parameters of `GET /v2/observations`, with the same names and defaults.",
    series=(
        list[Keys] | None,
        Field(default=None, min_length=1, description=SERIES_PARAMETER.description, examples=[[_NYC, _WEST]]),
    ),
    **_optional,
)


class NamedQuery(ObservationsQuery):  # type: ignore[misc, valid-type] - a model made from the parameters
    """One query of a batch."""

    id: Annotated[Text, StringConstraints(max_length=100)] = Field(
        description="Name of the query, unique in its batch; its result has the same `id`."
    )


class Batch(BaseModel):
    """Several independent queries in one format. Together they may span as many observations as a single request.

    In JSON each query has a result of its own, so one that fails does not affect the others. In NDJSON, CSV, Arrow and Parquet
    the answer is one table, with the rows of one query after the other in the layout `long`, and the `id` of the query as first
    column; a query that fails refuses the batch. Times of the table are in the time zone that all queries share, else in UTC.
    """

    model_config = ConfigDict(extra="forbid")

    queries: list[NamedQuery] = Field(min_length=1, max_length=_MOST_QUERIES)


class BatchItem(BaseModel):
    """The result of one query of a batch."""

    id: str = Field(description="`id` of the query.")
    status: int = Field(description="HTTP status of this query, as if it were sent alone.", examples=[200])
    answer: dict[str, Any] = Field(description="The document of `GET /v2/observations`, or a problem document.")


class BatchAnswer(BaseModel):
    """The results of a batch, in the order of its queries."""

    data: list[BatchItem]


def _form_of(body: Mapping[str, object]) -> type[BaseModel]:
    """Return the form of a body: a batch if it has queries, else one query. Raises ``ValidationError`` for both at once."""
    if "queries" not in body:
        return ObservationsQuery
    if others := [name for name in body if name != "queries"]:
        raise refused_members(body, others, "does not go with queries: state it in each query of the batch")
    return Batch


_QueryBody = Annotated[
    ObservationsQuery | Batch,  # type: ignore[valid-type] - a model made from the parameters
    either(_form_of),
    Body(
        openapi_examples={
            "one query": {"value": {"series": [_NYC, _WEST], "start": "2025-11-02", "end": "2025-11-03", "tz": "market"}},
            "batch": {
                "value": {
                    "queries": [
                        {"id": "day ahead", "series": [_NYC], "start": "2025-11-02", "end": "2025-11-03", "tz": "market"},
                        {"id": "daily means", "series": [_NYC], "freq": "1d", "agg": "mean"},
                    ]
                }
            },
        }
    ),
]


def _documented() -> dict[int | str, dict[str, Any]]:
    responses = answers(ManySeriesObservations) | problems(NotFound, also=(406,))
    either = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in (ManySeriesObservations, BatchAnswer)]
    responses[200]["content"]["application/json"] = {"schema": {"anyOf": either}}
    for status in (206, 304, 412, 416):
        del responses[status]
    return responses


@router.post(
    "/query",
    operation_id="queryObservations",
    summary="Observations of many series, or a batch of queries",
    responses=_documented(),
    response_class=Response,
)
async def query_observations(request: Request, body: _QueryBody) -> Response:
    """Execute one query or a batch of queries, in any format.

    One query has the response of `GET /v2/observations`.

    Use it when the query is too long for a URL.
    """
    if isinstance(body, Batch):
        return await _answer_batch(request, body)
    return await answer_many(request, _as_query(body))


async def _answer_batch(request: Request, batch: Batch) -> Response:
    names = [query.id for query in batch.queries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidParameters(("queries", "two queries have this id: give each query an id of its own", twice))
    formats = {_as_query(query).get("format", "json") for query in batch.queries}
    if len(formats) > 1:
        raise InvalidParameters(("format", "must be the same in all queries of a batch", sorted(formats)))
    (name,) = formats
    if name != "json":
        return await _answer_table(request, batch, name)
    slots = asyncio.Semaphore(_AT_ONCE)
    service = services(request)
    budget = Budget(service.reading.most_points, service.settings.document_rows)

    async def answered(query: NamedQuery) -> bytes:
        async with slots:
            response = await _answer_one(request, query, budget)
        if isinstance(response, WholeResponse):
            state_of(request.scope).points += response.points
        head = b'{"id":' + orjson.dumps(query.id) + b',"status":' + str(response.status_code).encode()
        return head + b',"answer":' + bytes(response.body) + b"}"

    parts = await _all_or_none([asyncio.create_task(answered(query)) for query in batch.queries])
    headers = PRIVATE_HEADERS if state_of(request.scope).is_private else None
    return Response(b'{"data":[' + b",".join(parts) + b"]}", headers=headers, media_type=MEDIA_TYPES["json"])


async def _answer_table(request: Request, batch: Batch, name: str) -> Response:
    """Return one table with the rows of all queries; a query that fails refuses the batch."""
    budget = Budget(services(request).reading.most_points, sys.maxsize)
    queries: list[tuple[str, ObservationsRequest]] = []
    for place, query in enumerate(batch.queries):
        try:
            queries.append((query.id, await resolve_many(request, _as_query(query), budget=budget)))
        except InvalidParameters as error:
            raise of_query(error, place) from error
    return await batch_table(queries, name)


async def _all_or_none(tasks: list[asyncio.Task[bytes]]) -> list[bytes]:
    """Return the results of all tasks. When one fails, the others are cancelled, and the error is raised."""
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise


async def _answer_one(request: Request, query: NamedQuery, budget: Budget) -> Response:
    try:
        return await answer_many(request, _as_query(query, format="json"), budget=budget)
    except (Invalid, NotFound, Forbidden) as error:
        return problem_of(request, error)


def _as_query(query: BaseModel, **more: str) -> QueryParams:
    arguments: dict[str, Any] = query.model_dump(exclude_none=True, exclude={"id"}) | more
    series = arguments.pop("series", ())
    return QueryParams([*(("series", key) for key in series), *((name, str(value)) for name, value in arguments.items())])
