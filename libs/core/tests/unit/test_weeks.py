import pytest

from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.series.model import SeriesSpec
from aurum.core.series.weeks import Week, stamp_offset, week_of


def spec(frequency: Frequency, week: str | None) -> SeriesSpec:
    labels = {"week": week} if week else {}
    return SeriesSpec(SeriesKey("eia", "x", "A", "value"), "Bcf", frequency, "America/New_York", labels=labels)


@pytest.mark.parametrize(
    ("week", "interval"),
    [
        ("flow", Frequency.WEEK),
        ("level", Frequency.DAY),
        ("survey", Frequency.DAY),
        ("stated", Frequency.WEEK),
        ("undeclared", Frequency.WEEK),
        ("ending", Frequency.WEEK),
        (None, Frequency.WEEK),
    ],
)
def test_a_weekly_level_or_survey_covers_one_day_and_all_other_weeks_seven(week: str | None, interval: Frequency) -> None:
    assert spec(Frequency.WEEK, week).interval is interval


def test_the_label_of_a_series_of_another_step_has_no_effect() -> None:
    assert spec(Frequency.MONTH, "level").interval is Frequency.MONTH
    assert week_of(Frequency.MONTH, {"week": "flow"}) is None


def test_only_a_flow_begins_before_its_stamp() -> None:
    assert {week: stamp_offset(Frequency.WEEK, {"week": str(week)}).days for week in Week} == {
        Week.FLOW: 6,
        Week.LEVEL: 0,
        Week.SURVEY: 0,
        Week.STATED: 0,
        Week.UNDECLARED: 0,
    }
