"""The response with all vintages of a series side by side."""

from __future__ import annotations

import numpy as np
import polars as pl
from starlette.responses import Response

from aurum.api.encoding.instants import rfc3339_text
from aurum.api.encoding.table import Column, Instants, Numbers, Table
from aurum.api.http.problems import InvalidParameters
from aurum.api.observations.respond import ObservationsRequest, series_meta, whole_response
from aurum.services.observations import read_vintages

_VALUES = 10
"""Largest number of values, as a multiple of the observations that a JSON document may have."""


async def vintages_response(resolved: ObservationsRequest) -> Response:
    """Return one row per interval with one column for each known time of the plan. Raises ``InvalidParameters``."""
    plan = resolved.plan
    vintages = await read_vintages(resolved.reading, resolved.series[0], plan, known=plan.known)
    frame = vintages.frame
    rows, most = frame.height, resolved.services.settings.document_rows * _VALUES
    if rows * len(vintages.known_at) > most:
        why = f"would have {rows:,} rows of {len(vintages.known_at):,} vintages, more than {most:,} values"
        raise InvalidParameters(("layout", f"{why}: narrow the span, or known_from and known_to", "vintages"))
    instants = pl.Series(vintages.known_at, dtype=frame.schema["ts"]).to_physical().to_list()
    names = [rfc3339_text(us, plan.zone).decode() for us in instants]
    columns: dict[str, Column] = {"start": Instants(_microseconds(frame["ts"])), "end": Instants(_microseconds(frame["end"]))}
    for name, column in zip(names, frame.columns[2:], strict=True):
        columns[name] = Numbers(frame[column].fill_null(float("nan")).to_numpy())
    meta = series_meta(resolved, rows) | {"vintages": names}
    return whole_response(resolved, Table(columns, plan.zone), meta, points=rows * len(names))


def _microseconds(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return column.to_numpy().view(np.int64)
