from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from aurum.core.curves.build import BuildQuote, ContradictoryQuotes, InvalidBuild, Objective, build_curve
from aurum.core.curves.build_report import Fill, Span
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.smooth import roughness, smooth
from aurum.core.errors import Invalid

TICK = 0.01
JUL, AUG, OCT = date(2025, 7, 1), date(2025, 8, 1), date(2025, 10, 1)


def months(*prices: float) -> list[BuildQuote]:
    """Return quotes of July 2025 and the months after it."""
    starts = [JUL, AUG, date(2025, 9, 1), OCT]
    names = ["Jul-25", "Aug-25", "Sep-25"]
    return [BuildQuote(starts[n], starts[n + 1], price, names[n]) for n, price in enumerate(prices)]


def quotes_of(frame: pl.DataFrame) -> list[BuildQuote]:
    rows = frame.select("delivery_start", "delivery_end", "price", "kind").iter_rows()
    return [BuildQuote(first, end, price, f"{kind} {first}..{end}") for first, end, price, kind in rows]


def at(values: Any, first: date) -> dict[str, float]:
    return {str(first + timedelta(days=n)): value for n, value in enumerate(values.tolist())}


@pytest.mark.parametrize(("kinds", "name"), [("MQ", "M+Q"), ("MQ", "M+Q prior cos10"), ("WMQ", "W+M+Q")])
def test_build_of_settlements(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], days: Callable[..., Any], kinds: str, name: str
) -> None:
    expected = oracle("D1")[f"give {name}"]
    on_date = settlements(kinds).filter(pl.col("trade_date") == date(2024, 10, 14), pl.col("price").is_not_null())
    quotes = quotes_of(on_date.filter(pl.col("delivery_start") > pl.col("trade_date")))
    grid = days(date.fromisoformat(expected["first"]), date.fromisoformat(expected["end"]))
    numbers = np.array([start.timetuple().tm_yday for start in grid.starts])
    prior = 10 * np.cos(2 * np.pi * (numbers - 15) / 365.25) if "prior" in name else None
    built = build_curve(quotes, grid, tick=TICK, prior=prior)
    report = built.report
    assert (report.quotes, len(report.independent)) == (expected["n_quotes"], expected["n_independent"])
    assert len(built.values) == expected["n_days"]
    assert [
        {"quote": quotes[each.quote].label, "price": each.price, "residual": round(abs(each.residual), 6)}
        for each in report.rounding
    ] == [{key: each[key] for key in ("quote", "price", "residual")} for each in expected["redundant"]]
    assert report.contradictions == report.uncovered == report.extrapolated == ()
    assert report.max_abs_error < 1e-12
    assert report.objective == pytest.approx(expected["J"], rel=1e-6)
    values = at(built.values, grid.first)
    assert {day: values[day] for day in expected["at"]} == pytest.approx(expected["at"], abs=1e-5)
    assert [built.values.min(), built.values.max()] == pytest.approx(expected["min_max"], abs=1e-5)


def test_months_inside_a_quarter_smooth_and_flat(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], days: Callable[..., Any]
) -> None:
    expected = oracle("D2")
    on_date = settlements("MQ").filter(pl.col("trade_date") == date(2024, 10, 14), pl.col("price").is_not_null())
    quotes = quotes_of(on_date.filter(pl.col("delivery_start") > pl.col("trade_date")))
    grid = days(date(2024, 11, 1), date(2027, 7, 1))
    smoothed = build_curve(quotes, grid, tick=TICK)
    for month, price in expected["L1b implied months smooth M+Q"].items():
        first = date.fromisoformat(month + "-01")
        end = date(first.year, first.month + 1, 1)
        assert smoothed.price(first, end) == pytest.approx(price, abs=1e-6)
    flat = build_curve(quotes, grid, tick=TICK, objective=Objective.FLAT)
    rest = flat.values[(date(2025, 8, 1) - grid.first).days : (date(2025, 10, 1) - grid.first).days]
    assert rest == pytest.approx(expected["L1b flat Aug+Sep-25"], abs=1e-6)
    assert flat.report.max_abs_error < 1e-9


def test_a_quarter_and_one_of_its_months_leave_the_rest_flat(days: Callable[..., Any]) -> None:
    quotes = [BuildQuote(JUL, OCT, 87.12, "Q3-25"), BuildQuote(JUL, AUG, 86.43, "Jul-25")]
    flat = build_curve(quotes, days(JUL, OCT), tick=TICK, objective=Objective.FLAT)
    assert flat.values[:31] == pytest.approx(86.43, abs=1e-12)
    assert flat.values[31:] == pytest.approx((87.12 * 2208 - 86.43 * 744) / 1464, abs=1e-12)


def test_weeks_over_a_month_end_stay_near_the_quotes() -> None:
    """Weekdays alone, as in the example by which a bootstrap gives 35.22 for the first of May."""
    weekdays = [day for day in (date(2020, 4, 3) + timedelta(days=n) for n in range(89)) if day.weekday() < 5]
    spans = [
        (date(2020, 4, 6) + timedelta(days=7 * week), date(2020, 4, 13) + timedelta(days=7 * week), price)
        for week, price in enumerate((16.0, 16.78, 20.82, 17.97))
    ]
    spans += [(date(2020, 4, 3), date(2020, 4, 4), 18.02), (date(2020, 4, 6), date(2020, 4, 7), 12.73)]
    spans += [(date(2020, 5, 1), date(2020, 6, 1), 22.21), (date(2020, 6, 1), date(2020, 7, 1), 27.3)]
    rows = np.array([[float(first <= day < end) for day in weekdays] for first, end, _ in spans])
    rows /= rows.sum(axis=1, keepdims=True)
    values = smooth(rows, np.array([price for *_, price in spans])).values
    by_day = {str(day): value for day, value in zip(weekdays, values.tolist(), strict=True)}
    expected = {
        "2020-04-27": 20.44679,
        "2020-04-28": 19.0834,
        "2020-04-29": 17.74836,
        "2020-04-30": 16.65293,
        "2020-05-01": 15.91852,
        "2020-05-04": 15.57676,
    }
    assert {day: by_day[day] for day in expected} == pytest.approx(expected, abs=1e-4)


def reference(quotes: list[BuildQuote], grid: Any, prior: Any) -> Any:
    """The same minimum by the conditions of Lagrange over all days: nothing in common with the dual form."""
    count = len(grid.day)
    bends = np.diff(np.eye(count), 2, axis=0)
    rows = np.zeros((len(quotes), count))
    for row, quote in zip(rows, quotes, strict=True):
        part = slice((quote.first - grid.first).days, (quote.end - grid.first).days)
        row[part] = grid.hours[part] / grid.hours[part].sum()
    system = np.block([[bends.T @ bends, rows.T], [rows, np.zeros((len(quotes), len(quotes)))]])
    right = np.concatenate([bends.T @ bends @ prior, [quote.price for quote in quotes]])
    return np.linalg.solve(system, right)[:count]


@pytest.mark.parametrize("height", [0.0, 10.0])
def test_smooth_is_the_minimum_of_second_differences(days: Callable[..., Any], height: float) -> None:
    grid = days(date(2024, 12, 30), date(2025, 10, 1))
    quotes = [
        BuildQuote(date(2024, 12, 30), date(2025, 1, 6), 101.0, "W01-25"),
        BuildQuote(date(2025, 1, 1), date(2025, 2, 1), 102.0),
        BuildQuote(date(2025, 2, 1), date(2025, 3, 1), 104.1),
        BuildQuote(date(2025, 4, 1), JUL, -78.5),
        BuildQuote(JUL, OCT, 87.1),
    ]
    prior = height * np.cos(np.arange(len(grid.day)) / 58)
    built = build_curve(quotes, grid, tick=TICK, prior=prior)
    expected = reference(quotes, grid, prior)
    assert built.values == pytest.approx(expected, abs=1e-5)
    assert built.report.objective == pytest.approx(roughness(expected - prior), rel=1e-6)
    assert built.report.uncovered == (Span(date(2025, 3, 1), date(2025, 4, 1), None, Fill.INTERPOLATED),)


def test_contradiction_is_reported_and_refused_when_strict(days: Callable[..., Any]) -> None:
    quotes = [BuildQuote(JUL, OCT, 90.0, "Q3-25"), *months(80.0, 81.0, 82.0)]
    built = build_curve(quotes, days(JUL, OCT), tick=TICK)
    (contradiction,) = built.report.contradictions
    assert (contradiction.quote, contradiction.implied_by) == (0, ((1, 744.0), (2, 744.0), (3, 720.0)))
    assert contradiction.residual == pytest.approx(90 - (744 * 80 + 744 * 81 + 720 * 82) / 2208, abs=1e-9)
    assert built.report.independent == (1, 2, 3)
    with pytest.raises(ContradictoryQuotes) as raised:
        build_curve(quotes, days(JUL, OCT), tick=TICK, strict=True)
    (fact,) = raised.value.facts["contradictions"]
    assert (fact["quote"], [each["quote"] for each in fact["implied_by"]]) == ("Q3-25", ["Jul-25", "Aug-25", "Sep-25"])


def test_rounding_is_reported_and_passes_when_strict(days: Callable[..., Any]) -> None:
    implied = (744 * 80 + 744 * 81 + 720 * 82) / 2208
    quotes = [BuildQuote(JUL, OCT, implied + 0.01), *months(80.0, 81.0, 82.0)]
    built = build_curve(quotes, days(JUL, OCT), tick=TICK, strict=True)
    assert [each.quote for each in built.report.rounding] == [0]
    assert built.report.redundant == built.report.rounding


@pytest.mark.parametrize("objective", [Objective.SMOOTH, Objective.FLAT])
def test_ends_are_bare_unless_extrapolated(days: Callable[..., Any], objective: Objective) -> None:
    grid = days(date(2025, 6, 1), date(2025, 11, 1))
    quotes = months(80.0, 83.0, 88.0)
    bare, flat, trend = (build_curve(quotes, grid, tick=TICK, objective=objective, extrapolate=how) for how in Extrapolate)
    assert np.isnan(bare.values[:30]).all()
    assert np.isnan(bare.values[-31:]).all()
    assert bare.price(date(2025, 6, 1), AUG) is None
    assert bare.report.uncovered == (
        Span(date(2025, 6, 1), JUL, None, Fill.NONE),
        Span(OCT, date(2025, 11, 1), None, Fill.NONE),
    )
    assert flat.values[:30] == pytest.approx(bare.values[30])
    assert flat.values[-1] == pytest.approx(bare.values[-32])
    assert (flat.report.uncovered, [span.fill for span in flat.report.extrapolated]) == ((), [Fill.FLAT, Fill.FLAT])
    assert np.diff(trend.values[-30:]) == pytest.approx(trend.values[-1] - trend.values[-2])
    assert trend.values[-1] > flat.values[-1]
    assert trend.values[0] < flat.values[0]


def test_trend_of_one_level_is_flat(days: Callable[..., Any]) -> None:
    for objective in (Objective.SMOOTH, Objective.FLAT):
        built = build_curve(months(80.0)[:1], days(JUL, OCT), tick=TICK, objective=objective, extrapolate=Extrapolate.TREND)
        assert built.values == pytest.approx(80.0)


def test_hours_of_a_day_have_its_level_and_reprice_the_quotes(cells: Callable[..., Any], days: Callable[..., Any]) -> None:
    first, end = date(2025, 10, 1), date(2025, 12, 1)
    quotes = [BuildQuote(first, date(2025, 11, 1), 90.0), BuildQuote(date(2025, 11, 1), end, 100.0)]
    by_day = build_curve(quotes, days(first, end), tick=TICK)
    for minutes in (60, 30, 15):
        grid = cells(first, end, minutes)
        built = build_curve(quotes, grid, tick=TICK)
        assert built.values == pytest.approx(by_day.values[grid.day], abs=1e-12)
        assert built.price(first, date(2025, 11, 1)) == pytest.approx(90.0, abs=1e-9)


@pytest.mark.parametrize("objective", [Objective.SMOOTH, Objective.FLAT])
@pytest.mark.parametrize("by", ["days", "hours"])
def test_base_and_peak_together(cells: Callable[..., Any], days: Callable[..., Any], objective: Objective, by: str) -> None:
    grid = days(JUL, OCT) if by == "days" else cells(JUL, OCT)
    quotes = [
        *months(80.0, 83.0, 88.0),
        *(BuildQuote(quote.first, quote.end, quote.price + 9, block="PEAK") for quote in months(80.0, 83.0)),
    ]
    built = build_curve(quotes, grid, tick=TICK, objective=objective, blocks={"PEAK": grid.peak})
    assert built.report.max_abs_error < 1e-9
    assert built.price(JUL, AUG, block="PEAK") == pytest.approx(89.0, abs=1e-9)
    assert built.price(JUL, AUG, block="PEAK", inside=False) == pytest.approx((80 * 744 - 89 * 276) / 468, abs=1e-9)
    assert built.price(date(2025, 9, 1), OCT) == pytest.approx(88.0, abs=1e-9)
    assert built.price(date(2025, 9, 1), OCT, block="PEAK") is None
    assert [(span.first, span.block) for span in built.report.uncovered] == [(date(2025, 9, 1), "PEAK")]
    both = [(quote.first, quote.end) for quote in quotes]
    assert built.jacobian(both[:3])[:, :3] == pytest.approx(np.eye(3), abs=1e-9)
    assert built.jacobian(both[:2], block="PEAK")[:, 3:] == pytest.approx(np.eye(2), abs=1e-9)
    outside = built.jacobian(both[:1], block="PEAK", inside=False)
    assert outside[0, [0, 3]] == pytest.approx([744 / 468, -276 / 468], abs=1e-9)
    with pytest.raises(InvalidBuild, match="OTHER"):
        built.price(JUL, AUG, block="OTHER")


def test_a_block_alone_has_prices_in_its_hours_only(cells: Callable[..., Any]) -> None:
    grid = cells(JUL, OCT)
    quotes = [BuildQuote(quote.first, quote.end, quote.price, block="PEAK") for quote in months(80.0, 83.0, 88.0)]
    built = build_curve(quotes, grid, tick=TICK, blocks={"PEAK": grid.peak})
    assert np.isfinite(built.values).tolist() == (grid.peak > 0).tolist()
    assert built.price(JUL, AUG) == built.price(JUL, AUG, block="PEAK") == pytest.approx(80.0, abs=1e-9)


def test_weights_by_days(days: Callable[..., Any]) -> None:
    first, end = date(2025, 3, 1), date(2025, 4, 1)
    quotes = [BuildQuote(first, date(2025, 3, 30), 50.0), BuildQuote(first, end, 60.0)]
    grid = days(first, end)
    built = build_curve(quotes, grid, tick=TICK, objective=Objective.FLAT, weights=np.ones(31))
    assert built.values[-1] == pytest.approx((60 * 31 - 50 * 29) / 2)


def test_shape_needs_no_repair_near_zero(cells: Callable[..., Any]) -> None:
    grid = cells(JUL, OCT)
    form = 80 + 30 * np.sin(np.arange(len(grid.day)) / 24 * 2 * np.pi)
    quotes = months(80.0, -5.0, 2.0)
    built = build_curve(quotes, grid, tick=TICK, objective=Objective.SHAPE, prior=form, window_mean=80.0)
    assert built.report.max_abs_error < 1e-9
    july, august = built.values[:744], built.values[744:1488]
    assert july == pytest.approx(form[:744] * 80 / form[:744].mean())
    assert august == pytest.approx(form[744:1488] - form[744:1488].mean() - 5)


def test_a_build_of_ten_years_is_exact_to_1e_9(days: Callable[..., Any]) -> None:
    grid = days(date(2025, 1, 1), date(2035, 1, 1))
    rng = np.random.default_rng(3)
    quotes = [BuildQuote(date(year, 1, 1), date(year + 1, 1, 1), 80 + 20 * rng.normal()) for year in range(2025, 2035)]
    quotes += [BuildQuote(date(2025, month, 1), date(2025, month + 1, 1), 80 + 20 * rng.normal()) for month in range(1, 12)]
    quotes += [BuildQuote(day, day + timedelta(days=1), 80.0) for day in (date(2025, 1, 1), date(2025, 1, 2), date(2025, 6, 3))]
    built = build_curve(quotes, grid, tick=TICK)
    assert len(built.report.independent) == len(quotes)
    assert built.report.max_abs_error < 1e-9


@pytest.mark.parametrize(
    ("quotes", "options", "why"),
    [
        ([], {}, "no quotes"),
        ([BuildQuote(date(2025, 6, 30), AUG, 1.0, "Jul")], {}, "not inside the grid"),
        ([BuildQuote(JUL, AUG, 1.0, block="PEAK"), BuildQuote(JUL, AUG, 1.0, block="OFF")], {}, "OFF, PEAK"),
        ([BuildQuote(JUL, AUG, 1.0, block="PEAK")], {}, "hours of block 'PEAK'"),
        ([BuildQuote(JUL, AUG, 1.0)], {"objective": Objective.SHAPE}, "needs a prior"),
        ([BuildQuote(JUL, AUG, 1.0)], {"prior": np.ones(3)}, "92 cells"),
        ([BuildQuote(JUL, AUG, 1.0)], {"prior": np.full(92, np.nan)}, "not finite"),
        ([BuildQuote(JUL, AUG, float("inf"), "Jul")], {}, "not a finite number"),
    ],
)
def test_a_build_of_nothing_or_of_nonsense_is_refused(
    days: Callable[..., Any], quotes: list[BuildQuote], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(Invalid, match=why) as raised:
        build_curve(quotes, days(JUL, OCT), tick=TICK, **options)
    assert raised.value.facts


def test_periods_outside_the_grid_have_no_price_and_no_jacobian(days: Callable[..., Any]) -> None:
    built = build_curve(months(80.0, 83.0, 88.0), days(JUL, OCT), tick=TICK)
    assert built.price(date(2025, 6, 1), AUG) is None
    assert built.price(AUG, AUG) is None
    assert np.isnan(built.jacobian([(date(2025, 6, 1), AUG), (AUG, AUG)])).all()


@pytest.mark.parametrize("objective", [Objective.FLAT, Objective.SHAPE])
def test_off_peak_fills_weekends_and_is_repriced_beside_base(cells: Callable[..., Any], objective: Objective) -> None:
    grid = cells(JUL, OCT)
    off = 1.0 - grid.peak
    quotes = [
        *months(80.0, 83.0, 88.0),
        *(BuildQuote(quote.first, quote.end, quote.price - 7, block="OFF") for quote in months(80.0, 83.0, 88.0)),
    ]
    form = 80 + 30 * np.sin(np.arange(len(grid.day)) / 24 * 2 * np.pi)
    built = build_curve(quotes, grid, tick=TICK, objective=objective, prior=form, blocks={"OFF": off})
    assert built.report.max_abs_error < 1e-9
    assert built.price(JUL, AUG, block="OFF", inside=False) == pytest.approx((80 * 744 - 73 * 468) / 276, abs=1e-9)
    with pytest.raises(InvalidBuild, match="fills all of 2025-07-05"):
        build_curve(quotes, grid, tick=TICK, blocks={"OFF": off})


def test_a_block_longer_than_its_cells_is_refused(days: Callable[..., Any]) -> None:
    grid = days(JUL, OCT)
    quotes = [BuildQuote(JUL, AUG, 80.0), BuildQuote(JUL, AUG, 90.0, block="PEAK")]
    with pytest.raises(InvalidBuild, match="more hours"):
        build_curve(quotes, grid, tick=TICK, blocks={"PEAK": np.full(92, 25.0)})
