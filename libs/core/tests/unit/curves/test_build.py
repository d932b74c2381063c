from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from aurum.core.curves.build import BuildQuote, build_curve

TICK = 0.01


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
