"""The service on TimescaleDB: days out of sums by the hour, exact right after a correction. Needs a server (see the plugin)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from api_market import FIRST_KNOWN, LOAD, NYC_START, REVISED_KNOWN, InventedSeries, file_of

from aurum.api.testing import serving
from aurum.common.settings import CacheSettings, DatabaseSettings, Settings
from aurum.core.series.partials import BUCKET
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until
from aurum.storage.timescale import TimescaleTuning

pytestmark = pytest.mark.needs_timescale

FIVE = timedelta(minutes=5)


def series_with(*rows: tuple[datetime, float, datetime, int]) -> InventedSeries:
    return InventedSeries(LOAD, "MW", "5min", "America/New_York", "NYISO", rows, None, "N.Y.C.")


async def test_a_day_of_25_hours_is_right_before_and_after_a_correction(
    timescale_url: str, timescale_store: PostgresStore
) -> None:
    rows = [(NYC_START + n * FIVE, float(n % 12), FIRST_KNOWN, 0) for n in range(12 * 24 * 6)]
    await timescale_store.loader.load(file_of(series_with(*rows)))
    await TimescaleTuning(timescale_store.pool).refresh()
    settings = Settings(database=DatabaseSettings(url=timescale_url, pool_size=2), cache=CacheSettings(enabled=False))
    query = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market", "freq": "1d"}
    async with serving(settings) as served:

        async def value(agg: str) -> float:
            answer = await served.client.get(f"/v2/series/{LOAD}/observations", params={**query, "agg": agg})
            (row,) = answer.json()["data"]
            assert row["start"] == "2025-11-02T00:00:00-04:00"
            assert row["end"] == "2025-11-03T00:00:00-05:00"
            return row["value"]

        assert [await value(agg) for agg in ("count", "sum", "mean", "max")] == [300, 25 * 66, 5.5, 11]
        changed = datetime(2025, 11, 2, 12, tzinfo=UTC)
        assert (changed - NYC_START) % BUCKET == timedelta()
        await timescale_store.loader.load(file_of(series_with((changed, 1000.0, REVISED_KNOWN, 0)), content="later"))
        assert [await value(agg) for agg in ("count", "sum", "max")] == [300, 25 * 66 + 1000, 1000]


@pytest.mark.parametrize("agg", ["median", "last"])
async def test_what_hours_cannot_say_comes_from_the_rows(timescale_url: str, timescale_store: PostgresStore, agg: str) -> None:
    rows = [(NYC_START + n * FIVE, float(n % 12), FIRST_KNOWN, 0) for n in range(12 * 24)]
    await timescale_store.loader.load(file_of(series_with(*rows)))
    settings = Settings(database=DatabaseSettings(url=timescale_url, pool_size=2))
    async with serving(settings) as served:
        answer = await served.client.get(f"/v2/series/{LOAD}/observations", params={"tz": "market", "freq": "1d", "agg": agg})
    assert [row["value"] for row in answer.json()["data"]] == [5.5 if agg == "median" else 11]


async def test_a_service_that_runs_reads_sums_once_there_are_some(plain_timescale_url: str) -> None:
    settings = Settings(database=DatabaseSettings(url=plain_timescale_url, pool_size=2))
    pool = await PostgresPool.open(settings.database)
    async with serving(settings) as served:
        assert not served.state["services"].reading.partials.has_sums
        await TimescaleTuning(pool).optimize()
        await wait_until(lambda: served.state["services"].reading.partials.has_sums)
    await pool.close()
