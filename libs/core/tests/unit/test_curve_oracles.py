"""Delivery hours and sessions against numbers and files that were made without this code."""

import json
from datetime import date
from pathlib import Path

import pytest

from aurum.core.calendars import Block, Holidays, Window, parse_block
from aurum.core.curves.calendars import DeliveryCalendar, day_hours, hours, parse_delivery_calendar
from aurum.core.curves.period_labels import add_months
from aurum.core.curves.sessions import sessions_of

pytestmark = pytest.mark.needs_real_files

SHARED = Path(__file__).resolve().parents[5] / "shared"
CALENDARS = {"eu_de": "eu_power", "eu_gb": "gb_power"}
WEEKENDS = {"eu_de": (9, 20), "eu_gb": (8, 19)}


@pytest.fixture(scope="module")
def shared() -> Path:
    """The folder of oracles and real files next to the repository; skips the test when it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"no real files: {SHARED} does not exist")
    return SHARED


def block_of(market: str, calendar: DeliveryCalendar, name: str) -> Block:
    """Return a block; for Europe, 2x16 are the hours of peak at weekends and 7x8 the others."""
    if market not in WEEKENDS or name not in ("2x16", "7x8"):
        return parse_block(calendar.blocks or "", name)
    first, last = WEEKENDS[market]
    window = Window(hours=tuple(range(first, last + 1)))
    if name == "2x16":
        return Block("x", name, calendar.zone, (Window(("sat", "sun"), window.hours),), Holidays.NONE)
    return Block("x", name, calendar.zone, (window,), Holidays.NONE, complement=True)


def test_hours_of_every_block_month_and_year(shared: Path) -> None:
    oracle: dict[str, dict[str, float]] = json.loads((shared / "design" / "quant" / "blocks.json").read_text())
    wrong = {
        (label, name): (expected, counted)
        for label, blocks in oracle.items()
        for name, expected in blocks.items()
        if (counted := counted_hours(label, name)) != expected
    }
    assert len(oracle) == 10 * (4 + 48)
    assert wrong == {}


def counted_hours(label: str, name: str) -> float:
    market, _, span = label.partition(":")
    calendar = parse_delivery_calendar(CALENDARS.get(market, f"{market}_power"))
    first = date.fromisoformat(f"{span}-01" if "-" in span else f"{span}-01-01")
    end = add_months(first, 1 if "-" in span else 12)
    if name == "on_peak_days":
        return int((day_hours(calendar, first, end, block_of(market, calendar, "ON_PEAK")) > 0).sum())
    return hours(calendar, first, end, block_of(market, calendar, name))


@pytest.mark.parametrize(
    ("kind", "missing_count", "outside"),
    [
        ("M", 4, [date(2021, 12, 31)]),
        ("Q", 53, [date(2021, 12, 31)]),
        ("W", 53, [date(2021, 12, 24), date(2021, 12, 31)]),
    ],
)
def test_trade_dates_of_the_exchange_are_sessions(shared: Path, kind: str, missing_count: int, outside: list[date]) -> None:
    path = shared / "data" / "forward" / "eex" / f"EEX_POWER_FUT_DE_BASE_{kind}_2021-2024.csv"
    dates = {date.fromisoformat(line.split(";")[1][:10]) for line in path.read_text().splitlines()[1:]}
    sessions = set(sessions_of("XEEE", min(dates), date.fromordinal(max(dates).toordinal() + 1)))
    assert sorted(dates - sessions) == outside
    assert len(sessions - dates) == missing_count
    if kind == "M":
        assert sorted(sessions - dates) == [date(2024, 10, day) for day in (4, 7, 8, 9)]


def test_trade_dates_of_nymex_are_sessions(shared: Path) -> None:
    text = (shared / "data" / "forward" / "nymex" / "WTI_Futures_2.csv").read_text().replace("\r", "\n")
    serials = {int(float(line.split(",")[0])) for line in text.split("\n")[1:] if line.strip()}
    dates = {date.fromordinal(date(1899, 12, 30).toordinal() + serial) for serial in serials}
    assert dates == set(sessions_of("NYMEX", min(dates), date.fromordinal(max(dates).toordinal() + 1)))
