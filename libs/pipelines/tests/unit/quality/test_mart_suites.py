"""Marts checked against their suites, with Polars and with Great Expectations itself, whose import takes seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings.quality import QualitySettings
from aurum.core.errors import UnknownName
from aurum.pipelines.quality.great_expectations import validate, validate_frame
from aurum.pipelines.quality.marts import ExpectationsFailed, validate_marts
from aurum.pipelines.quality.outcomes import evaluate
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import MartSuite, Severity, read_mart_suites, read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.models import MemoryMartReader
from aurum.storage.ports.quality import ValidationFilter

FOLDER = contracts_directory(None) / "expectations"
SUITES = {one.mart: one for one in read_mart_suites(FOLDER)}
KEY = "nyiso:damlbmp_zone:61761:lmp"
OTHER = "nyiso:damlbmp_zone:61752:lmp"
DAY = date(2025, 11, 2)
CURVE = "power:DE:base:EEX"
TRADED, EARLIER = date(2024, 10, 14), date(2024, 10, 11)
Q1, Q2, Q3 = date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1)
PRICES_HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"


def at(hour: int, day: int = 2) -> datetime:
    return datetime(2025, 11, day, hour, tzinfo=UTC)


GOOD: Mapping[str, Mapping[str, list[Any]]] = {
    "dim_market_day": {
        "zone": ["America/New_York"] * 2, "market_day": [DAY, date(2025, 11, 3)], "starts_at": [at(4), at(5, 3)],
        "ends_at": [at(5, 3), at(5, 4)], "hours": [25.0, 24.0], "weekday": [7, 1],
    },
    "dim_block_hour": {
        "calendar": ["nyiso"] * 2, "block": ["ON_PEAK"] * 2, "hour_start": [at(12), at(13)], "market_day": [DAY] * 2,
        "hour_ending": [8, 9],
    },
    "dim_series": {
        "series_id": [1, 2], "series_key": [KEY, OTHER], "source": ["nyiso"] * 2, "dataset": ["damlbmp_zone"] * 2,
        "measure": ["lmp"] * 2, "unit": ["USD/MWh"] * 2, "frequency": ["1h"] * 2, "zone": ["America/New_York"] * 2,
        "series_version": [1, 4], "family": ["lmp", None], "step_seconds": [3600, None], "first_ts": [at(4), None],
        "last_ts": [at(9), None],
    },
    "dim_location": {
        "source": ["nyiso", "nyiso"], "location": ["61761", "61752"], "series": [4, 4], "first_ts": [at(4), at(4)],
        "last_ts": [at(5), None],
    },
    "mart_series_latest": {
        "series_id": [1, 2], "series_key": [KEY, OTHER], "ts": [at(9)] * 2, "value": [53.65, -2.0], "quality": [0, 3],
        "known_at": [at(1)] * 2, "quality_name": ["good", "suspect"],
    },
    "mart_series_revisions": {
        "series_id": [1, 1], "series_key": [KEY] * 2, "ts": [at(9)] * 2, "revision": [1, 2], "quality": [0, 0],
        "known_at": [at(1), at(2)], "is_current": [False, True], "superseded_at": [at(2), None],
    },
    "mart_completeness": {
        "series_id": [1, 2], "series_key": [KEY, OTHER], "market_day": [DAY] * 2, "expected": [25, 25], "present": [25, 20],
        "missing": [0, 5], "is_complete": [True, False],
    },
    "fct_lmp_daily": {
        "series_id": [1, 2], "series_key": [KEY, OTHER], "zone": ["America/New_York"] * 2, "market_day": [DAY] * 2,
        "unit": ["USD/MWh"] * 2, "intervals_present": [25, 0], "intervals_expected": [25, 25], "price_mean": [51.5, None],
        "price_max": [80.0, None], "price_min": [12.0, None], "residual_max": [0.01, None],
    },
    "fct_lmp_block": {
        "series_id": [1, 1], "series_key": [KEY] * 2, "calendar": ["nyiso"] * 2, "block": ["ON_PEAK", "OFF_PEAK"],
        "market_day": [DAY] * 2, "unit": ["USD/MWh"] * 2, "hours_present": [0.0, 25.0], "hours_expected": [16, 25],
        "price_mean": [51.5, 48.0], "hour_max": [80.0, 50.0], "hour_min": [12.0, 50.0],
    },
    "fct_load_daily": {
        "series_id": [1, 2], "series_key": [KEY, OTHER], "kind": ["load", "forecast"], "zone": ["America/New_York"] * 2,
        "market_day": [DAY] * 2, "intervals_present": [300, 25], "intervals_expected": [300, 25], "peak_mw": [6000.0, 1.0],
        "trough_mw": [4000.0, 1.0],
    },
    "fct_generation_mix_daily": {
        "series_id": [1, 2], "series_key": [KEY, OTHER], "fuel": ["Wind", "Hydro"], "zone": ["America/New_York"] * 2,
        "market_day": [DAY] * 2, "intervals_present": [300, 25], "intervals_expected": [300, 25],
        "energy_mwh": [6000.0, 2000.0], "share": [0.75, 0.25],
    },
    "fct_drought_index": {
        "source": ["drought_monitor"] * 2, "location": ["06", "36"], "week_start": [DAY] * 2, "is_published": [True, False],
        "known_at": [at(1)] * 2, "dsci": [120.0, 0.0], "none_percent": [40.0, 100.0], "d0_percent": [60.0, 0.0],
        "d1_percent": [40.0, 0.0], "d2_percent": [15.0, 0.0], "d3_percent": [5.0, 0.0], "d4_percent": [0.0, 0.0],
    },
    "dim_product": {
        "curve_id": [1, 2], "curve_key": [CURVE, "gas:TTF:base:ICE"], "commodity": ["power", "gas"], "area": ["DE", "TTF"],
        "venue": ["EEX", "ICE"], "unit": ["EUR/MWh"] * 2, "tick": [0.01, 0.001], "calendar": ["eu_power", "eu_gas"],
        "weighting": ["hours", "days"], "curve_version": [4, 1], "first_trade_date": [EARLIER, None],
        "last_trade_date": [TRADED, None],
    },
    "fct_curve_settlements": {
        "curve_id": [1, 1], "curve_key": [CURVE] * 2, "trade_date": [TRADED] * 2, "delivery_start": [Q1, Q2],
        "delivery_end": [Q2, Q3], "period_label": ["Q1-25", "Q2-25"], "period_kind": ["quarter"] * 2,
        "starts_at": [at(4), at(5)], "ends_at": [at(5), at(6)], "hours": [2159.0, 2184.0], "known_at": [at(1)] * 2,
        "previous_trade_date": [EARLIER, None], "settle": [98.31, None], "bid": [98.0, None], "ask": [98.0, None],
    },
    "fct_curve_strips": {
        "curve_id": [1, 1], "curve_key": [CURVE] * 2, "is_exchange": [True] * 2, "trade_date": [TRADED] * 2,
        "delivery_start": [Q1, Q2], "delivery_end": [Q2, Q3], "period_label": ["Q1-25", "Q2-25"],
        "period_kind": ["quarter"] * 2, "hours": [2159.0, 2184.0], "tick": [0.01] * 2, "parts": [3, 0], "coverage": [1.0, 0.0],
        "ticks_apart": [1, None],
    },
    "mart_curve_moves": {
        "curve_id": [1, 1], "curve_key": [CURVE] * 2, "trade_date": [TRADED] * 2, "previous_trade_date": [EARLIER] * 2,
        "delivery_start": [Q1, Q2], "delivery_end": [Q2, Q3], "period_label": ["Q1-25", "Q2-25"],
        "period_kind": ["quarter"] * 2, "status": ["both", "listed"], "relative_move": [0.02, None],
    },
}  # fmt: skip
"""Valid rows of every mart, including nulls and values at the bounds."""

BAD: Mapping[str, tuple[str, list[Any]]] = {
    "dim_market_day": ("ends_at", [at(4), at(3)]),
    "dim_block_hour": ("hour_start", [at(12), at(12)]),
    "dim_series": ("series_key", [KEY, KEY]),
    "dim_location": ("series", [4, 0]),
    "mart_series_latest": ("value", [53.65, None]),
    "mart_series_revisions": ("superseded_at", [at(1), None]),
    "mart_completeness": ("missing", [26, -1]),
    "fct_lmp_daily": ("price_mean", [51.5, 10_000.5]),
    "fct_lmp_block": ("block", ["ON_PEAK", "ON_PEAK"]),
    "fct_load_daily": ("kind", ["load", "guess"]),
    "fct_generation_mix_daily": ("intervals_present", [301, 25]),
    "fct_drought_index": ("dsci", [501.0, 0.0]),
    "dim_product": ("tick", [0.0, 0.001]),
    "fct_curve_settlements": ("delivery_end", [Q1, Q3]),
    "fct_curve_strips": ("coverage", [1.5, 0.0]),
    "mart_curve_moves": ("status", ["both", "gone"]),
}
"""For each mart, a column with values that break a critical expectation."""


def good(mart: str) -> pl.DataFrame:
    return pl.DataFrame(GOOD[mart])


def bad(mart: str) -> pl.DataFrame:
    column, values = BAD[mart]
    return good(mart).with_columns(pl.Series(column, values, dtype=good(mart).schema[column]))


def test_every_mart_of_the_project_has_a_suite() -> None:
    assert set(SUITES) == set(GOOD)
    assert all(one.suite.name == one.mart == one.path.stem for one in SUITES.values())


@pytest.mark.parametrize("mart", GOOD)
def test_valid_rows_break_no_expectation(mart: str) -> None:
    outcomes = evaluate(good(mart), SUITES[mart].suite).outcomes
    assert [one for one in outcomes if not one.success] == []
    assert set(SUITES[mart].suite.columns) == set(good(mart).columns), "the example has what the suite looks at"


@pytest.mark.filterwarnings("ignore")  # of Great Expectations and what it stands on
@pytest.mark.needs_great_expectations
@pytest.mark.parametrize("mart", GOOD)
def test_polars_and_great_expectations_give_the_same_outcomes(mart: str) -> None:
    # The frame has valid and invalid rows; the other columns are valid.
    ours = evaluate(bad(mart), SUITES[mart].suite).outcomes
    theirs = validate_frame(bad(mart), SUITES[mart].path)
    assert [(one.expectation, one.severity, one.success, one.unexpected) for one in ours] == [
        (one.expectation, one.severity, one.success, one.unexpected) for one in theirs
    ]
    assert any(not one.success and one.severity == "critical" for one in theirs)


@pytest.mark.filterwarnings("ignore")  # of Great Expectations and what it stands on
@pytest.mark.needs_great_expectations
def test_the_gate_and_great_expectations_count_the_same_breaches() -> None:
    text = PRICES_HEADER + "".join(
        f"11/05/2025 {hour:02d}:00,N.Y.C.,61761,{price},2.92,0.00\n"
        for hour, price in enumerate((50, 99_999, -88_888, 4_500, 20))
    )
    document = SourceFile("20251105damlbmp_zone.csv", text.encode())
    _, file_format = default_registry().recognise(document)
    (parsed,) = file_format.parse(document)
    path = FOLDER / "nyiso_damlbmp_zone.json"
    suite = read_suites(FOLDER).of("nyiso", "damlbmp_zone")
    ours = [int(parsed.rows.select(one.breach.sum()).item()) for one in suite.rows]
    theirs = [result.unexpected for result in validate(parsed.rows, path) if result.unexpected is not None]
    assert ours == theirs
    assert sum(ours) > 0
    assert {one.severity for one in suite.rows} >= {Severity.CRITICAL}


async def test_outcomes_are_recorded_and_a_failure_can_end_a_job() -> None:
    store = MemoryStore(SystemClock())
    marts = MemoryMartReader({"fct_lmp_daily": bad("fct_lmp_daily"), "dim_series": good("dim_series")})
    suites = tuple(SUITES[name] for name in ("dim_location", "dim_series", "fct_lmp_daily"))
    report = await validate_marts(marts, suites, store.validations, run_id="run-1")
    assert report.failed == ("dim_location", "fct_lmp_daily")
    with pytest.raises(ExpectationsFailed, match="dim_location, fct_lmp_daily"):
        report.raise_failure()
    missing, series, prices = [(await store.validations.validation(number)) for number in report.ids]
    assert (missing.entry.success, missing.entry.reason) == (False, "mart dim_location does not exist")
    assert (series.entry.success, series.entry.rows, series.entry.run_id) == (True, 2, "run-1")
    (broken,) = [one for one in prices.outcomes if not one.success and one.severity == "critical"]
    assert (broken.unexpected, broken.evaluated) == (1, 2)
    assert broken.sample == ({"series_key": OTHER, "market_day": "2025-11-02", "price_mean": 10_000.5},)


async def test_some_marts_can_be_checked_alone_and_only_those_that_have_a_suite() -> None:
    store = MemoryStore(SystemClock())
    marts = MemoryMartReader({"dim_series": good("dim_series")})
    report = await validate_marts(marts, tuple(SUITES.values()), store.validations, only=["dim_series"])
    report.raise_failure()
    assert len(report.ids) == 1
    with pytest.raises(UnknownName, match="dim_serie"):
        await validate_marts(marts, tuple(SUITES.values()), store.validations, only=["dim_serie"])


async def test_old_validations_are_deleted_when_new_ones_are_recorded() -> None:
    store = MemoryStore(SystemClock())
    cleanup = ValidationCleanup(store.validations, QualitySettings(keep_each=2), SystemClock())
    marts = MemoryMartReader({"dim_series": good("dim_series")})
    for number in range(4):
        suites: tuple[MartSuite, ...] = (SUITES["dim_series"],)
        await validate_marts(marts, suites, store.validations, run_id=str(number), cleanup=cleanup)
    remaining = await store.validations.validations_page(ValidationFilter(), before=None, limit=9)
    assert [one.run_id for one in remaining] == ["3", "2"]


def test_a_column_that_is_gone_or_of_another_type_fails_and_says_so() -> None:
    suite = SUITES["dim_block_hour"].suite
    outcomes = evaluate(good("dim_block_hour").drop("hour_ending"), suite).outcomes
    failed = [(one.column, one.observed, one.unexpected) for one in outcomes if not one.success]
    assert failed == [("hour_ending", "no column hour_ending", None)] * 2
    odd = good("dim_block_hour").with_columns(pl.lit("nine").alias("hour_ending"))
    (failure,) = [one for one in evaluate(odd, suite).outcomes if not one.success]
    assert (failure.column, failure.unexpected) == ("hour_ending", None)
    assert failure.observed is not None
    assert failure.observed.startswith("cannot be evaluated: ")
