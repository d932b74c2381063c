"""Laws of continuous series, by every rule of rolls, over prices of any sign and quotes that may be missing."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.curves.continuous import Adjust, ContinuousSeries, continuous
from aurum.core.curves.expiries import Expiry, SessionsBefore, StatedRule
from aurum.core.curves.rolls import Fronts, RollTerms, fronts, parse_roll
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import parse_session_calendar, sessions_of
from aurum.core.curves.tenors import parse_tenor

EUROPE = next(family for family in default_season_families() if family.name == "europe")
CALENDAR = parse_session_calendar("NYMEX")
TERMS = RollTerms(EUROPE, CALENDAR, Expiry((StatedRule(SessionsBefore(1, 25, 3, 4)),)))
SCHEMA = {"trade_date": pl.Date, "delivery_start": pl.Date, "delivery_end": pl.Date, "price": pl.Float64}

COUNTED = st.builds("{}+{}".format, st.sampled_from("MQSYW"), st.integers(1, 4))
CASES = st.one_of(
    st.tuples(COUNTED, st.one_of(st.just("calendar"), st.builds("days_before:{}".format, st.integers(0, 20)))),
    st.tuples(st.builds("{}+{}".format, st.sampled_from("MQSY"), st.integers(1, 4)), st.just("last_trading_day")),
    st.tuples(st.sampled_from(["DA", "WE", "BOM", "BOY"]), st.just("calendar")),
)
SPANS = st.tuples(st.dates(date(2017, 1, 1), date(2019, 6, 1)), st.integers(1, 500))


def made_of(case: tuple[str, str], span: tuple[date, int]) -> Fronts:
    first, length = span
    days = np.array(sessions_of(CALENDAR, first, first + timedelta(days=length)), "datetime64[D]")
    return fronts(days, parse_tenor(case[0]), parse_roll(case[1]), TERMS)


def quoted(held: Fronts, draw: st.DataObject, prices: st.SearchStrategy[float]) -> pl.DataFrame:
    """Return quotes of each contract on the trade dates on which it, or the one before it, is the front; some are missing."""
    rows: list[tuple[date, date, date, float]] = []
    random = np.random.default_rng(draw.draw(st.integers(0, 2**32 - 1)))
    level = draw.draw(prices)
    for ahead in (0, 1):
        contract = np.minimum(held.contract + ahead, len(held.contracts) - 1)
        firsts, ends = held.deliveries(held.days, contract)
        for day, start, end in zip(held.days.tolist(), firsts.tolist(), ends.tolist(), strict=True):
            if start < end and random.random() > 0.05:
                rows.append((day, start, end, round(level * random.uniform(0.5, 1.5), 2)))
    return pl.DataFrame(rows, SCHEMA, orient="row").unique(["trade_date", "delivery_start", "delivery_end"], keep="first")


def known(made: ContinuousSeries) -> bool:
    return made.points > 1 and all(one.gap is not None for one in made.rolls)


@given(case=CASES, span=SPANS)
def test_fronts_move_forward_and_are_the_first_that_their_rule_allows(case: tuple[str, str], span: tuple[date, int]) -> None:
    held = made_of(case, span)
    assert (np.diff(held.contract) >= 0).all()
    firsts, ends = held.deliveries(held.days, held.contract)
    assert (ends > held.days).all()
    if case[0] not in ("BOM", "BOY"):
        assert (firsts > held.days).all()
        assert [ends for _, ends in held.contracts] == sorted(ends for _, ends in held.contracts)


@given(case=CASES, span=SPANS, draw=st.data())
def test_adjusted_series_have_the_moves_of_the_held_contract(
    case: tuple[str, str], span: tuple[date, int], draw: st.DataObject
) -> None:
    held = made_of(case, span)
    quotes = quoted(held, draw, st.sampled_from([-40.0, 0.5, 90.0]))
    made = continuous(quotes, held, Adjust.DIFFERENCE)
    rows = made.frame.drop_nulls("price")
    assert made.points == rows.height
    # A contract is held from its first to its last price as the front; its moves are those of its own quotes.
    pairs = rows.select("value", "move").to_numpy()
    steps = np.diff(pairs[:, 0])
    is_known = np.isfinite(steps) & np.isfinite(pairs[1:, 1])
    assert steps[is_known] == pytest.approx(pairs[1:, 1][is_known], abs=1e-9)
    if known(made):
        assert is_known.all()
        assert made.naive == pytest.approx((made.held or 0) + (made.gaps or 0), abs=1e-9)
        assert rows["value"][-1] == rows["price"][-1]
        assert rows["value"][-1] - rows["value"][0] == pytest.approx(made.held, abs=1e-9)


@given(case=CASES, span=SPANS, draw=st.data())
def test_ratio_adjusted_series_have_the_returns_of_the_held_contract(
    case: tuple[str, str], span: tuple[date, int], draw: st.DataObject
) -> None:
    held = made_of(case, span)
    quotes = quoted(held, draw, st.sampled_from([0.5, 90.0]))
    made = continuous(quotes, held, Adjust.RATIO)
    rows = made.frame.drop_nulls("price")
    new_prices = {one.date: one.new_price for one in made.rolls}
    prices, values, days = rows["price"].to_list(), rows["value"].to_list(), rows["trade_date"].to_list()
    for place in range(1, len(prices)):
        before = new_prices.get(days[place], prices[place - 1])
        if before is not None and values[place - 1] is not None:
            assert values[place] / values[place - 1] == pytest.approx(prices[place] / before, rel=1e-9)


@given(case=CASES, span=SPANS, draw=st.data())
def test_each_change_of_the_front_is_a_roll(case: tuple[str, str], span: tuple[date, int], draw: st.DataObject) -> None:
    held = made_of(case, span)
    made = continuous(quoted(held, draw, st.just(50.0)), held)
    rows = made.frame.drop_nulls("price")
    contracts = rows["contract"].to_list()
    assert len(made.rolls) == sum(left != right for left, right in pairwise(contracts))
    by_day = dict(zip(rows["trade_date"].to_list(), rows["price"].to_list(), strict=True))
    for one in made.rolls:
        assert one.last < one.date
        assert one.old_price == by_day[one.last]
        assert one.new > one.old
