"""``aurum curves load``: quotes of a tenant's own products, which no other tenant sees."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.curves import app
from aurum.cli.exit_codes import REFUSED_FILES
from aurum.common.settings import DatabaseSettings, Settings
from aurum.services.access import create_tenant
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ProductFilter, QuoteSpan
from aurum.storage.ports.files import FileFilter
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

MARKS = "trade_date,product,period,settle,bid,ask\n2025-01-07,power:DE:base:EEX,Feb-25,101.5,101,102\n"
OWN = "power:DE:base:DESK"


@pytest.fixture
async def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    for tenant in ("acme", "bolt"):
        await create_tenant(postgres_store.transactions, tenant, tenant.title(), "free", by=Actor("operator"))
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def load(settings: Settings, text: str, tmp_path: Path, *options: str) -> Result:
    path = tmp_path / "marks.csv"
    path.write_text(text)
    return await run(settings, "load", str(path), "--tenant", "acme", *options)


async def test_marks_become_quotes_of_own_products_that_no_other_tenant_sees(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    result = await load(settings, MARKS, tmp_path, "--venue", "DESK", "--json")
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.stdout)["data"]
    assert (report["new"], report["quarantined"]) == (1, 0)
    curves = postgres_store.curves
    own = await curves.product(OWN, tenant="acme")
    assert (own.tenant, own.product.unit, own.product.calendar) == ("acme", "EUR/MWh", "eu_power")
    quotes = await curves.quotes([own.curve_id], QuoteSpan())
    assert quotes.select("settle", "bid", "ask").rows() == [(101.5, 101.0, 102.0)]
    assert await curves.products(ProductFilter(keys=(OWN,)), tenant="bolt") == []
    assert await curves.products(ProductFilter(keys=("power:DE:base:EEX",), quoted=True), tenant=None) == []
    assert await postgres_store.files.files_page(FileFilter(), before=None, limit=10) == []
    again = await load(settings, MARKS, tmp_path, "--venue", "DESK", "--json")
    assert json.loads(again.stdout)["data"][0]["outcome"] == "already loaded"


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (MARKS, (), "power:DE:base:EEX"),  # a shared product, which no tenant can write
        (MARKS.replace("101,102", "103,102"), ("--venue", "DESK"), "line 2"),
    ],
)
async def test_a_file_that_cannot_belong_to_the_tenant_is_refused_whole_and_leaves_no_trace(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path, text: str, options: tuple[str, ...], reason: str
) -> None:
    result = await load(settings, text, tmp_path, *options, "--json")
    assert result.exit_code == REFUSED_FILES
    (report,) = json.loads(result.stdout)["data"]
    assert reason in report["reason"]
    assert await postgres_store.files.files_page(FileFilter(), before=None, limit=10) == []


async def test_a_venue_that_makes_no_product_is_named_with_the_key_of_the_file(settings: Settings, tmp_path: Path) -> None:
    marks = MARKS.replace("power:DE:base:EEX", "power:QX:base:DESK")
    result = await load(settings, marks, tmp_path, "--venue", "DESK2", "--json")
    (report,) = json.loads(result.stdout)["data"]
    assert result.exit_code == REFUSED_FILES
    assert report["reason"].startswith("--venue DESK2 makes power:QX:base:DESK2 of power:QX:base:DESK in the file"), report
    own = await load(settings, marks, tmp_path, "--json")
    assert json.loads(own.stdout)["data"][0]["reason"].startswith("the file quotes power:QX:base:DESK, which is not a product")


async def test_marks_in_another_unit_are_flagged_by_the_quotes_of_the_own_product(settings: Settings, tmp_path: Path) -> None:
    await load(settings, MARKS, tmp_path, "--venue", "DESK")
    jumped = MARKS.replace("2025-01-07", "2025-01-08").replace("101.5,101,102", "10150,,")
    result = await load(settings, jumped, tmp_path, "--venue", "DESK", "--json")
    (report,) = json.loads(result.stdout)["data"]
    assert [(one["curve"], one["check"], one["trade_date"]) for one in report["quote_flags"]] == [
        (OWN, "unit_jump", "2025-01-08")
    ]
