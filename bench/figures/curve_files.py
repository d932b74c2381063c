"""Invented quotes for the figures of curves: sessions of many products, a settlement file of years, a broker's workbook."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.period_labels import add_months
from aurum.core.curves.products import Product
from aurum.core.curves.quotes import FILE_CURVES, FILE_QUOTES
from aurum.core.frames import REFUSED
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.broker_workbook import large_workbook
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.testing.builders import T0, file_load
from bench.stage import Stage

LAST = date(2023, 10, 13)
SPOT = "invented:curve_spot:0:price"
_MONTHS = 9
"""Months ahead that a session quotes."""
_EEX = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment\n"


def key_of(number: int) -> str:
    """Return the key of an invented product."""
    return f"power:X{number:03d}:base:INVENTED"


def sessions(count: int, last: date = LAST) -> list[date]:
    """Return that number of weekdays up to ``last``, ascending."""
    days = (last - timedelta(days=back) for back in range(2 * count))
    return sorted([day for day in days if day.weekday() < 5][:count])


def ten_years(first: date) -> list[tuple[date, date]]:
    """Return 25 periods that tile ten years: nine months, twelve quarters and months of overlap, and years behind them."""
    months = [(add_months(first, number), add_months(first, number + 1)) for number in range(9)]
    quarters = [(add_months(first, number), add_months(first, number + 3)) for number in range(0, 24, 3)]
    years = [(add_months(first, number), add_months(first, number + 12)) for number in range(24, 120, 12)]
    return [*months, *quarters, *years]


async def add_products(stage: Stage, count: int) -> None:
    """Add invented products of one delivery calendar."""
    async with stage.store.transactions.transaction(by=Actor("bench")) as tx:
        for number in range(count):
            terms = Product(
                CurveKey.parse(key_of(number)), f"Invented {number}", "EUR", "EUR/MWh", 0.01, "eu_power", seasons="europe",
                settles_on=SPOT,
            )  # fmt: skip
            await tx.curve_reference.put_product(terms, tenant=None)


def quotes_file(keys: Sequence[str], days: Sequence[date], periods: Sequence[tuple[date, date]], *, name: str) -> FileLoad:
    """Return the settlements of all periods of all products on all trade dates."""
    frame = (
        pl.DataFrame({"curve": range(len(keys))}, schema={"curve": pl.UInt32})
        .join(pl.DataFrame({"trade_date": days}), how="cross")
        .join(pl.DataFrame(periods, schema=["delivery_start", "delivery_end"], orient="row"), how="cross")
    )
    return _settled(frame, keys, name)


def months_file(key: str, days: Sequence[date]) -> FileLoad:
    """Return the settlements of the months ahead of each trade date, of one product."""
    first = pl.col("trade_date").dt.truncate("1mo").dt.offset_by(pl.format("{}mo", "number"))
    frame = (
        pl.DataFrame({"trade_date": days})
        .join(pl.DataFrame({"number": range(1, _MONTHS + 1)}), how="cross")
        .with_columns(curve=pl.lit(0, pl.UInt32), delivery_start=first)
        .with_columns(delivery_end=pl.col("delivery_start").dt.offset_by("1mo"))
    )
    return _settled(frame, [key], "months")


def _settled(frame: pl.DataFrame, keys: Sequence[str], name: str) -> FileLoad:
    """Return a file with invented settlements of some quotes."""
    frame = frame.with_row_index("row").with_columns(
        settle=(60 + (pl.col("row") * 7_919 % 4_001) / 100).cast(pl.Float64),
        known_at=pl.col("trade_date").dt.combine(time(16, 30)).dt.replace_time_zone("UTC"),
        by_rule=pl.lit(False),
    )
    missing = [pl.lit(None, kind).alias(field) for field, kind in FILE_QUOTES.items() if field not in frame.columns]
    rows = frame.with_columns(missing).select(pl.col(field).cast(kind) for field, kind in FILE_QUOTES.items())
    digest = hashlib.sha256(name.encode()).hexdigest()
    record = FileRecord(name, digest, 1, "invented", "settlements", known_at_basis=KnownAtBasis.PUBLISHED)
    part = CurveQuotes("invented", "settlements", pl.DataFrame({"key": list(keys)}, schema=FILE_CURVES), rows)
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


def spot_file(weeks: int) -> FileLoad:
    """Return hourly spot prices of the weeks up to the last trade date."""
    start = datetime.combine(LAST + timedelta(days=1) - timedelta(weeks=weeks), time(22), UTC) - timedelta(days=1)
    first = (start - T0) / timedelta(hours=1)
    points = [
        (first + hour, 0, 60.0 + 15.0 * (8 <= hour % 24 < 20) - 10.0 * (hour % 168 >= 144)) for hour in range(weeks * 168)
    ]
    return file_load(points, key=SPOT, unit="EUR/MWh", currency="EUR", zone="Europe/Berlin", frequency="1h")


def settlement_file(count: int) -> SourceFile:
    """Return a file of monthly settlements of German power of about ``count`` rows, in the layout of EEX."""
    lines: list[str] = []
    for day in sessions(count // _MONTHS):
        for number in range(_MONTHS):
            first = add_months(day.replace(day=1), number)
            end = add_months(first, 1)
            stamps = ";".join(f"{one}T00:00:00.000{_offset(one)}" for one in (day, first, end))
            price = f"{60 + (day.toordinal() * 31 + number * 7) % 4001 / 100:.2f}".replace(".", ",")
            lines.append(f"EEX_POWER_FUT_DE_BASE_M;{stamps};;;;;{price};;UNVALIDATED;\n")
    years = f"{LAST.year - 3}-{LAST.year}"
    return SourceFile(f"EEX_POWER_FUT_DE_BASE_M_{years}.csv", (_EEX + "".join(lines)).encode())


def broker_workbook(*, rows: int = 61, columns: int = 367) -> SourceFile:
    """Return a workbook of a broker. ``rows``, ``columns``: of each of its four sheets."""
    content = large_workbook(rows=rows, columns=columns, trade_date=LAST)
    return SourceFile(f"EOD_RP_{LAST:%Y%m%d}_1430.xlsx", content)


def _offset(day: date) -> str:
    """Return the offset of Central European time at the midnight with which a day begins."""
    return "+0200" if _last_sunday(day.year, 3) < day <= _last_sunday(day.year, 10) else "+0100"


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=last.isoweekday() % 7)
