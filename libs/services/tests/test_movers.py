"""The largest movers, over the memory adapter and over PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from aurum.core.calendars import default_blocks
from aurum.core.errors import InvalidParameters
from aurum.core.markettime import day_bounds
from aurum.services.movers import Count, Movers, MoversQuestion, NoDataOnDay, WideReading, movers
from aurum.services.observations import TooManyPoints
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.builders import T0, Point, file_load
from aurum.storage.testing.stores import Store

ZONE = "America/New_York"
FRIDAY, SATURDAY, FALL, MONDAY = (date(2025, 10, 31) + timedelta(days=offset) for offset in range(4))
SPRING = date(2025, 3, 9)
NAN = float("nan")
HOUR = timedelta(hours=1)
A, B, C, D = (f"nyiso:damlbmp_zone:{name}:lmp" for name in "ABCD")
QUARTERS = "nyiso:rt:A:lmp"


def day_of(day: date, values: Sequence[float], *, step: timedelta = HOUR, quality: int = 0) -> list[Point]:
    """The intervals of a market day, from its start; the last value stands until its end."""
    start, end = day_bounds(day, ZONE)
    count = (end - start) // step
    padded = [*values, *[values[-1]] * (count - len(values))]
    return [((start - T0 + number * step) / HOUR, 0, value, quality) for number, value in enumerate(padded[:count])]


def file_of(
    key: str, *days: list[Point], unit: str = "USD/MWh", currency: str | None = "USD", frequency: str = "1h"
) -> FileLoad:
    points = [point for day in days for point in day]
    return file_load(points, key=key, unit=unit, currency=currency, zone=ZONE, market="NYISO", frequency=frequency)


async def reading_of(store: Store, *files: FileLoad) -> WideReading:
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[block.to_document() for block in default_blocks()])
    for file in files:
        await store.loader.load(file)
    return WideReading(store.catalog, store.quality, store.partials)


def question(day: date, **changed: object) -> MoversQuestion:
    return replace(MoversQuestion("lmp", "nyiso", day), **changed)


def moved(answer: Movers) -> list[tuple[str, float, float]]:
    return [(str(one.series.key), one.before, one.after) for one in answer.movers]


async def test_series_are_ranked_by_the_change_of_their_means_and_equal_ones_by_key(store: Store) -> None:
    reading = await reading_of(
        store,
        file_of(A, day_of(FRIDAY, [30.0]), day_of(SATURDAY, [32.0])),
        file_of(B, day_of(FRIDAY, [50.0]), day_of(SATURDAY, [20.0])),
        file_of(D, day_of(FRIDAY, [0.0]), day_of(SATURDAY, [-2.0])),
        file_of(C, day_of(FRIDAY, [-8.0]), day_of(SATURDAY, [-6.0])),
    )
    answer = await movers(reading, question(SATURDAY))
    assert moved(answer) == [(B, 50.0, 20.0), (A, 30.0, 32.0), (C, -8.0, -6.0), (D, 0.0, -2.0)]
    assert [one.change for one in answer.movers] == [-30.0, 2.0, 2.0, -2.0]
    assert [one.relative_change for one in answer.movers] == [-0.6, 2 / 30, 0.25, None]
    assert (answer.market.code, answer.unit, answer.currency, answer.day, answer.against) == (
        "NYISO", "USD/MWh", "USD", SATURDAY, FRIDAY,
    )  # fmt: skip
    assert (answer.ranked, answer.incomplete_series) == (4, 0)
    assert moved(await movers(reading, question(SATURDAY, limit=1))) == [(B, 50.0, 20.0)]


@pytest.mark.parametrize(("long_or_short", "hours"), [(FALL, 25), (SPRING, 23)])
async def test_days_on_which_clocks_change_have_all_their_hours(store: Store, long_or_short: date, hours: int) -> None:
    before = long_or_short - timedelta(days=1)
    reading = await reading_of(
        store,
        file_of(A, day_of(before, [10.0]), day_of(long_or_short, [float(hours), 0.0])),
        file_of(B, day_of(before, [10.0]), day_of(long_or_short, [1.0])[:-1]),
    )
    answer = await movers(reading, question(long_or_short))
    assert moved(answer) == [(A, 10.0, 1.0)]
    (apart,) = answer.incomplete
    assert (str(apart.series.key), apart.before, apart.after) == (B, Count(24, 24), Count(hours, hours - 1))


async def test_a_quarter_hourly_series_is_a_mean_over_its_intervals(store: Store) -> None:
    quarter = timedelta(minutes=15)
    reading = await reading_of(
        store,
        file_of(
            QUARTERS, day_of(SATURDAY, [4.0, 0.0], step=quarter), day_of(FALL, [100.0, 0.0], step=quarter), frequency="15min"
        ),
        file_of(A, day_of(SATURDAY, [4.0]), day_of(FALL, [4.0])),
    )
    answer = await movers(reading, question(FALL))
    assert moved(answer) == [(QUARTERS, 4.0 / 96, 1.0), (A, 4.0, 4.0)]


async def test_a_series_that_lacks_an_interval_on_either_day_is_apart_and_withdrawn_values_are_missing(store: Store) -> None:
    reading = await reading_of(
        store,
        file_of(A, day_of(FRIDAY, [1.0]), day_of(SATURDAY, [2.0])),
        file_of(B, day_of(FRIDAY, [1.0])[1:], day_of(SATURDAY, [900.0])),
        file_of(C, day_of(FRIDAY, [1.0]), [*day_of(SATURDAY, [NAN], quality=9)[:1], *day_of(SATURDAY, [900.0])[1:]]),
        file_of(D, day_of(FRIDAY, [1.0])),
        file_of("nyiso:month:A:lmp", day_of(FRIDAY, [1.0])[:1], frequency="1mo"),
    )
    answer = await movers(reading, question(SATURDAY))
    assert moved(answer) == [(A, 1.0, 2.0)]
    assert [(str(one.series.key), one.before, one.after) for one in answer.incomplete] == [
        (B, Count(24, 23), Count(24, 24)),
        (C, Count(24, 24), Count(24, 23)),
        (D, Count(24, 24), Count(24, 0)),
        ("nyiso:month:A:lmp", Count(None, 1), Count(None, 0)),
    ]
    cut = await movers(reading, question(SATURDAY, limit=2))
    assert (len(cut.incomplete), cut.incomplete_series) == (2, 4)


async def test_a_daily_series_has_one_interval_a_day_and_none_in_a_block(store: Store) -> None:
    reading = await reading_of(
        store, file_of(A, day_of(MONDAY, [1.0])[:1], day_of(MONDAY - timedelta(days=7), [5.0])[:1], frequency="1d")
    )
    assert moved(await movers(reading, question(MONDAY, against="week"))) == [(A, 5.0, 1.0)]
    (apart,) = (await movers(reading, question(MONDAY, against="week", block="ON_PEAK"))).incomplete
    assert (apart.before.expected, apart.after.expected) == (None, None)


async def test_a_block_restricts_both_days_to_its_hours(store: Store) -> None:
    night_then_day = [1.0] * 7 + [10.0] * 16 + [1.0]
    other = [1.0] * 7 + [30.0] * 16 + [5.0]
    reading = await reading_of(
        store,
        file_of(A, day_of(MONDAY - timedelta(days=7), night_then_day), day_of(MONDAY, other)),
        # Lacks an hour of the night, which is not in the block.
        file_of(B, day_of(MONDAY - timedelta(days=7), night_then_day)[1:], day_of(MONDAY, night_then_day)),
    )
    answer = await movers(reading, question(MONDAY, against="week", block="on-peak"))
    assert moved(answer) == [(A, 10.0, 30.0), (B, 10.0, 10.0)]
    assert answer.block is not None
    assert (answer.block.calendar, answer.block.name) == ("nyiso", "ON_PEAK")
    nights = await movers(reading, question(MONDAY, against="week", block="nyiso:7x8"))
    assert moved(nights) == [(A, 1.0, 1.5)]
    assert [one.before for one in nights.incomplete] == [Count(8, 7)]


async def test_a_block_without_an_hour_on_a_day_is_refused(store: Store) -> None:
    reading = await reading_of(store, file_of(A, day_of(MONDAY, [1.0])))
    with pytest.raises(InvalidParameters, match="nyiso:ON_PEAK has no hours on 2025-11-02: choose another value of against"):
        await movers(reading, question(MONDAY, block="ON_PEAK"))


@pytest.mark.parametrize(
    ("changed", "parameter", "says", "nearest"),
    [
        ({"measure": "lpm"}, "measure", "there is no such measure; nearest: lmp", "lmp"),
        ({"measure": "load"}, "measure", "NYISO has no series of measure load; nearest: lmp$", "lmp"),
        ({"market": "nyis"}, "market", "unknown market", "NYISO"),
        ({"block": "ON_PEEK"}, "block", "unknown block", "ON_PEAK"),
        ({"block": "nyizo:ON_PEAK"}, "block", "unknown calendar", "nyiso"),
        ({"against": "yesterday"}, "against", "must be previous, week or a date", None),
        ({"against": "2025-02-30"}, "against", "must be previous, week or a date", None),
        ({"against": "2025-11-01"}, "against", "equals day", None),
        ({"against": "1066-10-14"}, "against", "must be a day from 1900-01-02 to 2200-01-01", None),
        ({"day": date(9999, 12, 31)}, "day", "must be a day from 1900-01-02 to 2200-01-01", None),
        ({"unit": "USD/MWhh"}, "unit", "unknown", "USD/MWh"),
        ({"unit": "MW"}, "unit", "has unit MW; choose one of USD/MWh", "USD/MWh"),
        ({"currency": "EUR"}, "currency", "has currency EUR; choose one of USD", "USD"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(
    store: Store, changed: dict[str, object], parameter: str, says: str, nearest: str | None
) -> None:
    load = file_load([(0, 0, 1.0)], key="pjm:load:A:load", unit="MW", market="PJM")
    reading = await reading_of(store, file_of(A, day_of(FRIDAY, [1.0]), day_of(SATURDAY, [1.0])), load)
    with pytest.raises(InvalidParameters, match=says) as raised:
        await movers(reading, replace(question(SATURDAY), **changed))
    assert raised.value.facts["errors"][0]["field"] == parameter  # type: ignore[index]
    if nearest is not None:
        assert nearest in raised.value.facts["nearest"]  # type: ignore[operator]


async def test_series_of_several_units_or_currencies_are_ranked_one_unit_at_a_time(store: Store) -> None:
    reading = await reading_of(
        store,
        file_of(A, day_of(FRIDAY, [1.0]), day_of(SATURDAY, [2.0])),
        file_of(B, day_of(FRIDAY, [1.0]), day_of(SATURDAY, [3.0]), unit="CAD/MWh", currency="CAD"),
        file_of(C, day_of(FRIDAY, [1.0]), day_of(SATURDAY, [4.0]), unit="USD/MMBtu"),
    )
    with pytest.raises(InvalidParameters, match=r"CAD/MWh, USD/MMBtu, USD/MWh.*set unit to one of them") as raised:
        await movers(reading, question(SATURDAY))
    assert raised.value.facts["nearest"] == ["CAD/MWh", "USD/MMBtu", "USD/MWh"]
    assert moved(await movers(reading, question(SATURDAY, unit="USD/MWh"))) == [(A, 1.0, 2.0)]
    assert moved(await movers(reading, question(SATURDAY, currency="cad"))) == [(B, 1.0, 3.0)]


async def test_a_day_without_data_names_the_nearest_day_with_data(store: Store) -> None:
    reading = await reading_of(
        store,
        file_of(A, day_of(FRIDAY, [1.0]), day_of(MONDAY, [2.0])),
        file_of(B, day_of(FALL, [NAN], quality=9)),
    )
    with pytest.raises(NoDataOnDay, match=r"day: no values of lmp in NYISO on 2025-11-02; .* is 2025-11-03") as raised:
        await movers(reading, question(FALL))
    assert raised.value.facts == {"parameter": "day", "day": "2025-11-02", "nearest": ["2025-11-03", "2025-10-31"]}
    with pytest.raises(NoDataOnDay, match=r"against: .* on 2025-11-02") as raised:
        await movers(reading, question(MONDAY))
    assert raised.value.facts["parameter"] == "against"
    with pytest.raises(NoDataOnDay, match="is 2025-11-03"):
        await movers(reading, question(date(2026, 5, 1)))


async def test_a_day_without_data_of_daily_series_names_one_too_or_says_that_there_is_none(store: Store) -> None:
    reading = await reading_of(
        store, file_of(A, day_of(FRIDAY, [1.0])[:1], frequency="1d"), file_of("nyiso:x:A:load", [], unit="MW", currency=None)
    )
    with pytest.raises(NoDataOnDay, match="is 2025-10-31"):
        await movers(reading, question(MONDAY))
    with pytest.raises(NoDataOnDay, match="no other day has values") as raised:
        await movers(reading, question(MONDAY, measure="load"))
    assert raised.value.facts["nearest"] == []


async def test_more_observations_than_one_question_may_span_are_refused(store: Store) -> None:
    reading = await reading_of(store, file_of(A, day_of(FRIDAY, [1.0]), day_of(SATURDAY, [1.0])))
    assert moved(await movers(replace(reading, most_points=25), question(SATURDAY))) == [(A, 1.0, 1.0)]
    with pytest.raises(TooManyPoints):
        await movers(replace(reading, most_points=24), question(SATURDAY))
