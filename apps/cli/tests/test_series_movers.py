"""``aurum series movers``: a table for people, and the answer of the API for programs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import series
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import InvalidParameters
from aurum.services.movers import NoDataOnDay
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

FIRST = (datetime(2025, 11, 3, 5, tzinfo=UTC) - T0).total_seconds() / 3600
ASKED = ["movers", "--measure", "lmp", "--market", "nyiso", "--day", "2025-11-04"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, series.app, [*ASKED, *arguments], obj=settings)


async def load(store: PostgresStore) -> None:
    for name, before, after, hours in (("A", 40.0, 50.0, 48), ("B", 0.0, -20.5, 48), ("C", 1.0, 900.0, 47)):
        points = [(FIRST + number, 0, before if number < 24 else after) for number in range(hours)]
        await store.loader.load(
            file_load(
                points,
                key=f"nyiso:damlbmp_zone:{name}:lmp",
                unit="USD/MWh",
                currency="USD",
                zone="America/New_York",
                market="NYISO",
                location_name=f"Zone {name}",
            )
        )


async def test_movers_are_a_table_with_incomplete_series_below(settings: Settings, postgres_store: PostgresStore) -> None:
    await load(postgres_store)
    shown = await run(settings)
    assert shown.exit_code == 0, shown.exception
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines == [
        ["lmp", "NYISO", "USD/MWh", "2025-11-04", "against", "2025-11-03", "all", "hours"],
        ["key", "location", "2025-11-03", "2025-11-04", "change", "%"],
        ["nyiso:damlbmp_zone:B:lmp", "Zone", "B", "0.00", "-20.50", "-20.50"],
        ["nyiso:damlbmp_zone:A:lmp", "Zone", "A", "40.00", "50.00", "+10.00", "+25.0%"],
        ["not", "ranked,", "because", "intervals", "are", "missing:", "1"],
        ["key", "2025-11-03", "2025-11-04"],
        ["nyiso:damlbmp_zone:C:lmp", "24", "of", "24", "23", "of", "24"],
    ]
    assert "only the first 1 of 2 series are shown: raise --limit for more" in (await run(settings, "--limit", "1")).output


async def test_json_is_the_answer_of_the_api(settings: Settings, postgres_store: PostgresStore) -> None:
    await load(postgres_store)
    answer = json.loads((await run(settings, "--json", "--against", "2025-11-03", "--limit", "1")).stdout)
    assert [one["key"] for one in answer["data"]] == ["nyiso:damlbmp_zone:B:lmp"]
    assert answer["data"][0]["relative_change"] is None
    assert (answer["meta"]["ranked"], answer["meta"]["incomplete"], answer["meta"]["tz"]) == (2, 1, "America/New_York")
    assert answer["incomplete"][0]["after"] == {"expected": 24, "present": 23}


async def test_what_cannot_be_asked_fails_as_over_http(settings: Settings, postgres_store: PostgresStore) -> None:
    await load(postgres_store)
    for arguments in (("--day", "yesterday"), ("--against", "today"), ("--measure", "lpm"), ("--block", "ON_PEEK")):
        assert isinstance((await run(settings, *arguments)).exception, InvalidParameters), arguments
    missing = (await run(settings, "--against", "week")).exception
    assert isinstance(missing, NoDataOnDay)
    assert missing.facts["nearest"] == ["2025-11-03"]
