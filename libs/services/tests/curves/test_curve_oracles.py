"""Builds and shapes of real German settlements, by numbers computed elsewhere (groups B, D and E)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from curve_quotes import BASE, BY, curve_reading, hourly_spot, session_file

from aurum.common.clock import SystemClock
from aurum.core.curves.build import Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.shapes import Profile, learn_shape
from aurum.core.curves.strips import StripMethod
from aurum.services.curves.build import build, repeat
from aurum.services.curves.build_answer import BuildAnswer
from aurum.services.curves.build_question import BuildQuestion, InDelivery, InlineQuote, Prior, Wave
from aurum.services.curves.shapes import Origin, store_shape
from aurum.services.curves.strips import StripsQuestion, plan_strips, read_strips
from aurum.storage.memory import MemoryStore

DAY = date(2024, 10, 14)
Sessions = Callable[[date, str], list[tuple[str, float | None]]]


@pytest.fixture(scope="module")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[5] / "shared" / "data"
    if not (folder / "forward").is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder


@pytest.fixture(scope="module")
def oracle(real_files: Path) -> Callable[[str], Any]:
    entries = json.loads((real_files.parent / "design" / "quant" / "give.json").read_text(encoding="utf-8"))
    return {entry["id"]: entry["expected"] for entry in entries}.__getitem__


@pytest.fixture(scope="module")
def sessions(real_files: Path) -> Sessions:
    """Settlements of a trade date, by kinds of period such as ``MQ``."""

    def read(trade_date: date, kinds: str) -> list[tuple[str, float | None]]:
        frames = [
            pl.read_csv(
                real_files / "forward" / "eex" / f"EEX_POWER_FUT_DE_BASE_{kind}_2021-2024.csv",
                separator=";",
                infer_schema=False,
            ).filter(pl.col("TimeStamp").str.starts_with(str(trade_date)))
            for kind in kinds
        ]
        rows = pl.concat(frames).select(
            pl.col("Begin").str.head(10) + ".." + pl.col("End").str.head(10),
            pl.col("Settlement").str.replace(",", ".").cast(pl.Float64),
        )
        return rows.rows()

    return read


@pytest.fixture(scope="module")
def auction(real_files: Path) -> pl.DataFrame:
    path = real_files / "forward" / "eex" / "DE_day_ahead_auction_prices.csv"
    return pl.read_csv(path, infer_schema=False).select(
        local=pl.col("Date").str.to_datetime("%m/%d/%Y %H:%M", time_unit="us"),
        price=pl.col("Day Ahead Auction Price EUR/MWh").cast(pl.Float64),
    )


def value_on(answer: BuildAnswer, day: str) -> float:
    return float(answer.values["value"][(date.fromisoformat(day) - answer.first).days])


@pytest.mark.parametrize(
    ("name", "kinds", "prior"),
    [
        ("give M+Q", "MQ", None),
        ("give M+Q prior cos10", "MQ", Prior(Wave(10.0, 15.0))),
        ("give W+M+Q", "WMQ", None),
    ],
)
async def test_smooth_builds_are_those_of_the_reference(
    sessions: Sessions, oracle: Callable[[str], Any], name: str, kinds: str, prior: Prior | None
) -> None:
    expected = oracle("D1")[name]
    reading = await curve_reading(MemoryStore(SystemClock()), session_file(BASE, DAY, sessions(DAY, kinds)))
    answer = await build(reading, BuildQuestion(BASE, trade_date=DAY, prior=prior))
    report = answer.built.report
    assert (report.quotes, len(report.independent)) == (expected["n_quotes"], expected["n_independent"])
    assert (str(answer.first), str(answer.end)) == (expected["first"], expected["end"])
    assert len(answer.values["value"]) == expected["n_days"]
    assert report.max_abs_error < 1e-9
    assert report.objective == pytest.approx(expected["J"], rel=1e-6)
    for day, value in expected["at"].items():
        assert value_on(answer, day) == pytest.approx(value, abs=1e-5)
    stated = answer.documents(["report"])["report"]["rounding"]  # type: ignore[index]
    assert [one["implied"] for one in stated] == pytest.approx([one["implied"] for one in expected["redundant"]], abs=1e-6)
    again = await repeat(reading, answer.receipt)
    np.testing.assert_allclose(again.values["value"], answer.values["value"], rtol=0, atol=1e-9)


async def test_months_without_a_quote_are_implied(sessions: Sessions, oracle: Callable[[str], Any]) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), session_file(BASE, DAY, sessions(DAY, "MQ")))
    expected = oracle("D2")
    months = {f"{day[:7]}": value for day, value in expected["L1b implied months smooth M+Q"].items()}
    smooth = await build(reading, BuildQuestion(BASE, periods=tuple(months)))
    assert [one.value for one in smooth.periods] == pytest.approx(list(months.values()), abs=1e-6)
    flat = await build(reading, BuildQuestion(BASE, objective=Objective.FLAT, periods=("Aug-25", "Sep-25")))
    assert [one.value for one in flat.periods] == pytest.approx([expected["L1b flat Aug+Sep-25"]] * 2, abs=1e-6)


@pytest.mark.parametrize(("kinds", "august"), [("MQ", 86.912886), ("WMQ", 86.9268)])
async def test_a_strip_of_a_month_without_a_quote_is_that_of_the_build(sessions: Sessions, kinds: str, august: float) -> None:
    reading = await curve_reading(MemoryStore(SystemClock()), session_file(BASE, DAY, sessions(DAY, kinds)))
    product = await reading.curves.product(BASE, tenant=None)
    question = StripsQuestion(datetime(2024, 10, 15, tzinfo=UTC), ("Aug-25", "Jan-28"), DAY)
    derived, missing = await read_strips(reading, await plan_strips(reading, product, question))
    assert (derived.method, derived.coverage) == (StripMethod.FROM_BUILD, 1.0)
    assert derived.value == pytest.approx(august, abs=1e-6 if kinds == "MQ" else 1e-4)
    assert (missing.value, missing.method) == (None, None)
    assert missing.coverage < 1
    assert missing.reason is not None


@pytest.mark.parametrize(("price", "size", "is_contradiction"), [(98.33, 0.019750, True), (98.315, 0.004750, False)])
async def test_an_injected_quarter_is_a_contradiction_or_rounding(
    sessions: Sessions, price: float, size: float, is_contradiction: bool
) -> None:
    quotes = [(label, price if label == "2025-01-01..2025-04-01" else value) for label, value in sessions(DAY, "MQ")]
    reading = await curve_reading(MemoryStore(SystemClock()), session_file(BASE, DAY, quotes))
    report = (await build(reading, BuildQuestion(BASE))).documents(["report"])["report"]
    members = report["contradictions"] if is_contradiction else report["rounding"]  # type: ignore[index]
    (one,) = [each for each in members if each["quote"] == "Q1-25"]
    assert one["size"] == pytest.approx(size, abs=1e-6)
    assert [term["weight"] for term in one["implied_by"]] == [744.0, 672.0, 743.0]


async def test_a_month_in_delivery_is_realised_hours_and_the_rest(sessions: Sessions, auction: pl.DataFrame) -> None:
    day = date(2021, 1, 5)
    spot = auction.filter(pl.col("local").is_between(datetime(2021, 1, 1), datetime(2021, 1, 6, 23)))["price"].to_list()
    reading = await curve_reading(
        MemoryStore(SystemClock()),
        session_file(BASE, day, sessions(day, "WM")),
        hourly_spot(datetime(2020, 12, 31, 23, tzinfo=UTC), spot),
    )
    answer = await build(reading, BuildQuestion(BASE, in_delivery=InDelivery.NET_REALISED))
    by_quote = {one.quote.label: one for one in answer.forward.netted}
    assert by_quote["Jan-21"].hours == 144.0
    # The rest of the month against the rest of the week and the other weeks: 72 hours of 45.826667 against 45.861111.
    stated = answer.documents(["report"])["report"]["rounding"]  # type: ignore[index]
    (rest,) = [one for one in stated if one["quote"] == "Jan-21 from 2021-01-07"]
    assert rest["size"] == pytest.approx((45.826667 - 45.861111) * 72 / 600, abs=1e-6)


@pytest.mark.parametrize(
    ("month", "price", "profile", "name"),
    [
        ("2024-10", 77.95, Profile.AUTO, "E2 Oct-24 745h mult"),
        ("2024-10", 77.95, Profile.ADDITIVE, "E2 Oct-24 745h add"),
        ("2025-03", 89.37, Profile.AUTO, "E2 Mar-25 743h mult"),
        ("2025-03", 89.37, Profile.ADDITIVE, "E2 Mar-25 743h add"),
        ("2024-11", 90.84, Profile.MULTIPLICATIVE, "E2 Nov-24 mult"),
    ],
)
async def test_hours_are_those_of_the_reference(
    auction: pl.DataFrame, oracle: Callable[[str], Any], month: str, price: float, profile: Profile, name: str
) -> None:
    expected = oracle("E")[name]
    answer = await _shaped(auction, (InlineQuote(price, month),), profile)
    values = answer.values["value"]
    assert len(values) == expected["n"]
    assert values.mean() == pytest.approx(price, abs=1e-9)
    assert (values.min(), values.max()) == (
        pytest.approx(expected["min"], rel=1e-9), pytest.approx(expected["max"], rel=1e-9),
    )  # fmt: skip
    assert values @ values == pytest.approx(expected["sum_sq"], rel=1e-9)
    for local, value in expected["first"]:
        assert _at(answer, datetime.fromisoformat(local)) == pytest.approx(value, rel=1e-9)
    for utc, _, value in expected.get("dst", ()):
        assert _at(answer, datetime.fromisoformat(utc)) == pytest.approx(value, rel=1e-9)


async def test_base_and_peak_have_both_their_price(auction: pl.DataFrame, oracle: Callable[[str], Any]) -> None:
    expected = oracle("E")["E3 Nov-24 base 90.84 + peak 105 kept together"]
    quotes = (InlineQuote(90.84, "Nov-24"), InlineQuote(105.0, "Nov-24", block="PEAK"))
    answer = await _shaped(auction, quotes, Profile.AUTO)
    by_block = {one.block: one.value for one in answer.periods}
    assert (by_block["BASE"], by_block["PEAK"], by_block["OFF_PEAK"]) == pytest.approx(
        (90.84, 105.0, expected["off_exact"]), abs=1e-9
    )
    for local, value in expected["at"]:
        assert _at(answer, datetime.fromisoformat(local)) == pytest.approx(value, rel=1e-9)


async def test_a_month_below_zero_keeps_the_evening_above_the_night(
    auction: pl.DataFrame, oracle: Callable[[str], Any]
) -> None:
    expected = oracle("E")["E4 month at -5"]
    night, evening = datetime.fromisoformat("2024-11-01T03:00+01:00"), datetime.fromisoformat("2024-11-01T19:00+01:00")
    for profile, kind in ((Profile.AUTO, "add"), (Profile.MULTIPLICATIVE, "mult")):
        answer = await _shaped(auction, (InlineQuote(-5.0, "Nov-24"),), profile)
        assert _at(answer, night) == pytest.approx(expected[f"{kind} 03h"], rel=1e-9)
        assert _at(answer, evening) == pytest.approx(expected[f"{kind} 19h"], rel=1e-9)


def _at(answer: BuildAnswer, instant: datetime) -> float:
    place = (instant - answer.terms[0].calendar.start_of(answer.first)) / timedelta(hours=1)
    return float(answer.values["value"][round(place)])


async def _shaped(auction: pl.DataFrame, quotes: tuple[InlineQuote, ...], profile: Profile) -> BuildAnswer:
    """Build with the shape of the file's own hours, which have an invented one in spring and lack one in autumn."""
    store = MemoryStore(SystemClock())
    reading = await curve_reading(store)
    window = auction.filter(pl.col("local").is_between(datetime(2023, 6, 1), datetime(2024, 5, 31, 23)))
    shape = learn_shape(window["local"].to_numpy(), window["price"].to_numpy())
    origin = Origin("file", date(2023, 6, 1), date(2024, 6, 1), None, None, 1.0)
    await store_shape(store.transactions, "de", shape, origin, tenant=None, version=None, by=BY)
    question = BuildQuestion(BASE, quotes=quotes, grid=Resolution.HOUR, objective=Objective.SHAPE, shape="de", profile=profile)
    return await build(reading, question)
