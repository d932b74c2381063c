"""The instants that a schedule fires, and its rules for those that were missed."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aurum.core.schedule.due import MOST_MISSED, Misfire, Schedule, due, next_firing
from aurum.core.schedule.times import Cron, Every, InvalidSchedule

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fired_in_2026(schedule: Schedule, steps: Iterator[timedelta]) -> list[datetime]:
    """Return what a scheduler that looks at irregular times fires in a year."""
    now, last, fired = BEGIN, BEGIN, list[datetime]()
    while now < datetime(2027, 1, 1, tzinfo=UTC):
        now += next(steps)
        looked = due(schedule, now, last)
        fired += looked.instants
        last = looked.last
    return [instant for instant in fired if instant < datetime(2027, 1, 1, tzinfo=UTC)]


def irregular() -> Iterator[timedelta]:
    while True:
        yield from (timedelta(minutes=37), timedelta(hours=9), timedelta(hours=3), timedelta(minutes=1), timedelta(hours=19))


def test_a_year_of_half_past_two_fires_once_on_each_of_its_days() -> None:
    place = ZoneInfo("America/New_York")
    fired = fired_in_2026(Schedule("nightly", Cron("30 2 * * *", "America/New_York")), irregular())
    shown = [instant.astimezone(place) for instant in fired]
    assert len({instant.date() for instant in shown}) == len(shown) == 365
    others = {f"{instant:%m-%d %H:%M}" for instant in shown if (instant.hour, instant.minute) != (2, 30)}
    assert others == {"03-08 03:00"}
    assert shown[304].isoformat() == "2026-11-01T02:30:00-05:00"


def test_a_year_of_quarters_has_as_many_as_hours_times_four() -> None:
    schedule = Schedule("quarters", Cron("*/15 * * * *", "Europe/Berlin"), misfire=Misfire.ALL)
    fired = fired_in_2026(schedule, irregular())
    assert len(fired) == 365 * 24 * 4 - 1  # the year begins with an instant that is over
    place = ZoneInfo("Europe/Berlin")
    by_day = Counter(instant.astimezone(place).date().isoformat() for instant in fired)
    assert {count for day, count in by_day.items() if day not in ("2026-01-01", "2026-03-29", "2026-10-25")} <= {96, 4}
    assert (by_day["2026-03-29"], by_day["2026-10-25"]) == (92, 100)


def missed(rule: Misfire, hours: int = 5) -> tuple[datetime, ...]:
    schedule = Schedule("hourly", Cron("0 * * * *"), misfire=rule)
    return due(schedule, BEGIN + hours * HOUR + timedelta(minutes=30), BEGIN).instants


def test_skip_leaves_missed_instants_out_and_goes_on_after_them() -> None:
    schedule = Schedule("hourly", Cron("0 * * * *"), misfire=Misfire.SKIP)
    looked = due(schedule, BEGIN + 5 * HOUR + timedelta(minutes=30), BEGIN)
    assert (looked.instants, looked.last) == ((), BEGIN + 5 * HOUR)
    assert due(schedule, BEGIN + 6 * HOUR + timedelta(seconds=2), looked.last).instants == (BEGIN + 6 * HOUR,)


def test_once_fires_the_newest_of_what_was_missed() -> None:
    assert missed(Misfire.ONCE) == (BEGIN + 5 * HOUR,)


def test_all_fires_each_of_what_was_missed() -> None:
    assert missed(Misfire.ALL) == tuple(BEGIN + count * HOUR for count in range(1, 6))


def test_all_is_bounded_to_the_newest() -> None:
    fired = missed(Misfire.ALL, hours=5000)
    assert len(fired) == MOST_MISSED
    assert fired[-1] == BEGIN + 5000 * HOUR


@pytest.mark.parametrize("rule", list(Misfire))
def test_years_without_a_scheduler_are_no_long_walk(rule: Misfire) -> None:
    now = BEGIN + timedelta(days=3650)
    assert due(Schedule("often", Every(1), misfire=rule), now, BEGIN).last == now


def test_an_instant_fires_once() -> None:
    schedule = Schedule("hourly", Cron("0 * * * *"))
    looked = due(schedule, BEGIN + HOUR, BEGIN)
    assert looked.instants == (BEGIN + HOUR,)
    assert due(schedule, BEGIN + HOUR, looked.last).instants == ()


def test_a_clock_that_is_set_back_fires_nothing_again() -> None:
    assert due(Schedule("hourly", Cron("0 * * * *")), BEGIN, BEGIN + 3 * HOUR).instants == ()


def test_a_schedule_that_is_off_fires_nothing() -> None:
    schedule = Schedule("hourly", Cron("0 * * * *"), is_on=False)
    assert due(schedule, BEGIN + 9 * HOUR, BEGIN).instants == ()
    assert next_firing(schedule, BEGIN) is None


def test_jitter_delays_by_the_same_time_always_and_keeps_the_instant() -> None:
    names = [f"fetch {number}" for number in range(20)]
    schedules = [Schedule(name, Cron("0 * * * *"), jitter_s=600) for name in names]
    assert len({schedule.delay for schedule in schedules}) > 10
    for schedule in schedules:
        fires = next_firing(schedule, BEGIN + timedelta(minutes=30))
        assert fires is not None
        assert BEGIN + HOUR <= fires < BEGIN + HOUR + timedelta(minutes=10)
        assert due(schedule, fires - timedelta(seconds=1), BEGIN).instants == ()
        assert due(schedule, fires, BEGIN).instants == (BEGIN + HOUR,)
        assert next_firing(schedule, BEGIN + HOUR) == fires + HOUR


def test_negative_jitter_is_refused() -> None:
    with pytest.raises(InvalidSchedule, match="jitter"):
        Schedule("x", Every(60), jitter_s=-1)
