"""How old each dataset is, as operators watch it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from aurum.api.observability.freshness import Freshness
from aurum.api.testing import MovableClock
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.core.catalog.entries import DatasetQuality
from aurum.storage.memory.quality import MemoryQualityLog
from aurum.storage.memory.state import MemoryState

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Told(MemoryQualityLog):
    """A log that says what a test wants."""

    said: Sequence[DatasetQuality] = ()

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        assert now == NOW
        return self.said


def dataset(name: str, age_hours: float | None, stale: bool | None) -> DatasetQuality:
    return DatasetQuality("nyiso", name, 1, None, None, age_hours, stale, 0, 0, 0, 0)


async def test_age_and_lateness_are_told_of_each_dataset_that_has_them() -> None:
    metrics, log = Metrics(), Told(MemoryState())
    freshness = Freshness(log, MovableClock(NOW), metrics)
    log.said = [dataset("damlbmp_zone", 2.0, False), dataset("pal", 30.0, True), dataset("empty", None, None)]
    await freshness.look()
    lines = PrometheusView(metrics).text().decode().splitlines()
    assert 'aurum_dataset_age_seconds{dataset="damlbmp_zone",source="nyiso"} 7200.0' in lines
    assert 'aurum_dataset_late{dataset="pal",source="nyiso"} 1.0' in lines
    assert not any('dataset="empty"' in line for line in lines)
