"""Stores with old stamps of weeks and old days of ENTSO-E are migrated, and a second load of the old files adds nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import polars as pl
import pytest
import pytest_asyncio

from aurum.common.contracts import contracts_directory
from aurum.core.asof import Span
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.sources.entsoe.codes import AREAS
from aurum.pipelines.sources.fred.datasets import WEEKDAYS, WEEKS
from aurum.storage.memory import MemoryHistory
from aurum.storage.migrations.head import newest_revision
from aurum.storage.migrations.operations import MonthsArchived
from aurum.storage.migrations.rewritten import AREAS as AREAS_MOVE
from aurum.storage.migrations.rewritten import WEEKS as WEEKS_MOVE
from aurum.storage.migrations.rewritten import revision_of
from aurum.storage.migrations.run import upgrade
from aurum.storage.migrations.unarchive import restore_rewritten, without_archive_runs
from aurum.storage.ports.history import ArchiveRunning, HistoryNotConfigured, Months
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.testing.archiving import archive_everything, named_parts
from aurum.storage.testing.builders import T0, file_load, together
from aurum.storage.testing.migrating import earlier_release
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

NEW_YORK = "America/New_York"
ADDED = {
    "file_series": ("new_first_ts", "new_last_ts", "is_sole", "is_scheduled"),
    "dataset": ("publication", "is_forecast", "details", "search_order", "public_files"),
    "plan": ("listeners",),
    "block": ("version", "updated_at", "updated_by"),
    "api_key": ("owner",),
    "series": ("kind", "market_run", "fuel", "fuel_detail"),
    "ingest_file": ("flagged_curves", "quote_flags"),
}
"""Columns that the revisions from 0016 on add, by table."""
TITLES = {
    "WCRFPUS2": ("Weekly U.S. Field Production of Crude Oil (Thousand Barrels per Day)", "MBBL/D", "kbbl/d"),
    "WCESTUS1": ("Weekly U.S. Ending Stocks excluding SPR of Crude Oil (Thousand Barrels)", "MBBL", "kbbl"),
    "EMM_EPMR_PTE_NUS_DPG": ("U.S. Regular All Formulations Retail Gasoline Prices (Dollars per Gallon)", "$/GAL", "USD/gal"),
    "W_NAPUS_DAY": ("Weekly U.S. Something that no rule knows (Percent)", "%", "percent"),
}
FRIDAYS = [date(2025, 10, 31), date(2025, 11, 7), date(2025, 11, 14)]
"""Days that weeks are stamped with, around the change to winter time in New York."""
MONDAYS = [day - timedelta(days=4) for day in FRIDAYS]


def stamps_of(series: str) -> list[date]:
    """Return the days that the weeks of a series are stamped with, on the weekday that its publisher uses."""
    if series in TITLES:
        return MONDAYS if "Retail" in TITLES[series][0] else FRIDAYS
    return [day + timedelta(days=WEEKDAYS.get(series, 4) - 4) for day in FRIDAYS]


def midnight(day: date, zone: str = NEW_YORK) -> datetime:
    local = pl.select(pl.lit(day).cast(pl.Datetime("us")).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")).item()
    assert isinstance(local, datetime)
    return local


def at(instant: datetime) -> float:
    return (instant - T0) / timedelta(hours=1)


def petroleum() -> SourceFile:
    records = [
        {"period": str(day), "series": series, "series-description": title, "value": str(n), "units": unit}
        for series, (title, unit, _) in TITLES.items()
        for n, day in enumerate(stamps_of(series))
    ]
    return SourceFile("weekly.json", json.dumps({"response": {"frequency": "weekly", "data": records}}).encode())


def fred() -> SourceFile:
    ids = [*WEEKS, "XUNKNOWN"]
    values = {series: {day: str(n) for n, day in enumerate(stamps_of(series))} for series in ids}
    days = sorted({day for of_series in values.values() for day in of_series})
    lines = [f"observation_date,{','.join(ids)}"]
    lines += [f"{day},{','.join(values[series].get(day, '') for series in ids)}" for day in days]
    return SourceFile("fredgraph.csv", "\n".join([*lines, ""]).encode())


def storage() -> SourceFile:
    lines = ["date,value", *(f"{day},{n}" for n, day in enumerate(FRIDAYS)), ""]
    return SourceFile("eia_ng_storage_weekly.csv", "\n".join(lines).encode())


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database_url)
    yield connected
    await connected.close()


@pytest.fixture
def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    suites = read_suites(contracts_directory(None) / "expectations")
    return Ingestion(
        registry=default_registry(), suites=suites, loader=postgres_store.loader, raw_files=RawFiles(tmp_path / "kept")
    )


async def before_migration(connection: asyncpg.Connection, name: str) -> None:
    """Let the database be of the release before a migration."""
    revision = f"{int(revision_of(name)) - 1:04d}"
    await connection.execute("UPDATE alembic_version SET version_num = $1, floor = NULL, floor_release = NULL", revision)
    await connection.execute("ALTER TABLE series DROP COLUMN IF EXISTS business_days")  # revision 0013 adds it
    await connection.execute("DROP TABLE IF EXISTS recording, change, issue, observation_undo")  # revision 0016 adds them
    await connection.execute("DROP TABLE IF EXISTS usage_day, usage_writer")  # revision 0021 adds them
    await connection.execute("DROP TABLE IF EXISTS fetch_state")  # revision 0028 adds it
    await connection.execute("DROP TABLE IF EXISTS alert, webhook, webhook_delivery, webhook_attempt")  # and 0027 these
    await connection.execute("DROP SCHEMA IF EXISTS private CASCADE")  # revision 0022 adds it
    await connection.execute("DROP TABLE IF EXISTS mapping")  # revision 0033 adds it
    await connection.execute(
        "DROP TABLE IF EXISTS derived_curve_change, derived_curve_input, derived_curve"  # revision 0031 adds them
    )
    await connection.execute("DROP TABLE IF EXISTS delivery_period, strip_part")  # revision 0035 adds them
    await connection.execute("DROP TABLE IF EXISTS archived_quotes")  # revision 0030 adds it
    for column in ("format", "parser_version", "release", "archive", "sent_by"):  # revision 0034 adds them
        await connection.execute(f"ALTER TABLE ingest_file DROP COLUMN IF EXISTS {column}")
    await connection.execute("DROP TABLE IF EXISTS curve_set_mark, curve_set_override, curve_set")  # revision 0032 adds them
    # Revision 0029 adds these.
    await connection.execute("DROP TABLE IF EXISTS product, curve_reference, quote, quote_publication, file_curve")
    await connection.execute("DROP FUNCTION IF EXISTS aurum_products_changed")
    await connection.execute("DROP POLICY IF EXISTS append_own ON audit")
    await connection.execute("DROP TABLE IF EXISTS link, service_secret")  # revision 0023 adds them
    await connection.execute("DROP FUNCTION IF EXISTS aurum_link_revoked")
    await connection.execute("DROP TABLE IF EXISTS search_group, series_search, search_word, search_state")  # revision 0024
    await connection.execute("DROP TABLE IF EXISTS job, job_worker")  # revision 0025 adds them
    await connection.execute("DROP TABLE IF EXISTS schedule, watermark, fetched_day")  # revision 0026 adds them
    for table, columns in ADDED.items():
        dropped = ", ".join(f"DROP COLUMN IF EXISTS {column}" for column in columns)
        await connection.execute(f"ALTER TABLE {table} {dropped}")


def stored_as_before() -> dict[str, list[tuple[object, ...]]]:
    """Series with the stamps that the last release stored: key to the points of its file."""
    return {
        **{
            f"eia:api_weekly:{series}:value": [(midnight(day), n) for n, day in enumerate(stamps_of(series))]
            for series in TITLES
        },
        "eia:gas_storage_weekly:R48:storage": [(midnight(day), n) for n, day in enumerate(FRIDAYS)],
        **{
            f"fred:observations:{series}:value": [(midnight(day, "UTC"), n) for n, day in enumerate(stamps_of(series))]
            for series in [*WEEKS, "XUNKNOWN"]
        },
    }


async def load_as_before(store: PostgresStore) -> None:
    """Load all series with the old stamps: values that are later revised, and a repetition of the present ones."""
    from aurum.pipelines.sources.fred.datasets import KNOWN

    for known, shift in ((300, -1.0), (310, 0.0), (320, 0.0)):
        files = []
        for key, points in stored_as_before().items():
            source, dataset, location, _ = key.split(":")
            title, _, unit = TITLES.get(location, ("", "", "Bcf" if source == "eia" else "unknown"))
            facts = KNOWN.get(location) if source == "fred" else None
            currency = facts.currency if facts else ("USD" if unit.startswith("USD") else None)
            files.append(
                file_load(
                    [(at(ts), known, value + shift) for ts, value in points],  # pyright: ignore[reportArgumentType, reportOperatorIssue]
                    key=key,
                    unit=facts.unit if facts else unit,
                    currency=currency,
                    frequency="1w",
                    zone=NEW_YORK if source == "eia" else "UTC",
                    location_name="Lower 48 States" if dataset.startswith("gas") else (facts.title if facts else title),
                    location_type="region" if dataset.startswith("gas") else "series",
                    labels={"week": "ending"} if dataset.startswith("gas") else {},
                )
            )
        await store.loader.load(together(*files))


async def points(store: PostgresStore, key: str) -> list[datetime]:
    series = (await store.catalog.series_by_key([key]))[key]
    return (await store.reader.observations(series.series_id, span=Span()))["ts"].to_list()


async def snapshot(connection: asyncpg.Connection) -> list[object]:
    tables = ("observation", "observation_version", "observation_confirmation", "file_series", "series", "completeness")
    return [await connection.fetch(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in tables]


async def test_stored_weeks_move_to_where_they_end_and_the_old_files_add_nothing(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection, ingestion: Ingestion
) -> None:
    await load_as_before(postgres_store)
    await before_migration(connection, WEEKS_MOVE)
    before = dict(await connection.fetch("SELECT key, version FROM series"))
    assert (await upgrade(database_url)).current == newest_revision()

    flow = [midnight(day - timedelta(days=6)) for day in FRIDAYS]
    level = [midnight(day) for day in FRIDAYS]
    assert await points(postgres_store, "eia:api_weekly:WCRFPUS2:value") == flow
    assert await points(postgres_store, "eia:api_weekly:WCESTUS1:value") == level
    series = (await postgres_store.catalog.series_by_key(["eia:api_weekly:WCRFPUS2:value"])).popitem()[1]
    assert (series.first_ts, series.last_ts, series.spec.labels) == (flow[0], flow[-1], {"week": "flow"})
    assert (await postgres_store.reader.revisions(series.series_id, span=Span()))["ts"].to_list() == sorted(flow * 2)
    confirmed = await connection.fetchval("SELECT ts FROM observation_confirmation WHERE series_id = $1", series.series_id)
    assert confirmed == flow
    of_files = await connection.fetch(
        "SELECT DISTINCT first_ts, last_ts FROM file_series WHERE series_id = $1", series.series_id
    )
    assert [tuple(row) for row in of_files] == [(flow[0], flow[-1])]
    after = dict(await connection.fetch("SELECT key, version FROM series"))
    assert all(after[key] == version + 2 for key, version in before.items()), "moved, and given dimensions"

    for document in (petroleum(), fred(), storage()):
        report = await ingestion.ingest(document)
        assert (report.reason, report.new, report.revised) == ("", 0, 0), document.name
    assert dict(await connection.fetch("SELECT key, version FROM series")) == after, "descriptions agree, too"


async def test_a_second_run_of_the_migrations_changes_nothing(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await load_as_before(postgres_store)
    await before_migration(connection, WEEKS_MOVE)
    # Up to the revision before that of the dimensions, whose columns ``before_migration`` drops with what they hold.
    versions = earlier_release(tmp_path, "0018")
    await upgrade(database_url, versions=versions)
    once = await snapshot(connection)
    await before_migration(connection, WEEKS_MOVE)
    await upgrade(database_url, versions=versions)
    assert await snapshot(connection) == once


async def test_archived_months_come_back_before_they_are_rewritten(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection
) -> None:
    await load_as_before(postgres_store)
    log, history = PostgresArchiveLog(postgres_store.pool), MemoryHistory()
    assert await archive_everything(log, history)
    await before_migration(connection, WEEKS_MOVE)
    with pytest.raises(MonthsArchived, match="aurum db migrate"):
        await upgrade(database_url)
    assert await connection.fetchval("SELECT floor FROM alembic_version") is None, "nothing was changed"
    with pytest.raises(HistoryNotConfigured):
        await restore_rewritten(database_url, lambda: None)
    assert await restore_rewritten(database_url, lambda: history) > 0
    assert await restore_rewritten(database_url, lambda: history) == 0
    assert await named_parts(log) == []
    await upgrade(database_url)
    flow = [midnight(day - timedelta(days=6)) for day in FRIDAYS]
    assert await points(postgres_store, "eia:api_weekly:WCRFPUS2:value") == flow


PRODUCTION = "eia:api_weekly:WCRFPUS2:value"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
ARCHIVE = "INSERT INTO archived_part (series_id, month, archive_id, rows, checksum) SELECT $1, '2025-10-01', $2, 1, 0"


async def test_a_month_that_is_archived_while_the_migration_waits_for_its_series_is_refused_and_the_series_stays(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection
) -> None:
    await load_as_before(postgres_store)
    october = Months(date(2025, 10, 1), date(2025, 10, 1))
    archive_id = await PostgresArchiveLog(postgres_store.pool).begin("eia", october)
    await before_migration(connection, WEEKS_MOVE)
    series_id = await connection.fetchval("SELECT series_id FROM series WHERE key = $1", PRODUCTION)
    stamps = "SELECT array_agg(ts ORDER BY ts) FROM observation WHERE series_id = $1"
    old = await connection.fetchval(stamps, series_id)
    archive = connection.transaction()
    await archive.start()
    await connection.execute("SELECT FROM series WHERE series_id = $1 FOR NO KEY UPDATE", series_id)
    await connection.execute(ARCHIVE, series_id, archive_id)
    migrating = asyncio.create_task(upgrade(database_url))
    other = await asyncpg.connect(database_url)

    async def waits() -> bool:
        return bool(await other.fetchval(WAITING))

    await wait_until(waits)
    await archive.commit()
    with pytest.raises(MonthsArchived, match=r"1 archived month.*stop archive runs"):
        await migrating
    await other.close()
    assert await connection.fetchval(stamps, series_id) == old
    await connection.execute("DELETE FROM archived_part")
    await upgrade(database_url)
    assert await connection.fetchval(stamps, series_id) == [midnight(day - timedelta(days=6)) for day in FRIDAYS]
    assert await connection.fetchval("SELECT to_regclass('rewritten_series')") is None


async def test_a_series_that_loses_its_label_to_an_older_release_is_moved_once(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await load_as_before(postgres_store)
    await before_migration(connection, WEEKS_MOVE)
    # What a load of an older release does to one series, as soon as the step that moved it labels it.
    await connection.execute(f"""
        CREATE FUNCTION reset_label() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            IF EXISTS (SELECT FROM rewritten_series WHERE series_id = NEW.series_id) THEN RETURN NEW; END IF;
            NEW.labels = '{{}}'; RETURN NEW;
        END$$;
        CREATE TRIGGER reset_label BEFORE UPDATE OF labels ON series FOR EACH ROW
        WHEN (NEW.key = '{PRODUCTION}') EXECUTE FUNCTION reset_label();
    """)
    await upgrade(database_url, versions=earlier_release(tmp_path, "0018"))
    await connection.execute("DROP TRIGGER reset_label ON series")
    await upgrade(database_url)
    assert await points(postgres_store, PRODUCTION) == [midnight(day - timedelta(days=6)) for day in FRIDAYS]
    labels = await connection.fetchval("SELECT labels::text FROM series WHERE key = $1", PRODUCTION)
    assert json.loads(labels) == {"week": "flow"}


async def test_migrations_that_rewrite_rows_and_archive_runs_exclude_each_other(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection
) -> None:
    log = PostgresArchiveLog(postgres_store.pool)
    async with log.exclusive_run(), without_archive_runs(database_url):
        pass  # no migration is missing
    await before_migration(connection, WEEKS_MOVE)
    async with without_archive_runs(database_url), without_archive_runs(database_url):
        with pytest.raises(ArchiveRunning, match="migration"):
            async with log.exclusive_run():
                pass
    async with log.exclusive_run():
        with pytest.raises(ArchiveRunning, match="aurum db migrate"):
            async with without_archive_runs(database_url):
                pass
    await upgrade(database_url)


async def test_stored_areas_get_their_zones_and_their_days_are_counted_anew(
    postgres_store: PostgresStore, database_url: str, connection: asyncpg.Connection
) -> None:
    start = datetime(2025, 10, 25, 22, tzinfo=UTC)
    quarters = [(at(start) + n / 4, 300, float(n)) for n in range(100)]
    hours = [(at(datetime(2025, 10, 25, 21, tzinfo=UTC)) + n, 300, float(n)) for n in range(25)]
    areas = [*AREAS, "10Y-NOT-LISTED-X"]
    for area in areas:
        of_area = {"market": "ENTSOE", "zone": "UTC", "location_type": "area"}
        price, load = f"entsoe:day_ahead_prices:{area}:price_15min", f"entsoe:load:{area}:load_60min"
        await postgres_store.loader.load(file_load(quarters, key=price, frequency="15min", **of_area))
        await postgres_store.loader.load(file_load(hours, key=load, frequency="1h", **of_area))
    await before_migration(connection, AREAS_MOVE)
    before = dict(await connection.fetch("SELECT key, version FROM series"))
    await upgrade(database_url)

    zones = dict(await connection.fetch("SELECT key, zone FROM series"))
    for code, area in AREAS.items():
        assert zones[f"entsoe:day_ahead_prices:{code}:price_15min"] == area.trading
        assert zones[f"entsoe:load:{code}:load_60min"] == area.civil
    unknown = await connection.fetchrow("SELECT zone, labels::text FROM series WHERE location = '10Y-NOT-LISTED-X' LIMIT 1")
    assert unknown is not None
    assert (unknown[0], json.loads(unknown[1])) == ("UTC", {"zone": "undeclared"})
    query = "SELECT day, expected, present FROM completeness JOIN series USING (series_id) WHERE key = $1 ORDER BY day"
    belgium = await connection.fetch(query, "entsoe:day_ahead_prices:10YBE----------2:price_15min")
    finland = await connection.fetch(query, "entsoe:load:10YFI-1--------U:load_60min")
    assert [tuple(row) for row in belgium] == [(date(2025, 10, 26), 100, 100)]
    assert [tuple(row) for row in finland] == [(date(2025, 10, 26), 25, 25)]
    after = dict(await connection.fetch("SELECT key, version FROM series"))
    assert all(after[key] == version + 2 for key, version in before.items()), "moved, and given dimensions"
