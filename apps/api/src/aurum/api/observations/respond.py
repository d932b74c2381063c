"""Answers with observations: the entity tag first, then documents from memory or bulk formats as a stream."""

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
from aurum.api.observations.tables import empty_like, long_table, points_table, slice_table, wide_table
from aurum.core.series.model import Series
from aurum.services.observations import MANY_WITH_END, ReadPlan, unit_of
from aurum.services.observations.batches import most_rows
from aurum.services.observations.complexity import check_points
from aurum.services.observations.planned import planned_batches, planned_frame, planned_points
from aurum.services.observations.rates import RateSeries, needed_rates

_IN_MEMORY = 10
"""What must be whole before it is sent, and is no JSON, may hold so many times a document's observations."""

_AT_ONCE = 65_536
"""Rows up to which a bulk answer is sent in one piece: encoding them holds other requests up for 10 ms."""


class Whole(Response):
    """An answer of bytes whose headers are plain ASCII: made in a tenth of the time that Starlette takes for any."""

    def __init__(self, content: bytes, headers: Mapping[str, str], media_type: str) -> None:
        self.status_code = 200
        self.background = None
        self.body = content
        self.media_type = media_type
        self.raw_headers = [
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
            (b"content-length", str(len(content)).encode()),
            (b"content-type", _content_type(media_type)),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the protocol's
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def _content_type(media_type: str) -> bytes:
    return f"{media_type}; charset=utf-8".encode() if media_type.startswith("text/") else media_type.encode()


@dataclass(slots=True)
class Asked:
    """One request about observations: its series in the order asked, its plan, format and layout.

    Not frozen, though never changed: making a frozen one of ten fields takes 3 µs.
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


async def asked(
    request: Request, query: QueryParams, series: Sequence[Series], plan: ReadPlan, given: Mapping[str, str], layout: str
) -> Asked:
    """Complete a request with its format and the rates it needs. ``query``: what it asks; ``given``: the same, read."""
    services = services_of(request)
    check_points(series, plan.read_span, plan.freq, most=services.reading.most_points)
    rates = await needed_rates(services.store.catalog.reader, series, plan)
    accept = state_of(request.scope).request_headers.get(b"accept")
    chosen = chosen_format(given.get("format"), accept.decode("latin-1") if accept else None)
    tag = _tag(request, services, query, chosen, series, rates, plan)
    headers = {"ETag": tag, "Cache-Control": _kept(request, services, series, rates, plan), "Vary": "Accept"}
    return Asked(request, query, services, series, plan, chosen, given.get("layout", layout), rates, tag, headers)


def _kept(request: Request, services: Services, series: Sequence[Series], rates: Sequence[RateSeries], plan: ReadPlan) -> str:
    """Let the answer be kept here until one of its series changes; gives what callers may do with it."""
    now = services.clock.now()
    data_class = class_of(series, plan.span, plan.as_of, now)
    read = (*series, *(leg for one in rates for leg in one.series))
    tags = tags_of(read) if plan.blocks is None else (*tags_of(read), "catalog")
    allow_caching(request, request.scope["route"].path, data_class, tags)
    stays = plan.as_of is not None and plan.as_of < now
    return cache_control(services.fresh_s, data_class, stays=stays, public=services.public)


def _tag(
    request: Request,
    services: Services,
    query: QueryParams,
    chosen: str,
    series: Sequence[Series],
    rates: Sequence[RateSeries],
    plan: ReadPlan,
) -> str:
    """Of everything an answer depends on."""
    versions = [(one.series_id, one.version) for one in series]
    asked = sorted(query.multi_items(), key=lambda pair: pair[0])
    path, legs = request.scope["path"], [wanted.versions for wanted in rates]
    return entity_tag(services.feed.timeline, path, asked, chosen, versions, legs, plan.blocks)


def not_modified(ask: Asked) -> Response | None:
    """304 when the caller has the answer already; no observation is read for it."""
    return Response(status_code=304, headers=ask.headers) if is_current(ask.request, ask.tag) else None


async def slice_response(ask: Asked) -> Response:
    """Observations of one series."""
    series, plan = ask.series[0], ask.plan
    most = ask.services.settings.document_rows
    if most_rows(series, plan) > (most if ask.format == "json" else min(most, _AT_ONCE)):
        return await _answered(ask, lambda frame: slice_table(frame, plan), slice_meta)
    if (points := await planned_points(ask.services.reading, series, plan)) is not None:
        step = series.spec.frequency.step
        assert step is not None
        return whole_response(ask, points_table(points, step, plan), slice_meta(ask, len(points.ts)))
    return await shared(ask, lambda: _one_frame(ask))


async def _one_frame(ask: Asked) -> Response:
    frame = await planned_frame(ask.services.reading, ask.series[0], ask.plan, ask.rates)
    return whole_response(ask, slice_table(frame, ask.plan), slice_meta(ask, frame.height))


async def shared(ask: Asked, make: Callable[[], Awaitable[Response]]) -> Response:
    """An answer that may have taken another process long: from where it left it, under the tag, which names the versions."""

    async def body() -> bytes:
        return bytes((await make()).body)

    content = await ask.services.results.made("observations", ask.tag.strip('"'), body, tags=tags_of(ask.series))
    return Response(content, headers=dict(ask.headers), media_type=MEDIA_TYPES[ask.format])


async def long_response(ask: Asked) -> Response:
    """Observations of several series, one after the other."""
    if ask.format == "json":
        return await shared(ask, lambda: _long(ask))
    return await _long(ask)


async def _long(ask: Asked) -> Response:
    return await _answered(ask, lambda frame: long_table(frame, ask.series, ask.plan), _meta)


async def wide_response(ask: Asked) -> Response:
    """Observations of several series side by side."""
    return await shared(ask, lambda: _wide(ask))


async def _wide(ask: Asked) -> Response:
    frame = await _collected(ask, await _batches(ask), factor=_IN_MEMORY)
    table = wide_table(frame, ask.series, ask.plan)
    return whole_response(ask, table, _meta(ask, table.height))


async def _answered(ask: Asked, to_table: ToTable, meta: Callable[[Asked, int], Mapping[str, object]]) -> Response:
    """One answer when it must be known whole before its first byte, else a stream."""
    found = await _batches(ask)
    # A rate may be missing for the last day only, which a stream would find out when it is too late to say so.
    if ask.format == "json" or ask.rates:
        frame = await _collected(ask, found, factor=1 if ask.format == "json" else _IN_MEMORY)
        return whole_response(ask, to_table(frame), meta(ask, frame.height))
    if ask.request.scope.get("is_head"):
        response = Response(headers=ask.headers, media_type=MEDIA_TYPES[ask.format])
        del response.headers["content-length"]  # of a stream, which has none (RFC 9110, 9.3.2)
        return response
    return await streamed(found, to_table, ask.format, ask.headers)


async def _batches(ask: Asked) -> AsyncGenerator[pl.DataFrame]:
    return await planned_batches(ask.services.reading, ask.series, ask.plan, ask.rates)


async def _collected(ask: Asked, found: AsyncGenerator[pl.DataFrame], *, factor: int) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=MANY_WITH_END)]
    rows = 0
    async with aclosing(found):
        async for part in found:
            rows += part.height
            _refuse_too_many(ask, rows, factor=factor)
            parts.append(part)
    return pl.concat(parts)


def whole_response(ask: Asked, table: Table, meta: Mapping[str, object]) -> Response:
    """A table that is in memory, in the format asked for."""
    if ask.format == "json":
        _refuse_too_many(ask, table.height)
        encode = json_columns if ask.layout == "columns" else json_rows
        content = encode(table, meta)
    else:
        writer = bulk_writer(ask.format, empty_like(table))
        content = writer.start() + writer.write(table) + writer.finish()
    return Whole(content, ask.headers, MEDIA_TYPES[ask.format])


def _refuse_too_many(ask: Asked, rows: int, *, factor: int = 1) -> None:
    most = ask.services.settings.document_rows * factor
    if rows > most:
        why = f"more than {most:,} observations: narrow the span, resample with freq, or take csv, ndjson, arrow or parquet"
        raise InvalidParameters(("start", why, ask.query.get("start")))


def slice_meta(ask: Asked, count: int) -> dict[str, object]:
    """The ``meta`` of an answer about one series."""
    return {"series": _description(ask.series[0], ask.plan), **_meta(ask, count, series=False)}


def _meta(ask: Asked, count: int, *, series: bool = True) -> dict[str, object]:
    plan = ask.plan
    meta: dict[str, object] = {
        "count": count,
        "tz": plan.zone,
        "start": plan.span.start,
        "end": plan.span.end,
        "as_of": plan.as_of,
    }
    if plan.freq is not None:
        meta |= {"freq": str(plan.freq), "agg": str(plan.agg)}
    if series:
        meta["series"] = [_description(one, plan) for one in ask.series]
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
