"""Responses with observations: the entity tag first, then a document from memory or a bulk format as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import polars as pl
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aurum.api.cache.caching import allow_caching, cache_control, class_of, tags_of
from aurum.api.cache.etag import entity_tag, is_current
from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.negotiate import MEDIA_TYPES, chosen_format
from aurum.api.encoding.table import Table
from aurum.api.handlers.services import Services
from aurum.api.handlers.services import services as services_of
from aurum.api.http.problems import InvalidParameters
from aurum.api.http.request_state import state_of
from aurum.api.observations.stream import ToTable, streamed
from aurum.api.observations.tables import empty_like, long_table, points_table, series_table, wide_table
from aurum.core.series.model import Series
from aurum.services.observations import ReadPlan, columns_of_many, unit_of
from aurum.services.observations.batches import most_rows
from aurum.services.observations.complexity import check_points
from aurum.services.observations.planned import planned_batches, planned_frame, planned_points
from aurum.services.observations.rates import RateSeries, needed_rates

_IN_MEMORY = 10
"""Limit of a bulk response that is built in memory, as a multiple of the observations that a JSON document may have."""

_AT_ONCE = 65_536
"""Rows up to which a bulk response is sent in one piece: encoding them delays other requests by 10 ms."""


class WholeResponse(Response):
    """A response of bytes with headers in plain ASCII: it is made in a tenth of the time of Starlette's."""

    def __init__(self, content: bytes, headers: Mapping[str, str], media_type: str) -> None:
        self.status_code = 200
        self.background = None
        self.body = content
        self.media_type = media_type
        self.raw_headers = [
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
            (b"content-length", str(len(content)).encode()),
            (b"content-type", media_type.encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - required by ASGI
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(slots=True)
class ObservationsRequest:
    """A request for observations, resolved: its series in the requested order, its plan, format and layout.

    ``query``: all parameters. ``rates``: of the currencies to convert from and to. ``tag``: the entity tag. ``headers``: of the
    response. Not frozen, though never changed: making a frozen one of ten fields takes 3 µs.
    """

    request: Request
    query: QueryParams
    services: Services
    series: Sequence[Series]
    plan: ReadPlan
    format: str
    layout: str
    rates: Sequence[RateSeries]
    tag: str
    headers: Mapping[str, str]


async def resolve_request(
    request: Request, query: QueryParams, series: Sequence[Series], plan: ReadPlan, arguments: Mapping[str, str], layout: str
) -> ObservationsRequest:
    """Add format, exchange rates, entity tag and headers to a plan. Raises ``TooManyPoints``, ``NotAcceptable``.

    ``arguments``: the single-valued parameters of ``query``. ``layout``: the default layout.
    """
    services = services_of(request)
    check_points(series, plan.read_span, plan.freq, most=services.reading.most_points)
    rates = await needed_rates(services.store.catalog.reader, series, plan)
    accept = state_of(request.scope).request_headers.get(b"accept")
    name = chosen_format(arguments.get("format"), accept.decode("latin-1") if accept else None)
    tag = _tag(request, services, query, name, series, rates, plan)
    headers = {"ETag": tag, "Cache-Control": _allow_caching(request, services, series, rates, plan), "Vary": "Accept"}
    return ObservationsRequest(
        request, query, services, series, plan, name, arguments.get("layout", layout), rates, tag, headers
    )


def _allow_caching(
    request: Request, services: Services, series: Sequence[Series], rates: Sequence[RateSeries], plan: ReadPlan
) -> str:
    """Let the service cache the response until one of its series changes. Returns the ``Cache-Control`` for clients."""
    now = services.clock.now()
    data_class = class_of(series, plan.span, plan.as_of, now)
    sources = (*series, *(leg for rate in rates for leg in rate.series))
    tags = tags_of(sources) if plan.blocks is None else (*tags_of(sources), "catalog")
    allow_caching(request, request.scope["route"].path, data_class, tags)
    stays = plan.as_of is not None and plan.as_of < now
    return cache_control(services.fresh_s, data_class, stays=stays, public=services.public)


def _tag(
    request: Request,
    services: Services,
    query: QueryParams,
    name: str,
    series: Sequence[Series],
    rates: Sequence[RateSeries],
    plan: ReadPlan,
) -> str:
    """Return the entity tag of everything that the response depends on. ``name``: of its format."""
    versions = [(one.series_id, one.version) for one in series]
    parameters = sorted(query.multi_items(), key=lambda pair: pair[0])
    path, legs = request.scope["path"], [rate.versions for rate in rates]
    return entity_tag(services.feed.timeline, path, parameters, name, versions, legs, plan.blocks)


def not_modified(resolved: ObservationsRequest) -> Response | None:
    """Return a 304 when the client has the current response, without reading an observation; else None."""
    return Response(status_code=304, headers=resolved.headers) if is_current(resolved.request, resolved.tag) else None


async def series_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of one series."""
    series, plan = resolved.series[0], resolved.plan
    most = resolved.services.settings.document_rows
    if most_rows(series, plan) > (most if resolved.format == "json" else min(most, _AT_ONCE)):
        return await _whole_or_streamed(resolved, lambda frame: series_table(frame, plan), series_meta)
    if (points := await planned_points(resolved.services.reading, series, plan)) is not None:
        step = series.spec.frequency.step
        assert step is not None
        return whole_response(resolved, points_table(points, step, plan), series_meta(resolved, len(points.ts)))
    return await _shared(resolved, lambda: _from_frame(resolved))


async def _from_frame(resolved: ObservationsRequest) -> Response:
    frame = await planned_frame(resolved.services.reading, resolved.series[0], resolved.plan, resolved.rates)
    return whole_response(resolved, series_table(frame, resolved.plan), series_meta(resolved, frame.height))


async def _shared(resolved: ObservationsRequest, make: Callable[[], Awaitable[Response]]) -> Response:
    """Return the response with the body that another process has cached, else with the body of ``make``, which is cached.

    Its key is the entity tag, which names the versions of the data.
    """

    async def body() -> bytes:
        return bytes((await make()).body)

    content = await resolved.services.results.get_or_make(
        "observations", resolved.tag.strip('"'), body, tags=tags_of(resolved.series)
    )
    return Response(content, headers=dict(resolved.headers), media_type=MEDIA_TYPES[resolved.format])


async def long_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of several series, one after the other."""
    if resolved.format == "json":
        return await _shared(resolved, lambda: _long(resolved))
    return await _long(resolved)


async def _long(resolved: ObservationsRequest) -> Response:
    return await _whole_or_streamed(resolved, lambda frame: long_table(frame, resolved.series, resolved.plan), _meta)


async def wide_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of several series side by side."""
    return await _shared(resolved, lambda: _wide(resolved))


async def _wide(resolved: ObservationsRequest) -> Response:
    frame = await _collected(resolved, await _batches(resolved), factor=_IN_MEMORY)
    table = wide_table(frame, resolved.series, resolved.plan)
    return whole_response(resolved, table, _meta(resolved, table.height))


async def _whole_or_streamed(
    resolved: ObservationsRequest, to_table: ToTable, meta: Callable[[ObservationsRequest, int], Mapping[str, object]]
) -> Response:
    """Return a response in one piece when all of it must be known before its first byte, else a stream."""
    batches = await _batches(resolved)
    # An exchange rate may be missing for the last day only; a stream would meet that after its 200 has been sent.
    if resolved.format == "json" or resolved.rates:
        frame = await _collected(resolved, batches, factor=1 if resolved.format == "json" else _IN_MEMORY)
        return whole_response(resolved, to_table(frame), meta(resolved, frame.height))
    if resolved.request.scope.get("is_head"):
        response = Response(headers=resolved.headers, media_type=MEDIA_TYPES[resolved.format])
        del response.headers["content-length"]  # a GET gets a stream, which has no length (RFC 9110, 9.3.2)
        return response
    return await streamed(batches, columns_of_many(resolved.plan), to_table, resolved.format, resolved.headers)


async def _batches(resolved: ObservationsRequest) -> AsyncGenerator[pl.DataFrame]:
    return await planned_batches(resolved.services.reading, resolved.series, resolved.plan, resolved.rates)


async def _collected(resolved: ObservationsRequest, batches: AsyncGenerator[pl.DataFrame], *, factor: int) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=columns_of_many(resolved.plan))]
    rows = 0
    async with aclosing(batches):
        async for part in batches:
            rows += part.height
            _refuse_too_many(resolved, rows, factor=factor)
            parts.append(part)
    return pl.concat(parts)


def whole_response(resolved: ObservationsRequest, table: Table, meta: Mapping[str, object]) -> Response:
    """Return the response with a table, in the requested format. ``meta``: of a JSON document."""
    if resolved.format == "json":
        _refuse_too_many(resolved, table.height)
        encode = json_columns if resolved.layout == "columns" else json_rows
        content = encode(table, meta)
    else:
        writer = bulk_writer(resolved.format, empty_like(table))
        content = writer.start() + writer.write(table) + writer.finish()
    return WholeResponse(content, resolved.headers, MEDIA_TYPES[resolved.format])


def _refuse_too_many(resolved: ObservationsRequest, rows: int, *, factor: int = 1) -> None:
    most = resolved.services.settings.document_rows * factor
    if rows > most:
        why = f"more than {most:,} observations: narrow the span, resample with freq, or request csv, ndjson, arrow or parquet"
        raise InvalidParameters(("start", why, resolved.query.get("start")))


def series_meta(resolved: ObservationsRequest, count: int) -> dict[str, object]:
    """Return the ``meta`` of a document about one series."""
    return {"series": _description(resolved.series[0], resolved.plan), **_meta(resolved, count, series=False)}


def _meta(resolved: ObservationsRequest, count: int, *, series: bool = True) -> dict[str, object]:
    plan = resolved.plan
    meta: dict[str, object] = {
        "count": count,
        "tz": plan.zone,
        "start": plan.span.start,
        "end": plan.span.end,
        "as_of": plan.as_of,
    }
    if plan.freq is not None:
        meta |= {"freq": str(plan.freq), "agg": str(plan.agg), "min_coverage": plan.min_coverage}
    if series:
        meta["series"] = [_description(one, plan) for one in resolved.series]
    return meta


def _description(series: Series, plan: ReadPlan) -> dict[str, object]:
    spec = series.spec
    unit, currency = unit_of(series, plan)
    return {
        "key": str(spec.key),
        "market": spec.market,
        "unit": unit,
        "currency": currency,
        "frequency": str(plan.frequency_of(series)),
        "tz": plan.zone_of(series),
        "version": series.version,
    }
