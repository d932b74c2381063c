"""Tables of spreads: a row for each trade date and period, with the legs as objects or as columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import polars as pl

from aurum.api.curves.tables import numbers, period_columns, texts
from aurum.api.encoding.table import Column, Days, Fragments, Labels, Table
from aurum.services.curves import DeliveryPeriod
from aurum.services.curves.spreads import LegAnswer, SpreadAnswer


def spread_table(answer: SpreadAnswer, *, nested: bool) -> Table:
    """Return ``trade_date``, the period, ``value``, ``unit``, ``currency``, ``implied_heat_rate``, the legs and ``reason``.

    ``nested``: the legs as a list of objects; else each leg as columns that begin with its name.
    """
    frame = answer.frame
    columns: dict[str, Column] = {"trade_date": _days(frame["trade_date"], nested=nested)}
    columns |= _periods(frame["period"], answer.periods, nested=nested)
    columns["value"] = numbers(frame["value"])
    columns["unit"] = _constant(answer.plan.unit.text, frame.height, nested=nested)
    columns["currency"] = _constant(answer.plan.unit.currency, frame.height, nested=nested)
    columns["implied_heat_rate"] = numbers(frame["implied_heat_rate"])
    if nested:
        columns["legs"] = _legs(answer)
    else:
        for leg in answer.legs:
            columns |= _flat(leg)
    columns["reason"] = texts(frame["reason"], nested=nested)
    return Table(columns)


def _legs(answer: SpreadAnswer) -> Fragments:
    """Return the legs of each row as a JSON array."""
    documents = answer.leg_documents()
    each = pl.concat_str([pl.col(name).struct.json_encode() for name in documents.columns], separator=",")
    joined = documents.select(pl.concat_str(pl.lit("["), each, pl.lit("]")).alias("legs"))["legs"]
    return Fragments(np.arange(len(joined)), tuple(joined.to_list()))


def _flat(leg: LegAnswer) -> dict[str, Column]:
    name, frame, constants = leg.plan.factors.leg.name, leg.frame, leg.plan.factors
    height = frame.height
    columns: dict[str, Column] = {
        "curve": _constant(None if leg.plan.curve is None else leg.plan.curve.key, height),
        "price": numbers(frame["price"]),
        "unit": _constant(constants.source.text, height),
        "method": texts(frame["method"], nested=False),
        "contracts": texts(_contract_texts(frame["contracts"]), nested=False),
        "fx_rate": numbers(frame["fx_rate"]),
        "fx_date": texts(frame["fx_date"].cast(pl.String), nested=False),
        "converted": numbers(frame["converted"]),
        "converted_unit": _constant(constants.target.text, height),
        "factor": numbers(pl.repeat(constants.factor, height, eager=True, dtype=pl.Float64)),
        "weight": numbers(pl.repeat(constants.weight, height, eager=True, dtype=pl.Float64)),
        "contribution": numbers(frame["contribution"]),
        "reason": texts(frame["reason"], nested=False),
        "price_from": texts(frame["price_from"], nested=False),
    }
    return {f"{name}_{member}": column for member, column in columns.items()}


def _contract_texts(contracts: pl.Series) -> pl.Series:
    """Return the contracts of each row as a text, such as ``Dec-25 x 0.5 + Dec-26 x 0.5``."""
    each = pl.element()
    text = pl.format("{} x {}", each.struct.field("contract"), each.struct.field("weight"))
    return contracts.to_frame("contracts").select(pl.col("contracts").list.eval(text).list.join(" + "))["contracts"]


def _days(days: pl.Series, *, nested: bool) -> Column:
    if days.null_count():
        return texts(days.cast(pl.String), nested=nested)
    return Days(days.to_physical().to_numpy())


def _periods(places: pl.Series, periods: Sequence[DeliveryPeriod | None], *, nested: bool) -> dict[str, Column]:
    """Return the periods; without any, a null in their place."""
    named = [one for one in periods if one is not None]
    if named:
        return period_columns(places.to_numpy(), named, nested=nested)
    return {"period": _constant(None, len(places), nested=nested)}


def _constant(word: str | None, height: int, *, nested: bool = False) -> Fragments | Labels:
    codes = np.zeros(height, np.int8)
    return Fragments(codes, (orjson.dumps(word).decode(),)) if nested else Labels(codes, (word or "",))
