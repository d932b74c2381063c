"""The sample in a database for each test module, and the models built over it, once per target."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from aurum.common.contracts import contracts_directory
from aurum.common.settings import DbtSettings
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.models.project import project_directory
from aurum.pipelines.models.run import Invocation, ModelRunner, Verb
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.testing.stores import PostgresStore

sys.path.append(str(Path(__file__).parents[2] / "support"))

from built_models import Built, new_store, over


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[PostgresStore]:
    """An empty store for the test module."""
    async with new_store(postgres_server, migrated_template) as made:
        yield made


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def target(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sampled(postgres_server: EmbeddedPostgres, migrated_template: str, target: str) -> AsyncIterator[PostgresStore]:
    """A store for each engine, since tests may correct what is in it."""
    del target
    async with new_store(postgres_server, migrated_template) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def built(sampled: PostgresStore, target: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sample and the models over it, on each engine."""
    store = sampled
    registry = default_registry()
    await declare_catalog(registry, store.catalog_writer)
    ingestion = Ingestion(
        registry=registry,
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(tmp_path_factory.mktemp("kept")),
    )

    async def ingest(documents: list[SourceFile], known_at: KnownAtPolicy | None = None) -> None:
        reports = [report async for report in ingestion.ingest_all(documents, known_at=known_at)]
        assert [report.outcome for report in reports] == [FileOutcome.APPLIED] * len(documents)

    await ingest([one for path in sample_files() for one in read_source_files(path) if isinstance(one, SourceFile)])
    settings = DbtSettings.model_validate({"target": target})
    runner = over(store, settings, project_directory(None), tmp_path_factory.mktemp("warehouse"))
    report = await runner.run(Invocation(Verb.BUILD))
    return Built(store, runner, report, ingest)


TINY_PROJECT = """
name: tiny
version: "1.0"
config-version: 2
profile: aurum
"""


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """An empty dbt project with the profiles of the real one and no models."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "dbt_project.yml").write_text(TINY_PROJECT)
    (folder / "profiles.yml").write_text((project_directory(None) / "profiles.yml").read_text())
    return folder


@pytest.fixture
def tiny(store: PostgresStore, tiny_project: Path, tmp_path: Path) -> Callable[..., ModelRunner]:
    """A function that builds the tiny project over the store, on DuckDB, with the given settings."""

    def make(**settings: object) -> ModelRunner:
        made = over(store, DbtSettings.model_validate(settings), tiny_project, tmp_path / "warehouse")
        return replace(made)

    return make
