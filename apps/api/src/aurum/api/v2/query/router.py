"""``POST /v2/observations/query``: a query that is too long for a URL, or a batch of several queries."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import MANY_SERIES, MIN_COVERAGE, SERIES_PARAMETER
from aurum.api.contract.schemas import ManySeriesObservations
from aurum.api.contract.text import Text
from aurum.api.encoding.negotiate import MEDIA_TYPES
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problem_of, problems
from aurum.api.observations.many import answer_many
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.core.access import Permission
from aurum.core.errors import Invalid
from aurum.services.observations.complexity import Budget

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ),
    writes=Policy(Permission.SERIES_READ),
    prefix="/v2/observations",
    tags=["observations"],
)

_MOST_QUERIES = 50
_AT_ONCE = 4
"""Queries of one batch that are executed at the same time: one request must not use all connections of the store."""

_NYC, _WEST = "nyiso:damlbmp_zone:61761:lmp", "nyiso:damlbmp_zone:61752:lmp"

Keys = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
"""A series key, or several separated by commas."""

_MaybeText = Annotated[Text | None, "optional"]
_optional: dict[str, Any] = {
    parameter.name: (_MaybeText, Field(default=None, description=parameter.description))
    for parameter in MANY_SERIES
    if parameter not in (SERIES_PARAMETER, MIN_COVERAGE)
}
# Its bounds are checked with the query, so that a wrong one fails a query of a batch and not the batch.
_optional["min_coverage"] = (
    float | None,
    Field(default=None, strict=True, description=MIN_COVERAGE.description, json_schema_extra=dict(MIN_COVERAGE.schema)),
)
ObservationsQuery = create_model(
    "ObservationsQuery",
    __config__=ConfigDict(extra="forbid"),
    __doc__="One query: the parameters of `GET /v2/observations`, with the same names and defaults.",
    series=(list[Keys], Field(min_length=1, description="Keys of the requested series.", examples=[[_NYC, _WEST]])),
    **_optional,
)


class NamedQuery(ObservationsQuery):  # type: ignore[misc, valid-type] - a model made from the parameters
    """One query of a batch."""

    id: Annotated[Text, StringConstraints(max_length=100)] = Field(
        description="Name of the query, unique in its batch; its result has the same `id`."
    )


class Batch(BaseModel):
    """Several independent queries with results in JSON: a query that fails does not affect the others.

    Together they may span as many observations as a single request; a query beyond that limit is refused.
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


_QueryBody = Annotated[
    ObservationsQuery | Batch,  # type: ignore[valid-type] - a model made from the parameters
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
    responses = answers(ManySeriesObservations) | problems(also=(406,))
    either = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in (ManySeriesObservations, BatchAnswer)]
    responses[200]["content"]["application/json"] = {"schema": {"anyOf": either}}
    del responses[304]
    return responses


@router.post(
    "/query",
    operation_id="queryObservations",
    summary="Observations of many series, or a batch of queries",
    responses=_documented(),
    response_class=Response,
)
async def query_observations(request: Request, body: _QueryBody) -> Response:
    """Execute one query, with the response of `GET /v2/observations` in any format, or a batch, with all results in JSON.

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
    if formats != {"json"}:
        raise InvalidParameters(
            (
                "format",
                "a batch returns JSON only: leave format out, or send the query in a request of its own",
                sorted(formats),
            )
        )
    slots = asyncio.Semaphore(_AT_ONCE)
    service = services(request)
    budget = Budget(service.reading.most_points, service.settings.document_rows)

    async def answered(query: NamedQuery) -> bytes:
        async with slots:
            response = await _answer_one(request, query, budget)
        head = b'{"id":' + orjson.dumps(query.id) + b',"status":' + str(response.status_code).encode()
        return head + b',"answer":' + bytes(response.body) + b"}"

    parts = await _all_or_none([asyncio.create_task(answered(query)) for query in batch.queries])
    return Response(b'{"data":[' + b",".join(parts) + b"]}", media_type=MEDIA_TYPES["json"])


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
    except Invalid as error:
        return problem_of(request, error)


def _as_query(query: BaseModel, **more: str) -> QueryParams:
    arguments: dict[str, Any] = query.model_dump(exclude_none=True, exclude={"id"}) | more
    series = arguments.pop("series")
    return QueryParams([*(("series", key) for key in series), *((name, str(value)) for name, value in arguments.items())])
