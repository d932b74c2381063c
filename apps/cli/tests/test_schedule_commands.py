"""``aurum schedule``, ``aurum backfill`` and ``aurum fetch`` without days, with a publisher on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aurum.assembly import pipelines as assembled
from aurum.cli import backfill, fetch, schedule
from aurum.cli.exit_codes import UNAVAILABLE
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, ScheduleSettings, Settings
from aurum.core.errors import Invalid, UnknownName
from aurum.core.schedule.times import InvalidSchedule
from aurum.pipelines.fetch.backfill import EndBeforeBegin
from aurum.pipelines.fetch.client import DownloadLimits
from aurum.pipelines.fetch.downloads import Downloads
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.registry import Registry
from aurum.pipelines.testing.publisher import Publisher, Received, Reply, publisher_on_loopback
from aurum.storage.ports.jobs import JobFilter
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

_HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)"
_IMPATIENT = DownloadLimits(tries=1, first_wait_s=0.001, longest_wait_s=0.01)
RANGE = ("--from", "2025-12-01", "--to", "2025-12-03")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database=DatabaseSettings(url=database_url, pool_size=4),
        schedule=ScheduleSettings(first_days=2),
    )


@pytest.fixture
def nyiso(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Publisher]:
    """A publisher that has the prices of every day in archives of months, and 404 for single days."""
    with publisher_on_loopback() as publisher:
        publisher.script = _answer

        def on_loopback(settings: Settings, registry: Registry, folder: Path | None = None, clock: Any = None) -> Downloads:
            turns = Turns(tmp_path / "turns", clock or SystemClock(), [], seconds={"mis.nyiso.com": 0.0})
            return Downloads(
                registry,
                settings.fetch,
                folder or tmp_path / "fetched",
                clock or SystemClock(),
                turns,
                address=publisher.address,
                limits=_IMPATIENT,
            )

        monkeypatch.setattr(assembled, "downloads_of", on_loopback)
        yield publisher


def _answer(request: Received) -> Reply:
    name = request.path.rpartition("/")[2]
    year, month, day = int(name[:4]), int(name[4:6]), int(name[6:8])
    if name.endswith(".zip"):
        return Reply(status=404)
    rows = [f"{month:02}/{day:02}/{year} {hour:02}:00,CAPITL,61757,{30 + hour}.50,1.00,0.00" for hour in range(24)]
    return Reply("\n".join([_HEADER, *rows, ""]).encode())


async def run(module: Any, settings: Settings, *arguments: str) -> Result:
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer()
        module.register(app)
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def document(module: Any, settings: Settings, *arguments: str) -> Any:
    result = await run(module, settings, *arguments, "--json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    return json.loads(result.stdout)


async def test_a_schedule_is_made_paused_run_and_deleted(settings: Settings, postgres_store: PostgresStore) -> None:
    made = await document(
        schedule, settings, "set", "nightly", "--job", "alerts.check", "--cron", "30 2 * * *", "--zone", "Europe/Berlin"
    )
    assert (made["data"]["cron"], made["data"]["zone"], made["data"]["problem"]) == ("30 2 * * *", "Europe/Berlin", "")
    assert made["data"]["next_at"] is not None
    changed = await document(schedule, settings, "set", "nightly", "--jitter", "60")
    assert (changed["data"]["cron"], changed["data"]["jitter_s"]) == ("30 2 * * *", 60)
    paused = await document(schedule, settings, "pause", "nightly")
    assert (paused["data"]["is_on"], paused["data"]["next_at"]) == (False, None)
    submitted = await document(schedule, settings, "run", "nightly")
    assert (await postgres_store.jobs.job(submitted["data"]["job_id"])).name == "alerts.check"
    assert (await document(schedule, settings, "resume", "nightly"))["data"]["is_on"] is True
    listed = await document(schedule, settings, "list", "--on")
    assert [one["name"] for one in listed["data"]] == ["nightly"]
    assert "30 2 * * * Europe/Berlin" in (await run(schedule, settings, "list")).stdout
    assert (await run(schedule, settings, "delete", "nightly")).exit_code == 0
    assert "a worker stores those of its release" in (await run(schedule, settings, "list")).stdout


@pytest.mark.parametrize(
    ("arguments", "kind", "reason"),
    [
        (("--job", "alerts.check", "--cron", "0 0 30 2 *"), InvalidSchedule, "never due"),
        (("--job", "alerts.check"), InvalidSchedule, "either a cron expression or a number of seconds"),
        (("--job", "alerts.chekc", "--every", "60"), UnknownName, "nearest: alerts.check"),
        (("--every", "60"), Invalid, "--job is missing"),
        (("--job", "alerts.check", "--every", "60", "--cron", "* * * * *"), Invalid, "state one of them"),
        (("--job", "alerts.check", "--every", "60", "--payload", "[]"), Invalid, "not a JSON object"),
    ],
)
async def test_a_schedule_that_cannot_be_is_refused(
    settings: Settings, arguments: tuple[str, ...], kind: type[Exception], reason: str
) -> None:
    result = await run(schedule, settings, "set", "new", *arguments)
    assert isinstance(result.exception, kind)
    assert reason in str(result.exception)


async def test_a_backfill_goes_on_where_it_stopped(settings: Settings, nyiso: Publisher, postgres_store: PostgresStore) -> None:
    planned = await document(backfill, settings, "nyiso", "damlbmp_zone", *RANGE, "--dry-run")
    assert (planned["days"], nyiso.received) == (3, [])
    assert await postgres_store.jobs.page(JobFilter(), limit=1) == []
    first = await document(backfill, settings, "nyiso", "damlbmp_zone", *RANGE, "--known-at", "schedule")
    assert (first["data"], first["error"]) == ({"loaded": 3}, None)
    nyiso.received.clear()
    again = await document(backfill, settings, "nyiso", "damlbmp_zone", *RANGE)
    assert (again["data"], again["done_before"], nyiso.received) == ({}, 3, [])
    queued = await document(backfill, settings, "nyiso", "damlbmp_zone", *RANGE, "--queue", "--force")
    job = await postgres_store.jobs.job(queued["data"]["job_id"])
    assert (job.name, job.payload["first"], job.payload["force"]) == ("backfill.range", "2025-12-01", True)


async def test_a_publisher_that_fails_ends_a_backfill_with_the_reason(settings: Settings, nyiso: Publisher) -> None:
    nyiso.script = lambda _request: Reply(status=500)
    result = await run(backfill, settings, "nyiso", "damlbmp_zone", *RANGE)
    assert result.exit_code == UNAVAILABLE
    assert "the same command goes on from here" in result.output.replace("\n", " ")


async def test_a_backfill_whose_end_is_before_its_begin_is_refused(settings: Settings) -> None:
    result = await run(backfill, settings, "nyiso", "damlbmp_zone", "--from", "2025-12-03", "--to", "2025-12-01")
    assert isinstance(result.exception, EndBeforeBegin)


async def test_without_days_a_fetch_brings_what_is_due(
    settings: Settings, nyiso: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()
    monkeypatch.setattr(SystemClock, "now", lambda _: now)  # else more may be due before the second command
    fetched = await document(fetch, settings, "nyiso", "damlbmp_zone")
    (watermark,) = fetched["data"]
    assert watermark["state"] == "ok"
    assert date.fromisoformat(watermark["fetched_to"]) >= now.date() - timedelta(days=1)
    requested = len(nyiso.received)
    assert requested == 2
    await document(fetch, settings, "nyiso", "damlbmp_zone")
    assert len(nyiso.received) == requested
    listed = await document(schedule, settings, "watermarks")
    assert [one["dataset"] for one in listed["data"]] == ["damlbmp_zone"]


@pytest.mark.parametrize(
    "arguments", [("--from", "2025-12-01"), ("--no-ingest",), ("--from", "2025-12-01", "--to", "2025-12-02")]
)
async def test_half_a_range_is_refused(settings: Settings, arguments: tuple[str, ...]) -> None:
    result = await run(fetch, settings, "nyiso", *arguments)
    assert isinstance(result.exception, Invalid)
