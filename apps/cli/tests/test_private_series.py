"""``aurum private`` and ``aurum ingest --tenant``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import ingest, private, series
from aurum.cli.exit_codes import REFUSED_FILES
from aurum.common.settings import DatabaseSettings, PrivateSettings, Settings
from aurum.core.asof import Span
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.private import DeclarationDiffers
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

DECLARATION = ("meter", "--unit", "MWh", "--freq", "1h", "--tz", "America/New_York")
KEY = "private:series:meter:value"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    database = DatabaseSettings(url=database_url, pool_size=2, private_pool_size=1)
    return Settings(data_dir=tmp_path, database=database, private=PrivateSettings(points=3, body_bytes=200))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, private.app, list(arguments), obj=settings)


async def load(settings: Settings, *arguments: str) -> Result:
    app = typer.Typer()
    ingest.register(app)
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


def written(folder: Path, text: str, name: str = "meter.csv") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


async def values(store: PostgresStore, tenant: str = "local") -> list[float]:
    own = store.private.of(tenant)
    series = (await own.catalog.series_by_key([KEY]))[KEY]
    return (await own.reader.observations(series.series_id, span=Span()))["value"].to_list()


async def test_a_file_is_loaded_into_a_declared_series(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    assert (await run(settings, "declare", *DECLARATION)).stdout == f"declared: {KEY}\n"
    assert (await run(settings, "declare", *DECLARATION)).stdout == f"already declared: {KEY}\n"
    first = written(tmp_path, "start,value\n2025-11-03T00:00,1.5\n2025-11-03T01:00,2.5\n")
    result = await load(settings, "--tenant", "local", "--series", "meter", first)
    assert (result.exit_code, result.output) == (0, "loaded meter.csv: 2 new, 0 revised, 0 unchanged\n")
    second = written(tmp_path, "start,value,known_at\n2025-11-03T00:00,1.5,\n2025-11-03T01:00,3.5,2025-11-05\n", "second.csv")
    result = await load(settings, "--tenant", "local", "--series", "meter", second, first, "--json")
    reports = json.loads(result.stdout)["data"]
    assert [(one["name"], one["new"], one["revised"], one["unchanged"]) for one in reports] == [
        ("second.csv", 0, 1, 1),
        ("meter.csv", 0, 0, 2),
    ]
    assert await values(postgres_store) == [1.5, 2.5], (
        "the value known since 2025-11-05 was known before that of the first file"
    )
    listed = json.loads((await run(settings, "list", "--json")).stdout)["data"]
    assert [(one["name"], one["unit"], one["last"]) for one in listed] == [("meter", "MWh", "2025-11-03T06:00:00Z")]
    assert "meter" in (await run(settings, "list")).output
    show = ["show", KEY, "--freq", "1d", "--agg", "sum", "--unit", "kWh", "--json"]
    shown = await asyncio.to_thread(CliRunner().invoke, series.app, [*show, "--tenant", "local"], obj=settings)
    assert [row["value"] for row in json.loads(shown.stdout)["data"]] == [4000.0]
    for other in ([], ["--tenant", "nadir"]):
        hidden = await asyncio.to_thread(CliRunner().invoke, series.app, [*show, *other], obj=settings)
        assert isinstance(hidden.exception, UnknownName)
    assert (await run(settings, "remove", "meter")).stdout == "removed meter: 2 points, 1 earlier versions\n"
    assert json.loads((await run(settings, "list", "--json")).stdout)["data"] == []


async def test_a_bad_file_is_refused_whole_with_its_lines_and_the_others_are_loaded(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    await run(settings, "declare", *DECLARATION)
    good = written(tmp_path, "start,value\n2025-11-03,1\n", "good.csv")
    files = [
        written(tmp_path, "start,value\n2025-11-04,1\n2025-11-05,n/a\n", "bad.csv"),
        written(tmp_path, "start,value\n" + "".join(f"2025-11-0{day},1\n" for day in range(1, 5)), "long.csv"),
        written(tmp_path, " " * 201, "large.csv"),
        str(tmp_path / "missing.csv"),
    ]
    result = await load(settings, "--tenant", "local", "--series", "meter", *files, good)
    assert result.exit_code == REFUSED_FILES
    lines = result.output.splitlines()
    assert lines[0].startswith("refused bad.csv: 1 row cannot be used, so nothing was stored: line 3: value")
    assert "4 points; one request or file may have 3" in lines[1]
    assert "more than 200 bytes (AURUM_PRIVATE__BODY_BYTES)" in lines[2]
    assert "cannot be read" in lines[3]
    assert lines[4] == "loaded good.csv: 1 new, 0 revised, 0 unchanged"
    assert await values(postgres_store) == [1.0]


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        (["--tenant", "local"], InvalidParameters, "--series: is missing"),
        (["--series", "meter"], InvalidParameters, "--tenant: is missing"),
        (["--tenant", "local", "--series", "meter", "--known-at", "now"], InvalidParameters, "--known-at: does not apply"),
        (["--tenant", "local", "--series", "meter", "--queue"], InvalidParameters, "--queue: does not apply"),
        (["--tenant", "nadir", "--series", "meter"], UnknownName, "unknown tenant 'nadir'"),
        (["--tenant", "local", "--series", "meter"], UnknownName, "unknown private series 'meter'"),
    ],
)
async def test_what_is_missing_or_does_not_apply_is_named(
    settings: Settings, tmp_path: Path, arguments: list[str], error: type[Exception], why: str
) -> None:
    result = await load(settings, *arguments, written(tmp_path, "start,value\n"))
    assert isinstance(result.exception, error)
    assert why in str(result.exception)


async def test_another_declaration_is_refused_with_the_way_out(settings: Settings) -> None:
    await run(settings, "declare", *DECLARATION)
    result = await run(settings, "declare", "meter", "--unit", "kWh", "--freq", "1h", "--tz", "America/New_York")
    assert isinstance(result.exception, DeclarationDiffers)
    assert isinstance((await run(settings, "list", "--tenant", "nadir")).exception, UnknownName)
