"""The models on a real Trino, over a store with archived months in Iceberg: the same as on DuckDB."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import polars as pl
import pytest
from built_models import over
from polars.testing import assert_frame_equal
from trino.dbapi import connect

from aurum.common.contracts import contracts_directory
from aurum.common.settings import DbtSettings, TrinoSettings
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.models.project import project_directory
from aurum.pipelines.models.run import Invocation, Verb
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.embedded.trino import EmbeddedTrino
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.testing.archiving import archive_everything
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.trino import TrinoHistory

pytestmark = [pytest.mark.needs_trino, pytest.mark.timeout(1200)]

PRICES = "damlbmp"
KEYS = {
    "fct_lmp_daily": ["series_id", "market_day"],
    "mart_series_latest": ["series_id"],
    "mart_series_revisions": ["series_id", "ts", "revision"],
}


async def ingest(store: PostgresStore, folder: Path) -> None:
    registry = default_registry()
    await declare_catalog(registry, store.catalog_writer)
    suites = read_suites(contracts_directory(None) / "expectations")
    ingestion = Ingestion(registry=registry, suites=suites, loader=store.loader, raw_files=RawFiles(folder))
    files = [path for path in sample_files() if PRICES in path.name]
    documents = [one for path in files for one in read_source_files(path) if isinstance(one, SourceFile)]
    assert documents
    async for _ in ingestion.ingest_all(documents):
        pass


def rows_of(server: EmbeddedTrino, relation: str) -> pl.DataFrame:
    with connect(host="127.0.0.1", port=server.port, user="aurum") as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM iceberg.marts.{relation}")
        rows = cursor.fetchall()
        names = [column[0] for column in cursor.description]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


async def test_trino_builds_what_duckdb_builds_archived_months_included(
    trino_server: EmbeddedTrino,
    trino_settings: TrinoSettings,
    trino_history: TrinoHistory,
    postgres_store: PostgresStore,
    tmp_path: Path,
) -> None:
    await ingest(postgres_store, tmp_path / "kept")
    for known, value in ((1, 10.0), (2, 11.0)):
        await postgres_store.loader.load(file_load([(0, known, value)], digest=f"said on day {known}"))
    moved = await archive_everything(PostgresArchiveLog(postgres_store.pool), trino_history)
    assert moved > 0
    database = urlsplit(postgres_store.pool.settings.url or "").path.strip("/")
    with connect(host="127.0.0.1", port=trino_server.port, user="aurum") as connection:
        cursor = connection.cursor()
        cursor.execute(
            f"""CREATE CATALOG hot USING postgresql WITH ("connection-url" = '{trino_server.store_url(database)}',
                "connection-user" = 'postgres', "connection-password" = '')"""
        )
        cursor.fetchall()
    project = project_directory(None)
    on_duckdb = over(postgres_store, DbtSettings(), project, tmp_path / "duckdb", history=trino_history)
    settings = DbtSettings.model_validate(
        {"target": "trino", "trino_url": f"trino://aurum@127.0.0.1:{trino_server.port}/iceberg", "trino_store": "hot"}
    )
    iceberg = (trino_settings.catalog, trino_settings.schema_)
    on_trino = over(postgres_store, settings, project, tmp_path / "trino", iceberg=iceberg)
    for runner in (on_duckdb, on_trino):
        report = await runner.run(Invocation(Verb.BUILD))
        report.raise_failure()
    for relation, key in KEYS.items():
        with duckdb.connect(on_duckdb.paths.file, read_only=True) as file:
            file.execute("SET TimeZone = 'UTC'")
            expected = pl.DataFrame(file.sql(f"SELECT * FROM marts.{relation}").to_arrow_table()).sort(key)
        actual = rows_of(trino_server, relation).sort(key)
        assert expected.height > 0
        numbers = [name for name, dtype in expected.schema.items() if dtype.is_numeric()]
        assert_frame_equal(actual.select(numbers), expected.select(numbers), check_dtypes=False, rel_tol=1e-9)
