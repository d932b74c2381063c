"""The command and the service give the same numbers for the same question."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aurum.api.testing import serving
from aurum.cli import series
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.calendars import default_blocks
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

KEY = "nyiso:damlbmp_zone:61761:lmp"
RATES = "ecb:reference_rates:EURUSD:rate"
_ROW = re.compile(r"^ *(\d{4}-\d\d-\d\d \d\d:\d\d) \S+ +(-?[\d,.]+)", re.MULTILINE)

FALL_DAY = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market"}
MONDAY = {"start": "2025-11-03", "end": "2025-11-04", "tz": "market"}


@pytest.fixture
async def settings(database_url: str, tmp_path: Path, postgres_store: PostgresStore) -> Settings:
    first = 24 * 303 + 4  # 2025-10-31, midnight in New York
    prices = [(first + n, 0, 30 + n * 0.25) for n in range(121)] + [(first + 50, 330, -7.0)]
    blocks = [block.to_document() for block in default_blocks()]
    await postgres_store.catalog_writer.declare(sources=[], datasets=[], blocks=blocks)
    await postgres_store.loader.load(
        file_load(prices, key=KEY, unit="USD/MWh", currency="USD", zone="America/New_York", market="NYISO")
    )
    rates = [(first + 18 + 24 * n, 0, 1.25 + n / 100) for n in range(-4, 6)]
    await postgres_store.loader.load(
        file_load(rates, key=RATES, unit="USD/EUR", currency="USD", frequency="1d", zone="Europe/Brussels")
    )
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


@pytest.mark.parametrize(
    "question",
    [
        FALL_DAY,
        FALL_DAY | {"as_of": "2025-11-01"},
        FALL_DAY | {"freq": "1d", "agg": "max"},
        {"start": "2025-11-01T06:00", "end": "2025-11-03T06:00", "tz": "market", "freq": "1d", "agg": "sum"},
        FALL_DAY | {"tz": "Europe/Berlin", "freq": "1d"},
        MONDAY | {"block": "ON_PEAK"},
        MONDAY | {"unit": "USD/MMBtu"},
        MONDAY | {"currency": "EUR", "block": "nyiso:OFF_PEAK"},
    ],
    ids=str,
)
async def test_a_question_has_one_answer(settings: Settings, question: dict[str, str]) -> None:
    options = [part for name, value in question.items() for part in (f"--{name.replace('_', '-')}", value)]
    shown = await asyncio.to_thread(CliRunner().invoke, series.app, ["show", KEY, *options], obj=settings)
    assert shown.exit_code == 0, shown.exception
    async with serving(settings) as served:
        answered = await served.client.get(f"/v2/series/{KEY}/observations", params=question)
    assert answered.status_code == 200, answered.text
    document = answered.json()
    expected = [(datetime.fromisoformat(row["start"]).strftime("%Y-%m-%d %H:%M"), row["value"]) for row in document["data"]]
    printed = [(start, float(value.replace(",", ""))) for start, value in _ROW.findall(shown.output)]
    assert printed == [(start, pytest.approx(value, abs=5.1e-5)) for start, value in expected]
    assert printed
    assert document["meta"]["series"]["unit"] in shown.stdout.splitlines()[0]


async def test_what_the_service_refuses_the_command_refuses_in_the_same_words(settings: Settings) -> None:
    shown = await asyncio.to_thread(CliRunner().invoke, series.app, ["show", KEY, "--unit", "furlong"], obj=settings)
    async with serving(settings) as served:
        answered = await served.client.get(f"/v2/series/{KEY}/observations", params={"unit": "furlong"})
    assert answered.status_code == 422
    assert str(shown.exception) == answered.json()["detail"]
