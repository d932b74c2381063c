"""Bounds of the cost of a euro in each currency, by which columns that are exchanged, shifted, or on another base are noticed.

Bounds are half the lowest and twice the highest rate of the ECB's history from 1999-01-04 to 2025-05-09, wide enough for
decades; narrower where the rate is pegged or has been tested longer, wider where it keeps falling. A currency that has been
replaced has no rate after its last day. The Hong Kong dollar is linked to the US dollar (7.75 to 7.85 since 2005), which ties
these two columns to each other. Currencies of similar rates (GBP and CHF; AUD, NZD, CAD and SGD) exchanged are within bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import RefusedFile

_HISTORY = {
    "USD": (0.8252, 1.599),
    "JPY": (89.3, 175.39),
    "CYP": (0.57097, 0.5888),
    "CZK": (22.968, 38.583),
    "EEK": (15.6466, 15.6466),
    "GBP": (0.5711, 0.97855),
    "HUF": (228.16, 430.65),
    "LTL": (3.3013, 4.7174),
    "LVL": (0.5191, 0.7099),
    "MTL": (0.3883, 0.4435),
    "PLN": (3.2053, 4.9525),
    "ROL": (12_912.0, 41_429.0),
    "RON": (3.113, 5.1188),
    "SEK": (8.055, 11.9872),
    "SIT": (187.1333, 240.03),
    "SKK": (30.126, 47.484),
    "CHF": (0.9242, 1.6803),
    "ISK": (68.07, 305.0),
    "NOK": (7.2225, 12.3165),
    "HRK": (7.1047, 7.7253),
    "RUB": (33.336, 117.201),
    "TRL": (370_147.0, 1_912_400.0),
    "AUD": (1.1639, 2.0735),
    "BRL": (2.1749, 6.9553),
    "CAD": (1.2139, 1.8123),
    "CNY": (6.5552, 11.1699),
    "HKD": (6.4361, 12.4702),
    "IDR": (10_867.58, 19_328.11),
    "ILS": (3.2537, 5.2192),
    "INR": (56.065, 97.8348),
    "KRW": (938.67, 1_993.95),
    "MXN": (14.7939, 27.0896),
    "MYR": (3.8193, 5.1857),
    "NZD": (1.3884, 2.5535),
    "PHP": (46.852, 72.651),
    "SGD": (1.3838, 2.2323),
    "THB": (33.204, 53.536),
    "ZAR": (6.0785, 21.8788),
}
"""Lowest and highest rate, by currency."""
_FACTOR = 2
"""Bounds are the lowest rate divided by it, and the highest multiplied by it."""
_WIDER_OR_NARROWER = {
    "USD": (0.5, 2.0),
    "DKK": (7.2, 7.7),  # 7.46 within 2.25% (ERM II)
    "BGN": (1.9, 2.0),  # 1.95583 (currency board)
    "TRY": (0.75, 1_000.0),  # 1.6 in 2005, 44 in 2025
}
BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {code: (low / _FACTOR, high * _FACTOR) for code, (low, high) in _HISTORY.items()} | _WIDER_OR_NARROWER
)
"""Least and greatest cost of a euro, by currency."""

LAST_DAYS: Mapping[str, date] = MappingProxyType(
    {
        "TRL": date(2004, 12, 31),
        "ROL": date(2005, 6, 30),
        "SIT": date(2006, 12, 31),
        "CYP": date(2007, 12, 31),
        "MTL": date(2007, 12, 31),
        "SKK": date(2008, 12, 31),
        "EEK": date(2010, 12, 31),
        "LVL": date(2013, 12, 31),
        "LTL": date(2014, 12, 31),
        "HRK": date(2022, 12, 31),
    }
)
"""Last day of currencies that were replaced by the euro or by a new currency.

Not of the lev (2025-12-31): its bounds are so narrow that they alone show a shifted column, and tables that still have it say
its fixed rate.
"""

_LINK = (7.6, 8.0)
"""Least and greatest number of Hong Kong dollars for a US dollar, a little beyond the band of the link."""


def problem_of(rates: Mapping[str, Sequence[float]]) -> str:
    """Return why sampled rates, by currency, are not those of a euro; empty where they may be.

    A currency is no reason while half of its rates, or more, are within the bounds.
    """
    for code, values in rates.items():
        low, high = BOUNDS.get(code, (0.0, math.inf))
        impossible = [value for value in values if not low < value < high]
        if 2 * len(impossible) > len(values):
            return f"a euro costs between {low:g} and {high:g} {code}, and this table says {impossible[0]:g}"
    dollars, linked = rates.get("USD", ()), rates.get("HKD", ())
    pairs = list(zip(dollars, linked, strict=True)) if len(dollars) == len(linked) else []
    if 2 * sum(1 for dollar, other in pairs if not _LINK[0] < other / dollar < _LINK[1]) > len(pairs):
        return f"a US dollar costs 7.75 to 7.85 HKD, and this table says {linked[0] / dollars[0]:.4f}"
    return ""


def hold_to_bounds(table: pl.DataFrame, codes: Sequence[str], refusals: Refusals, *, zone: str) -> pl.DataFrame:
    """Return the table with the impossible rates held back: columns ``codes`` (Float64), ``ts`` and ``line``.

    ``zone``: the clock of the days. Raises ``RefusedFile`` when most rates of a currency are impossible, or most Hong Kong
    dollars are not linked to the US dollars.
    """
    impossible = {code: _is_impossible(code, zone) for code in codes if code in BOUNDS}
    counts = table.select(
        *(bad.sum().alias(code) for code, bad in impossible.items()),
        *(pl.col(code).count().alias(f"of {code}") for code in impossible),
    ).row(0, named=True)
    for code, bad in impossible.items():
        count, total = counts[code], counts[f"of {code}"]
        if 2 * count > total:
            line, rate = table.filter(bad).select("line", code).row(0)
            raise RefusedFile(
                f"not the ECB's rates, or columns are exchanged or shifted: {_possible(code)}, and {count} of {total} rates "
                f"are others, for example {rate:g}",
                line=line,
            )
        if count:
            table = refusals.cells(table, bad, column=code, reason=Reason.OUT_OF_BOUNDS, detail=_possible(code))
    if {"USD", "HKD"} <= set(codes):
        _refuse_unlinked(table)
    return table


def _is_impossible(code: str, zone: str) -> pl.Expr:
    low, high = BOUNDS[code]
    bad = ~pl.col(code).is_between(low, high, closed="none")
    if code in LAST_DAYS:
        bad = bad | (pl.col("ts").dt.convert_time_zone(zone).dt.date() > LAST_DAYS[code])
    return (pl.col(code).is_not_null() & bad).fill_null(False)


def _possible(code: str) -> str:
    low, high = BOUNDS[code]
    until = f", up to {LAST_DAYS[code]}" if code in LAST_DAYS else ""
    return f"a euro costs between {low:g} and {high:g} {code}{until}"


def _refuse_unlinked(table: pl.DataFrame) -> None:
    rates = table.select("line", link=pl.col("HKD") / pl.col("USD")).drop_nulls("link")
    unlinked = rates.filter(~pl.col("link").is_between(*_LINK))
    if 2 * unlinked.height > rates.height:
        line, link = unlinked.row(0)
        raise RefusedFile(
            f"columns are exchanged or shifted: a US dollar costs 7.75 to 7.85 HKD, and in {unlinked.height} of {rates.height} "
            f"rows something else, for example {link:.4f}",
            line=line,
        )
