"""Spreads by numbers computed elsewhere (group F), and a calendar spread of real German settlements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from spread_quotes import POWER, quotes_file, spread_reading

from aurum.common.clock import SystemClock
from aurum.core.curves.spread_factors import HeatingValue, SpreadParameters
from aurum.services.curves.spread_question import FxKind, FxQuestion, LegQuestion, SpreadQuestion
from aurum.services.curves.spreads import SpreadAnswer, plan_spread, read_spread
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.stores import Store

pytestmark = pytest.mark.needs_real_files

DAY = date(2024, 10, 14)
SHARED = Path(__file__).resolve().parents[5] / "shared"


@pytest.fixture(scope="module")
def oracle() -> Mapping[str, Any]:
    path = SHARED / "design" / "quant" / "give.json"
    if not path.is_file():
        pytest.skip(f"no real files: {path} does not exist")
    entries = json.loads(path.read_text(encoding="utf-8"))
    group = next(entry["expected"] for entry in entries if entry["id"] == "F")
    return {name.partition(":")[0].partition(" (")[0]: expected for name, expected in group.items()}


def rate(pair: str, value: float) -> FxQuestion:
    return FxQuestion(FxKind.RATE, rate=value, pair=pair)


async def answer_of(store: Store, template: str, legs: Mapping[str, tuple[float, str]], **terms: Any) -> SpreadAnswer:
    reading = await spread_reading(store, keys=[])
    inline = {name: LegQuestion(value=value, unit=unit) for name, (value, unit) in legs.items()}
    question = SpreadQuestion(datetime(2024, 10, 16, tzinfo=UTC), template, inline, **terms)
    return await read_spread(reading, await plan_spread(reading, question))


def value_of(answer: SpreadAnswer) -> float:
    (value,) = answer.frame["value"].to_list()
    return value


async def test_spark_and_clean_spark_spreads(oracle: Mapping[str, Any]) -> None:
    store = MemoryStore(SystemClock())
    german = oracle["F1 DE clean spark"]
    plant = SpreadParameters(efficiency=german["eff"], emission_intensity=german["ef_thermal"], heating_value=HeatingValue.LHV)
    legs = {name: (german[name], "EUR/MWh") for name in ("power", "gas")}
    clean = await answer_of(store, "clean_spark", legs | {"emissions": (german["eua"], "EUR/t")}, parameters=plant)
    assert value_of(clean) == pytest.approx(german["clean_spark"], abs=1e-9)
    spark = await answer_of(store, "spark", legs, parameters=SpreadParameters(efficiency=german["eff"]))
    assert value_of(spark) == pytest.approx(german["spark"], abs=1e-9)
    british = oracle["F1 GB clean spark 49.13%"]
    plant = SpreadParameters(
        efficiency=british["eff"], emission_intensity=british["ef_thermal"], heating_value=HeatingValue.HHV
    )
    legs = {name: (british[name], "GBP/MWh") for name in ("power", "gas")}
    clean = await answer_of(store, "clean_spark", legs | {"emissions": (british["eua"], "GBP/t")}, parameters=plant)
    assert value_of(clean) == pytest.approx(british["clean_spark"], abs=1e-9)
    american = oracle["F2 US spark HR 7.0"]
    plant = SpreadParameters(heat_rate=7.0, heat_rate_unit="MMBtu/MWh")
    spark = await answer_of(store, "spark", {"power": (45.0, "USD/MWh"), "gas": (3.25, "USD/MMBtu")}, parameters=plant)
    assert value_of(spark) == pytest.approx(american["spark"], abs=1e-9)
    assert spark.frame["implied_heat_rate"].to_list() == pytest.approx([american["implied_heat_rate"]], rel=1e-9)


async def test_dark_crack_and_conversions(oracle: Mapping[str, Any]) -> None:
    store = MemoryStore(SystemClock())
    expected = oracle["F3 clean dark"]
    legs = {"power": (90.84, "EUR/MWh"), "coal": (110.0, "USD/t")}
    plant = SpreadParameters(efficiency=0.38)
    euro = rate("EURUSD", 1.10)
    dark = await answer_of(store, "dark", legs, parameters=plant, fx=euro)
    assert value_of(dark) == pytest.approx(expected["dark"], rel=1e-9)
    assert dark.legs[1].frame["converted"].to_list() == pytest.approx([expected["coal_EUR_per_MWh_th"]], rel=1e-9)
    plant = SpreadParameters(efficiency=0.38, emission_intensity=0.341)
    clean = await answer_of(store, "clean_dark", legs | {"emissions": (65.0, "EUR/t")}, parameters=plant, fx=euro)
    assert value_of(clean) == pytest.approx(expected["clean_dark"], rel=1e-9)
    pound = rate("EURGBP", 0.86)
    nbp = await answer_of(store, "custom", {"nbp": (100.0, "GBp/therm")}, unit="EUR/MWh", fx=pound)
    assert value_of(nbp) == pytest.approx(oracle["F4 NBP 100 GBp/th -> EUR/MWh at EURGBP 0.86"], rel=1e-9)
    ttf = await answer_of(store, "custom", {"ttf": (40.0, "EUR/MWh")}, unit="USD/MMBtu", fx=euro)
    assert value_of(ttf) == pytest.approx(oracle["F4 TTF 40 EUR/MWh -> USD/MMBtu at EURUSD 1.10"], rel=1e-9)
    barrels = {"crude": (80.0, "USD/bbl"), "gasoline": (2.5, "USD/gal"), "distillate": (2.7, "USD/gal")}
    crack = await answer_of(store, "crack", barrels)
    assert value_of(crack) == pytest.approx(oracle["F4 3-2-1 crack"], abs=1e-9)


async def test_a_calendar_spread_of_real_quarters(oracle: Mapping[str, Any], store: Store) -> None:
    paths = [SHARED / "data" / "forward" / "eex" / f"EEX_POWER_FUT_DE_BASE_{kind}_2021-2024.csv" for kind in "MQ"]
    for path in paths:
        if not path.is_file():
            pytest.skip(f"no real files: {path} does not exist")
    # Months as well: the quarters are quoted, and a strip of months is not their settlement.
    files = pl.concat([pl.read_csv(path, separator=";", infer_schema=False) for path in paths])
    rows = files.filter(pl.col("TimeStamp").str.starts_with(str(DAY)))
    quotes = rows.select(
        pl.col("Begin").str.head(10) + ".." + pl.col("End").str.head(10),
        pl.col("Settlement").str.replace(",", ".").cast(pl.Float64),
    ).rows()
    file = quotes_file({POWER: {DAY: [(label, None, price, None) for label, price in quotes]}})
    reading = await spread_reading(store, file)
    legs = {"near": LegQuestion(POWER, "Q1-25"), "far": LegQuestion(period="Q2-25")}
    question = SpreadQuestion(datetime(2024, 10, 16, tzinfo=UTC), "calendar", legs)
    answer = await read_spread(reading, await plan_spread(reading, question))
    assert value_of(answer) == pytest.approx(oracle["F5 calendar spread 2024-10-14 Q1-25 minus Q2-25"], abs=1e-9)
    through = await read_spread(reading, await plan_spread(reading, replace(question, first=DAY, last=DAY)))
    assert value_of(through) == value_of(answer)
