"""Answers of version 1 that depend on the time of the request, on a clock of the test's own, and cases the sample lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aurum.api.testing import InMemory, InventedSeries, MovableClock, file_of, hourly, on_clock, serving
from aurum.common.settings import ApiSettings, Settings
from aurum.storage.memory import MemoryStore

START = datetime(2025, 11, 2, 4, tzinfo=UTC)
SETTINGS = Settings(api=ApiSettings(enable_v1=True))
NYC = "nyiso:damlbmp_zone:61761"


async def test_the_last_24_hours_end_now() -> None:
    clock = MovableClock(START + timedelta(hours=30))
    store = MemoryStore(clock)
    for measure in ("lmp", "energy", "congestion"):
        values = [float(hour) for hour in range(48)]
        await store.loader.load(file_of(hourly(f"{NYC}:{measure}", START, values)))
    async with serving(SETTINGS, on_clock(InMemory(store), clock)) as served:
        rows = (await served.client.get("/v1/iso/lmp/last-24h?iso_code=NYISO")).json()["data"]
        assert [row["price_total"] for row in rows] == [float(hour) for hour in range(6, 30)]
        assert {(row["price_loss"], row["price_energy"] == row["price_total"]) for row in rows} == {(None, True)}
        assert [row["delivery_date"] for row in rows] == ["2025-11-02"] * 19 + ["2025-11-03"] * 5
        clock.at += timedelta(days=3)
        assert (await served.client.get("/v1/iso/lmp/last-24h?iso_code=NYISO")).json()["data"] == []


async def test_a_cursor_is_good_for_an_hour() -> None:
    clock = MovableClock(START + timedelta(hours=10))
    store = MemoryStore(clock)
    await store.loader.load(file_of(hourly(f"{NYC}:lmp", START, [1.0, 2.0, 3.0])))
    async with serving(SETTINGS, on_clock(InMemory(store), clock)) as served:
        url = "/v1/iso/lmp/hourly?start=2025-11-02&end=2025-11-03&limit=1"
        cursor = (await served.client.get(url)).json()["meta"]["next_cursor"]
        clock.at += timedelta(minutes=59)
        assert (await served.client.get(f"{url}&cursor={cursor}")).json()["data"][0]["price_avg"] == 2.0
        clock.at += timedelta(minutes=2)
        refused = await served.client.get(f"{url}&cursor={cursor}")
        assert (refused.status_code, refused.json()["detail"]) == (
            400,
            "the cursor is older than an hour: start again without it",
        )


async def test_shares_of_area_are_fractions_side_by_side() -> None:
    clock = MovableClock(START)
    store = MemoryStore(clock)
    for measure, share in (("area_d0", 62.5), ("area_d1", 40.0), ("area_d4", 0.0)):
        rows = [(datetime(2025, 10, 28, 4, tzinfo=UTC), share, START, 0)]
        key = f"drought_monitor:area_percent_cumulative:06:{measure}"
        await store.loader.load(file_of(InventedSeries(key, "percent", "1w", "America/New_York", None, rows)))
    async with serving(SETTINGS, on_clock(InMemory(store), clock)) as served:
        (row,) = (await served.client.get("/v1/drought/usdm?region_id=06")).json()["data"]
    assert [row[f"d{number}_frac"] for number in range(5)] == [0.625, 0.4, None, None, 0.0]
    assert (row["valid_date"], row["region_id"]) == ("2025-10-28", "06")


async def test_withdrawn_prices_are_null_and_count_for_nothing() -> None:
    clock = MovableClock(START + timedelta(hours=10))
    store = MemoryStore(clock)
    await store.loader.load(file_of(hourly(f"{NYC}:lmp", START, [1.0, float("nan"), 3.0])))
    async with serving(SETTINGS, on_clock(InMemory(store), clock)) as served:
        rows = (await served.client.get("/v1/iso/lmp/last-24h")).json()["data"]
        (day,) = (await served.client.get("/v1/iso/lmp/daily?start=2025-11-02&end=2025-11-03")).json()["data"]
    assert [row["price_total"] for row in rows] == [1.0, None, 3.0]
    assert (day["sample_count"], day["price_avg"]) == (2, 2.0)


async def test_values_of_eia_are_selected_by_the_period_that_is_shown() -> None:
    clock = MovableClock(START)
    store = MemoryStore(clock)
    # Weeks that end on 31 October, 7 and 14 November; the second one begins before the clock is set back.
    starts = [datetime(2025, 10, 25, 4, tzinfo=UTC), datetime(2025, 11, 1, 4, tzinfo=UTC), datetime(2025, 11, 8, 5, tzinfo=UTC)]
    rows = [(start, float(number), START, 0) for number, start in enumerate(starts)]
    for kind in ("flow", "stated"):
        key = f"eia:invented_weekly:{kind}:value"
        labels = {"week": kind}
        await store.loader.load(file_of(InventedSeries(key, "Bcf", "1w", "America/New_York", None, rows, labels=labels)))

    async with serving(SETTINGS, on_clock(InMemory(store), clock)) as served:

        async def periods(kind: str, span: str) -> list[str]:
            answer = await served.client.get(f"/v1/ref/eia/series?series_id=eia:invented_weekly:{kind}:value&{span}")
            return [row["period"] for row in answer.json()["data"]]

        assert await periods("flow", "") == ["2025-10-31", "2025-11-07", "2025-11-14"]
        assert await periods("flow", "start=2025-11-07&end=2025-11-14") == ["2025-11-07"]
        assert await periods("flow", "start=2025-11-08") == ["2025-11-14"]
        assert await periods("flow", "end=2025-11-07") == ["2025-10-31"]
        assert await periods("stated", "start=2025-11-01&end=2025-11-08") == ["2025-11-01"]
