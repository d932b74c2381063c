"""Runs that fail, and how the failure is reported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from built_models import over

from aurum.common.clock import SystemClock
from aurum.common.settings import DbtSettings, environment
from aurum.core.errors import Invalid
from aurum.pipelines.models.run import (
    BrokenProject,
    BuildTooLong,
    BuildUnderWay,
    Invocation,
    ModelRunner,
    ModelsFailed,
    MonthsArchived,
    Verb,
)
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.ports.models import NodeStatus
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.testing.archiving import archive_everything
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.timeout(900)  # a build takes a quarter of a minute, on a busy machine many times that

MakeTiny = Callable[..., ModelRunner]
BUILD = Invocation(Verb.BUILD)


def write(project: Path, **files: str) -> None:
    for name, text in files.items():
        folder = "tests" if name.startswith("never") else "models"
        (project / folder / f"{name}.sql").write_text(text)


async def test_a_model_and_a_test_that_fail_are_named_and_on_record(tiny: MakeTiny, tiny_project: Path) -> None:
    write(tiny_project, good="select 1 as x", bad="select nothing_there")
    write(tiny_project, after="select * from {{ ref('bad') }}", never="select x from {{ ref('good') }}")
    runner = tiny()
    report = await runner.run(BUILD)
    assert {one.node: one.status for one in report.run.results} == {
        "good": NodeStatus.OK,
        "bad": NodeStatus.FAILED,
        "after": NodeStatus.SKIPPED,
        "never": NodeStatus.FAILED,
    }
    with pytest.raises(ModelsFailed, match=r"failed: .*\(and 1 more\)$") as failure:
        report.raise_failure()
    assert "\n" not in failure.value.detail
    (run,) = await runner.log.runs_page(before=None, limit=1)
    assert (run.run_id, run.succeeded, run.reason) == (report.run_id, False, failure.value.detail)
    states = {one.entry.name: one for one in await runner.log.models()}
    assert states["bad"].built is not None
    assert "nothing_there" in states["bad"].built.result.message
    assert [(one.node, one.failures) for one in states["good"].tests] == [("never", 1)]


async def test_a_target_that_does_not_read_history_builds_no_models_without_it(
    tiny_project: Path, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock())
    await postgres_store.loader.load(file_load([(0, 1, 10.0)]))
    await archive_everything(PostgresArchiveLog(postgres_store.pool), history)
    await history.close()
    with pytest.raises(MonthsArchived, match="AURUM_DBT__TARGET=duckdb"):
        await over(postgres_store, DbtSettings(target="postgres"), tiny_project, tmp_path / "warehouse").run(BUILD)


async def test_documenting_builds_nothing_and_leaves_a_page(tiny: MakeTiny, tiny_project: Path) -> None:
    write(tiny_project, documented="select 1 as x")
    runner = tiny()
    report = await runner.run(Invocation(Verb.DOCS))
    assert (report.run.succeeded, report.run.results) == (True, ())
    assert (runner.paths.artifacts("duckdb") / "index.html").is_file()
    states = {one.entry.name: one for one in await runner.log.models()}
    assert states["documented"].built is None


async def test_a_project_that_cannot_be_read_is_broken(tiny: MakeTiny, tiny_project: Path) -> None:
    write(tiny_project, lost="select * from {{ ref('nowhere') }}")
    with pytest.raises(BrokenProject, match="nowhere"):
        await tiny().run(BUILD)


async def test_a_run_that_takes_too_long_is_stopped(tiny: MakeTiny, tiny_project: Path) -> None:
    write(tiny_project, good="select 1 as x")
    with pytest.raises(BuildTooLong, match="AURUM_DBT__TIMEOUT_S"):
        await tiny(timeout_s=0.01).run(BUILD)


async def test_two_builds_do_not_run_in_one_folder_at_once_and_one_can_be_cancelled(tiny: MakeTiny, tiny_project: Path) -> None:
    write(tiny_project, good="select 1 as x")
    runner = tiny()
    first = asyncio.ensure_future(runner.run(BUILD))
    await asyncio.sleep(0)  # it has begun, and holds the lock
    with pytest.raises(BuildUnderWay):
        await runner.run(BUILD)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    (await runner.run(BUILD)).raise_failure()


async def test_the_command_says_in_one_line_what_failed(store: PostgresStore, tiny_project: Path, tmp_path: Path) -> None:
    write(tiny_project, bad="select nothing_there")
    variables = {
        "AURUM_DATABASE__URL": store.pool.settings.url or "",
        "AURUM_DBT__PROJECT_DIR": str(tiny_project),
        "AURUM_LOGGING__LEVEL": "ERROR",
        "AURUM_DATA_DIR": str(tmp_path / "data"),
    }
    command = [sys.executable, "-m", "aurum.cli.main", "dbt", "run", "--select", "bad"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment(variables), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("aurum: model bad failed: ")
    assert "run --select=bad on duckdb: 1 failed" in done.stdout


@pytest.mark.parametrize(
    "build_invocation",
    [
        lambda: Invocation(Verb.DOCS, select=("x",)),
        lambda: Invocation(Verb.TEST, full_refresh=True),
        lambda: Invocation(Verb.RUN, select=("--profiles-dir=/tmp",)),
        lambda: Invocation(Verb.RUN, select=("a b",)),
    ],
)
def test_arguments_that_dbt_does_not_accept_are_refused(build_invocation: Callable[[], Invocation]) -> None:
    with pytest.raises(Invalid):
        build_invocation()
