from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from aurum.core.curves.build import BuildQuote, Objective, build_curve
from aurum.core.curves.shapes import (
    InvalidShape,
    Profile,
    Shape,
    learn_shape,
    shape_from_document,
    wall_clock,
)

TICK = 0.01
OCT, NOV, DEC = date(2024, 10, 1), date(2024, 11, 1), date(2024, 12, 1)


def local_of(grid: Any) -> NDArray[np.datetime64]:
    return np.array([start.replace(tzinfo=None) for start in grid.starts], "datetime64[us]")


def invented() -> Shape:
    """A dear evening, a cheap Sunday noon below zero."""
    hours = np.arange(24)
    weekday = 80 + 25 * np.exp(-(((hours - 19) / 3) ** 2)) - 15 * np.exp(-(((hours - 13) / 3) ** 2))
    return Shape(np.stack([weekday, weekday - 20, np.where(hours == 13, -6.0, weekday - 30)])[None], 75.0)


def shaped(quotes: list[BuildQuote], grid: Any, shape: Shape, profile: Profile = Profile.AUTO) -> NDArray[np.float64]:
    """Return the prices of a build of quotes with the form of a shape."""
    form = shape.form(local_of(grid))
    built = build_curve(quotes, grid, tick=TICK, objective=Objective.SHAPE, prior=form, profile=profile, window_mean=shape.mean)
    return built.values


def profile_of(values: NDArray[np.float64], form: NDArray[np.float64]) -> Profile:
    """Return how prices came from a form: scaled, or shifted."""
    is_scaled, is_shifted = (np.ptp(made) < 1e-9 for made in (values / form, values - form))
    assert is_scaled != is_shifted
    return Profile.MULTIPLICATIVE if is_scaled else Profile.ADDITIVE


@pytest.mark.parametrize("profile", [Profile.MULTIPLICATIVE, Profile.ADDITIVE])
@pytest.mark.parametrize(("first", "end", "count"), [(OCT, NOV, 745), (date(2025, 3, 1), date(2025, 4, 1), 743)])
def test_months_with_clock_changes_have_their_mean(
    cells: Callable[..., Any], profile: Profile, first: date, end: date, count: int
) -> None:
    grid, shape = cells(first, end), invented()
    values = shaped([BuildQuote(first, end, 77.95)], grid, shape, profile)
    assert len(values) == count
    assert values.mean() == pytest.approx(77.95, abs=1e-12)
    assert profile_of(values, shape.form(local_of(grid))) is profile


def test_the_repeated_hour_has_one_form_twice(cells: Callable[..., Any]) -> None:
    grid = cells(date(2024, 10, 27), date(2024, 10, 28))
    form = invented().form(local_of(grid))
    assert len(form) == 25
    assert form[2] == form[3] != form[4]


def test_quarter_hours_keep_the_mean_of_each_period(cells: Callable[..., Any]) -> None:
    grid, shape = cells(OCT, DEC, 15), invented()
    values, form = shaped([BuildQuote(OCT, NOV, 77.95), BuildQuote(NOV, DEC, -3.0)], grid, shape), shape.form(local_of(grid))
    for is_in, price, profile in ((grid.day < 31, 77.95, Profile.MULTIPLICATIVE), (grid.day >= 31, -3.0, Profile.ADDITIVE)):
        assert np.average(values[is_in]) == pytest.approx(price, abs=1e-9)
        assert profile_of(values[is_in], form[is_in]) is profile


@pytest.mark.parametrize(
    ("price", "profile"), [(18.76, "multiplicative"), (18.74, "additive"), (0.0, "additive"), (-5.0, "additive")]
)
def test_auto_multiplies_from_a_quarter_of_the_windows_mean(cells: Callable[..., Any], price: float, profile: str) -> None:
    grid, shape = cells(NOV, DEC), invented()
    values = shaped([BuildQuote(NOV, DEC, price)], grid, shape)
    assert profile_of(values, shape.form(local_of(grid))) == profile
    assert values.mean() == pytest.approx(price, abs=1e-9)
    assert values[19] > values[3]


def test_cells_outside_all_quotes_have_no_price(cells: Callable[..., Any]) -> None:
    grid = cells(OCT, DEC)
    values = shaped([BuildQuote(NOV, DEC, 90.0)], grid, invented())
    assert np.isnan(values[grid.day < 31]).all()
    assert values[grid.day >= 31].mean() == pytest.approx(90.0, abs=1e-9)


def test_a_learned_shape_is_the_means_of_its_groups_and_survives_its_document() -> None:
    local = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[h]").astype("datetime64[us]")
    hours = local.astype("datetime64[h]").astype(np.int64)
    values = (hours % 24) + 100.0 * ((hours // 24 + 3) % 7 >= 5)
    shape = learn_shape(local, values)
    assert shape.means[0, 0].tolist() == list(range(24))
    assert shape.means[0, 2, 5] == 105.0
    assert shape.mean == pytest.approx(values.mean())
    again = shape_from_document(shape.to_document())
    assert (again.mean, again.means.tolist()) == (shape.mean, shape.means.tolist())
    assert shape.form_of_days(date(2024, 1, 5), date(2024, 1, 8)).tolist() == [11.5, 111.5, 111.5]


def test_a_shape_by_month_has_the_form_of_the_month() -> None:
    local = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[h]").astype("datetime64[us]")
    month = local.astype("datetime64[M]").astype(np.int64) % 12 + 1.0
    shape = learn_shape(local, month, by_month=True)
    assert shape.is_by_month
    assert shape.form(np.array(["2030-07-14T05:00"], "datetime64[us]")).tolist() == [7.0]
    assert shape.form_of_days(date(2030, 12, 31), date(2031, 1, 2)).tolist() == [12.0, 1.0]


def test_a_window_that_lacks_an_hour_is_refused_by_name() -> None:
    local = np.arange("2024-01-01", "2024-01-08", dtype="datetime64[h]").astype("datetime64[us]")
    values = np.ones(len(local))
    values[-1] = np.nan
    with pytest.raises(InvalidShape, match="Sunday 23:00") as raised:
        learn_shape(local, values)
    assert raised.value.facts["missing"] == ["Sunday 23:00"]
    with pytest.raises(InvalidShape, match="in month 2"):
        learn_shape(local, np.ones(len(local)), by_month=True)


@pytest.mark.parametrize(
    "document",
    [{}, {"mean": 1.0, "means": [[1.0]]}, {"mean": float("nan"), "means": [[[1.0] * 24] * 3]}, {"mean": "x", "means": []}],
)
def test_a_document_that_is_not_a_shape_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(InvalidShape):
        shape_from_document(document)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_wall_clock_agrees_with_the_zone_database(zone: str) -> None:
    starts = np.arange("2024-03-01", "2025-12-01", np.timedelta64(30, "m"), dtype="datetime64[us]")
    sparse = np.concatenate([starts[:500:50], starts[9000::977], starts[:3]])
    for instants in (starts, sparse, starts[:5], starts[::-1], starts[:0]):
        place = ZoneInfo(zone)
        expected = [
            instant.replace(tzinfo=UTC).astimezone(place).replace(tzinfo=None, fold=0) for instant in instants.astype(datetime)
        ]
        assert wall_clock(instants, zone).astype(datetime).tolist() == expected


def test_base_and_peak_are_kept_together_by_a_shaped_build(cells: Callable[..., Any]) -> None:
    grid, shape = cells(NOV, DEC), invented()
    quotes = [BuildQuote(NOV, DEC, 90.84), BuildQuote(NOV, DEC, 105.0, block="PEAK")]
    built = build_curve(
        quotes,
        grid,
        tick=TICK,
        objective=Objective.SHAPE,
        prior=shape.form(local_of(grid)),
        window_mean=shape.mean,
        blocks={"PEAK": grid.peak},
    )
    assert built.values.mean() == pytest.approx(90.84, abs=1e-9)
    assert built.values[grid.peak > 0].mean() == pytest.approx(105.0, abs=1e-9)
    assert built.values[grid.peak == 0].mean() == pytest.approx(83.21538461538462, abs=1e-9)
    assert built.price(NOV, DEC, block="PEAK", inside=False) == pytest.approx(83.21538461538462, abs=1e-9)


@pytest.fixture(scope="session")
def real_shape(day_ahead: pl.DataFrame) -> Shape:
    window = day_ahead.filter(pl.col("local").is_between(datetime(2023, 6, 1), datetime(2024, 6, 1), closed="left"))
    return learn_shape(window["local"].to_numpy(), window["price"].to_numpy())


def test_factors_of_a_real_year(real_shape: Shape, oracle: Callable[[str], Any]) -> None:
    expected = oracle("E")["E2 window"]
    factors = real_shape.factors[0]
    assert real_shape.mean == pytest.approx(expected["mean"], rel=1e-12)
    assert [factors[0, 3], factors[0, 19], factors[2, 13], factors[1, 13]] == pytest.approx(
        [expected[f"factor {name}"] for name in ("wd 03", "wd 19", "sun 13", "sat 13")], rel=1e-12
    )


@pytest.mark.parametrize("kind", ["mult", "add"])
@pytest.mark.parametrize(
    ("name", "first", "end", "price"),
    [("Oct-24 745h", OCT, NOV, 77.95), ("Mar-25 743h", date(2025, 3, 1), date(2025, 4, 1), 89.37), ("Nov-24", NOV, DEC, 90.84)],
)
def test_shaped_months_of_a_real_year(
    real_shape: Shape,
    oracle: Callable[[str], Any],
    cells: Callable[..., Any],
    kind: str,
    name: str,
    first: date,
    end: date,
    price: float,
) -> None:
    expected = oracle("E")[f"E2 {name} {kind}"]
    grid = cells(first, end)
    profile = {"mult": Profile.MULTIPLICATIVE, "add": Profile.ADDITIVE}[kind]
    values = shaped([BuildQuote(first, end, price)], grid, real_shape, profile)
    assert len(values) == expected["n"]
    assert values.mean() == pytest.approx(price, abs=1e-9)
    assert [values.min(), values.max(), (values**2).sum()] == pytest.approx(
        [expected["min"], expected["max"], expected["sum_sq"]], rel=1e-9
    )
    at = {start.isoformat(): value for start, value in zip(grid.starts, values, strict=True)}
    for local, value in [*expected["first"], *(row[1:] for row in expected.get("dst", []))]:
        assert at[local] == pytest.approx(value, rel=1e-9)


def test_base_and_peak_of_a_real_year(real_shape: Shape, oracle: Callable[[str], Any], cells: Callable[..., Any]) -> None:
    expected = oracle("E")["E3 Nov-24 base 90.84 + peak 105 kept together"]
    grid = cells(NOV, DEC)
    built = build_curve(
        [BuildQuote(NOV, DEC, 90.84), BuildQuote(NOV, DEC, 105.0, block="PEAK")],
        grid,
        tick=TICK,
        objective=Objective.SHAPE,
        prior=real_shape.form(local_of(grid)),
        window_mean=real_shape.mean,
        blocks={"PEAK": grid.peak},
    )
    assert built.values[grid.peak == 0].mean() == pytest.approx(expected["off_exact"], rel=1e-9)
    at = {start.isoformat(): value for start, value in zip(grid.starts, built.values, strict=True)}
    for local, value in expected["at"]:
        assert at[local] == pytest.approx(value, rel=1e-9)


def test_a_month_below_zero_of_a_real_year(real_shape: Shape, oracle: Callable[[str], Any], cells: Callable[..., Any]) -> None:
    expected = oracle("E")["E4 month at -5"]
    grid = cells(NOV, DEC)
    for name, profile in (("mult", Profile.MULTIPLICATIVE), ("add", Profile.AUTO)):
        values = shaped([BuildQuote(NOV, DEC, -5.0)], grid, real_shape, profile)
        assert [values[3], values[19]] == pytest.approx([expected[f"{name} 03h"], expected[f"{name} 19h"]], rel=1e-9)
