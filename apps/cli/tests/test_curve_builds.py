"""``aurum curves build`` and ``aurum curves shape``."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.curves import app
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product
from aurum.core.errors import InvalidParameters
from aurum.storage.ports.access import Actor
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import PostgresStore

KEY, SPOT = "power:XX:base:INVENTED", "invented:day_ahead:XX:price"
QUOTES = [f"--quote={one}" for one in ("Jan-25=102", "Feb-25=104.11", "Mar-25=89.37", "Q1-25=98.33")]

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
async def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    terms = Product(CurveKey.parse(KEY), "Invented", "EUR", "EUR/MWh", 0.01, "eu_power", seasons="europe", settles_on=SPOT)
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.curve_reference.put_product(terms, tenant=None)
    start = datetime(2023, 12, 3, 23, tzinfo=UTC)
    first = (start - T0) / timedelta(hours=1)
    points = [(first + hour, 0, 50.0 + 10.0 * (hour % 24 >= 12)) for hour in range(24 * 7 * 56)]
    await postgres_store.loader.load(
        file_load(points, key=SPOT, unit="EUR/MWh", currency="EUR", zone="Europe/Berlin", frequency="1h")
    )
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def test_a_build_shows_months_and_contradictions_and_its_receipt_repeats_it(settings: Settings, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    result = await run(settings, "build", KEY, *QUOTES, "--receipt", str(receipt))
    assert result.exit_code == 0, result.output
    assert "Feb-25" in result.stdout
    assert "104.11" in result.stdout
    assert "Q1-25 at 98.33 contradicts Jan-25 (744), Feb-25 (672), Mar-25 (743)" in result.stdout
    again = await run(settings, "build", KEY, "--repeat", str(receipt), "--json")
    document = json.loads(again.stdout)
    assert document["receipt"] == json.loads(receipt.read_text())
    assert [one["period"]["label"] for one in document["data"]] == ["Jan-25", "Feb-25", "Mar-25"]
    assert document["report"]["contradictions"][0]["quote"] == "Q1-25"


@pytest.mark.parametrize("option", [("--period", "Jan-25"), ("--quote", "Jan-25=102"), ("--strict",), ("--grid", "P1D")])
async def test_no_option_of_a_build_goes_with_a_receipt(settings: Settings, tmp_path: Path, option: tuple[str, ...]) -> None:
    result = await run(settings, "build", KEY, "--repeat", str(tmp_path / "receipt.json"), *option)
    assert isinstance(result.exception, InvalidParameters)
    assert f"{option[0]}: does not go with --repeat" in result.exception.detail


async def test_a_prior_gives_days_between_the_ends_of_quotes_its_form(settings: Settings) -> None:
    async def months(*arguments: str) -> list[float]:
        periods = [f"--period={one}" for one in ("Jan-25", "Mar-25")]
        result = await run(settings, "build", KEY, "--quote=Q1-25=98", *periods, *arguments, "--json")
        assert result.exit_code == 0, result.output
        return [one["value"] for one in json.loads(result.stdout)["data"]]

    january, march = await months()
    assert january == pytest.approx(march)
    january, march = await months("--prior-season", "10@15")
    assert january > 98 > march
    assert await months("--prior-season", "0@15") == pytest.approx([98, 98])


async def test_the_shape_of_a_curve_is_hourly(settings: Settings) -> None:
    arguments = ("shape", KEY, "--quote", "Jan-25=102", "--trade-date", "2024-12-30", "--rows", "24")
    document = json.loads((await run(settings, *arguments, "--json")).stdout)
    values = [row["value"] for row in document["data"]]
    assert (len(values), document["truncated"]) == (24, True)
    assert values[13] / values[6] == pytest.approx(60 / 50)
    table = await run(settings, *arguments)
    assert "2025-01-01 00:00 CET" in table.stdout
    assert "only 24 of 744 rows are shown" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--quote", "Q1-25"), "--quote"),
        (("--grid", "P7D", *QUOTES), "--grid"),
        (("--trade-date", "soon", *QUOTES), "--trade-date"),
        (("--prior-season", "10", *QUOTES), "--prior-season"),
        (("--prior-season", "inf@15", *QUOTES), "--prior-season"),
        (("--prior-season", "10@367", *QUOTES), "--prior-season"),
        (("--prior-season", "10@15", "--prior-curve", KEY, *QUOTES), "--prior-curve"),
        (("--prior-curve", "power:XX:base:UNKNOWN", *QUOTES), "prior"),
        (("--prior-shape", "unknown", *QUOTES), "prior"),
    ],
)
async def test_a_wrong_option_is_named(settings: Settings, arguments: tuple[str, ...], field: str) -> None:
    result = await run(settings, "build", KEY, *arguments)
    assert isinstance(result.exception, InvalidParameters)
    assert field in result.exception.detail
