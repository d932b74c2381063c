"""Prices whose columns have changed places are not stored."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.quality.gate import GateResult, check_rows
from aurum.pipelines.quality.price_sums import check_prices
from aurum.pipelines.quality.suites import Suite
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Dataset, Measure, Parsed, RefusedFile, SourceFile, describe_series

START = datetime(2025, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEADERS = {"lmp": "Total", "energy": "MEC", "congestion": "MCC", "loss": "MLC", "ghg": "MGHG"}
COMPONENTS = {"A": (1.5, 0.25), "B": (-3.0, 0.5), "C": (0.0, -0.75)}
"""Congestion and loss of three locations; the energy price of hour n is 30 + n."""
Prices = dict[str, float]
Row = tuple[str, datetime, Prices]


def row(location: str, hour: int, **changed: float) -> Row:
    congestion, loss = COMPONENTS[location]
    prices = {"lmp": 30 + hour + congestion + loss, "energy": 30.0 + hour, "congestion": congestion, "loss": loss}
    return location, START + HOUR * hour, prices | changed


def rows(hours: int = 4, locations: Sequence[str] = "ABC") -> list[Row]:
    return [row(location, hour) for hour in range(hours) for location in locations]


def exchanged(prices: list[Row], one: str, other: str) -> list[Row]:
    return [(location, ts, values | {one: values[other], other: values[one]}) for location, ts, values in prices]


def checked(prices: list[Row], declared: PriceSum | None, *, shuffled: bool = False, **more: object) -> GateResult:
    """Check a file with one line for each row."""
    measures = tuple(Measure(name, "USD/MWh", header) for name, header in HEADERS.items())
    sums = (declared,) if declared is not None else ()
    dataset = Dataset("invented", "prices", "Invented", "UTC", Frequency.HOUR, measures, price_sums=sums)
    points = [
        {"location": location, "measure": name, "ts": ts, "value": value, "quality": 0, "version": 0, "line": line}
        for name in HEADERS
        for line, (location, ts, values) in enumerate(prices, start=2)
        if (value := values.get(name)) is not None
    ]
    frame = pl.DataFrame(points, schema=PARSED)
    if shuffled:
        frame = frame.sample(fraction=1, shuffle=True, seed=1)
    frame = frame.with_columns(pl.lit(value, PARSED[name]).alias(name) for name, value in more.items())
    series = describe_series(dataset, frame)
    return check_rows(Parsed(dataset, frame, series, pl.DataFrame(schema=REFUSED), len(prices), str), Suite("none"))


PUBLISHED, DERIVED = PriceSum(tolerance=0.02, optional=("ghg",)), PriceSum(tolerance=0.03, derived=True)


@pytest.mark.parametrize("declared", [PUBLISHED, DERIVED, None])
@pytest.mark.parametrize("shuffled", [False, True])
def test_prices_that_add_up_pass_unchanged(declared: PriceSum | None, *, shuffled: bool) -> None:
    result = checked(rows(), declared, shuffled=shuffled)
    assert result.refusal == ""
    assert result.rows.height == 4 * 12
    assert result.quarantine.is_empty()


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("component", ["energy", "congestion", "loss"])
def test_a_total_exchanged_with_a_component_is_refused_and_both_are_named(component: str, *, shuffled: bool) -> None:
    result = checked(exchanged(rows(), "lmp", component), PUBLISHED, shuffled=shuffled)
    assert f"they would if 'Total' and {HEADERS[component]!r} changed places" in result.refusal
    assert "do not add up in 12 of 12 rows" in result.refusal
    assert result.rows.is_empty()


def test_the_refusal_shows_a_row() -> None:
    result = checked(exchanged(rows(), "lmp", "congestion"), PUBLISHED)
    assert (
        "line 2, A at 2025-06-01T00:00:00Z: 1.5 is not 30.0 + 31.75 + 0.25 (lmp = energy + congestion + loss)" in result.refusal
    )


@pytest.mark.parametrize("component", ["congestion", "loss"])
def test_an_energy_price_exchanged_with_a_component_is_refused_though_the_sum_holds(component: str) -> None:
    result = checked(exchanged(rows(), "energy", component), PUBLISHED)
    assert f"in 4 of 4 intervals, for example at 2025-06-01T00:00:00Z, {HEADERS[component]!r} is one number" in result.refusal


def test_an_energy_price_exchanged_with_congestion_is_refused_where_no_line_is_congested() -> None:
    uncongested = [
        (location, ts, values | {"lmp": values["energy"] + values["loss"], "congestion": 0.0})
        for location, ts, values in rows()
    ]
    assert checked(uncongested, PUBLISHED).refusal == ""
    assert "'MCC' is one number" in checked(exchanged(uncongested, "energy", "congestion"), PUBLISHED).refusal


@pytest.mark.parametrize("declared", [PUBLISHED, DERIVED])
def test_prices_that_differ_by_location_with_the_same_components_are_stored(declared: PriceSum) -> None:
    prices = [
        (location, ts, {"lmp": level + 1.25, "energy": level, "congestion": 1.0, "loss": 0.25})
        for location, level in (("A", 300.0), ("B", 30.0))
        for _, ts, _ in rows(4, "A")
    ]
    assert checked(prices, declared).refusal == ""


def test_energy_prices_of_two_balancing_areas_are_no_sign_of_an_exchange() -> None:
    north = [
        (location, ts, values | {"lmp": values["lmp"] + 5, "energy": values["energy"] + 5})
        for location, ts, values in rows(4, "A")
    ]
    assert checked([*north, *rows(4, "BC")], PUBLISHED).refusal == ""


@pytest.mark.parametrize(("error", "held"), [(0.0, 0), (0.02, 0), (-0.02, 0), (0.021, 4), (-1, 4)])
def test_a_row_beyond_the_tolerance_is_held_back_with_its_four_prices(error: float, held: int) -> None:
    prices = [*rows()[:-1], row("C", 3, lmp=33 - 0.75 + error)]
    result = checked(prices, PUBLISHED)
    assert result.refusal == ""
    assert result.rows.height == 48 - held
    assert result.quarantine["line"].to_list() == [13] * held
    assert set(result.quarantine["reason"]) == ({Reason.INCONSISTENT} if held else set())


def test_a_row_that_is_held_back_says_its_numbers() -> None:
    result = checked([*rows()[:-1], row("C", 3, lmp=1.0)], PUBLISHED)
    assert set(result.quarantine["detail"]) == {"1.0 is not 33.0 + 0.0 + -0.75 (lmp = energy + congestion + loss)"}
    assert set(result.quarantine["column"]) == {"Total", "MEC", "MCC", "MLC"}


def test_an_interval_with_the_energy_price_in_another_column_is_held_back_alone() -> None:
    result = checked([*rows(3), *exchanged([row(location, 3) for location in "ABC"], "energy", "loss")], PUBLISHED)
    assert result.refusal == ""
    assert result.rows["ts"].max() == START + 2 * HOUR
    assert set(result.quarantine["line"]) == {11, 12, 13}
    assert set(result.quarantine["detail"]) == {"'MLC' is one number at all locations, and 'MEC' is not"}


def test_a_component_that_a_market_may_lack_counts_where_it_is() -> None:
    with_ghg = [row(location, 0, lmp=values["lmp"] + 2, ghg=2.0) for location, _, values in rows(1)]
    assert checked([*with_ghg, *rows(4)[3:]], PUBLISHED).quarantine.is_empty()
    without_ghg = [row(location, 0, lmp=values["lmp"] + 2) for location, _, values in rows(1)]
    assert set(checked([*without_ghg, *rows(4)[3:]], PUBLISHED).quarantine["line"]) == {2, 3, 4}


def test_totals_without_components_are_not_checked() -> None:
    totals = [(location, ts, {"lmp": values["lmp"]}) for location, ts, values in rows()]
    assert checked(totals, PUBLISHED).rows.height == 12
    some = [*rows(2), *totals[6:]]
    assert checked(some, PUBLISHED).rows.height == 6 * 4 + 6


def test_components_that_were_not_filled_in_are_not_added() -> None:
    zeros = [(location, ts, dict.fromkeys(values, 0.0) | {"lmp": values["lmp"]}) for location, ts, values in rows()]
    result = checked(zeros, PUBLISHED)
    assert (result.refusal, result.rows.height, result.quarantine.height) == ("", 48, 0)


def test_a_withdrawn_price_is_not_added() -> None:
    assert checked(exchanged(rows(), "lmp", "loss"), PUBLISHED, quality=int(Quality.WITHDRAWN)).rows.height == 48


@pytest.mark.parametrize("column", ["congestion", "loss"])
def test_a_total_exchanged_is_refused_where_the_reader_computes_the_energy_price(column: str) -> None:
    result = checked(with_computed_energy(exchanged(rows(6), "lmp", column)), DERIVED)
    assert "are exchanged" in result.refusal


def test_a_computed_energy_price_may_be_outweighed_at_all_locations_for_some_hours() -> None:
    prices = with_computed_energy([(at, ts, {"lmp": -5.0, "congestion": -33.0, "loss": -2.0}) for at, ts, _ in rows(4)])
    assert checked(prices, DERIVED).refusal == ""


def test_congestion_subtracted_by_the_publisher_and_exchanged_with_losses_is_refused() -> None:
    """NYISO prints congestion with the opposite sign, so exchanging it with losses changes the computed energy price."""
    printed = [
        (location, ts, values | {"congestion": -values["loss"], "loss": -values["congestion"]})
        for location, ts, values in rows()
    ]
    result = checked(with_computed_energy(printed), DERIVED)
    assert (
        "the energy price that follows is one number at all locations only if 'MCC' and 'MLC' change places" in result.refusal
    )


def test_a_total_that_congestion_outweighs_at_one_location_for_a_day_is_stored() -> None:
    pocket = [("A", START + HOUR * hour, {"lmp": -5.0, "congestion": -33.0, "loss": -2.0}) for hour in range(24)]
    assert checked(with_computed_energy(pocket), DERIVED).refusal == ""
    week = [("A", START + HOUR * hour, {"lmp": -5.0, "congestion": -33.0, "loss": -2.0}) for hour in range(24 * 8)]
    assert "'MCC', 'MLC' outweigh 'Total' in 192 of 192 rows" in checked(with_computed_energy(week), DERIVED).refusal


def with_computed_energy(prices: list[Row]) -> list[Row]:
    return [
        (location, ts, values | {"energy": values["lmp"] - values["congestion"] - values["loss"]})
        for location, ts, values in prices
    ]


OPERATORS = ("pjm", "isone", "nyiso", "caiso", "miso", "spp")


@pytest.mark.needs_real_files
@pytest.mark.parametrize("operator", OPERATORS)
def test_no_price_of_a_real_file_is_held_back_for_its_sum(operator: str) -> None:
    folder = Path(__file__).resolve().parents[6] / "shared" / "data" / operator
    if not folder.is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    registry, checked_points = default_registry(), 0
    for path in (path for path in folder.rglob("*") if path.is_file()):
        document = SourceFile(path.name, path.read_bytes())
        try:
            _, file_format = registry.recognise(document)
            parts = [part for part in file_format.parse(document) if part.dataset.price_sums]
        except RefusedFile:
            continue
        for part in parts:
            result = check_prices(part.rows, part.dataset)
            assert (result.refusal, result.held.height) == ("", 0), path.name
            checked_points += part.rows.height
    assert checked_points > 1_000


def test_prices_that_were_rounded_to_cents_are_stored_at_every_operator() -> None:
    datasets = [dataset for source in default_registry().sources for dataset in source.datasets if dataset.price_sums]
    assert {dataset.source for dataset in datasets} == set(OPERATORS)
    for dataset in datasets:
        for declared in dataset.price_sums:
            rounded = declared.parts + declared.optional
            assert declared.tolerance >= 0.005 * (1 + len(rounded)), dataset.name


def test_every_dataset_with_components_of_a_price_declares_their_sum() -> None:
    datasets = {dataset for source in default_registry().sources for dataset in source.datasets}
    for dataset in datasets:
        names = {measure.name for measure in dataset.measures}
        totals = {name for name in names if name.endswith("lmp") and name.removesuffix("lmp") + "congestion" in names}
        assert totals == {declared.total for declared in dataset.price_sums}, dataset.name
        assert all(names.issuperset(declared.measures) for declared in dataset.price_sums)
