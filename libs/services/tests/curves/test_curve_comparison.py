"""Comparisons of a curve set with other prices: breaches, strips, dependence, and what is not compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from curve_desk import HOUR, MONDAY, NOW, OTHER, QUOTES, desk_of, label_of, refused
from curve_quotes import BASE, BY, PEAK, curve_reading, product_of, session_file

from aurum.common.clock import SystemClock
from aurum.core.errors import InvalidParameters
from aurum.services.curves import CurveReading
from aurum.services.curves.derived import NewDerived, add_derived
from aurum.services.curves.marks import (
    ComparisonQuestion,
    Tolerance,
    compare_set,
)
from aurum.storage.testing.stores import Store


async def test_a_comparison_lists_breaches_by_size_and_uses_strips(store: Store) -> None:
    desk = await desk_of(store, [*QUOTES, ("Q2-25", 80.0), ("Q4-25", 90.0)])
    broker = [("Jan-25", 102.2), ("Feb-25", 100.0), ("Apr-25", 81.0), ("May-25", 79.0), ("Jun-25", 83.0)]
    await curve_reading(store, session_file(OTHER, MONDAY, broker))
    one = await desk.create()
    question = ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.5), tolerances={"power:*": Tolerance(relative=0.02)})
    compared = await desk.compare(one.set_id, question)
    assert compared.frame.select("label", "method", "is_breach").rows() == [
        ("Feb-25", "quoted", True),
        ("Q2-25", "from_finer", False),
        ("Jan-25", "quoted", False),
    ]
    assert [(label_of(skip), skip.other_curve) for skip in compared.not_compared] == [("Mar-25", OTHER), ("Q4-25", OTHER)]
    assert "no priced quote" in compared.not_compared[0].reason
    assert compared.frame["tolerance"][0] == pytest.approx(2.0)
    stricter = replace(question, tolerances={"power:*": Tolerance(9.0), BASE: Tolerance(0.1)})
    assert (await desk.compare(one.set_id, stricter)).frame["is_breach"].all()


async def test_tolerances_are_found_by_key_then_by_the_longest_pattern_whatever_its_stars(store: Store) -> None:
    desk = await desk_of(store)
    await curve_reading(store, session_file(OTHER, MONDAY, [("Jan-25", 100.0)]))
    one = await desk.create()
    marks = await desk.marks(one.set_id)
    many_stars = "*" * 100 + "!"

    async def tolerance(*patterns: tuple[str, float]) -> float:
        tolerances = {many_stars: Tolerance(9.0)} | {name: Tolerance(most) for name, most in patterns}
        question = ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.5), tolerances=tolerances)
        return (await compare_set(desk.reading, store.derived_curves, marks, question)).frame["tolerance"][0]

    assert await tolerance() == 0.5
    assert await tolerance(("power:*", 1.0), ("power:XX:*", 2.0), ("power:YY:base:*", 3.0)) == 2.0
    assert await tolerance(("*", 1.0), (f"*{BASE}*", 2.0), (BASE, 3.0)) == 3.0


class Counted:
    """A port whose calls are recorded by their names."""

    def __init__(self, port: object, calls: list[str]) -> None:
        self._port = port
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        self._calls.append(name)
        return getattr(self._port, name)


def counted(reading: CurveReading, calls: list[str]) -> CurveReading:
    observations: Any = replace(
        reading.observations,
        catalog=Counted(reading.observations.catalog, calls),  # type: ignore[arg-type]
        reader=Counted(reading.observations.reader, calls),  # type: ignore[arg-type]
    )
    return replace(reading, curves=Counted(reading.curves, calls), observations=observations)  # type: ignore[arg-type]


async def test_what_curves_are_compared_with_is_read_for_all_of_them_together(store: Store) -> None:
    desk = await desk_of(store)
    keys = [f"power:X{letter}:base:INVENTED" for letter in "ABCDE"]
    others = [key.replace("INVENTED", "BROKER") for key in keys]
    quarters = [("Q1-25", 98.0), ("Apr-25", 80.0)]
    await curve_reading(
        store,
        *(session_file(key, MONDAY, [("Q1-25", 98.0), ("Apr-25", 0.08)]) for key in keys),
        *(session_file(key, MONDAY, quarters) for key in others[:3]),
    )
    async with store.transactions.transaction(by=BY) as tx:
        for key in others[3:]:
            thousandths = replace(product_of(key), unit="EUR/kWh")
            await tx.curve_reference.put_product(thousandths, tenant=None)
    for key in others[3:]:
        await store.loader.load(session_file(key, MONDAY, [("Jan-25", 0.1), ("Feb-25", 0.1), ("Mar-25", 0.1)]))

    async def calls(*curves: str) -> list[str]:
        one = await desk.create(*curves)
        marks, made = await desk.marks(one.set_id), list[str]()
        question = ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.5))
        compared = await compare_set(counted(desk.reading, made), store.derived_curves, marks, question)
        assert set(compared.frame["curve"].to_list()) == set(curves)
        return sorted(made)

    assert await calls(*keys[:3]) == await calls(keys[0]), "quotes, terms and strips of three as of one"
    assert await calls(*keys[3:]) == await calls(keys[3]), "a conversion to a unit once"


async def test_a_curve_that_delivers_by_another_block_is_not_compared(store: Store) -> None:
    desk = await desk_of(store)
    await curve_reading(store, session_file(OTHER, MONDAY, [("Jan-25", 100.0)]), session_file(PEAK, MONDAY, QUOTES))
    one = await desk.create(BASE, PEAK)
    question = ComparisonQuestion(NOW, {BASE: OTHER, PEAK: BASE}, default=Tolerance(0.5))
    compared = await desk.compare(one.set_id, question)
    assert set(compared.frame["other_curve"].to_list()) == {OTHER}
    assert [(skip.curve, skip.reason) for skip in compared.not_compared if skip.other_curve == BASE] == [
        (PEAK, "it delivers by another block: all hours, and not PEAK")
    ]


async def test_a_comparison_says_which_curves_depend_on_each_other_however_far(store: Store) -> None:
    desk = await desk_of(store)
    near, far, third = (f"power:XX:base:{venue}" for venue in ("NEAR", "FAR", "THIRD"))
    await curve_reading(store, session_file(OTHER, MONDAY, QUOTES))

    for key, expression in {
        near: {"op": "shift", "curve": BASE, "by": 1.0},
        far: {"op": "shift", "curve": near, "by": 1.0},
        third: {"op": "combine", "a": BASE, "b": OTHER},
    }.items():
        arguments = (store.transactions, store.derived_curves, desk.reading, store.loader, NewDerived(key, expression))
        await add_derived(*arguments, tenant=None, by=BY, now=SystemClock().now())
    one = await desk.create(BASE, near, far)

    async def said(against: dict[str, str]) -> list[tuple[str, str]]:
        compared = await desk.compare(one.set_id, ComparisonQuestion(NOW, against, default=Tolerance(0.5)))
        assert set(compared.frame["curve"].to_list()) == set(against), "compared all the same"
        return [(each.curve, each.reason) for each in compared.not_independent]

    assert await said({BASE: OTHER, near: OTHER, far: OTHER}) == []
    assert await said({BASE: far}) == [(BASE, f"{far} is derived from {BASE}")]
    assert await said({far: BASE}) == [(far, f"{far} is derived from {BASE}")]
    assert await said({near: third}) == [(near, f"both are derived from {BASE}")]


async def test_a_set_as_of_an_instant_is_compared_with_other_prices_as_known_then(store: Store) -> None:
    desk = await desk_of(store)
    corrected = session_file(OTHER, MONDAY, [("Jan-25", 90.0)], known_at=NOW - HOUR)
    await curve_reading(store, session_file(OTHER, MONDAY, [("Jan-25", 98.0)]), corrected)
    one = await desk.create(as_of="2024-10-14T16:00:00Z")

    async def other(as_of: str | None = None) -> list[float]:
        question = ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.5), as_of=as_of)
        return (await desk.compare(one.set_id, question)).frame["other"].to_list()

    assert (await other(), await other("2024-10-14T17:30:00Z")) == ([98.0], [90.0])


async def test_a_quarter_of_another_curve_is_compared_with_the_strip_of_the_months_of_the_set(store: Store) -> None:
    desk = await desk_of(store)
    broker = [("Q1-25", 98.0), ("Q2-25", 80.0), ("Jan-25", 102.0)]
    await curve_reading(store, session_file(OTHER, MONDAY, broker))
    one = await desk.create()
    question = ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.1))
    compared = await desk.compare(one.set_id, question)
    quarter, month = compared.frame.rows(named=True)
    assert (quarter["label"], quarter["method"], quarter["is_breach"]) == ("Q1-25", "own_from_finer", True)
    assert quarter["value"] == pytest.approx((102 * 744 + 104 * 672 + 89 * 743) / 2159)
    assert (month["label"], month["method"]) == ("Jan-25", "quoted")
    assert [label_of(skip) for skip in compared.not_compared] == ["Feb-25", "Mar-25"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"against": {PEAK: BASE}}, "against"),
        ({"against": {BASE: "power:NO:base:NONE"}}, "against"),
        ({"venue": None}, "against"),
        ({"venue": "a b"}, "venue"),
        ({"default": None}, "tolerance"),
        ({"default": Tolerance()}, "tolerance"),
    ],
)
async def test_a_comparison_that_names_nothing_is_refused_by_field(store: Store, change: dict[str, object], field: str) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    question = replace(ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.5)), **change)
    error = await refused(InvalidParameters, desk.compare(one.set_id, question))
    assert [named["field"] for named in error.facts["errors"]] == [field]  # type: ignore[attr-defined]


async def test_a_curve_without_another_is_said_not_to_be_compared(store: Store) -> None:
    desk = await desk_of(store)
    one = await desk.create()
    question = ComparisonQuestion(NOW, venue="NONE", default=Tolerance(0.5))
    compared = await desk.compare(one.set_id, question)
    assert compared.frame.is_empty()
    assert [(skip.curve, skip.reason) for skip in compared.not_compared] == [(BASE, "there is no curve power:XX:base:NONE")]
