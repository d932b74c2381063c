"""``aurum series list`` by dimensions, and ``aurum sources unmapped``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from aurum.cli import series, sources
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import UnknownName
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

WIND = "nyiso:rtfuelmix:NYISO:generation_wind"
ANTIMATTER = "nyiso:rtfuelmix:NYISO:generation_antimatter"
PRICE = "nyiso:damlbmp_zone:61761:lmp"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def stocked(store: PostgresStore) -> None:
    for key, fuel, word in ((WIND, "wind", "Wind"), (ANTIMATTER, "unmapped", "Antimatter")):
        labels = {"fuel_as_published": word}
        await store.loader.load(
            file_load([(0, 1, 1.0)], key=key, kind="generation", market_run="real_time", fuel=fuel, labels=labels)
        )
    await store.loader.load(file_load([(0, 1, 1.0)], key=PRICE, kind="price", market_run="day_ahead", location_type="ZONE"))


async def output(app: typer.Typer, settings: Settings, *arguments: str) -> str:
    result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)
    if result.exception is not None:
        raise result.exception
    return result.output


async def listed(settings: Settings, *options: str) -> list[dict[str, Any]]:
    return json.loads(await output(series.app, settings, "list", "--json", *options))["data"]


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (("--kind", "generation"), [ANTIMATTER, WIND]),
        (("--kind", "generation", "--fuel", "wind"), [WIND]),
        (("--market-run", "day_ahead"), [PRICE]),
        (("--location-type", "zone"), [PRICE]),
        (("--fuel", "nuclear"), []),
    ],
)
async def test_series_are_listed_by_dimensions(
    settings: Settings, postgres_store: PostgresStore, options: tuple[str, ...], keys: list[str]
) -> None:
    await stocked(postgres_store)
    assert [one["key"] for one in await listed(settings, *options)] == sorted(keys)


async def test_a_listed_series_shows_its_dimensions(settings: Settings, postgres_store: PostgresStore) -> None:
    await stocked(postgres_store)
    (wind,) = await listed(settings, "--fuel", "wind")
    assert (wind["kind"], wind["market_run"], wind["fuel"], wind["fuel_detail"]) == ("generation", "real_time", "wind", None)


async def test_an_unknown_fuel_is_refused_with_the_nearest_ones(settings: Settings) -> None:
    with pytest.raises(UnknownName, match="unknown fuel 'wnd'; nearest: wind"):
        await output(series.app, settings, "list", "--fuel", "wnd")


async def test_words_without_a_meaning_are_listed_with_their_series(settings: Settings, postgres_store: PostgresStore) -> None:
    assert "every word for a fuel has a meaning" in await output(sources.app, settings, "unmapped")
    await stocked(postgres_store)
    (one,) = json.loads(await output(sources.app, settings, "unmapped", "--json"))["data"]
    assert (one["source"], one["dataset"], one["fuel_as_published"], one["key"]) == (
        "nyiso",
        "rtfuelmix",
        "Antimatter",
        ANTIMATTER,
    )
    shown = await output(sources.app, settings, "unmapped")
    assert "Antimatter" in shown
    assert ANTIMATTER in shown
    assert WIND not in shown
