"""Responses with one page of a table, in any format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.json import json_rows
from aurum.api.encoding.negotiate import MEDIA_TYPES, chosen_format
from aurum.api.encoding.table import Numbers, Table
from aurum.api.http.request_state import state_of
from aurum.api.observations.respond import WholeResponse
from aurum.api.observations.tables import empty_like

Format = Annotated[
    Literal["json", "ndjson", "csv", "arrow", "parquet"] | None,
    Query(
        description="Format of the response; takes precedence over the `Accept` header. Default: by `Accept`, else `json`. "
        "Formats without `meta` have the next page in the header `Link` only.",
    ),
]


def table_page_response(
    request: Request, response: Response, table: Table, meta: Mapping[str, object], format: str | None
) -> WholeResponse:
    """Return the response with the rows of a page. ``meta``: of a JSON document.

    ``response``: has the headers ``Cache-Control`` and ``Link`` of the answer. Raises ``NotAcceptable``.
    """
    accept = state_of(request.scope).request_headers.get(b"accept")
    name = chosen_format(format, accept.decode("latin-1") if accept else None)
    if name == "json":
        content = json_rows(table, meta)
    else:
        writer = bulk_writer(name, empty_like(table))
        content = writer.start() + writer.write(table) + writer.finish()
    headers = {header: response.headers[header] for header in ("Cache-Control", "Link") if header in response.headers}
    numbers = sum(isinstance(column, Numbers) for column in table.columns.values())
    return WholeResponse(content, {**headers, "Vary": "Accept"}, MEDIA_TYPES[name], table.height * numbers)
