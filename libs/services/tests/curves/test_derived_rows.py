"""Quotes that a build stores: those whose prices changed. Rounding in the last bits of a sum is not a change."""

from datetime import UTC, date, datetime

import polars as pl

from aurum.core.curves.derived import OPERAND
from aurum.core.curves.quotes import QUOTES
from aurum.services.curves.derived.rows import changed_quotes

DAY, KNOWN = date(2024, 10, 14), datetime(2024, 10, 14, 18, tzinfo=UTC)
YEAR = (date(2025, 1, 1), date(2026, 1, 1))


def derived(settle: float | None) -> pl.DataFrame:
    return pl.DataFrame([(DAY, *YEAR, settle, None, None, None)], schema=OPERAND, orient="row")


def stored(settle: float | None) -> pl.DataFrame:
    row = {
        "curve_id": 1,
        "trade_date": DAY,
        "delivery_start": YEAR[0],
        "delivery_end": YEAR[1],
        "settle": settle,
        "known_at": KNOWN,
    }
    return pl.DataFrame([row], schema=QUOTES)


def revised(before: float | None, now: float | None) -> int:
    return changed_quotes(derived(now), stored(before)).revised


def test_the_order_of_a_sum_makes_no_version() -> None:
    assert revised(11.54166027397261, 11.541660273972596) == 0
    assert revised(98_000.000000000001, 98_000.00000000002) == 0


def test_a_move_of_a_price_does_however_small_its_tick() -> None:
    assert revised(11.5416, 11.54160001) == 1
    assert revised(0.0, 1e-9) == 1
    assert revised(None, 0.0) == 1
    assert revised(0.0, None) == 1
    assert revised(None, None) == 0
