"""A batch of queries as one table in a bulk format: the rows of one query after the other, with its ``id`` in each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import polars as pl
from starlette.responses import Response

from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.table import Labels, Table
from aurum.api.http.problems import InvalidParameters
from aurum.api.http.request_state import state_of
from aurum.api.observations.respond import ObservationsRequest, collected_frame, frames_of, most_in_memory
from aurum.api.observations.stream import streamed
from aurum.api.observations.tables import LongTables
from aurum.core.series.coverage import COVERAGE
from aurum.services.observations import MANY_WITH_END
from aurum.services.observations.first_rows import most_selected
from aurum.services.observations.hours import single_batch

_PLACE = "query"
"""Column with the position of the query in the batch."""


async def batch_table(queries: Sequence[tuple[str, ObservationsRequest]], name: str) -> Response:
    """Return the table of resolved queries with their ids, as a stream in the format ``name``.

    Columns: ``id``, then those of the layout ``long``. Where only some queries resample, the others have no ``count``,
    ``expected`` and ``coverage``. Times are written in the time zone that all queries share, else in UTC. Raises
    ``InvalidParameters`` for a query in the layout wide, for queries with different columns, and for a missing exchange rate.
    """
    first = queries[0][1]
    for place, (_, resolved) in enumerate(queries):
        if resolved.layout != "long":
            why = "must be long: a batch in this format is one table with a row for each observation"
            raise InvalidParameters((f"queries[{place}].layout", why, resolved.layout))
        if resolved.columns != first.columns:
            raise InvalidParameters(
                (f"queries[{place}].columns", "must be the same in all queries of a table", resolved.columns)
            )
    together = sum(most_selected(one.series, one.plan) for _, one in queries if one.plan.selects)
    if together > most_in_memory(first):
        why = (
            f"have about {together:,} rows in chosen order together, more than {most_in_memory(first):,}: send several batches"
        )
        raise InvalidParameters(("queries", why, None))
    aggregates = any(resolved.plan.freq is not None for _, resolved in queries)
    schema = pl.Schema({_PLACE: pl.Int32(), **MANY_WITH_END, **(COVERAGE if aggregates else {})})
    ids = tuple(query_id for query_id, _ in queries)
    series = list({one.series_id: one for _, resolved in queries for one in resolved.series}.values())
    zones = {resolved.plan.zone for _, resolved in queries}
    zone = zones.pop() if len(zones) == 1 else "UTC"

    tables = LongTables(series, first.plan)

    def to_table(frame: pl.DataFrame) -> Table:
        rows = tables(frame.with_columns(pl.col("count").fill_null(-1)) if aggregates else frame)
        chosen = rows.columns if first.columns is None else {name: rows.columns[name] for name in first.columns}
        return Table({"id": Labels(frame[_PLACE].to_numpy(), ids), **chosen}, zone)

    frames = _frames([await _prepared(place, resolved) for place, (_, resolved) in enumerate(queries)], schema)
    writer = bulk_writer(name, to_table(pl.DataFrame(schema=schema)))
    return await streamed(frames, writer, to_table, name, {"Cache-Control": "no-store"}, state_of(first.request.scope))


async def _prepared(place: int, resolved: ObservationsRequest) -> AsyncGenerator[pl.DataFrame]:
    """Return the frames of a query after all checks. Raises ``InvalidParameters`` about the query of that place."""
    try:
        # A rate may be missing on the last day only, and a stream would meet that after its 200 has been sent.
        return single_batch(await collected_frame(resolved)) if resolved.rates else await frames_of(resolved)
    except InvalidParameters as error:
        raise of_query(error, place) from error


def of_query(error: InvalidParameters, place: int) -> InvalidParameters:
    """Return an error about one query of a batch, with its place in the names of the fields."""
    facts = dict(error.facts)
    listed: Any = facts.pop("errors")
    return InvalidParameters(*((f"queries[{place}].{one['field']}", one["message"], one["value"]) for one in listed), **facts)


async def _frames(queries: Sequence[AsyncGenerator[pl.DataFrame]], schema: pl.Schema) -> AsyncGenerator[pl.DataFrame]:
    for place, frames in enumerate(queries):
        async with aclosing(frames):
            async for frame in frames:
                yield _placed(frame, place, schema)


def _placed(frame: pl.DataFrame, place: int, schema: pl.Schema) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in frame.columns and name != _PLACE
    ]
    return frame.with_columns(pl.lit(place, pl.Int32).alias(_PLACE), *missing).select(list(schema))
