"""``aurum curves spread`` and ``aurum curves templates``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.curves import app
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import InvalidParameters
from aurum.storage.testing.stores import PostgresStore

SPARK = ("spread", "spark", "--leg", "power=45 USD/MWh", "--leg", "gas=3.25 USD/MMBtu")
HEAT_RATE = ("--set", "heat_rate=7", "--set", "heat_rate_unit=MMBtu/MWh")
COAL = ("spread", "dark", "--leg", "power=90.84 EUR/MWh", "--leg", "coal=110 USD/t", "--set", "efficiency=0.38")


def test_templates_are_listed() -> None:
    listed = CliRunner().invoke(app, ["templates"])
    assert "clean_spark" in listed.stdout
    data = json.loads(CliRunner().invoke(app, ["templates", "--json"]).stdout)["data"]
    assert [one["name"] for one in data][-1] == "custom"


@pytest.fixture
def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    del postgres_store
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


@pytest.mark.needs_postgres
async def test_a_spread_of_prices_shows_what_each_leg_contributes(settings: Settings) -> None:
    shown = await run(settings, *SPARK, *HEAT_RATE)
    assert shown.exit_code == 0, shown.output
    assert "22.25" in shown.stdout
    assert "-22.75" in shown.stdout
    document = json.loads((await run(settings, *SPARK, *HEAT_RATE, "--json")).stdout)
    (row,) = document["data"]
    assert row["value"] == pytest.approx(22.25)
    assert [leg["contribution"] for leg in row["legs"]] == pytest.approx([45.0, -22.75])
    assert document["meta"]["implied_heat_rate_unit"] == "MMBtu/MWh"
    dark = json.loads((await run(settings, *COAL, "--fx", "EURUSD=1.10", "--json")).stdout)
    assert dark["data"][0]["value"] == pytest.approx(53.12749000618486, rel=1e-9)
    five = ("crude=5", "gasoline=3", "distillate=2")
    legs = ("crude=80 USD/bbl", "gasoline=2.5 USD/gal", "distillate=2.7 USD/gal")
    arguments = [part for leg in legs for part in ("--leg", leg)] + [part for one in five for part in ("--weight", one)]
    crack = json.loads((await run(settings, "spread", "crack", *arguments, "--json")).stdout)
    assert crack["data"][0]["value"] == pytest.approx((3 * 105 + 2 * 113.4) / 5 - 80)


@pytest.mark.needs_postgres
async def test_a_spread_by_delivery_is_drawn_into_a_file(settings: Settings, tmp_path: Path) -> None:
    picture = tmp_path / "spark.png"
    result = await run(settings, *SPARK, *HEAT_RATE, "--period", "Q1-25", "--out", str(picture))
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.needs_postgres
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((*SPARK, *HEAT_RATE, "--out", "spark.png"), "periods"),
        ((*SPARK, "--set", "eficiency=0.5"), "--set"),
        ((*SPARK, "--set", "efficiency=half"), "--set"),
        ((*SPARK, "--set", "heating_value=NCV"), "--set"),
        ((*SPARK, "--side", "offer"), "--side"),
        ((*SPARK, *HEAT_RATE, "--weight", "oil=2"), "--weight"),
        ((*SPARK, "--leg", "power=46 USD/MWh"), "--leg"),
        ((*SPARK, "--leg", "power"), "--leg"),
        ((*SPARK, *HEAT_RATE, "--trade-date", "soon"), "--trade-date"),
        (SPARK, "parameters.efficiency"),
        ((*COAL, "--fx", "EURUSD=0"), "fx.rate"),
    ],
)
async def test_a_wrong_option_is_named(settings: Settings, arguments: tuple[str, ...], field: str) -> None:
    result = await run(settings, *arguments)
    assert isinstance(result.exception, InvalidParameters), result.output
    assert result.exception.detail.startswith(f"{field}: ")
