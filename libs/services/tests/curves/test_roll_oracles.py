"""Continuous series of real settlements of German power and of crude oil, by numbers computed elsewhere (groups F and G)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from curve_quotes import BASE, BY, curve_reading, history_file

from aurum.common.clock import SystemClock
from aurum.core.curves.expiries import read_expiry
from aurum.core.curves.period_labels import Span, add_months
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.sessions import parse_session_calendar
from aurum.core.curves.tenors import TenorKind
from aurum.services.curves import CurveReading
from aurum.services.curves.continuous import ContinuousAnswer, ContinuousQuestion, plan_continuous, read_continuous
from aurum.services.curves.explain import CurveChanges, ExplainQuestion, plan_explain, read_explain
from aurum.services.curves.explain_positions import Position, PositionsQuestion, explain_positions
from aurum.storage.memory import MemoryStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WTI = "oil:WTI:base:NYMEX"


@pytest.fixture(scope="module")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[5] / "shared" / "data"
    if not (folder / "forward").is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder


@pytest.fixture(scope="module")
def expected(real_files: Path) -> dict[str, Any]:
    entries = json.loads((real_files.parent / "design" / "quant" / "give.json").read_text(encoding="utf-8"))
    return next(entry["expected"] for entry in entries if entry["id"] == "F")


def eex(folder: Path, kinds: str) -> pl.DataFrame:
    path = "forward/eex/EEX_POWER_FUT_DE_BASE_{}_2021-2024.csv"
    frames = [pl.read_csv(folder / path.format(kind), separator=";", infer_schema=False) for kind in kinds]
    return pl.concat(frames).select(
        trade_date=pl.col("TimeStamp").str.head(10).str.to_date(),
        delivery_start=pl.col("Begin").str.head(10).str.to_date(),
        delivery_end=pl.col("End").str.head(10).str.to_date(),
        settle=pl.col("Settlement").str.replace(",", ".").cast(pl.Float64),
    )


def wti(folder: Path) -> pl.DataFrame:
    """Read the file, whose records end in CR, whose days are serial numbers, and which names expiries alone."""
    text = (folder / "forward" / "nymex" / "WTI_Futures_2.csv").read_bytes().decode("ascii")
    cells = [line.split(",") for line in text.split("\r")[1:] if line.strip()]
    serials = pl.DataFrame(cells, ["traded", "settle", "expiry"], orient="row").cast(pl.Float64)
    day = {name: pl.lit(date(1899, 12, 30)) + pl.duration(days=pl.col(name).cast(pl.Int32)) for name in ("traded", "expiry")}
    first = day["expiry"].dt.truncate("1mo").dt.offset_by("1mo")
    return serials.select("settle", trade_date=day["traded"], delivery_start=first, delivery_end=first.dt.offset_by("1mo"))


async def answered(reading: CurveReading, key: str, front: str, **more: Any) -> ContinuousAnswer:
    product = await reading.curves.product(key, tenant=None)
    return await read_continuous(reading, await plan_continuous(reading, product, ContinuousQuestion(NOW, front, **more)))


@pytest.fixture(scope="module")
def months(real_files: Path) -> pl.DataFrame:
    return eex(real_files, "M")


async def test_the_front_month_of_german_power(months: pl.DataFrame, expected: dict[str, Any]) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, months))
    answer = await answered(reading, BASE, "M+1")
    made, series = answer.series, expected["F8 M+1"]
    assert (made.points, len(answer.rolls)) == (series["n"], series["rolls"])
    prices = answer.frame["price"]
    assert f"{answer.frame['trade_date'][0]} {prices[0]}" == series["first"]
    assert prices.mean() == pytest.approx(series["mean"], rel=1e-9)
    assert (prices.max(), str(answer.frame["trade_date"][prices.arg_max()])) == (series["max"], series["argmax"])
    change = expected["F8 M+1 naive change vs held-position P&L (EUR/MWh)"]
    assert made.naive == pytest.approx(change["naive"], abs=1e-9)
    assert made.held == pytest.approx(change["held"], abs=1e-9)
    assert made.gaps == pytest.approx(change["naive"] - change["held"], abs=1e-9)
    assert answer.missing == {}
    by_day = {str(row["trade_date"]): row for row in answer.frame.iter_rows(named=True)}
    for one in expected["F8 around roll 2024-09-30"]:
        row = by_day[one["trade"]]
        assert str(answer.periods[row["period"]].period.first) == one["contract"]
        assert row["price"] == one["S"]


async def test_difference_adjusted_prices_change_by_what_was_earned(months: pl.DataFrame) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, months))
    values = (await answered(reading, BASE, "M+1", adjust="difference")).frame["value"]
    assert values[-1] - values[0] == pytest.approx(-640.18, abs=1e-9)
    assert values[-1] == 90.84


async def test_quarters_and_years_of_months_and_quarters_have_reasons_where_they_are_not_quoted(real_files: Path) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, eex(real_files, "MQ")))
    quarters = await answered(reading, BASE, "Q+1")
    # The file of quarters lacks 53 sessions, and has some without prices.
    first = pl.col("trade_date").dt.truncate("1q").dt.offset_by("1q")
    front = eex(real_files, "Q").filter(pl.col("delivery_start") == first)
    counted = {str(reason): one.count for reason, one in quarters.missing.items()}
    assert quarters.series.points == front["settle"].count()
    assert counted.get("unpriced", 0) == front["settle"].null_count()
    assert counted["covered_by_finer"] + counted.get("not_quoted", 0) == 967 - front.height
    years = await answered(reading, BASE, "Y+1")
    assert years.series.points == 0
    assert set(years.missing) == {"covered_by_finer", "not_quoted"}
    assert years.summary()["reason"] == "no trade date has a price of Y+1"


async def test_crude_oil_rolls_after_its_last_trading_day(real_files: Path, expected: dict[str, Any]) -> None:
    store = MemoryStore(SystemClock())
    product = next(one for one in default_products() if str(one.key) == WTI)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product, tenant=None)
    reading = await curve_reading(store, history_file(WTI, wti(real_files)))
    answer = await answered(reading, WTI, "M+1", roll="last_trading_day")
    stated = expected["G1 WTI (give)"]
    rolls = [(str(one.date), str(one.last)) for one in answer.rolls]
    assert len(rolls) == stated["n_rolls"]
    assert rolls == [(day, last) for day, last, _ in (*stated["rolls_first3"], *stated["rolls_last2"])]
    assert answer.frame["price"][-1] == stated["front_last"][2]
    # The file has no contract that expired before December 2017.
    assert {str(reason): one.count for reason, one in answer.missing.items()} == {"not_quoted": 1_262}
    assert answer.rolls[0].old.period.label == "Jan-18"
    by_calendar = await answered(reading, WTI, "M+2")
    assert by_calendar.rolls[0].last == date(2017, 11, 30)


async def test_the_rule_of_crude_oil_gives_the_expiries_of_the_file(real_files: Path) -> None:
    text = (real_files / "forward" / "nymex" / "WTI_Futures_2.csv").read_bytes().decode("ascii")
    serials = {float(line.split(",")[2]) for line in text.split("\r")[1:] if line.strip()}
    expiries = sorted(date(1899, 12, 30) + timedelta(days=int(one)) for one in serials)
    assert len(expiries) == 16
    deliveries = [add_months(day.replace(day=1), 1) for day in expiries]
    assert [last_trading_day(WTI, TenorKind.MONTH, (day, add_months(day, 1))) for day in deliveries] == expiries


def last_trading_day(key: str, kind: TenorKind, contract: Span) -> date:
    product = next(one for one in default_products() if str(one.key) == key)
    expiry = read_expiry(product.expiry)
    rule = None if expiry is None else expiry.rule_of(kind, contract[0])
    assert rule is not None
    assert product.sessions is not None
    return rule.last_trading_day(contract, parse_session_calendar(product.sessions))


async def test_the_rules_of_german_power_give_the_last_sessions_of_the_files(real_files: Path) -> None:
    agree: dict[str, tuple[int, int]] = {}
    others: list[tuple[Span, date]] = []
    for name, kind in (("M", TenorKind.MONTH), ("Q", TenorKind.QUARTER)):
        quotes = eex(real_files, name)
        until = pl.col("delivery_end") if kind is TenorKind.MONTH else pl.col("delivery_start")
        last = quotes.group_by("delivery_start", "delivery_end").agg(pl.col("trade_date").max()).sort("delivery_start")
        done = last.filter(until <= quotes["trade_date"].max()).rows()
        expected = [last_trading_day("power:DE:base:EEX", kind, (first, end)) for first, end, _ in done]
        differ = [((first, end), day) for (first, end, day), stated in zip(done, expected, strict=True) if stated != day]
        agree[name] = len(done) - len(differ), len(done)
        others += differ
    assert agree == {"M": (45, 45), "Q": (13, 15)}
    assert others == [
        # The file has 31 December 2021, which the calendar of sessions does not.
        ((date(2022, 1, 1), date(2022, 4, 1)), date(2021, 12, 29)),
        # The file of quarters lacks the sessions from 7 May to 5 July 2024.
        ((date(2024, 7, 1), date(2024, 10, 1)), date(2024, 5, 6)),
    ]


async def explained(reading: CurveReading, a: date, b: date, **more: Any) -> CurveChanges:
    product = await reading.curves.product(BASE, tenant=None)
    answer = await read_explain(reading, await plan_explain(reading, [product], ExplainQuestion(NOW, a, b, **more)))
    return answer.curves[0]


async def test_profit_of_two_positions(real_files: Path, expected: dict[str, Any]) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, eex(real_files, "MQ")))
    positions = [Position(BASE, "Q1-25", mw=10.0), Position(BASE, "Nov-24", mw=-5.0)]
    answer = await explain_positions(reading, PositionsQuestion(NOW, positions, date(2024, 10, 11), date(2024, 10, 14)))
    for one, stated in zip(answer.changes, expected["F7 pnl explain"], strict=True):
        assert one.amount is not None
        assert one.volume == stated["MWh"]
        assert one.explained.total == stated["dF"]
        assert float(one.amount.total) == stated["pnl"]
        assert one.amount.numbers()["quote_move"] == stated["pnl"]
    assert [one.bucket for one in answer.changes] == ["Q+1", "M+1"]
    (total,) = answer.totals
    assert (total.currency, total.document()["total"], total.document()["is_complete"]) == ("EUR", 39578.3, True)
    assert [(one.bucket, one.document()["total"]) for one in answer.buckets] == [("Q+1", 46850.3), ("M+1", -7272.0)]


async def test_the_change_of_the_front_month_over_all_years_is_what_was_held_and_the_gaps(months: pl.DataFrame) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, months))
    answer = await explained(reading, date(2021, 1, 4), date(2024, 10, 14))
    front = next(one for one in answer.changes if str(one.tenor) == "M+1")
    parts = front.explained.components
    assert parts is not None
    assert parts.numbers() == {"quote_move": -640.18, "roll_down": 678.3, "correction": 0.0, "methodology": 0.0, "total": 38.12}
    assert (len(front.rolls), front.start.period.label, front.end.period.label) == (45, "Feb-21", "Nov-24")


async def test_the_moves_of_a_weekend_are_those_of_the_diff(real_files: Path, expected: dict[str, Any]) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, eex(real_files, "MQ")))
    answer = await explained(reading, date(2024, 10, 11), date(2024, 10, 14))
    moves = {str(one.start.period.first): one.explained for one in answer.changes if str(one.tenor).startswith("Q")}
    for one in expected["F6 diff Q 2024-10-11->2024-10-14"]:
        move = moves[one["Begin"]]
        if one["d"] == "None":
            assert (move.components, move.total) == (None, None)
            continue
        assert move.components is not None
        assert move.components.numbers()["quote_move"] == move.total == float(one["d"])


async def test_a_quarter_without_a_quote_is_made_of_months_and_the_difference_of_methods_is_stated(real_files: Path) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), history_file(BASE, eex(real_files, "MQ")))
    # The file of quarters lacks 27 September, that of months does not.
    answer = await explained(reading, date(2024, 9, 27), date(2024, 10, 14))
    front = next(one.explained for one in answer.changes if str(one.tenor) == "Q+1")
    assert (front.start.method, front.end.method) == ("from_finer", "quoted")
    assert front.components is not None
    assert float(front.components.methodology) == pytest.approx(98.31 - 98.310250, abs=1e-6)
    numbers = front.components.numbers()
    assert numbers["total"] == front.total == pytest.approx(98.31 - 86.735998, abs=1e-6)
