"""TimescaleDB features on plain PostgreSQL: each call reports what is missing and changes nothing, and the store works on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aurum.core.asof import Span
from aurum.storage.testing.builders import KEY, file_load
from aurum.storage.testing.stores import PostgresStore, series_named
from aurum.storage.timescale import TimescaleMissing, TimescalePartialsReader, TimescaleTuning

pytestmark = pytest.mark.needs_postgres

_TABLES = """
SELECT string_agg(format('%s %s', relname, relkind), ',' ORDER BY relname)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""


@pytest.mark.parametrize("method", ["optimize", "policies", "set_policies", "chunks", "intervals"])
async def test_each_call_says_in_a_line_what_is_missing_and_changes_nothing(postgres_store: PostgresStore, method: str) -> None:
    async with postgres_store.pool.acquire() as connection:
        before = await connection.fetchval(_TABLES)
        limit = await connection.fetchval("SHOW statement_timeout")
    with pytest.raises(TimescaleMissing) as raised:
        await getattr(TimescaleTuning(postgres_store.pool), method)()
    assert raised.value.detail.startswith(
        "the server has no extension timescaledb; the store keeps working on plain PostgreSQL"
    )
    assert "\n" not in raised.value.detail
    async with postgres_store.pool.acquire() as connection:
        assert await connection.fetchval(_TABLES) == before
        assert await connection.fetchval("SHOW statement_timeout") == limit
    await postgres_store.loader.load(file_load([(0, 0, 1.0)]))
    series = await series_named(postgres_store, KEY)
    assert (await postgres_store.reader.observations(series.series_id, span=Span())).height == 1


async def test_compressing_and_another_interval_are_refused_likewise(postgres_store: PostgresStore) -> None:
    tuning = TimescaleTuning(postgres_store.pool)
    with pytest.raises(TimescaleMissing):
        await tuning.compress(datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(TimescaleMissing):
        await tuning.set_interval(timedelta(days=7))


async def test_without_sums_hours_are_added_up_from_the_rows(postgres_store: PostgresStore) -> None:
    reader = await TimescalePartialsReader.open(postgres_store.pool)
    assert not reader.has_sums
    await postgres_store.loader.load(file_load([(0, 0, 1.0), (0.5, 0, 2.0)], frequency="30min"))
    series = await series_named(postgres_store, KEY)
    assert (await reader.partials([series.series_id], span=Span()))["sum"].to_list() == [3.0]
