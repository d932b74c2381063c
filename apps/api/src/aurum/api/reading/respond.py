"""Answers with observations: the entity tag first, then documents from memory or bulk formats as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.negotiate import MEDIA_TYPES, chosen_format
from aurum.api.encoding.table import Table
from aurum.api.etag import entity_tag, is_current
from aurum.api.problems import InvalidParameters
from aurum.api.reading.columns import empty_like, long_table, slice_table, wide_table
from aurum.api.reading.exchange import RateSeries, rate_series, read_rates
from aurum.api.reading.plan import Plan
from aurum.api.reading.transform import RatesByPair, alike, conversion, transformed, with_end
from aurum.api.services import Services
from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.series.model import Series

_WIDE_FACTOR = 10
"""A wide table is built in memory: so many times a document's observations it may hold."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request about observations: its series in the order asked, its plan, format and layout."""

    request: Request
    services: Services
    series: Sequence[Series]
    plan: Plan
    format: str
    layout: str
    rates: Sequence[RateSeries] = ()

    @property
    def tag(self) -> str:
        """Everything the answer depends on."""
        versions = [(one.series_id, one.version) for one in self.series]
        rates = [wanted.versions for wanted in self.rates]
        query = sorted(self.request.query_params.multi_items())
        return entity_tag(self.request.url.path, query, self.format, versions, rates, self.plan.blocks)

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": self.tag, "Cache-Control": "no-cache", "Vary": "Accept"}


async def asked(
    request: Request, services: Services, series: Sequence[Series], plan: Plan, given: Mapping[str, str], layout: str
) -> Asked:
    """Complete a request with its format and the rates it needs."""
    pairs: dict[tuple[str, str], RateSeries] = {}
    for group in alike(series) if plan.unit is not None or plan.currency is not None else ():
        change = conversion(group[0], plan)
        if change is not None and change.exchanges:
            source, target = change.source.currency or "", change.target.currency or ""
            pairs[source, target] = await rate_series(services, source, target)
    chosen = chosen_format(given.get("format"), request.headers.get("accept"))
    return Asked(request, services, series, plan, chosen, given.get("layout", layout), tuple(pairs.values()))


def not_modified(ask: Asked) -> Response | None:
    """304 when the caller has the answer already; no observation is read for it."""
    return Response(status_code=304, headers=ask.headers) if is_current(ask.request, ask.tag) else None


async def slice_response(ask: Asked) -> Response:
    """Observations of one series."""
    series = ask.series[0]
    if ask.format != "json" and not ask.plan.transforms:
        return _streamed(ask, _slice_batches(ask))
    frame = await ask.services.reader.observations(series.series_id, span=ask.plan.read_span, as_of=ask.plan.as_of)
    if ask.plan.transforms:
        frame = transformed(frame, series, ask.plan, await _rates(ask))
    return whole_response(ask, slice_table(frame, series, ask.plan), slice_meta(ask, frame.height))


async def long_response(ask: Asked) -> Response:
    """Observations of several series, one after the other."""
    if ask.format != "json":
        return _streamed(ask, _long_batches(ask))
    parts: list[pl.DataFrame] = []
    rows = 0
    async for part in _long_frames(ask):
        rows += part.height
        _refuse_too_many(ask, rows)
        parts.append(part)
    table = long_table(_together(parts), ask.series, ask.plan)
    return whole_response(ask, table, _meta(ask, table.height))


async def wide_response(ask: Asked) -> Response:
    """Observations of several series side by side."""
    parts: list[pl.DataFrame] = []
    rows = 0
    async for part in _long_frames(ask):
        rows += part.height
        _refuse_too_many(ask, rows, factor=_WIDE_FACTOR)
        parts.append(part)
    table = wide_table(_together(parts), ask.series, ask.plan)
    return whole_response(ask, table, _meta(ask, table.height))


def whole_response(ask: Asked, table: Table, meta: Mapping[str, object]) -> Response:
    """A table that is in memory, in the format asked for."""
    if ask.format == "json":
        _refuse_too_many(ask, table.height)
        encode = json_columns if ask.layout == "columns" else json_rows
        content = encode(table, meta)
    else:
        writer = bulk_writer(ask.format, empty_like(table))
        content = writer.start() + writer.write(table) + writer.finish()
    return Response(content, headers=ask.headers, media_type=MEDIA_TYPES[ask.format])


def _streamed(ask: Asked, tables: AsyncGenerator[Table]) -> Response:
    return StreamingResponse(_encoded(ask.format, tables), headers=ask.headers, media_type=MEDIA_TYPES[ask.format])


async def _encoded(name: str, tables: AsyncGenerator[Table]) -> AsyncGenerator[bytes]:
    writer = None
    async for table in tables:
        if writer is None:
            writer = bulk_writer(name, empty_like(table))
            yield writer.start()
        if piece := writer.write(table):
            yield piece
    if writer is not None:
        yield writer.finish()


async def _slice_batches(ask: Asked) -> AsyncGenerator[Table]:
    series, plan = ask.series[0], ask.plan
    yield slice_table(pl.DataFrame(schema=MANY_OBSERVATIONS), series, plan)
    async for batch in ask.services.reader.stream([series.series_id], span=plan.read_span, as_of=plan.as_of):
        yield slice_table(batch, series, plan)


async def _long_batches(ask: Asked) -> AsyncGenerator[Table]:
    yield long_table(_together([]), ask.series, ask.plan)
    async for part in _long_frames(ask):
        yield long_table(part, ask.series, ask.plan)


async def _long_frames(ask: Asked) -> AsyncGenerator[pl.DataFrame]:
    """``MANY_OBSERVATIONS`` with ``end``, series by series, transformed."""
    groups = alike(ask.series)
    rates = await _rates(ask)
    if ask.plan.freq is not None:
        # A bucket may lie across two batches, so each series is read whole: its answer is small, the next one waits.
        for group in groups:
            for one in group:
                frame = await ask.services.reader.many([one.series_id], span=ask.plan.read_span, as_of=ask.plan.as_of)
                yield with_end(transformed(frame, one, ask.plan, rates), one, ask.plan)
        return
    ids = [one.series_id for one in ask.series]
    async for batch in ask.services.reader.stream(ids, span=ask.plan.read_span, as_of=ask.plan.as_of):
        parts = [_part(batch, group, ask.plan, rates, alone=len(groups) == 1) for group in groups]
        yield parts[0] if len(parts) == 1 else pl.concat(parts).sort("series_id", "ts")


def _part(batch: pl.DataFrame, group: Sequence[Series], plan: Plan, rates: RatesByPair, *, alone: bool) -> pl.DataFrame:
    mine = batch if alone else batch.filter(pl.col("series_id").is_in([one.series_id for one in group]))
    return with_end(transformed(mine, group[0], plan, rates) if plan.transforms else mine, group[0], plan)


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={**MANY_OBSERVATIONS, "end": MANY_OBSERVATIONS["ts"]})
    return pl.concat([empty, *(part.select(empty.columns) for part in parts)])


async def _rates(ask: Asked) -> RatesByPair:
    return {
        (wanted.source, wanted.target): await read_rates(ask.services, wanted, span=ask.plan.read_span, as_of=ask.plan.as_of)
        for wanted in ask.rates
    }


def _refuse_too_many(ask: Asked, rows: int, *, factor: int = 1) -> None:
    most = ask.services.settings.document_rows * factor
    if rows > most:
        why = f"more than {most:,} observations: narrow the span, resample with freq, or take csv, ndjson, arrow or parquet"
        raise InvalidParameters(("start", why, ask.request.query_params.get("start")))


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


def _description(series: Series, plan: Plan) -> dict[str, object]:
    spec = series.spec
    change = conversion(series, plan)
    unit = change.target if change is not None else None
    return {
        "key": str(spec.key),
        "market": spec.market,
        "unit": str(unit) if unit else spec.unit,
        "currency": unit.currency if unit else spec.currency,
        "frequency": str(plan.frequency_of(series)),
        "tz": plan.zone_of(series),
        "version": series.version,
    }
