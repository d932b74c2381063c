"""Shapes: learned from what was known, stored as versions, laid over prices of periods that stay exact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from curve_quotes import BASE, BY, PEAK, SPOT, curve_reading, hourly_spot, session_file

from aurum.core.curves.build import Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.shapes import Profile
from aurum.core.errors import Conflict, InvalidParameters
from aurum.services.curves import CurveReading
from aurum.services.curves.build import build, versions_of
from aurum.services.curves.build_question import BuildQuestion, Prior
from aurum.services.curves.build_terms import terms_of
from aurum.services.curves.documents import add_reference, change_reference
from aurum.services.curves.known import Known
from aurum.services.curves.shapes import learned_shape, store_shape
from aurum.storage.ports.curves import ReferenceKind
from aurum.storage.testing.stores import Store

DAY = date(2024, 10, 14)
START = datetime(2023, 10, 15, 22, tzinfo=UTC)
HOURS = 24 * 366


def spot_value(hour: int) -> float:
    """A price with a daily form, lower on Sundays; hour 0 begins a Monday, on the clock of Berlin."""
    local = START + timedelta(hours=hour + 2)
    return 60.0 + 20.0 * np.sin((local.hour - 6) * np.pi / 12) - (15.0 if local.weekday() == 6 else 0.0)


async def reading_with(store: Store, *quotes: tuple[str, float], known_at: datetime = START) -> CurveReading:
    del known_at
    return await curve_reading(
        store, session_file(BASE, DAY, list(quotes)), hourly_spot(START, [spot_value(hour) for hour in range(HOURS)])
    )


async def test_hours_have_the_profile_of_the_spot_prices_and_periods_keep_their_price(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", 90.84), ("2024-12", 92.5), ("Q1-25", 98.31), ("2025", 88.0))
    answer = await build(reading, BuildQuestion(BASE, grid=Resolution.HOUR, objective=Objective.SHAPE))
    prices = {one.period.label: one.value for one in answer.periods}
    assert prices["Nov-24"] == pytest.approx(90.84, abs=1e-9)
    assert prices["Dec-24"] == pytest.approx(92.5, abs=1e-9)
    assert answer.built.report.max_abs_error < 1e-9
    assert len(answer.values["value"]) == sum((date(2026, 1, 1) - date(2024, 11, 1)).days * 24 for _ in (1,))
    first_day = answer.values["value"][:24]
    assert (int(first_day.argmax()), int(first_day.argmin())) == (12, 0)
    described = answer.meta()["shape"]
    assert (described["series"], described["version"], described["end"]) == (SPOT, None, "2024-10-15")  # type: ignore[index]
    assert {one["profile"] for one in answer.documents(["report"])["report"]["profiles"]} == {"multiplicative"}  # type: ignore[index]


async def test_days_of_changing_clocks_have_their_hours_and_quarter_hours_the_price_of_their_hour(store: Store) -> None:
    reading = await reading_with(store, ("2025-03", 89.37), ("2025-10", 77.95))
    answer = await build(reading, BuildQuestion(BASE, grid=Resolution.QUARTER_HOUR, objective=Objective.SHAPE))
    values = answer.values["value"]
    assert len(values) == ((date(2025, 11, 1) - date(2025, 3, 1)).days * 24) * 4
    march = values[: 743 * 4].reshape(-1, 4)
    assert (march == march[:, :1]).all()
    assert march.mean() == pytest.approx(89.37, abs=1e-9)
    assert values[-745 * 4 :].mean() == pytest.approx(77.95, abs=1e-9)


async def test_base_and_peak_are_kept_together(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", 90.84))
    await curve_reading(store, session_file(PEAK, DAY, [("2024-11", 105.0)]))
    question = BuildQuestion(BASE, together=(PEAK,), grid=Resolution.HOUR, objective=Objective.SHAPE)
    answer = await build(reading, question)
    by_block = {one.block: one.value for one in answer.periods}
    assert by_block["BASE"] == pytest.approx(90.84, abs=1e-9)
    assert by_block["PEAK"] == pytest.approx(105.0, abs=1e-9)
    assert by_block["OFF_PEAK"] == pytest.approx((90.84 * 720 - 105.0 * 252) / 468, abs=1e-9)


async def test_a_price_near_zero_is_shaped_by_differences(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", -5.0))
    question = BuildQuestion(BASE, grid=Resolution.HOUR, objective=Objective.SHAPE)
    answer = await build(reading, question)
    noon, night = answer.values["value"][12], answer.values["value"][0]
    assert noon > 0 > night
    assert answer.documents(["report"])["report"]["profiles"][0]["profile"] == "additive"  # type: ignore[index]
    turned = await build(
        reading, BuildQuestion(BASE, grid=Resolution.HOUR, objective=Objective.SHAPE, profile=Profile.MULTIPLICATIVE)
    )
    assert turned.values["value"][12] < turned.values["value"][0] < 0


async def test_a_smooth_curve_takes_the_shape_as_its_prior(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", 90.0), ("2024-12", 100.0))
    answer = await build(reading, BuildQuestion(BASE, grid=Resolution.HOUR, prior=Prior(learned=True)))
    assert {one.period.label: one.value for one in answer.periods}["Nov-24"] == pytest.approx(90.0, abs=1e-9)
    by_day = answer.values["value"].reshape(-1, 24)
    assert (by_day.argmax(axis=1) == 12).all()


async def test_a_shape_knows_no_price_of_after_as_of(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", 90.84))
    question = BuildQuestion(
        BASE, grid=Resolution.HOUR, objective=Objective.SHAPE, as_of=datetime(2024, 10, 14, 20, tzinfo=UTC)
    )
    with pytest.raises(InvalidParameters, match=f"90% of the spot hours of {SPOT} .* has 0% of them as known at 2024"):
        await build(reading, question)


async def test_the_year_of_a_shape_ends_with_the_last_stored_day_unless_that_is_too_long_ago(store: Store) -> None:
    reading = await reading_with(store, ("2025-06", 90.0))
    await curve_reading(store, session_file(BASE, date(2025, 3, 3), [("2025-06", 90.0)]))
    await curve_reading(store, session_file(BASE, date(2026, 3, 3), [("2026-06", 90.0)]))
    question = BuildQuestion(BASE, grid=Resolution.HOUR, objective=Objective.SHAPE)
    described = (await build(reading, replace(question, trade_date=date(2025, 3, 3)))).meta()["shape"]
    assert (described["first"], described["end"]) == ("2023-10-16", "2024-10-16")  # type: ignore[index]
    with pytest.raises(InvalidParameters, match="90% of the spot hours"):
        await build(reading, replace(question, trade_date=date(2026, 3, 3)))


async def test_a_shape_that_a_user_wrote_is_known_since_then(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", 90.84))
    document = {"name": "flat", "mean": 50.0, "means": [[[50.0] * 24] * 3]}
    await add_reference(store.transactions, reading, ReferenceKind.SHAPE, document, tenant=None, by=BY)
    question = BuildQuestion(BASE, grid=Resolution.HOUR, objective=Objective.SHAPE, shape="flat")
    assert (await build(reading, question)).meta()["shape"]["version"] == 1  # type: ignore[index]
    with pytest.raises(InvalidParameters, match="was written at"):
        await build(reading, replace(question, as_of=datetime(2024, 11, 1, tzinfo=UTC)))


async def test_a_learned_shape_whose_numbers_are_changed_loses_its_origin(store: Store) -> None:
    reading = await reading_with(store)
    terms = await terms_of(reading, BASE)
    shape, origin = await learned_shape(reading, terms, SPOT, date(2023, 10, 16), date(2024, 10, 14), Known())
    await store_shape(store.transactions, "xx", shape, origin, tenant=None, version=None, by=BY)
    changes = [{}, {"means": [[[50.0] * 24] * 3]}]
    same, changed = [
        await change_reference(store.transactions, reading, ReferenceKind.SHAPE, "xx", change, tenant=None, version=None, by=BY)
        for change in changes
    ]
    assert "origin" in same.document
    assert "origin" not in changed.document


async def test_learned_shapes_are_versions_and_one_that_knows_too_much_is_refused(store: Store) -> None:
    reading = await reading_with(store, ("2024-11", 90.84))
    terms = await terms_of(reading, BASE)
    learned_at = datetime(2024, 12, 1, tzinfo=UTC)
    shape, origin = await learned_shape(
        reading, terms, SPOT, date(2023, 10, 16), date(2024, 10, 14), Known(), learned_at=learned_at
    )
    assert origin.coverage == 1.0
    first = await store_shape(store.transactions, "xx", shape, origin, tenant=None, version=None, by=BY)
    question = BuildQuestion(BASE, grid=Resolution.HOUR, objective=Objective.SHAPE, shape="xx")
    tag = await versions_of(reading, question, [terms])
    answer = await build(reading, question)
    assert answer.meta()["shape"]["version"] == first.version == 1  # type: ignore[index]
    with pytest.raises(Conflict):
        await store_shape(store.transactions, "xx", shape, origin, tenant=None, version=None, by=BY)
    second = await store_shape(store.transactions, "xx", shape, origin, tenant=None, version=1, by=BY)
    assert second.version == 2
    assert await versions_of(reading, question, [terms]) != tag
    early = BuildQuestion(
        BASE, grid=Resolution.HOUR, objective=Objective.SHAPE, shape="xx", as_of=datetime(2024, 11, 1, tzinfo=UTC)
    )
    with pytest.raises(InvalidParameters, match="was learned from prices known at 2024-12-01"):
        await build(reading, early)
