"""Hours by the zone database, grids of plain arrays, and readers of exchange files, none of which uses the code under test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

BERLIN = ZoneInfo("Europe/Berlin")


def instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)


@cache
def berlin_hours(first: date, end: date) -> float:
    return (instant(end) - instant(first)).total_seconds() / 3600


@dataclass(frozen=True)
class PlainGrid:
    first: date
    end: date
    hours: NDArray[np.float64]
    day: NDArray[np.int32]
    starts: tuple[datetime, ...]
    """Local instants of the cells."""

    @property
    def peak(self) -> NDArray[np.float64]:
        """German peak: 08:00 to 20:00 from Monday to Friday."""
        if len(self.day) == (self.end - self.first).days:
            return np.array([12.0 * (start.weekday() < 5) for start in self.starts])
        return np.array([float(s.weekday() < 5 and 8 <= s.hour < 20) for s in self.starts]) * self.hours


def day_grid(first: date, end: date) -> PlainGrid:
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    hours = np.array([berlin_hours(day, day + timedelta(days=1)) for day in days])
    starts = tuple(instant(day).astimezone(BERLIN) for day in days)
    return PlainGrid(first, end, hours, np.arange(len(days), dtype=np.int32), starts)


def cell_grid(first: date, end: date, minutes: int = 60) -> PlainGrid:
    start, count = instant(first), round(berlin_hours(first, end) * 60 / minutes)
    starts = tuple((start + timedelta(minutes=minutes * n)).astimezone(BERLIN) for n in range(count))
    day = np.array([(each.date() - first).days for each in starts], dtype=np.int32)
    return PlainGrid(first, end, np.full(count, minutes / 60), day, starts)


@pytest.fixture(scope="session")
def hours() -> Callable[[date, date], float]:
    """Hours of a span of German delivery days."""
    return berlin_hours


@pytest.fixture(scope="session")
def days() -> Callable[[date, date], PlainGrid]:
    """Grids of German delivery days."""
    return day_grid


@pytest.fixture(scope="session")
def cells() -> Callable[..., PlainGrid]:
    """Grids of hours, or of a number of minutes, of German delivery days."""
    return cell_grid


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[6] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def settlements(real_files: Path) -> Callable[[str], pl.DataFrame]:
    """Settlements of EEX German base futures: trade date, delivery, price (null: unpriced), of kinds such as "MQ"."""

    @cache
    def read(kinds: str) -> pl.DataFrame:
        frames = [
            pl.read_csv(
                real_files / "forward" / "eex" / f"EEX_POWER_FUT_DE_BASE_{kind}_2021-2024.csv",
                separator=";",
                infer_schema=False,
            ).select(
                trade_date=pl.col("TimeStamp").str.head(10).str.to_date(),
                delivery_start=pl.col("Begin").str.head(10).str.to_date(),
                delivery_end=pl.col("End").str.head(10).str.to_date(),
                price=pl.col("Settlement").str.replace(",", ".").cast(pl.Float64),
                kind=pl.lit(kind),
            )
            for kind in kinds
        ]
        return pl.concat(frames).sort("trade_date", "delivery_start", "delivery_end")

    return read


@pytest.fixture(scope="session")
def day_ahead(real_files: Path) -> pl.DataFrame:
    """German day-ahead prices by the file's local clock: local (naive), price."""
    path = real_files / "forward" / "eex" / "DE_day_ahead_auction_prices.csv"
    return pl.read_csv(path, infer_schema=False).select(
        local=pl.col("Date").str.to_datetime("%m/%d/%Y %H:%M"),
        price=pl.col("Day Ahead Auction Price EUR/MWh").cast(pl.Float64),
    )


@pytest.fixture(scope="session")
def oracle(real_files: Path) -> Callable[[str], Any]:
    """Expected numbers by the id of their group."""
    path = real_files.parent / "design" / "quant" / "give.json"
    if not path.is_file():
        pytest.skip(f"no expected numbers: {path} does not exist")
    entries = json.loads(path.read_text())
    by_id = {entry["id"]: entry["expected"] for entry in entries}
    return by_id.__getitem__
