from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, OnDay, PublicationRule
from aurum.pipelines.loading.known_time import InvalidKnownAt, KnownAtChoice, KnownAtPolicy, KnownTime, issue_time, known_time
from aurum.pipelines.source import Dataset, NamedContent, Parsed, RefusedFile, describe_series
from aurum.storage.ports.observations import RuleDated

NEW_YORK = "America/New_York"
DAY_BEFORE = PublicationRule(OnDay(-1, time(13, 30), NEW_YORK), "a manual")
DATASET = Dataset(
    source="invented",
    name="da",
    title="Day-ahead",
    zone=NEW_YORK,
    frequency=Frequency.HOUR,
    measures=(),
    rules=(DAY_BEFORE,),
)
WITHOUT_RULE = replace(DATASET, rules=())
STATED = datetime(2026, 6, 3, 16, 57, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
NOON = datetime(2025, 11, 2, 12, tzinfo=UTC)
SCHEDULED = datetime(2025, 11, 1, 17, 30, tzinfo=UTC)
BY_SCHEDULE = KnownAtPolicy(KnownAtChoice.SCHEDULE)


def file(
    *ts: datetime,
    dataset: Dataset = DATASET,
    known_at: datetime | None = None,
    answered_at: datetime | None = None,
    measures: Sequence[str] = ("x",),
    frequency: Frequency = Frequency.HOUR,
    zone: str = NEW_YORK,
    week: str = "",
) -> Parsed:
    """A file of one location with the given interval starts in each measure."""
    count = len(ts) * len(measures)
    columns = {
        "location": ["A"] * count,
        "measure": [measure for measure in measures for _ in ts],
        "ts": [*ts] * len(measures),
        "value": [1.0] * count,
    }
    rows = pl.DataFrame(columns, schema_overrides={"ts": PARSED["ts"]}).with_columns(
        quality=pl.lit(0), version=pl.lit(0), line=pl.lit(1)
    )
    labels = {"week": week} if week else {}
    series = describe_series(dataset, rows.cast(dict(PARSED)), labels=labels)
    series = series.with_columns(zone=pl.lit(zone), frequency=pl.lit(str(frequency)))
    refused = pl.DataFrame(schema=REFUSED)
    return Parsed(dataset, rows.cast(dict(PARSED)), series, refused, count, str, known_at, answered_at=answered_at)


def own(known: KnownTime) -> list[datetime | None]:
    assert known.own is not None
    return known.own.to_list()


def test_the_file_speaks_for_itself_when_nothing_is_chosen() -> None:
    known = known_time(file(NOON, known_at=STATED), KnownAtPolicy(), NOW)
    assert known == KnownTime(KnownAtBasis.PUBLISHED, STATED)


def test_a_server_that_says_when_it_made_a_file_available_says_when_it_was_published() -> None:
    policy = KnownAtPolicy(available_at=STATED)
    assert known_time(file(NOON), policy, NOW) == KnownTime(KnownAtBasis.PUBLISHED, STATED)


def test_a_file_of_the_past_that_says_nothing_was_known_at_the_usual_publication_time() -> None:
    known = known_time(file(NOON), KnownAtPolicy(), NOW)
    assert own(known) == [SCHEDULED]
    assert known.rule == RuleDated(may_correct=False)


def test_a_file_without_stamp_and_rule_is_known_when_it_is_taken_in() -> None:
    assert known_time(file(NOON, dataset=WITHOUT_RULE), KnownAtPolicy(), NOW) == KnownTime(KnownAtBasis.INGESTED)


def test_rows_that_were_just_published_are_known_when_the_file_is_taken_in() -> None:
    parsed = file(NOON - timedelta(days=5), NOON, NOON + timedelta(days=1))
    known = known_time(parsed, KnownAtPolicy(), SCHEDULED + timedelta(hours=23))
    assert own(known) == [SCHEDULED - timedelta(days=5), None, None]
    assert own(known_time(parsed, BY_SCHEDULE, SCHEDULED + timedelta(hours=23)))[1] == SCHEDULED


def test_the_last_writing_of_a_file_of_many_intervals_is_an_upper_bound() -> None:
    rule = PublicationRule(AfterInterval(timedelta(minutes=5)), "practice")
    parsed = file(NOON, NOON + timedelta(hours=2), dataset=replace(DATASET, rules=(rule,)))
    known = known_time(parsed, KnownAtPolicy(available_at=NOON + timedelta(hours=2)), NOW)
    assert own(known) == [NOON + timedelta(minutes=65), NOON + timedelta(hours=2)]


def test_real_time_rows_are_near_their_publication_for_one_step() -> None:
    rule = PublicationRule(AfterInterval(timedelta(minutes=5)), "practice")
    parsed = file(NOON, NOON + timedelta(minutes=5), dataset=replace(DATASET, rules=(rule,)), frequency=Frequency.MIN_5)
    known = known_time(parsed, KnownAtPolicy(), NOON + timedelta(minutes=18))
    assert own(known) == [NOON + timedelta(minutes=10), None]


def test_an_operator_who_states_a_time_wins_over_the_file_and_the_rule() -> None:
    policy = KnownAtPolicy.parse("2026-01-01T00:00:00+01:00")
    known = known_time(file(NOON, known_at=STATED), policy, NOW)
    assert known == KnownTime(KnownAtBasis.STATED, datetime(2025, 12, 31, 23, tzinfo=UTC))
    assert known_time(file(NOON, known_at=STATED), KnownAtPolicy.parse("now"), NOW) == KnownTime(KnownAtBasis.INGESTED)


def test_a_time_after_the_load_is_no_known_time() -> None:
    assert known_time(file(NOON, known_at=NOW + timedelta(minutes=1)), KnownAtPolicy(), NOW).basis is KnownAtBasis.INGESTED
    with pytest.raises(RefusedFile, match="nothing can be known before"):
        known_time(file(NOON), KnownAtPolicy(KnownAtChoice.TIME, NOW + timedelta(minutes=1)), NOW)


def test_the_time_of_an_answer_is_an_upper_bound_and_dates_its_corrections() -> None:
    answered = datetime(2025, 11, 1, 9, tzinfo=UTC)
    known = known_time(file(NOON - timedelta(days=1), NOON, answered_at=answered), KnownAtPolicy(), NOW)
    assert own(known) == [datetime(2025, 10, 31, 17, 30, tzinfo=UTC), answered]
    assert (known.time, known.basis) == (answered, KnownAtBasis.INGESTED)
    assert known.rule == RuleDated(may_correct=True)


def test_what_was_just_fetched_may_correct() -> None:
    known = known_time(file(NOON), KnownAtPolicy(is_fetched=True), NOW)
    assert (known.time, known.rule) == (None, RuleDated(may_correct=True))


def test_an_issue_has_one_known_time_by_the_day_in_its_name_or_its_first_day() -> None:
    rule = replace(DAY_BEFORE, per_issue=True)
    parsed = file(*(NOON + timedelta(days=number) for number in range(6)), dataset=replace(DATASET, rules=(rule,)))
    by_content = known_time(parsed, KnownAtPolicy(), NOW)
    assert own(by_content) == [SCHEDULED] * 6
    assert by_content.rule == RuleDated()
    assert issue_time(parsed, None) == SCHEDULED
    named = NamedContent(date(2025, 11, 1), date(2025, 11, 8), NEW_YORK)
    assert own(known_time(parsed, KnownAtPolicy(), NOW, named)) == [SCHEDULED - timedelta(days=1)] * 6


def test_the_first_rule_that_holds_for_a_series_counts() -> None:
    later = PublicationRule(OnDay(1, time(13, 30), NEW_YORK), "a manual", measures=("x",))
    other = replace(DAY_BEFORE, measures=("y",))
    parsed = file(NOON, dataset=replace(DATASET, rules=(later, other)), measures=("x", "y", "z"))
    known = known_time(parsed, KnownAtPolicy(), NOW)
    assert own(known) == [datetime(2025, 11, 3, 18, 30, tzinfo=UTC), SCHEDULED, None]


def scheduled(*ts: datetime, frequency: Frequency = Frequency.HOUR, zone: str = NEW_YORK, week: str = "") -> list[object]:
    return list(own(known_time(file(*ts, frequency=frequency, zone=zone, week=week), BY_SCHEDULE, NOW)))


def test_the_schedule_is_told_in_local_time_on_both_sides_of_a_clock_change() -> None:
    assert scheduled(NOON, NOON + timedelta(days=1)) == [SCHEDULED, datetime(2025, 11, 2, 18, 30, tzinfo=UTC)]


def test_the_schedule_counts_from_the_day_of_the_series_own_clock() -> None:
    midnight_in_brussels = datetime(2025, 11, 2, 23, tzinfo=UTC)
    assert scheduled(midnight_in_brussels, zone="Europe/Brussels") == [datetime(2025, 11, 2, 18, 30, tzinfo=UTC)]


def test_the_schedule_counts_from_the_last_day_of_a_weekly_flow() -> None:
    friday, saturday_before = datetime(2025, 11, 7, 5, tzinfo=UTC), datetime(2025, 11, 1, 4, tzinfo=UTC)
    level = scheduled(friday, frequency=Frequency.WEEK, week="level")
    assert scheduled(saturday_before, frequency=Frequency.WEEK, week="flow") == level


def test_a_choice_that_the_file_or_its_dataset_lacks_refuses_the_file() -> None:
    with pytest.raises(RefusedFile, match="does not say"):
        known_time(file(NOON), KnownAtPolicy(KnownAtChoice.FILE), NOW)
    with pytest.raises(RefusedFile, match="when it was asked for"):
        known_time(file(NOON, answered_at=STATED), KnownAtPolicy(KnownAtChoice.FILE), NOW)
    with pytest.raises(RefusedFile, match="no publication rule"):
        known_time(file(NOON, dataset=WITHOUT_RULE), BY_SCHEDULE, NOW)


def test_a_rule_that_contradicts_the_time_in_the_file_refuses_it() -> None:
    with pytest.raises(RefusedFile, match="use 'file'"):
        known_time(file(NOON, known_at=SCHEDULED - timedelta(hours=1)), BY_SCHEDULE, NOW)
    assert own(known_time(file(NOON, known_at=SCHEDULED + timedelta(hours=1)), BY_SCHEDULE, NOW)) == [SCHEDULED]


@pytest.mark.parametrize("text", ["yesterday", "2026-01-01T00:00:00", "", "NOW"])
def test_a_known_time_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidKnownAt):
        KnownAtPolicy.parse(text)
