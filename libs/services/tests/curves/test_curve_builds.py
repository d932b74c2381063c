"""Builds over the memory store and over PostgreSQL: quotes, blocks, delivery, contradictions, bad input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from curve_quotes import BASE, BY, PEAK, SPOT, curve_reading, hourly_spot, product_of, session_file

from aurum.core.curves.build import ContradictoryQuotes, Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.products import Weighting
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves import CurveReading
from aurum.services.curves.build import build
from aurum.services.curves.build_question import BuildQuestion, InDelivery, InlineQuote, NothingToBuild, Prior, Wave
from aurum.storage.testing.stores import Store

BY_DAYS = "power:XX:base:BYDAYS"
DAY = date(2024, 10, 14)
QUOTES = [
    ("2024-10", 70.0),
    ("2024-11", 90.84),
    ("2024-12", 92.5),
    ("2025-01", 102.0),
    ("2025-02", 104.11),
    ("2025-03", 89.37),
    ("Q1-25", 98.31),
    ("Q2-25", 78.48),
]


def prices(answer: object, block: str = "BASE") -> dict[str, float | None]:
    return {one.period.label: one.value for one in answer.periods if one.block == block}  # type: ignore[attr-defined]


async def test_a_build_reprices_independent_quotes_and_leaves_those_in_delivery_out(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES))
    answer = await build(reading, BuildQuestion(BASE))
    report = answer.built.report
    assert (report.quotes, len(report.independent), len(report.rounding), report.contradictions) == (7, 6, 1, ())
    assert report.max_abs_error < 1e-9
    assert [one.label for one in answer.forward.excluded] == ["Oct-24"]
    assert prices(answer)["Jan-25"] == pytest.approx(102.0, abs=1e-9)
    assert (answer.trade_date, answer.first, answer.end) == (DAY, date(2024, 11, 1), date(2025, 7, 1))
    rounding = answer.documents(["report"])["report"]["rounding"][0]  # type: ignore[index]
    assert (rounding["quote"], rounding["implied"]) == ("Q1-25", pytest.approx(98.310250, abs=1e-6))
    assert [(one["quote"], one["weight"]) for one in rounding["implied_by"]] == [
        ("Jan-25", 744.0), ("Feb-25", 672.0), ("Mar-25", 743.0),
    ]  # fmt: skip


async def test_a_stored_quote_without_hours_of_its_block_is_left_out_and_named(store: Store) -> None:
    sunday = ("2024-11-17", 50.0)
    reading = await curve_reading(
        store, session_file(PEAK, DAY, [sunday, ("2024-12", 95.0)]), session_file(PEAK, date(2024, 10, 15), [sunday])
    )
    answer = await build(reading, BuildQuestion(PEAK, trade_date=DAY))
    assert [one.label for one in answer.forward.without_hours] == ["2024-11-17 PEAK"]
    assert answer.documents(["report"])["report"]["without_hours"] == ["2024-11-17 PEAK"]  # type: ignore[index]
    assert prices(answer, "PEAK")["Dec-24"] == pytest.approx(95.0)
    with pytest.raises(NothingToBuild, match="has no priced quotes with hours of its block on 2024-10-15"):
        await build(reading, BuildQuestion(PEAK, trade_date=date(2024, 10, 15)))


async def test_the_curve_is_that_of_the_quotes_known_as_of_an_instant(store: Store) -> None:
    first = datetime(2024, 10, 14, 16, 30, tzinfo=UTC)
    reading = await curve_reading(
        store,
        session_file(BASE, DAY, [("2024-11", 90.0)], known_at=first),
        session_file(BASE, DAY, [("2024-11", 91.0)], known_at=first + timedelta(hours=3)),
    )
    now = await build(reading, BuildQuestion(BASE))
    before = await build(reading, BuildQuestion(BASE, as_of=first + timedelta(hours=1)))
    assert (prices(now)["Nov-24"], prices(before)["Nov-24"]) == (pytest.approx(91.0), pytest.approx(90.0))
    with pytest.raises(NothingToBuild, match="no quotes that were known"):
        await build(reading, BuildQuestion(BASE, as_of=first - timedelta(hours=1)))


async def test_a_contradiction_names_its_quotes_with_weights_and_a_strict_build_refuses_it(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, [*QUOTES[1:6], ("Q1-25", 98.33)]))
    answer = await build(reading, BuildQuestion(BASE))
    (one,) = answer.built.report.contradictions
    assert one.residual == pytest.approx(0.019750, abs=1e-6)
    with pytest.raises(ContradictoryQuotes, match="Q1-25") as refused:
        await build(reading, BuildQuestion(BASE, strict=True))
    (fact,) = refused.value.facts["contradictions"]  # type: ignore[misc]
    assert (fact["quote"], fact["size"]) == ("Q1-25", pytest.approx(0.019750, abs=1e-6))
    assert [term["weight"] for term in fact["implied_by"]] == [744.0, 672.0, 743.0]


async def test_base_and_peak_are_both_repriced_and_off_peak_falls_out(store: Store) -> None:
    reading = await curve_reading(
        store, session_file(BASE, DAY, [("2024-11", 90.84)]), session_file(PEAK, DAY, [("2024-11", 105.0)])
    )
    for grid in (Resolution.DAY, Resolution.HOUR, Resolution.QUARTER_HOUR):
        answer = await build(reading, BuildQuestion(BASE, together=(PEAK,), grid=grid))
        by_block = {one.block: (one.value, one.hours) for one in answer.periods}
        assert by_block["BASE"] == (pytest.approx(90.84, abs=1e-9), 720.0)
        assert by_block["PEAK"] == (pytest.approx(105.0, abs=1e-9), 252.0)
        assert by_block["OFF_PEAK"] == (pytest.approx(83.215385, abs=1e-6), 468.0)
    assert list((await build(reading, BuildQuestion(BASE, together=(PEAK,)))).values) == ["value", "peak", "off_peak"]


async def test_quotes_in_the_question_take_the_place_of_stored_ones(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES))
    quotes = (
        InlineQuote(100.0, "Cal-26"),
        InlineQuote(110.0, start="2026-01-01", end="2026-04-01"),
        InlineQuote(105.0, start="2026-06-30T22:00:00Z", end="2026-09-30T22:00:00Z"),
    )
    answer = await build(reading, BuildQuestion(BASE, quotes=quotes, periods=("Q1-26", "Q3-26", "2026")))
    assert prices(answer) == {"Q1-26": pytest.approx(110.0), "Q3-26": pytest.approx(105.0), "2026": pytest.approx(100.0)}
    assert (answer.trade_date, answer.question.as_loaded) == (None, None)


async def test_all_quotes_equal_make_a_constant_over_changes_of_clocks(store: Store) -> None:
    reading = await curve_reading(store)
    labels = ("W12-25", "W13-25", "Mar-25", "Q4-25", "Cal-26", "Win-26")
    quotes = tuple(InlineQuote(-3.5, label) for label in labels)
    for grid in Resolution:
        answer = await build(reading, BuildQuestion(BASE, quotes=quotes, grid=grid))
        assert np.abs(answer.values["value"] + 3.5).max() < 1e-9


async def test_nothing_is_extrapolated_unless_requested(store: Store) -> None:
    reading = await curve_reading(store)
    question = BuildQuestion(BASE, quotes=(InlineQuote(10.0, "Jan-25"), InlineQuote(20.0, "Feb-25")), end=date(2025, 4, 1))
    bare = await build(reading, question)
    assert np.isnan(bare.values["value"][-31:]).all()
    assert bare.documents(["report"])["report"]["uncovered"][0]["label"] == "Mar-25"  # type: ignore[index]
    flat = await build(reading, replace(question, extrapolate=Extrapolate.FLAT))
    assert np.isfinite(flat.values["value"]).all()
    assert flat.documents(["report"])["report"]["extrapolated"][0]["label"] == "Mar-25"  # type: ignore[index]
    cut = await build(reading, replace(question, first=date(2025, 2, 1), end=date(2025, 3, 1)))
    assert (len(cut.values["value"]), prices(cut)) == (28, {"Feb-25": pytest.approx(20.0)})


async def test_a_prior_bends_what_the_quotes_leave_open(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, [("2025", 80.0)]))
    other = "power:FR:base:INVENTED"
    reading = await curve_reading(store, session_file(other, DAY, [("Q1-25", 100.0), ("Q2-25", 60.0)]))
    waved = await build(reading, BuildQuestion(BASE, prior=Prior(Wave(10.0, 15.0))))
    assert prices(waved)["Jan-25"] == pytest.approx(80.0 + 9.4, abs=1.0)
    assert prices(await build(reading, BuildQuestion(BASE)))["Jan-25"] == pytest.approx(80.0)
    alike = await build(reading, BuildQuestion(BASE, prior=Prior(curve=other), periods=("Q1-25", "Q2-25", "2025")))
    by_period = prices(alike)
    assert by_period["2025"] == pytest.approx(80.0)
    assert by_period["Q1-25"] - by_period["Q2-25"] > 20  # type: ignore[operator]


async def test_the_jacobian_is_what_a_change_of_a_quote_does(store: Store) -> None:
    reading = await curve_reading(store)
    labels, before = ("Jan-25", "Q1-25", "Q2-25"), (100.0, 90.0, 70.0)
    question = BuildQuestion(BASE, periods=("Feb-25", "Apr-25"))

    async def built(values: Sequence[float]) -> object:
        quotes = tuple(InlineQuote(price, label) for price, label in zip(values, labels, strict=True))
        return await build(reading, replace(question, quotes=quotes))

    answer = await built(before)
    jacobian = answer.documents(["jacobian"])["jacobian"]  # type: ignore[attr-defined]
    assert (jacobian["periods"], jacobian["quotes"]) == (["Feb-25", "Apr-25"], list(labels))
    for place in range(3):
        moved = list(before)
        moved[place] += 1.0
        after = prices(await built(moved))
        for row, label in zip(jacobian["values"], ("Feb-25", "Apr-25"), strict=True):
            assert after[label] - prices(answer)[label] == pytest.approx(row[place], abs=1e-8)  # type: ignore[operator]


async def test_quotes_in_delivery_are_netted_of_their_realised_hours(store: Store) -> None:
    start = datetime(2024, 9, 30, 22, tzinfo=UTC)
    realised = [50.0] * (16 * 24)
    reading = await curve_reading(
        store, session_file(BASE, DAY, [("2024-10", 70.0), ("2024-11", 90.0)]), hourly_spot(start, realised)
    )
    answer = await build(reading, BuildQuestion(BASE, in_delivery=InDelivery.NET_REALISED))
    (netted,) = answer.forward.netted
    # The auction of the 15th is held on the 14th, so sixteen days less one are realised: October has 745 hours.
    assert (netted.hours, netted.realised) == (360.0, pytest.approx(50.0))
    assert netted.rest is not None
    assert (netted.rest.period.first, netted.rest.period.end) == (date(2024, 10, 16), date(2024, 11, 1))
    assert netted.rest.price == pytest.approx((70.0 * 745 - 50.0 * 360) / 385)
    whole = await build(reading, BuildQuestion(BASE, in_delivery=InDelivery.NET_REALISED, periods=("2024-10-20", "Nov-24")))
    assert prices(whole)["Nov-24"] == pytest.approx(90.0)


async def test_realised_hours_that_are_not_stored_are_an_error_that_names_the_series(store: Store) -> None:
    quotes = session_file(BASE, DAY, [("2024-10", 70.0), ("2024-11", 90.0)])
    reading = await curve_reading(store, quotes)
    question = BuildQuestion(BASE, in_delivery=InDelivery.NET_REALISED)
    with pytest.raises(InvalidParameters, match=SPOT) as missing:
        await build(reading, question)
    assert missing.value.facts["series"] == SPOT
    reading = await curve_reading(store, hourly_spot(datetime(2024, 9, 30, 22, tzinfo=UTC), [50.0] * 30))
    with pytest.raises(InvalidParameters, match=rf"of 2024-10-02 the store has 6 of 24 hours.*{SPOT}|{SPOT}.*6 of 24 hours"):
        await build(reading, question)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"quotes": (InlineQuote(1.0, "Foo-25"),)}, "quotes.0.period"),
        ({"quotes": (InlineQuote(1.0),)}, "quotes.0"),
        ({"quotes": (InlineQuote(1.0, start="2025-02-01", end="2025-01-01"),)}, "quotes.0.end"),
        ({"quotes": (InlineQuote(1.0, start="2025-01-01T00:00:00Z", end="2025-02-01"),)}, "quotes.0.start"),
        ({"quotes": (InlineQuote(1.0, "Jan-25", block="LUNCH"),)}, "quotes.0.block"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"), InlineQuote(2.0, "2025-01"))}, "quotes.1.price"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "periods": ("Q9-25",)}, "periods.0"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "in_delivery": InDelivery.NET_REALISED}, "trade_date"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "calendar": "eu_power"}, "calendar"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "first": date(2025, 3, 1), "end": date(2025, 2, 1)}, "from"),
        ({"quotes": (InlineQuote(1.0, "2025-01-01..2095-01-01"),), "grid": Resolution.QUARTER_HOUR}, "grid"),
        ({"quotes": (InlineQuote(1.0, start="0001-01-01", end="0001-02-01"),)}, "quotes.0.start"),
        ({"quotes": (InlineQuote(1.0, start="2025-01-01", end="9999-12-31T23:00:00Z"),)}, "quotes.0.end"),
        ({"quotes": (InlineQuote(1.0, "2500"),)}, "quotes.0.period"),
        ({"quotes": (InlineQuote(1.0, "Q1-25"), InlineQuote(-1e308, "Q1-25"))}, "quotes.1.price"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "first": date(1, 1, 1)}, "from"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "end": date(9999, 12, 31)}, "to"),
        ({"trade_date": date(9999, 12, 31), "objective": Objective.SHAPE}, "trade_date"),
        ({"quotes": tuple(InlineQuote(1.0, f"{2000 + n % 100}{'-01' * (n > 99)}") for n in range(150))}, "quotes"),
        ({"quotes": tuple(InlineQuote(1.0, "Jan-25") for _ in range(2_001))}, "quotes"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "periods": ("Jan-25",) * 401}, "periods"),
        ({"quotes": (InlineQuote(1.0, "Jan-25"),), "end": date(2150, 1, 1)}, "to"),
        ({"curve": None}, "curve"),
        ({"curve": None, "calendar": "mars", "quotes": (InlineQuote(1.0, "Jan-25"),)}, "calendar"),
        ({"together": (BASE,)}, "together.0"),
        ({"shape": "x"}, "shape"),
        ({"objective": Objective.SHAPE, "shape": "nothing"}, "shape"),
        ({"prior": Prior(curve="power:XX:base:NONE")}, "prior.curve"),
    ],
)
async def test_a_question_that_cannot_be_answered_names_its_field(store: Store, changed: dict[str, object], field: str) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES))
    with pytest.raises(InvalidParameters) as refused:
        await build(reading, replace(BuildQuestion(BASE), **changed))  # type: ignore[arg-type]
    assert refused.value.facts["errors"][0]["field"] == field  # type: ignore[index]


async def test_stored_quotes_are_bounded_as_those_of_a_question(store: Store) -> None:
    days = [str(date(2025, 1, 1) + timedelta(days=day)) for day in range(2_001)]
    months = [("2031-01", 80.0), ("2031-02", 81.0)]
    reading = await curve_reading(store, session_file(BASE, DAY, [(day, 80.0) for day in days] + months))
    with pytest.raises(InvalidParameters, match="2,003 quotes are stored") as refused:
        await build(reading, BuildQuestion(BASE))
    assert refused.value.facts["errors"][0]["field"] == "kinds"  # type: ignore[index]
    assert (await build(reading, BuildQuestion(BASE, kinds=("month",)))).built.report.quotes == 2


async def test_realised_days_count_alike_where_the_product_is_weighted_by_days(store: Store) -> None:
    trade_date = date(2024, 10, 28)
    start = datetime(2024, 9, 30, 22, tzinfo=UTC)
    lengths = [24] * 26 + [25] + [24] * 2
    daily = [60.0 + day for day in range(29)]
    spot = [price for price, length in zip(daily, lengths, strict=True) for _ in range(length)]
    reading = await curve_reading(store, session_file(BY_DAYS, trade_date, [("2024-10", 80.0)]), hourly_spot(start, spot))
    stored = await reading.curves.product(BY_DAYS, tenant=None)
    product = replace(product_of(BY_DAYS), weighting=Weighting.DAYS)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product, tenant=None, version=stored.version)
    answer = await build(reading, BuildQuestion(BY_DAYS, in_delivery=InDelivery.NET_REALISED))
    (netted,) = answer.forward.netted
    assert netted.rest is not None
    days = len(daily)
    assert netted.rest.price == pytest.approx((80.0 * 31 - sum(daily)) / (31 - days), abs=1e-9)
    assert (netted.hours, netted.realised) == (sum(lengths), pytest.approx(sum(daily) / days))


async def test_another_curve_is_a_prior_by_its_own_weights(store: Store) -> None:
    quotes = [("2025-01", 102.0), ("2025-02", 104.0), ("2025-03", 80.0), ("Q1-25", 95.3333333333)]
    reading = await curve_reading(store, session_file(BY_DAYS, DAY, quotes))
    stored = await reading.curves.product(BY_DAYS, tenant=None)
    product = replace(product_of(BY_DAYS), weighting=Weighting.DAYS)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product, tenant=None, version=stored.version)
    own = await build(reading, BuildQuestion(BY_DAYS, extrapolate=Extrapolate.FLAT))
    question = BuildQuestion(BASE, trade_date=DAY, quotes=(InlineQuote(0.0, "Q1-25"),), prior=Prior(curve=BY_DAYS))
    other = await build(reading, question)
    # Less its mean, the answer is the prior: the smooth curve of days that the prior's own product has.
    difference = other.values["value"] - own.values["value"]
    assert np.ptp(difference) < 1e-9


async def test_derivatives_of_very_many_cells_are_refused(store: Store) -> None:
    reading = await curve_reading(store)
    quotes = tuple(InlineQuote(1.0, str(year)) for year in range(2025, 2055))
    answer = await build(reading, BuildQuestion(BASE, quotes=quotes, grid=Resolution.QUARTER_HOUR))
    with pytest.raises(InvalidParameters, match="choose the grid P1D"):
        answer.documents(["jacobian"])


async def test_a_build_over_nothing_says_why(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, [("2024-10", 70.0), ("2025-01", None)]))
    with pytest.raises(NothingToBuild, match=r"every quote .* is in delivery") as refused:
        await build(reading, BuildQuestion(BASE))
    assert refused.value.facts["excluded"] == ["Oct-24"]
    with pytest.raises(NothingToBuild, match="no priced quotes on 2024-10-15"):
        await build(reading, BuildQuestion(BASE, trade_date=date(2024, 10, 15)))
    with pytest.raises(NothingToBuild, match="no quotes that were known"):
        await build(reading, BuildQuestion(PEAK))
    with pytest.raises(NothingToBuild, match="the request has no priced quotes"):
        await build(reading, BuildQuestion(None, quotes=(), calendar="eu_power"))


async def test_the_product_of_another_tenant_is_unknown(store: Store) -> None:
    reading = await curve_reading(store, tenants={"power:MINE:base:DESK": "acme"})
    quotes = (InlineQuote(1.0, "Jan-25"),)
    with pytest.raises(UnknownName):
        await build(reading, BuildQuestion("power:MINE:base:DESK", quotes=quotes))
    own = CurveReading(reading.curves, reading.observations, "acme")
    assert prices(await build(own, BuildQuestion("power:MINE:base:DESK", quotes=quotes)))["Jan-25"] == pytest.approx(1.0)
