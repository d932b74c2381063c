"""Answers over HTTP when months are archived: the same bytes and tags as before, also across the border of the tiers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from api_market import HOUSTON, LOAD, NYC, REVISED_KNOWN, WEST, declare, load

from aurum.api.testing import serving
from aurum.common.clock import SystemClock
from aurum.common.settings import CacheSettings, DatabaseSettings, HistorySettings, Settings
from aurum.common.settings.limits import LimitsSettings
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.testing.archiving import archive_everything
from aurum.storage.testing.databases import create_database, drop_database
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

NOVEMBER = date(2025, 11, 1)
"""NYC is stored from 2025-10-31 to 2025-11-05: its first day is archived, the day with 25 hours is not; or all of it is."""
ALL = date(2026, 1, 1)
_DAYS = "start=2025-10-31&end=2025-11-05&tz=market"
_BEFORE = (REVISED_KNOWN - timedelta(days=1)).isoformat().replace("+00:00", "Z")

QUESTIONS = [
    f"/v2/series/{NYC}/observations?{_DAYS}",
    f"/v2/series/{NYC}/observations?start=2025-11-02&end=2025-11-03&tz=market",
    f"/v2/series/{NYC}/observations?{_DAYS}&freq=1d",
    f"/v2/series/{NYC}/observations?{_DAYS}&freq=1d&agg=count",
    f"/v2/series/{NYC}/observations?{_DAYS}&freq=1mo&agg=sum",
    f"/v2/series/{NYC}/observations?{_DAYS}&freq=1d&block=ON_PEAK",
    f"/v2/series/{NYC}/observations?{_DAYS}&freq=1d&as_of={_BEFORE}",
    f"/v2/series/{NYC}/observations?{_DAYS}&as_of={_BEFORE}&format=csv",
    f"/v2/series/{NYC}/observations?format=csv",
    f"/v2/series/{NYC}/observations?{_DAYS}&layout=columns",
    f"/v2/series/{NYC}/revisions?{_DAYS}",
    f"/v2/series/{LOAD}/observations?freq=1h&agg=max",
    f"/v2/observations?series={NYC},{WEST},{HOUSTON}&format=csv",
    f"/v2/observations?series={NYC},{WEST}&layout=wide&format=csv&as_of={_BEFORE}",
]


@dataclass(frozen=True)
class Archived:
    """A market of this module's own, and where its history goes."""

    url: str
    folder: Path

    def settings(self, tier: str = "duckdb") -> Settings:
        history = HistorySettings.model_validate({"tier": tier, "url": str(self.folder)})
        return Settings(
            database=DatabaseSettings(url=self.url, pool_size=4, statement_timeout_s=300.0),
            limits=LimitsSettings(deadline_s=300.0),
            history=history,
            cache=CacheSettings(enabled=False),
        )


@pytest_asyncio.fixture
async def market(postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path: Path) -> AsyncIterator[Archived]:
    url = await create_database(postgres_server, "api_archived", migrated_template)
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    store = PostgresStore(pool, SystemClock())
    await declare(store)
    await load(store)
    await pool.close()
    yield Archived(url, tmp_path / "history")
    await drop_database(postgres_server, "api_archived")


async def archive(market: Archived, before: date) -> int:
    pool = await PostgresPool.open(DatabaseSettings(url=market.url, pool_size=2))
    history = DuckdbHistory(history_files_at(str(market.folder)), SystemClock())
    moved = await archive_everything(PostgresArchiveLog(pool), history, before=before)
    await history.close()
    await pool.close()
    return moved


async def answers(client: httpx.AsyncClient) -> dict[str, tuple[int, bytes, str | None]]:
    by_question: dict[str, tuple[int, bytes, str | None]] = {}
    for question in QUESTIONS:
        answer = await client.get(question)
        by_question[question] = answer.status_code, answer.content, answer.headers.get("etag")
    return by_question


async def test_answers_and_their_tags_do_not_change_when_months_are_archived(market: Archived) -> None:
    async with serving(market.settings()) as running:
        hot = await answers(running.client)
        assert {status for status, _, _ in hot.values()} == {200}
        for before in (NOVEMBER, ALL):
            assert await archive(market, before) > 0
            for question, answer in (await answers(running.client)).items():
                assert answer == hot[question], question


async def test_the_fall_back_day_has_25_hours_in_history_too(market: Archived) -> None:
    assert await archive(market, ALL) > 0
    async with serving(market.settings()) as running:
        question = f"/v2/series/{NYC}/observations?start=2025-11-01&end=2025-11-04&tz=market&freq=1d&agg=count"
        rows = (await running.client.get(question)).json()["data"]
    assert [row["value"] for row in rows] == [24, 25, 24]
    assert [datetime.fromisoformat(row["start"]).utcoffset() for row in rows] == [
        timedelta(hours=-4),
        timedelta(hours=-4),
        timedelta(hours=-5),
    ]


async def test_a_service_without_history_says_which_setting_it_needs(market: Archived) -> None:
    await archive(market, NOVEMBER)
    async with serving(market.settings(tier="none")) as running:
        across = await running.client.get(f"/v2/series/{NYC}/observations?{_DAYS}")
        hot = await running.client.get(f"/v2/series/{NYC}/observations?start=2025-11-02&end=2025-11-03&tz=market")
    assert (across.status_code, hot.status_code) == (503, 200)
    assert "AURUM_HISTORY__TIER" in across.json()["detail"]
    assert len(hot.json()["data"]) == 25


async def test_history_that_is_not_where_it_was_is_said_so_and_no_half_answer(market: Archived, tmp_path: Path) -> None:
    await archive(market, NOVEMBER)
    market.folder.rename(tmp_path / "elsewhere")
    async with serving(market.settings()) as running:
        across = await running.client.get(f"/v2/series/{NYC}/observations?{_DAYS}")
        many = await running.client.get(f"/v2/observations?series={NYC},{WEST}")
    assert (across.status_code, many.status_code) == (503, 503)
    assert "AURUM_HISTORY__URL" in across.json()["detail"]
