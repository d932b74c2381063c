"""Responses with rows about curves: the entity tag first, then a table in the requested format."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.caching import allow_caching, cache_control, tags_of
from aurum.api.cache.etag import entity_tag, is_current
from aurum.api.curves.params import Layout
from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.negotiate import MEDIA_TYPES, PICTURES, chosen_format
from aurum.api.encoding.table import Description, Numbers, Table
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import InvalidParameters
from aurum.api.http.request_state import state_of
from aurum.api.observations.private import PRIVATE_HEADERS
from aurum.api.observations.respond import WholeResponse
from aurum.api.observations.tables import empty_like
from aurum.api.pictures.form import PictureForm
from aurum.api.pictures.headers import picture_headers
from aurum.charts import Chart, PictureFormat
from aurum.core.markettime import is_relative
from aurum.services.curves.prices import PriceConversions
from aurum.storage.ports.curves import StoredProduct

CURVES_TAG = "curves"
"""The tag of every change of curves: of quotes, of products and of their reference data."""

_IN_MEMORY = 10
"""Limit of a bulk response, as a multiple of the rows that a JSON document may have."""
_AT_ONCE = 20_000
"""Rows up to which a response is encoded at once; more are encoded in a thread."""
_NESTED = frozenset({"json", "ndjson"})


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A request for rows, resolved: its format and layout, its entity tag and the headers of its response.

    ``columns``: JSON as one array per field. ``picture``: the form of a picture; None: the format is none.
    """

    request: Request
    format: str
    columns: bool
    tag: str
    headers: Mapping[str, str]
    picture: PictureForm | None = None

    @property
    def is_nested(self) -> bool:
        """Whether the format has a place for objects in a row; else their members are columns."""
        return self.format in _NESTED

    def not_modified(self) -> Response | None:
        """Return a 304 to a GET when the client has the current response; else None."""
        if self.request.method != "GET" or not is_current(self.request, self.tag):
            return None
        return Response(status_code=304, headers=dict(self.headers))


def table_request(
    request: Request,
    products: Sequence[StoredProduct],
    versions: tuple[object, ...],
    conversions: PriceConversions,
    *,
    format: str | None,
    layout: Layout,
    times: Sequence[str | None] = (),
    by_pattern: bool = False,
    body: bytes = b"",
    picture: PictureForm | None = None,
) -> TableRequest:
    """Return a resolved request. ``versions``: everything that the answer depends on beside the request.

    ``times``: the instants of the request, which may be relative. ``by_pattern``: products were chosen by a pattern. ``body``:
    of a query. ``picture``: the form of a picture, on a route that draws them; None: it does not. Raises ``NotAcceptable``.

    A response may be cached for all callers only if it names shared products alone: a pattern finds others for each tenant.
    """
    service, state = services(request), state_of(request.scope)
    accept = state.request_headers.get(b"accept")
    name = chosen_format(format, accept.decode("latin-1") if accept else None, pictures=picture is not None)
    if picture is not None:
        picture.check_format(is_picture=name in PICTURES)
    parameters = sorted(request.query_params.multi_items())
    # The tenant is part of the tag, so that equal tags of two tenants cannot tell them of each other's products.
    own = any(one.tenant is not None for one in products)
    tenant = state.caller.tenant if own or by_pattern else None
    tag = entity_tag(service.feed.timeline, request.url.path, parameters, body, name, versions, tenant)
    if own or by_pattern or request.method != "GET":
        state.is_private = True
        headers = {"ETag": tag, **PRIVATE_HEADERS}
    else:
        control = cache_control(service.fresh_s, DataClass.DAY, stays=False, public=service.public)
        if not any(time is not None and is_relative(time) for time in times):
            series = [one for rate in conversions.rates.values() for one in rate.series]
            allow_caching(request, request.scope["route"].path, DataClass.DAY, (CURVES_TAG, "catalog", *tags_of(series)))
        headers = {"ETag": tag, "Cache-Control": control, "Vary": "Accept"}
    return TableRequest(request, name, layout == "columns", tag, headers, picture if name in PICTURES else None)


def most_rows(resolved: TableRequest) -> int:
    """Return the number of rows that a response may have."""
    return services(resolved.request).settings.document_rows * (1 if resolved.format == "json" else _IN_MEMORY)


async def table_response(
    resolved: TableRequest,
    rows: int,
    make: Callable[[bool], Table],
    meta: Mapping[str, object],
    description: Mapping[str, str],
    *,
    narrow: str = "from",
    chart: Callable[[], Chart] | None = None,
) -> Response:
    """Return the response with a table. ``make``: makes it, with objects in its rows or with their members as columns.

    ``rows``: its height. ``meta``: of a JSON document. ``description``: facts for the schema of Arrow and Parquet. Raises
    ``InvalidParameters`` for more rows than a response may have; ``narrow``: the parameter that it names. ``chart``: makes the
    chart of a picture, on a route that draws them.
    """
    most = most_rows(resolved)
    if rows > most:
        others = ", or request csv, ndjson, arrow or parquet" if resolved.format == "json" else ""
        why = f"the answer has {rows:,} rows, and may have {most:,}: request a shorter span, fewer curves or kinds{others}"
        raise InvalidParameters((narrow, why, resolved.request.query_params.get(narrow)))
    if resolved.picture is not None and chart is not None:
        path = resolved.request.url.path
        content = await drawn(resolved.request, resolved.format, resolved.picture, resolved.tag, chart)
        return WholeResponse(
            content, {**resolved.headers, **picture_headers(path, resolved.format)}, PICTURES[resolved.format], rows
        )
    if rows > _AT_ONCE:
        content, points = await asyncio.to_thread(_encoded, resolved, make, meta, description)
    else:
        content, points = _encoded(resolved, make, meta, description)
    return WholeResponse(content, resolved.headers, MEDIA_TYPES[resolved.format], points)


async def drawn(request: Request, form: str, picture: PictureForm, tag: str, chart: Callable[[], Chart]) -> bytes:
    """Return the picture of a chart, drawn once for each entity tag and tenant. ``form``: ``svg`` or ``png``."""
    state, drawer = state_of(request.scope), services(request).drawer
    key = (tag, state.caller.tenant if state.is_private else None)
    if (cached := drawer.cached(key)) is not None:
        return cached.content
    made = await asyncio.to_thread(chart)
    return (await drawer.draw(made, picture, PictureFormat(form), key=key)).content


def _encoded(
    resolved: TableRequest, make: Callable[[bool], Table], meta: Mapping[str, object], description: Mapping[str, str]
) -> tuple[bytes, int]:
    """Return the body, and the numbers in it, which count as usage."""
    table = make(resolved.is_nested)
    points = table.height * sum(isinstance(column, Numbers) for column in table.columns.values())
    if resolved.format == "json":
        return (json_columns if resolved.columns else json_rows)(table, meta), points
    writer = bulk_writer(resolved.format, empty_like(table), Description(description))
    return writer.start() + writer.write(table) + writer.finish(), points
