"""Tables of answers about curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from aurum.api.encoding.table import Column, Days, Fragments, Instants, Labels, Numbers, Table
from aurum.core.curves.diff import QuoteStatus
from aurum.services.curves import DeliveryPeriod, DiffAnswer, PeriodStrip, QuotesAnswer
from aurum.services.curves.continuous import ContinuousAnswer
from aurum.storage.ports.curves import StoredProduct

Codes = NDArray[np.integer[Any]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def quotes_table(answer: QuotesAnswer, *, nested: bool, with_curve: bool) -> Table:
    """Return ``trade_date``, the period, the fields and ``known_at``. ``with_curve``: the key in ``curve`` before them."""
    frame = answer.frame
    columns: dict[str, Column] = {}
    if with_curve:
        columns["curve"] = _keys(frame["curve_id"], answer.plan.products)
    columns["trade_date"] = Days(frame["trade_date"].to_physical().to_numpy())
    columns |= period_columns(frame["period"].to_numpy(), answer.periods, nested=nested)
    columns |= {name: numbers(frame[name]) for name in answer.plan.fields}
    columns["known_at"] = Instants(frame["known_at"].to_physical().to_numpy())
    return Table(columns)


def diff_table(answer: DiffAnswer, *, nested: bool) -> Table:
    """Return ``curve``, the period, the prices of both trade dates, the move, the status, and what the prices are made from."""
    frame = answer.frame
    columns: dict[str, Column] = {"curve": _keys(frame["curve_id"], answer.plan.products)}
    columns |= period_columns(frame["period"].to_numpy(), answer.periods, nested=nested)
    columns |= {name: numbers(frame[name]) for name in ("a", "b", "move", "relative")}
    columns["status"] = Labels(frame["status"].to_physical().to_numpy(), tuple(map(str, QuoteStatus)))
    columns |= {name: texts(frame[name], nested=nested) for name in ("a_from", "b_from")}
    return Table(columns)


def continuous_table(answer: ContinuousAnswer, *, nested: bool) -> Table:
    """Return ``trade_date``, the held contract, its price, the adjusted price, its move, and the reason of a missing price."""
    frame = answer.frame
    columns: dict[str, Column] = {"trade_date": Days(frame["trade_date"].to_physical().to_numpy())}
    columns |= period_columns(frame["period"].to_numpy(), answer.periods, nested=nested)
    columns |= {name: numbers(frame[name]) for name in ("price", "value", "move")}
    columns |= {name: texts(frame[name].cast(pl.String), nested=nested) for name in ("reason", "price_from")}
    return Table(columns)


def strips_table(strips: Sequence[PeriodStrip], *, nested: bool) -> Table:
    """Return the period, value, quote, method, coverage, parts and reason of each strip."""
    codes = np.arange(len(strips))
    columns = period_columns(codes, [one.period for one in strips], nested=nested)
    columns |= {
        "value": floats([one.value for one in strips]),
        "quoted": floats([one.quoted for one in strips]),
        "difference": floats([one.difference for one in strips]),
    }
    methods = [None if one.method is None else str(one.method) for one in strips]
    columns["method"] = texts(methods, nested=nested)
    columns["coverage"] = floats([one.coverage for one in strips])
    consistent = tuple("true" if one.is_consistent else "false" for one in strips)
    columns["is_consistent"] = Fragments(codes, consistent) if nested else Labels(codes, consistent)
    parts = [_parts_json(one) for one in strips]
    columns["parts"] = Fragments(codes, tuple(parts)) if nested else Labels(codes, tuple(parts))
    columns["reason"] = texts([one.reason for one in strips], nested=nested)
    columns["price_from"] = texts([one.price_from for one in strips], nested=nested)
    return Table(columns)


def period_columns(codes: Codes, periods: Sequence[DeliveryPeriod], *, nested: bool) -> dict[str, Column]:
    """Return the periods of some rows: as objects in ``period``, or as ``period``, ``kind``, ``start``, ``end``, ``hours``.

    ``codes``: position of the period of each row.
    """
    if nested:
        return {"period": Fragments(codes, tuple(period_json(one) for one in periods))}
    starts, ends = (np.array([_us(at) for at in some], np.int64) for some in _bounds(periods))
    return {
        "period": Labels(codes, tuple(one.period.label for one in periods)),
        "kind": Labels(codes, tuple(str(one.period.kind) for one in periods)),
        "start": Instants(starts[codes]),
        "end": Instants(ends[codes]),
        "hours": Numbers(np.array([one.hours for one in periods], np.float64)[codes]),
    }


def period_json(period: DeliveryPeriod) -> str:
    """Return a period as a JSON text."""
    return orjson.dumps(period.document(), option=orjson.OPT_UTC_Z).decode()


def numbers(column: pl.Series) -> Numbers:
    """Return a column of numbers; null is missing."""
    return Numbers(column.fill_null(float("nan")).to_numpy())


def curve_meta(product: StoredProduct, unit: tuple[str, str | None]) -> Mapping[str, object]:
    """Return the description of a curve in the ``meta`` of an answer. ``unit``: unit and currency of its prices there."""
    terms = product.product
    return {
        "key": str(terms.key),
        "title": terms.title,
        "unit": unit[0],
        "currency": unit[1],
        "calendar": terms.calendar,
        "version": product.version,
        "derived": product.derived,
    }


def _keys(ids: pl.Series, products: Sequence[StoredProduct]) -> Labels:
    places = {one.curve_id: place for place, one in enumerate(products)}
    codes = ids.replace_strict(places, return_dtype=pl.Int32) if ids.len() else ids
    return Labels(codes.to_numpy(), tuple(str(one.product.key) for one in products))


def _bounds(periods: Sequence[DeliveryPeriod]) -> tuple[list[datetime], list[datetime]]:
    return [one.start for one in periods], [one.end for one in periods]


def _us(at: datetime) -> int:
    elapsed = at - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def floats(values: Sequence[float | None]) -> Numbers:
    """Return some numbers as a column; None is missing."""
    return Numbers(np.array([np.nan if one is None else one for one in values], np.float64))


def json_text(word: str | None) -> str:
    """Return a text as JSON."""
    return orjson.dumps(word).decode()


def texts(
    values: pl.Series | Sequence[str | None], *, nested: bool, as_json: Callable[[str | None], str] = json_text
) -> Fragments | Labels:
    """Return some texts as a column, each distinct one once; null is null in JSON, else an empty text.

    ``as_json``: returns the JSON of a text.
    """
    column = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
    distinct = column.unique(maintain_order=True)
    places = distinct.to_frame("text").with_row_index("place")
    joined = column.to_frame("text").join(places, on="text", how="left", maintain_order="left", nulls_equal=True)
    codes, words = joined["place"].to_numpy(), distinct.to_list()
    return Fragments(codes, tuple(map(as_json, words))) if nested else Labels(codes, tuple(word or "" for word in words))


def _parts_json(strip: PeriodStrip) -> str:
    parts: list[dict[str, object]] = []
    for one in strip.parts:
        block = {"block": one.block} if one.block else {}
        parts.append({**block, "period": one.period.document(), "weight": one.weight, "value": one.value})
    return orjson.dumps(parts, option=orjson.OPT_UTC_Z).decode()
