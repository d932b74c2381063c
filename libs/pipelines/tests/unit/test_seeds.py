"""The schedules that a release delivers."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from aurum.common.settings import FetchSettings, InboxSettings, ScheduleSettings, Settings
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Moment, OnDay, OnMonth, PublicationRule
from aurum.core.schedule.times import Cron, Every
from aurum.pipelines.registry import default_registry
from aurum.pipelines.seeds import fetch_times, is_frequent, seeds
from aurum.pipelines.source import Dataset, Measure
from aurum.storage.ports.schedule import ScheduleSpec


def seeded(**changed: object) -> dict[str, ScheduleSpec]:
    return {spec.name: spec for spec in seeds(default_registry(), Settings().model_copy(update=changed))}


def on(specs: dict[str, ScheduleSpec]) -> set[str]:
    return {name for name, spec in specs.items() if spec.is_on}


def fetching(*names: str, **fetch: SecretStr) -> set[str]:
    specs = seeded(schedule=ScheduleSettings(fetch=names), fetch=FetchSettings(**fetch))  # type: ignore[arg-type]
    return {name for name in on(specs) if name.startswith("fetch:")}


def test_no_publisher_is_asked_unless_a_setting_says_so() -> None:
    assert on(seeded()) == {"alerts.check", "curves.refresh", "jobs.retention", "aggregates.refresh"}


def test_every_dataset_with_public_files_has_a_fetch() -> None:
    specs, registry = seeded(), default_registry()
    public = {
        f"fetch:{source.name}:{dataset.name}"
        for source in registry.sources
        for dataset in source.datasets
        if source.public_files(dataset.name) is not None
    }
    assert {name for name in specs if name.startswith("fetch:")} == public


def test_every_schedule_can_be_fired() -> None:
    for spec in seeded(inbox=InboxSettings(folder=Path("/inbox")), schedule=ScheduleSettings(warm=("http://a",))).values():
        assert Cron(spec.cron, spec.zone) if spec.cron is not None else Every(spec.every_s or 0)


def test_a_source_or_a_dataset_is_named() -> None:
    assert fetching("ecb", "nyiso:pal") == {"fetch:ecb:reference_rates", "fetch:nyiso:pal"}


def test_all_leaves_out_those_whose_key_is_not_set() -> None:
    assert "fetch:ecb:reference_rates" in fetching("all")
    assert "fetch:pjm:wind_gen" not in fetching("all")
    assert "fetch:pjm:wind_gen" in fetching("all", pjm_key=SecretStr("0123456789abcdef"))


def test_maintenance_that_changes_where_data_are_is_switched_on_by_name() -> None:
    assert "history.archive" in on(seeded(schedule=ScheduleSettings(on=("history.archive",))))


def test_the_inbox_is_looked_at_when_it_has_a_folder() -> None:
    spec = seeded(inbox=InboxSettings(folder=Path("/inbox"), every_s=45))["inbox.scan"]
    assert (spec.every_s, spec.is_on) == (45, True)


@pytest.mark.parametrize(
    ("frequency", "moments", "times"),
    [
        (Frequency.HOUR, (OnDay(-1, time(13, 30), "Europe/Berlin"),), ("30 13 * * *", "Europe/Berlin")),
        (Frequency.HOUR, (OnDay(0, time(8, 10), "UTC"), OnDay(0, time(22, 20), "UTC")), ("20 8,22 * * *", "UTC")),
        (Frequency.MONTH, (OnMonth(1, 15, time(12), "UTC"),), ("0 12 * * *", "UTC")),
        (Frequency.MIN_5, (AfterInterval(timedelta(minutes=5)),), ("*/15 * * * *", "UTC")),
        (Frequency.MIN_30, (AfterInterval(timedelta(minutes=5)),), ("*/30 * * * *", "UTC")),
        (Frequency.HOUR, (AfterInterval(timedelta(minutes=90)),), ("30 * * * *", "UTC")),
        (Frequency.HOUR, (AfterInterval(timedelta(minutes=-45), from_start=True),), ("15 * * * *", "UTC")),
        (Frequency.DAY, (AfterInterval(timedelta(hours=6)),), ("0 6 * * *", "America/New_York")),
        (Frequency.DAY, (), ("0 1 * * *", "America/New_York")),
        (Frequency.IRREGULAR, (), ("*/15 * * * *", "UTC")),
    ],
)
def test_a_dataset_is_fetched_when_it_is_usually_published(
    frequency: Frequency, moments: tuple[Moment, ...], times: tuple[str, str]
) -> None:
    rules = tuple(PublicationRule(moment, "a test") for moment in moments)
    dataset = Dataset("a", "b", "B", "America/New_York", frequency, (Measure("load", "MW"),), rules=rules)
    assert fetch_times(dataset) == times
    assert is_frequent(dataset) is (times[0].endswith("* * * *"))
