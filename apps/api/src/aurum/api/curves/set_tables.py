"""Tables of the marks of curve sets."""

from __future__ import annotations

import orjson
import polars as pl

from aurum.api.curves.tables import numbers, period_columns, texts
from aurum.api.encoding.table import NAT, Column, Instants, Table
from aurum.services.curves.marks import MARK_PRICES, delivery_periods


def marks_table(frame: pl.DataFrame, *, nested: bool) -> Table:
    """Return ``curve``, the period, the prices, unit, currency, source, flags and the known time of each mark.

    ``frame``: schema ``NAMED_MARKS``.
    """
    places, periods = delivery_periods(frame)
    columns: dict[str, Column] = {"curve": texts(frame["curve"], nested=False)}
    columns |= period_columns(places.to_numpy(), periods, nested=nested)
    columns |= {name: numbers(frame[name]) for name in MARK_PRICES}
    columns |= {name: texts(frame[name], nested=nested) for name in ("unit", "currency", "source")}
    columns["flags"] = texts(frame["flags"], nested=nested, as_json=_flags_json)
    known = frame["known_at"].to_physical().fill_null(NAT).cast(pl.Int64)
    columns["known_at"] = Instants(known.to_numpy())
    return Table(columns)


def _flags_json(flags: str | None) -> str:
    return orjson.dumps([flag for flag in (flags or "").split(",") if flag]).decode()
