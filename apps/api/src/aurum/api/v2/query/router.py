"""``POST /v2/observations/query``: what a URL is too short for, and several questions in one request."""

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
from aurum.api.contract.params import MANY, SERIES_PARAMETER
from aurum.api.contract.schemas import Many
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
"""Questions of one request that are worked on together: a request must not take all connections."""

_NYC, _WEST = "nyiso:damlbmp_zone:61761:lmp", "nyiso:damlbmp_zone:61752:lmp"

Keys = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
"""A series key, or several with commas between."""

_MaybeText = Annotated[Text | None, "not given"]
_optional: dict[str, Any] = {
    parameter.name: (_MaybeText, Field(default=None, description=parameter.description))
    for parameter in MANY
    if parameter is not SERIES_PARAMETER
}
ObservationsQuery = create_model(
    "ObservationsQuery",
    __config__=ConfigDict(extra="forbid"),
    __doc__="The parameters of `GET /v2/observations`, under the same names.",
    series=(list[Keys], Field(min_length=1, description="Series keys.", examples=[[_NYC, _WEST]])),
    **_optional,
)


class NamedQuery(ObservationsQuery):  # type: ignore[misc, valid-type] - a model made from the parameters
    """One question of a batch."""

    id: Annotated[Text, StringConstraints(max_length=100)] = Field(description="Names the answer.")


class Batch(BaseModel):
    """Several questions, answered as JSON, each by itself: one that fails does not fail the others.

    Together they may ask for as many observations as one question may; those beyond are refused.
    """

    model_config = ConfigDict(extra="forbid")

    queries: list[NamedQuery] = Field(min_length=1, max_length=_MOST_QUERIES)


class BatchItem(BaseModel):
    """The answer to one question of a batch: the document of `GET /v2/observations`, or a problem."""

    id: str
    status: int = Field(description="What the question would have got by itself.", examples=[200])
    answer: dict[str, Any]


class BatchAnswer(BaseModel):
    """Answers in the order of the questions."""

    data: list[BatchItem]


_Question = Annotated[
    ObservationsQuery | Batch,  # type: ignore[valid-type] - as above
    Body(
        openapi_examples={
            "one question": {"value": {"series": [_NYC, _WEST], "start": "2025-11-02", "end": "2025-11-03", "tz": "market"}},
            "several": {
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
    found = answers(Many) | problems(also=(406,))
    either = [{"$ref": "#/components/schemas/Many"}, {"$ref": "#/components/schemas/BatchAnswer"}]
    found[200]["content"]["application/json"] = {"schema": {"anyOf": either}}
    del found[304]
    return found


@router.post(
    "/query",
    operation_id="queryObservations",
    summary="Observations of many series, or several questions at once",
    responses=_documented(),
    response_class=Response,
)
async def query_observations(request: Request, question: _Question) -> Response:
    """One question is answered as `GET /v2/observations` answers it, in any format; several as JSON, side by side."""
    if isinstance(question, Batch):
        return await _answer_batch(request, question)
    return await answer_many(request, _as_query(question))


async def _answer_batch(request: Request, batch: Batch) -> Response:
    names = [query.id for query in batch.queries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidParameters(("queries", "two questions have one id", twice))
    formats = {_as_query(query).get("format", "json") for query in batch.queries}
    if formats != {"json"}:
        raise InvalidParameters(("format", "a batch is answered in JSON", sorted(formats)))
    room = asyncio.Semaphore(_AT_ONCE)
    service = services(request)
    budget = Budget(service.reading.most_points, service.settings.document_rows)

    async def answered(query: NamedQuery) -> bytes:
        async with room:
            response = await _answer_one(request, query, budget)
        head = b'{"id":' + orjson.dumps(query.id) + b',"status":' + str(response.status_code).encode()
        return head + b',"answer":' + bytes(response.body) + b"}"

    parts = await _all_or_none([asyncio.create_task(answered(query)) for query in batch.queries])
    return Response(b'{"data":[' + b",".join(parts) + b"]}", media_type=MEDIA_TYPES["json"])


async def _all_or_none(tasks: list[asyncio.Task[bytes]]) -> list[bytes]:
    """What all of them give; when one fails, nothing is left running that nobody waits for."""
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


def _as_query(question: BaseModel, **more: str) -> QueryParams:
    given: dict[str, Any] = question.model_dump(exclude_none=True, exclude={"id"}) | more
    series = given.pop("series")
    return QueryParams([*(("series", key) for key in series), *given.items()])
