"""``POST /v2/curves/build``: a curve that reprices quotes, and its repetition from a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import Body
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import page_answers
from aurum.api.contract.either import either
from aurum.api.curves.access import reading_of
from aurum.api.curves.cells import bulk_cells, cells_table
from aurum.api.encoding.json import columns_object, rows_array
from aurum.api.encoding.negotiate import MEDIA_TYPES, chosen_format
from aurum.api.encoding.table import Table
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import state_of
from aurum.api.observations.private import PRIVATE_HEADERS
from aurum.api.observations.respond import WholeResponse
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.curves.build_schemas import BuildAnswerDocument, BuildBody, RepeatBody, form_of_build
from aurum.core.access import Permission
from aurum.core.errors import Conflict, NotFound
from aurum.services.curves.build import build, repeat
from aurum.services.curves.build_answer import BuildAnswer

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    writes=Policy(Permission.CURVES_READ),
    prefix="/v2/curves",
    tags=["curves"],
)

_SHOWN: dict[str, Any] = {
    "quotes of the request": {
        "value": {
            "curve": "power:DE:base:EEX",
            "quotes": [
                {"period": "Jan-25", "price": 102.0},
                {"period": "Feb-25", "price": 104.11},
                {"period": "Mar-25", "price": 89.37},
                {"period": "Q1-25", "price": 98.31},
                {"period": "Q2-25", "price": 78.48},
            ],
            "output": ["curve", "report", "periods", "receipt"],
        }
    },
    "stored quotes": {
        "value": {
            "curve": "power:DE:base:EEX",
            "trade_date": "2024-10-14",
            "kinds": ["month", "quarter"],
            "in_delivery": "exclude",
            "output": ["report", "jacobian"],
        }
    },
}

_Body = Annotated[BuildBody | RepeatBody, either(form_of_build), Body(openapi_examples=_SHOWN)]


@router.post(
    "/build",
    operation_id="buildCurve",
    summary="Build a curve from quotes",
    responses=page_answers(BuildAnswerDocument) | problems(NotFound, Conflict, also=(406,)),
    response_class=Response,
)
async def build_curve(request: Request, body: _Body) -> Response:
    """Build a curve that reprices every independent quote, and say which quotes are redundant and which contradict each other.

    The answer has a `receipt`: sent back as `{"receipt": ...}` it repeats the build to 1e-9, or gives 409 and names each input
    that was restated since. Nothing is stored.
    """
    accept = state_of(request.scope).request_headers.get(b"accept")
    name = chosen_format(body.format, accept.decode("latin-1") if accept else None)
    _check_output(body, name)
    reading = reading_of(request)
    if isinstance(body, RepeatBody):
        answer = await repeat(reading, body.receipt)
    else:
        answer = await build(reading, body.question())
    table = await asyncio.to_thread(cells_table, answer)
    if name != "json":
        return _whole(await asyncio.to_thread(bulk_cells, table, name, answer.meta()), name, table)
    most = services(request).settings.document_rows
    if "curve" in body.output and table.height > most:
        why = f"a JSON document may have {most:,} cells; the curve has {table.height:,}: request arrow, parquet or csv"
        raise InvalidParameters(("format", why, body.format))
    content = await asyncio.to_thread(_document, answer, table, body.output, body.layout)
    return _whole(content, "json", table)


def _check_output(body: BuildBody | RepeatBody, name: str) -> None:
    """Raise ``InvalidParameters`` for members that a format cannot have. The default of ``output`` is that of JSON alone."""
    others = [part for part in body.output if part != "curve"] if "output" in body.model_fields_set else []
    if name != "json" and others:
        why = f"only json has {', '.join(others)}; {name} has the curve alone: request format json, or output curve"
        raise InvalidParameters(("output", why, ",".join(body.output)))


def _document(answer: BuildAnswer, table: Table, output: Sequence[str], layout: str) -> bytes:
    members: dict[str, bytes] = {}
    if "curve" in output:
        members["curve"] = columns_object(table) if layout == "columns" else rows_array(table)
    # A number without its receipt could not be reproduced later, so the receipt is in every answer.
    parts = dict.fromkeys((*(part for part in output if part != "curve"), "receipt"))
    documents: Mapping[str, object] = answer.documents(list(parts))
    options = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY
    members |= {part: orjson.dumps(document, option=options) for part, document in documents.items()}
    members["meta"] = orjson.dumps(answer.meta(), option=options)
    return b"{" + b",".join(orjson.dumps(part) + b":" + content for part, content in members.items()) + b"}"


def _whole(content: bytes, name: str, table: Table) -> WholeResponse:
    return WholeResponse(content, PRIVATE_HEADERS, MEDIA_TYPES[name], table.height * (len(table.columns) - 2))
