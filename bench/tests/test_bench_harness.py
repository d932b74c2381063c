"""Medians, ratios and verdicts of figures."""

from __future__ import annotations

import pytest

from bench.harness import Figure, limit, none_at_all, side_by_side


async def _figure(ours: list[float], theirs: list[float], **options: object) -> tuple[Figure, list[str]]:
    order: list[str] = []

    def run(name: str, values: list[float]):
        waiting = iter(values)

        async def once() -> float:
            order.append(name)
            return next(waiting)

        return once

    figure = await side_by_side(
        "it", run("A", ours), run("B", theirs), unit="1/s", against="that", rounds=len(ours) - 1, **options
    )
    return figure, order


async def test_ours_and_the_reference_take_turns_and_the_first_round_does_not_count() -> None:
    figure, order = await _figure([1.0, 10.0, 20.0, 60.0], [1.0, 10.0, 10.0, 20.0])

    assert "".join(order) == "ABABABAB"
    assert (figure.ours, figure.reference, figure.ratio) == (20.0, 10.0, 2.0)
    assert figure.ratios == (1.0, 2.0, 3.0)


async def test_a_shorter_duration_has_the_greater_ratio() -> None:
    figure, _ = await _figure([0.0, 0.5], [0.0, 2.0], less_is_better=True)

    assert figure.ratio == 4.0


@pytest.mark.parametrize(
    ("ratio", "target", "stretch", "verdict"),
    [
        (0.49, 0.5, 0.8, "missed"),
        (0.5, 0.5, 0.8, "reached"),
        (0.8, 0.5, 0.8, "stretch"),
        (9.0, 0.5, None, "reached"),
        (9.0, None, None, ""),
    ],
)
def test_verdict(ratio: float, target: float | None, stretch: float | None, verdict: str) -> None:
    assert Figure("it", ratio, 1.0, "", "", ratio, target, stretch).verdict == verdict


def test_a_limit_is_missed_by_what_is_above_it() -> None:
    assert limit("start", [1.6, 1.4, 1.7], 1.5, unit="s", stretch=0.8).verdict == "missed"
    assert limit("start", [1.6, 1.4, 1.2], 1.5, unit="s", stretch=0.8).verdict == "reached"
    assert limit("start", [0.7], 1.5, unit="s", stretch=0.8).verdict == "stretch"


def test_a_count_that_must_be_zero() -> None:
    assert none_at_all("rows", 0, unit="rows").verdict == "reached"
    assert none_at_all("rows", 1, unit="rows").verdict == "missed"
