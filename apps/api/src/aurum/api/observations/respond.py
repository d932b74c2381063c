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

from aurum.api.cache.caching import allow_caching, cache_control, class_of, immutable, tags_of
from aurum.api.cache.etag import entity_tag, is_current
from aurum.api.contract.params import FILTERS
from aurum.api.encoding.bulk import DESCRIBED, bulk_writer
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.negotiate import MEDIA_TYPES, chosen_format
from aurum.api.encoding.table import NOTHING_SAID, Description, Table
from aurum.api.handlers.services import Services
from aurum.api.handlers.services import services as services_of
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import InvalidParameters
from aurum.api.http.request_state import state_of
from aurum.api.observations.description import described
from aurum.api.observations.private import PRIVATE_HEADERS
from aurum.api.observations.stream import ToTable, streamed
from aurum.api.observations.tables import LongTables, empty_like, points_table, series_table, wide_table
from aurum.core.asof import ALL_TIME
from aurum.core.names import nearest
from aurum.core.series.coverage import COVERAGE
from aurum.core.series.model import Series
from aurum.services.observations import Reading, ReadPlan, columns_of_many, unit_of
from aurum.services.observations.bases import with_bases
from aurum.services.observations.batches import most_rows
from aurum.services.observations.complexity import check_points
from aurum.services.observations.first_rows import most_selected, points_to_select, selected_rows
from aurum.services.observations.hours import single_batch
from aurum.services.observations.planned import planned_batches, planned_frame, planned_points
from aurum.services.observations.rates import RateSeries, needed_rates
from aurum.storage.series_patterns import is_pattern

_IN_MEMORY = 10
"""Limit of a bulk response that is built in memory, as a multiple of the observations that a JSON document may have."""

_AT_ONCE = 65_536
"""Rows up to which a bulk response is sent in one piece: encoding them delays other requests by 10 ms."""


_COUNT_BYTES = 8
"""Bytes before a body that is shared between processes: its number of observations."""


class WholeResponse(Response):
    """A response of bytes with headers in plain ASCII: it is made in a tenth of the time of Starlette's.

    ``points``: observations in it, which count as usage when it is sent.
    """

    def __init__(self, content: bytes, headers: Mapping[str, str], media_type: str, points: int) -> None:
        self.points = points
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
        state_of(scope).points += self.points
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(slots=True)
class ObservationsRequest:
    """A request for observations, resolved: its series in the requested order, its plan, format and layout.

    ``query``: all parameters. ``rates``: of the currencies to convert from and to. ``tag``: the entity tag. ``headers``: of the
    response. ``columns``: the requested ones; None: all. Not frozen, though never changed: making a frozen one of ten fields
    takes 3 µs.
    """

    request: Request
    query: QueryParams
    services: Services
    reading: Reading
    series: Sequence[Series]
    plan: ReadPlan
    format: str
    layout: str
    rates: Sequence[RateSeries]
    tag: str
    headers: Mapping[str, str]
    columns: Sequence[str] | None

    def picked(self, table: Table) -> Table:
        """Return a table with the requested columns only."""
        return table if self.columns is None else Table({name: table.columns[name] for name in self.columns}, table.zone)


async def resolve_request(
    request: Request,
    query: QueryParams,
    reading: Reading,
    series: Sequence[Series],
    plan: ReadPlan,
    arguments: Mapping[str, str],
    layout: str,
    *,
    pictures: bool = False,
) -> ObservationsRequest:
    """Add format, exchange rates, entity tag and headers to a plan. Raises ``TooManyPoints``, ``NotAcceptable``.

    ``reading``: the readers of the series, from ``reading_of``. ``arguments``: the single-valued parameters of ``query``.
    ``layout``: the default layout. ``pictures``: the route draws them as well.
    """
    services = services_of(request)
    most = reading.most_points
    if plan.limit is None or points_to_select(series, plan) > most:
        check_points(series, plan.read_span, plan.freq, most=most)
    columns = _columns(arguments, layout, plan)
    rates = await needed_rates(reading.catalog, series, plan)
    accept = state_of(request.scope).request_headers.get(b"accept")
    name = chosen_format(arguments.get("format"), accept.decode("latin-1") if accept else None, pictures=pictures)
    tag = _tag(request, services, query, name, series, rates, plan)
    if state_of(request.scope).is_private:
        headers = {"ETag": tag, **PRIVATE_HEADERS}
    else:
        headers = {
            "ETag": tag,
            "Cache-Control": _allow_caching(request, query, services, series, rates, plan, arguments),
            "Vary": "Accept",
        }
    return ObservationsRequest(
        request, query, services, reading, series, plan, name, arguments.get("layout", layout), rates, tag, headers, columns
    )


def _columns(arguments: Mapping[str, str], layout: str, plan: ReadPlan) -> Sequence[str] | None:
    """Return the requested columns; None for all. Raises ``InvalidParameters``. ``layout``: the default layout."""
    text = arguments.get("columns")
    if text is None:
        return None
    if arguments.get("layout") == "wide":
        raise InvalidParameters(("columns", "does not apply to the layout wide: request fewer series instead", text))
    known = ["start", "end", "value", "quality", "known_at"]
    if layout == "long":
        known.insert(0, "series")
    if arguments.get("basis") == "true":
        known.append("known_at_basis")
    if plan.freq is not None:
        known += COVERAGE
    names = text.split(",")
    for name in names:
        if name not in known:
            close = list(nearest(name, known))
            raise InvalidParameters(("columns", f"has no column {name!r}: choose from {', '.join(known)}", text), nearest=close)
        if names.count(name) > 1:
            raise InvalidParameters(("columns", f"names {name} more than once", text))
    return names


def _allow_caching(
    request: Request,
    query: QueryParams,
    services: Services,
    series: Sequence[Series],
    rates: Sequence[RateSeries],
    plan: ReadPlan,
    arguments: Mapping[str, str],
) -> str:
    """Let the service cache the response until one of its series changes. Returns the ``Cache-Control`` for clients."""
    now = services.clock.now()
    data_class = DataClass.HISTORY if plan.as_loaded is not None else class_of(series, plan.span, plan.as_of, now)
    sources = (*series, *(leg for rate in rates for leg in rate.series))
    if plan.issues is not None or arguments.get("basis") == "true" or plan.relative:
        # A file that repeats all values changes no series, so no event would tell the caches of its issue or its basis. The
        # address of a relative time has another answer later; equal answers share the results that ``_tag`` names.
        return cache_control(services.fresh_s, data_class, stays=False, public=services.public)
    tags = (*tags_of(sources), "catalog") if plan.by_catalog else tags_of(sources)
    if _chooses_series(query, arguments):  # a new series may belong to the answer
        tags = (*tags, "any series", "catalog")
    allow_caching(request, request.scope["route"].path, data_class, tags)
    if plan.as_loaded is not None and not plan.by_catalog:
        return immutable(services.fresh_s, public=services.public)
    return cache_control(services.fresh_s, data_class, stays=False, public=services.public)


def _chooses_series(query: QueryParams, arguments: Mapping[str, str]) -> bool:
    """Return whether a request chooses its series by filters or patterns."""
    return any(one.name in arguments for one in FILTERS) or any(map(is_pattern, query.getlist("series")))


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
    parameters = sorted(query.multi_items(), key=lambda pair: pair[0])
    resolved_times = (plan.span, plan.as_of, plan.as_loaded, plan.known) if plan.relative else ()
    path = request.scope["path"]
    legs: list[object] = [rate.versions for rate in rates]
    versions: list[tuple[object, ...]] = [(one.series_id, one.version) for one in series]
    if plan.as_loaded is not None:  # later loads change descriptions only; a series that was loaded anew has another id
        versions = [(one.series_id, one.spec.market, one.spec.currency, one.spec.zone) for one in series]
        legs = [[series_id for series_id, _ in rate.versions] for rate in rates]
    issues = () if plan.issues is None else ([plan.issues.get(one.series_id) for one in series],)
    mapped = (plan.unit,) if plan.has_mapped_unit else ()
    depends_on = (versions, legs, plan.blocks, *mapped, *issues, *resolved_times)
    return entity_tag(services.feed.timeline, path, parameters, name, *depends_on)


def not_modified(resolved: ObservationsRequest) -> Response | None:
    """Return a 304 when the client has the current response, without reading an observation; else None."""
    return Response(status_code=304, headers=resolved.headers) if is_current(resolved.request, resolved.tag) else None


async def series_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of one series."""
    series, plan = resolved.series[0], resolved.plan
    if plan.selects:
        return await _whole(resolved, lambda frame: series_table(frame, plan), series_meta)
    most = resolved.services.settings.document_rows
    if most_rows(series, plan) > (most if resolved.format == "json" else min(most, _AT_ONCE)):
        return await _whole_or_streamed(resolved, lambda frame: series_table(frame, plan), series_meta)
    if (points := await planned_points(resolved.reading, series, plan)) is not None:
        step = series.spec.frequency.step
        assert step is not None
        return whole_response(resolved, points_table(points, step, plan), series_meta(resolved, len(points.ts)))
    return await _shared(resolved, lambda: _from_frame(resolved))


async def based_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of one series and the bases of their known times, in one piece in every format."""
    reading, series = resolved.reading, resolved.series[0]
    if resolved.plan.selects:
        frame = (await _selected_frame(resolved)).drop("series_id")
    else:
        frame = await planned_frame(reading, series, resolved.plan, resolved.rates)
    _refuse_too_many(resolved, frame.height, factor=1 if resolved.format == "json" else _IN_MEMORY)
    table = series_table(await with_bases(reading, series, frame), resolved.plan)
    return whole_response(resolved, table, series_meta(resolved, frame.height))


async def _from_frame(resolved: ObservationsRequest) -> WholeResponse:
    frame = await planned_frame(resolved.reading, resolved.series[0], resolved.plan, resolved.rates)
    return whole_response(resolved, series_table(frame, resolved.plan), series_meta(resolved, frame.height))


async def _shared(resolved: ObservationsRequest, make: Callable[[], Awaitable[WholeResponse]]) -> WholeResponse:
    """Return the response with the body that another process has cached, else with the body of ``make``, which is cached.

    Its key is the entity tag, which names the versions of the data, marked because a count precedes the body. A response with
    private series is never cached.
    """
    if state_of(resolved.request.scope).is_private:
        return await make()

    async def counted_body() -> bytes:
        made = await make()
        return made.points.to_bytes(_COUNT_BYTES) + bytes(made.body)

    key = resolved.tag.strip('"') + "-counted"
    content = await resolved.services.results.get_or_make("observations", key, counted_body, tags=tags_of(resolved.series))
    points, body = int.from_bytes(content[:_COUNT_BYTES]), content[_COUNT_BYTES:]
    return WholeResponse(body, resolved.headers, MEDIA_TYPES[resolved.format], points)


async def long_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of several series, one after the other."""
    to_table = LongTables(resolved.series, resolved.plan)
    if resolved.format == "json":
        return await _shared(resolved, lambda: _whole(resolved, to_table, _meta))
    return await (_whole if resolved.plan.selects else _whole_or_streamed)(resolved, to_table, _meta)


async def _selected_frame(resolved: ObservationsRequest) -> pl.DataFrame:
    """Read the rows that a plan selects. Raises ``InvalidParameters`` when they are too many to be held in memory."""
    factor = 1 if resolved.format == "json" else _IN_MEMORY
    rows = most_selected(resolved.series, resolved.plan)
    if rows > resolved.services.settings.document_rows * factor and resolved.plan.limit is None:
        why = f"needs limit: about {rows:,} rows in descending order are too many at once"
        raise InvalidParameters(("order", why, resolved.query.get("order")))
    _refuse_too_many(resolved, rows, factor=factor)
    points = points_to_select(resolved.series, resolved.plan)
    if points > (most := most_in_memory(resolved)):
        name = "order" if resolved.plan.limit is None else "freq"
        why = f"needs about {points:,} observations at once, more than {most:,}: request fewer series or a shorter span"
        raise InvalidParameters((name, why, resolved.query.get(name)))
    return await selected_rows(resolved.reading, resolved.series, resolved.plan, resolved.rates)


async def wide_response(resolved: ObservationsRequest) -> Response:
    """Return the response with observations of several series side by side."""
    return await _shared(resolved, lambda: _wide(resolved))


async def _wide(resolved: ObservationsRequest) -> WholeResponse:
    frame = await collected_frame(resolved)
    table = wide_table(frame, resolved.series, resolved.plan)
    return whole_response(resolved, table, _meta(resolved, table.height), points=frame.height)


async def _whole(
    resolved: ObservationsRequest, to_table: ToTable, meta: Callable[[ObservationsRequest, int], Mapping[str, object]]
) -> WholeResponse:
    frame = await _collected(resolved, await frames_of(resolved), factor=1 if resolved.format == "json" else _IN_MEMORY)
    return whole_response(resolved, to_table(frame), meta(resolved, frame.height))


async def _whole_or_streamed(
    resolved: ObservationsRequest, to_table: ToTable, meta: Callable[[ObservationsRequest, int], Mapping[str, object]]
) -> Response:
    """Return a response in one piece when all of it must be known before its first byte, else a stream."""
    # An exchange rate may be missing for the last day only; a stream would meet that after its 200 has been sent.
    if resolved.format == "json" or resolved.rates:
        return await _whole(resolved, to_table, meta)
    batches = await _batches(resolved)
    if resolved.request.scope.get("is_head"):
        response = Response(headers=resolved.headers, media_type=MEDIA_TYPES[resolved.format])
        del response.headers["content-length"]  # a GET gets a stream, which has no length (RFC 9110, 9.3.2)
        return response

    def picked(frame: pl.DataFrame) -> Table:
        return resolved.picked(to_table(frame))

    empty = picked(pl.DataFrame(schema=columns_of_many(resolved.plan)))
    writer = bulk_writer(resolved.format, empty, _description_of(resolved))
    state = state_of(resolved.request.scope)
    return await streamed(batches, writer, picked, resolved.format, resolved.headers, state)


async def _batches(resolved: ObservationsRequest) -> AsyncGenerator[pl.DataFrame]:
    return await planned_batches(resolved.reading, resolved.series, resolved.plan, resolved.rates)


def most_in_memory(resolved: ObservationsRequest) -> int:
    """Return the most observations of a response that are in memory at once."""
    return resolved.services.settings.document_rows * _IN_MEMORY


async def frames_of(resolved: ObservationsRequest) -> AsyncGenerator[pl.DataFrame]:
    """Return the frames of an answer in schema ``columns_of_many`` of its plan, in its order."""
    return single_batch(await _selected_frame(resolved)) if resolved.plan.selects else await _batches(resolved)


async def collected_frame(resolved: ObservationsRequest) -> pl.DataFrame:
    """Return the frames of an answer as one. Raises ``InvalidParameters`` when it is too long to be held in memory."""
    return await _collected(resolved, await frames_of(resolved), factor=_IN_MEMORY)


async def _collected(resolved: ObservationsRequest, batches: AsyncGenerator[pl.DataFrame], *, factor: int) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=columns_of_many(resolved.plan))]
    rows = 0
    async with aclosing(batches):
        async for part in batches:
            rows += part.height
            _refuse_too_many(resolved, rows, factor=factor)
            parts.append(part)
    return pl.concat(parts)


def whole_response(
    resolved: ObservationsRequest, table: Table, meta: Mapping[str, object], *, points: int | None = None
) -> WholeResponse:
    """Return the response with the requested columns of a table, in the requested format.

    ``meta``: of a JSON document. ``points``: observations in the table, by default one a row.
    """
    table = resolved.picked(table)
    if resolved.format == "json":
        _refuse_too_many(resolved, table.height)
        encode = json_columns if resolved.layout == "columns" else json_rows
        content = encode(table, meta)
    else:
        writer = bulk_writer(resolved.format, empty_like(table), _description_of(resolved))
        content = writer.start() + writer.write(table) + writer.finish()
    count = table.height if points is None else points
    return WholeResponse(content, resolved.headers, MEDIA_TYPES[resolved.format], count)


def _description_of(resolved: ObservationsRequest) -> Description:
    """Return the facts that the schema of a file has; none for formats without a place for them."""
    if resolved.format not in DESCRIBED:
        return NOTHING_SAID
    return described(resolved.series, resolved.plan, by_column=resolved.layout == "wide")


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
    if plan.as_loaded is not None:
        meta["as_loaded"] = plan.as_loaded
    if plan.known != ALL_TIME:
        meta |= {"known_from": plan.known.start, "known_to": plan.known.end}
    if plan.freq is not None:
        meta |= {"freq": str(plan.freq), "agg": str(plan.agg), "min_coverage": plan.min_coverage}
    if series:
        meta["series"] = [_description(one, plan) for one in resolved.series]
    return meta


def _description(series: Series, plan: ReadPlan) -> dict[str, object]:
    spec = series.spec
    unit, currency = unit_of(series, plan)
    document: dict[str, object] = {
        "key": str(spec.key),
        "market": spec.market,
        "unit": unit,
        "currency": currency,
        "frequency": str(plan.frequency_of(series)),
        "tz": plan.zone_of(series),
    }
    if plan.issues is not None:
        issue = plan.issues.get(series.series_id)
        document["issue"] = issue.known_at if issue is not None else None
    # Later loads raise the version, and an answer as loaded never changes.
    return document if plan.as_loaded is not None else document | {"version": series.version}
