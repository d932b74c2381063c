"""Tables of explanations: of the change of curves by tenor, and of the profit and loss of positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson

from aurum.api.curves.tables import floats, period_columns, period_json, texts
from aurum.api.encoding.table import Column, Counts, Fragments, Table
from aurum.core.curves.explain import COMPONENTS, Components, MadePrice
from aurum.services.curves.explain import TenorChange
from aurum.services.curves.explain_positions import PositionChange
from aurum.services.curves.periods import DeliveryPeriod
from aurum.storage.ports.curves import StoredProduct


def tenors_table(changes: Sequence[tuple[StoredProduct, TenorChange]], *, nested: bool) -> Table:
    """Return the bucket, the contract, the price and the method on both dates, the components, the reason, and the curve."""
    tenors = [one for _, one in changes]
    columns: dict[str, Column] = {"bucket": texts([str(one.tenor) for one in tenors], nested=nested)}
    explained = [one.explained for one in tenors]
    columns |= _contract("from", [one.start for one in tenors], [one.start for one in explained], nested=nested)
    columns |= _contract("to", [one.end for one in tenors], [one.end for one in explained], nested=nested)
    columns |= _components([one.components for one in explained], [one.total for one in explained])
    columns["rolls"] = Counts(np.array([len(one.rolls) for one in tenors], np.int64))
    columns["reason"] = texts([one.reason for one in explained], nested=nested)
    # The last: readers of one curve count columns from the left.
    columns["curve"] = texts([str(product.product.key) for product, _ in changes], nested=nested)
    return Table(columns)


def positions_table(changes: Sequence[PositionChange], *, nested: bool) -> Table:
    """Return the position, its bucket and volume, the prices on both dates, the components of its amount, and the reason."""
    explained = [one.explained for one in changes]
    columns: dict[str, Column] = {"curve": texts([one.position.curve for one in changes], nested=nested)}
    columns |= period_columns(np.arange(len(changes)), [one.period for one in changes], nested=nested)
    columns["bucket"] = texts([one.bucket for one in changes], nested=nested)
    columns["volume"] = floats([one.volume for one in changes])
    columns["measure"] = texts([one.measure for one in changes], nested=nested)
    columns |= _price("from", [one.start for one in explained], nested=nested)
    columns |= _price("to", [one.end for one in explained], nested=nested)
    columns["unit"] = texts([one.unit for one in changes], nested=nested)
    amounts = [one.amount for one in changes]
    columns |= _components(amounts, [None if one is None else float(one.total) for one in amounts])
    columns["currency"] = texts([one.currency for one in changes], nested=nested)
    columns["reason"] = texts([one.reason for one in explained], nested=nested)
    return Table(columns)


def _components(amounts: Sequence[Components | None], totals: Sequence[float | None]) -> dict[str, Column]:
    numbers = [None if one is None else one.numbers() for one in amounts]
    columns: dict[str, Column] = {name: floats([None if one is None else one[name] for one in numbers]) for name in COMPONENTS}
    return columns | {"total": floats(totals)}


def _contract(name: str, periods: Sequence[DeliveryPeriod], prices: Sequence[MadePrice], *, nested: bool) -> dict[str, Column]:
    codes = np.arange(len(periods))
    if nested:
        objects = [_object(price, period) for period, price in zip(periods, prices, strict=True)]
        return {name: Fragments(codes, tuple(objects))}
    columns = period_columns(codes, periods, nested=False)
    return {f"{name}_{part}": column for part, column in columns.items()} | _price(name, prices, nested=False)


def _price(name: str, prices: Sequence[MadePrice], *, nested: bool) -> dict[str, Column]:
    if nested:
        return {name: Fragments(np.arange(len(prices)), tuple(_object(one) for one in prices))}
    methods = [None if one.method is None else str(one.method) for one in prices]
    return {f"{name}_price": floats([one.price for one in prices]), f"{name}_method": texts(methods, nested=False)}


def _object(price: MadePrice, period: DeliveryPeriod | None = None) -> str:
    members: dict[str, object] = {"price": price.price, "method": price.method}
    if period is not None:
        members = {"period": orjson.Fragment(period_json(period)), **members}
    return orjson.dumps(members).decode()
