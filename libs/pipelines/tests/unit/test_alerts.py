"""The check of datasets: when the next publication is due, and which faults are seen in what was loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.core.alerts.alert import AlertKind
from aurum.pipelines.alerts import find_faults, next_publication
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Dataset, SourceFile
from aurum.storage.memory import MemoryStore

REGISTRY = default_registry()


def dataset(source: str, name: str) -> Dataset:
    return next(one for one in REGISTRY.source(source).datasets if one.name == name)


@pytest.mark.parametrize(
    ("source", "name", "newest", "day", "usual"),
    [
        # Day-ahead prices of the 4th: published at 11:00 in New York on the 3rd.
        ("nyiso", "damlbmp_zone", "2025-11-04T04:00Z", date(2025, 11, 4), "2025-11-03T16:00Z"),
        # The next five minutes.
        ("nyiso", "realtime_zone", "2025-11-03T13:00Z", date(2025, 11, 3), "2025-11-03T13:15Z"),
        # After Friday's rates come Monday's.
        ("ecb", "reference_rates", "2025-10-30T23:00Z", date(2025, 11, 3), "2025-11-03T15:00Z"),
    ],
)
def test_the_next_publication_is_that_of_the_next_interval(source: str, name: str, newest: str, day: date, usual: str) -> None:
    at = datetime.fromisoformat(newest)
    assert next_publication(dataset(source, name), newest=at, published=at) == (day, datetime.fromisoformat(usual))


def test_the_next_issue_of_a_forecast_is_that_of_the_next_day() -> None:
    published = datetime(2025, 11, 3, 13, 20, tzinfo=UTC)  # 08:20 in New York

    following = next_publication(dataset("nyiso", "isolf"), newest=published + timedelta(days=6), published=published)

    assert following == (date(2025, 11, 5), datetime(2025, 11, 4, 13, tzinfo=UTC))


def test_a_dataset_without_a_rule_is_never_due() -> None:
    at = datetime(2025, 11, 3, tzinfo=UTC)
    assert next_publication(dataset("pjm", "pjme_hourly"), newest=at, published=at) is None


def prices(day: date, hours: Sequence[int], *, zones: int = 10) -> SourceFile:
    header = '"Time Stamp","Name","PTID","LBMP ($/MWHr)","Marginal Cost Losses ($/MWHr)","Marginal Cost Congestion ($/MWHr)"'
    lines = [
        f'"{day:%m/%d/%Y} {hour:02}:00","ZONE{zone}",{61750 + zone},30.00,1.00,-2.00' for hour in hours for zone in range(zones)
    ]
    return SourceFile(f"{day:%Y%m%d}damlbmp_zone.csv", "\n".join((header, *lines, "")).encode())


@dataclass
class MovingClock:
    """A clock that stands where a test puts it."""

    at: datetime

    def now(self) -> datetime:
        return self.at


async def faults(
    folder: Path, files: Sequence[SourceFile], *, loaded: datetime, now: datetime, daily: bool = False
) -> dict[AlertKind, tuple[date, str]]:
    """Load files at an instant, or one each day up to it, and return the faults that a check sees later."""
    clock = MovingClock(loaded)
    store = MemoryStore(clock)
    ingestion = Ingestion(
        registry=REGISTRY,
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(folder),
        clock=clock,
    )
    await declare_catalog(REGISTRY, store.catalog_writer)
    for position, file in enumerate(files):
        clock.at = loaded - timedelta(days=len(files) - 1 - position if daily else 0)
        report = await ingestion.ingest(file)
        assert report.new, report.reason
    faults_seen = await find_faults(REGISTRY, store.quality, store.alerts, grace=timedelta(hours=2), now=now)
    return {finding.subject.kind: (finding.subject.day, finding.summary) for finding in faults_seen}


LOADED = datetime(2025, 7, 2, 16, 0, tzinfo=UTC)  # noon in New York on 2 July, an hour after prices of the 3rd
DAY = date(2025, 7, 3)


async def test_data_on_time_have_no_fault(tmp_path: Path) -> None:
    assert await faults(tmp_path, [prices(DAY, range(24))], loaded=LOADED, now=LOADED + timedelta(hours=24)) == {}


async def test_a_missing_publication_is_late_after_the_grace(tmp_path: Path) -> None:
    faults_seen = await faults(tmp_path, [prices(DAY, range(24))], loaded=LOADED, now=LOADED + timedelta(hours=25, minutes=1))
    assert faults_seen[AlertKind.LATE] == (
        date(2025, 7, 4),
        "nyiso:damlbmp_zone of 2025-07-04 is late: usually published at 2025-07-03 15:00 UTC",
    )


async def test_a_closed_day_with_gaps_is_incomplete_once_it_is_over(tmp_path: Path) -> None:
    files = [prices(DAY, [*range(10), *range(12, 24)])]
    during, after = datetime(2025, 7, 3, 16, tzinfo=UTC), datetime(2025, 7, 4, 6, 1, tzinfo=UTC)
    assert AlertKind.INCOMPLETE not in await faults(tmp_path, files, loaded=LOADED, now=during)
    faults_seen = await faults(tmp_path, files, loaded=LOADED, now=after)
    assert faults_seen[AlertKind.INCOMPLETE][0] == DAY


async def test_a_publication_with_fewer_series_has_shrunk(tmp_path: Path) -> None:
    days = [DAY - timedelta(days=back) for back in (4, 3, 2, 1)]
    files = [*(prices(day, range(24)) for day in days), prices(DAY, range(24), zones=8)]
    faults_seen = await faults(tmp_path, files, loaded=LOADED, now=LOADED, daily=True)
    assert faults_seen[AlertKind.SHRINKING][0] == date(2025, 7, 2)
    assert "192 rows of 32 series, usually 240 of 40" in faults_seen[AlertKind.SHRINKING][1]


async def test_history_that_is_loaded_once_is_never_late(tmp_path: Path) -> None:
    later = LOADED + timedelta(days=100)
    assert await faults(tmp_path, [prices(DAY, range(10))], loaded=later, now=later) == {}
