"""``aurum curves continuous``, ``explain`` and ``diff``."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from lxml import etree
from typer.testing import CliRunner

from aurum.cli.curves import app
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product
from aurum.core.curves.quotes import FILE_CURVES, FILE_QUOTES
from aurum.core.errors import InvalidParameters
from aurum.core.frames import REFUSED
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.testing.stores import PostgresStore

KEY = "power:XX:base:INVENTED"
SEP, OCT, NOV = (date(2024, month, 1) for month in (9, 10, 11))
THURSDAY, FRIDAY, MONDAY = date(2024, 8, 29), date(2024, 8, 30), date(2024, 9, 2)
QUOTES = [
    (THURSDAY, SEP, OCT, 80.0), (THURSDAY, OCT, NOV, 90.0), (FRIDAY, SEP, OCT, 78.0), (FRIDAY, OCT, NOV, 88.5),
    (MONDAY, OCT, NOV, 89.0),
]  # fmt: skip

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
async def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    terms = Product(CurveKey.parse(KEY), "Invented", "EUR", "EUR/MWh", 0.01, "eu_power", seasons="europe", sessions="XEEE")
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.curve_reference.put_product(terms, tenant=None)
    names = ["trade_date", "delivery_start", "delivery_end", "settle"]
    frame = pl.DataFrame(QUOTES, names, orient="row").with_columns(
        curve=pl.lit(0), by_rule=pl.lit(value=False), known_at=pl.lit(datetime(2024, 9, 3, tzinfo=UTC))
    )
    missing = [pl.lit(None).alias(name) for name in FILE_QUOTES if name not in frame.columns]
    rows = frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in FILE_QUOTES.items())
    digest = hashlib.sha256(b"rolls").hexdigest()
    record = FileRecord("invented.csv", digest, 1, "invented", "settlements", known_at_basis=KnownAtBasis.PUBLISHED)
    part = CurveQuotes("invented", "settlements", pl.DataFrame({"key": [KEY]}, schema=FILE_CURVES), rows)
    await postgres_store.loader.load(FileLoad(record, (part,), pl.DataFrame(schema=REFUSED)))
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def test_a_continuous_series_shows_its_rolls_and_what_was_held(settings: Settings) -> None:
    result = await run(settings, "continuous", KEY, "--front", "M+1", "--adjust", "difference")
    assert result.exit_code == 0, result.output
    assert "3 prices, 1 rolls; change 9, of the held contract -1.5, gaps 10.5" in result.stdout
    assert "2024-08-30" in result.stdout
    shown = await run(settings, "continuous", KEY, "--front", "M+1", "--adjust", "difference", "--rows", "2", "--json")
    document = json.loads(shown.stdout)
    assert [(row["period"]["label"], row["price"], row["value"]) for row in document["data"]] == [
        ("Sep-24", 78.0, 88.5),
        ("Oct-24", 89.0, 89.0),
    ]
    assert document["truncated"]
    assert (document["rolls"][0]["gap"], document["front"], document["summary"]["held_change"]) == (10.5, "M+1", -1.5)


async def test_the_dates_of_a_series_without_a_price_are_counted(settings: Settings) -> None:
    result = await run(settings, "continuous", KEY, "--front", "Q+1")
    assert result.exit_code == 0, result.output
    assert "no trade date has a price of Q+1" in result.stdout
    assert "trade dates without a price (not_quoted): 3; the newest 2024-09-02" in result.stdout


async def test_a_change_is_explained_by_tenor(settings: Settings) -> None:
    arguments = ("explain", KEY, "--a", str(THURSDAY), "--b", str(MONDAY))
    result = await run(settings, *arguments)
    assert result.exit_code == 0, result.output
    document = json.loads((await run(settings, *arguments, "--json")).stdout)
    front = document["data"][0]
    assert (front["bucket"], front["from"]["price"], front["to"]["period"]["label"]) == ("M+1", 80.0, "Oct-24")
    assert [front[name] for name in ("quote_move", "roll_down", "correction", "methodology", "total")] == [
        -1.5, 10.5, 0.0, 0.0, 9.0,
    ]  # fmt: skip
    assert (document["a"], document["b"]) == (str(THURSDAY), str(MONDAY))
    assert (document["curve"], document["unit"], document["roll"]) == (KEY, "EUR/MWh", "calendar")


async def test_several_curves_are_explained_in_one_call(settings: Settings, postgres_store: PostgresStore) -> None:
    other = "power:XX:peak:INVENTED"
    terms = Product(CurveKey.parse(other), "Invented peak", "EUR", "EUR/MWh", 0.01, "eu_power", seasons="europe")
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.curve_reference.put_product(terms, tenant=None)
    arguments = ("explain", f"{KEY},{other}", "--a", str(THURSDAY), "--b", str(MONDAY))
    result = await run(settings, *arguments)
    assert result.exit_code == 0, result.output
    assert KEY in result.stdout
    assert other in result.stdout
    document = json.loads((await run(settings, *arguments, "--json")).stdout)
    assert [one["curve"] for one in document["curves"]] == [KEY, other]
    assert {row["curve"] for row in document["data"]} == {KEY}
    assert "curve" not in document


async def test_an_explanation_is_drawn_into_a_file(settings: Settings, tmp_path: Path) -> None:
    picture = tmp_path / "why.svg"
    result = await run(settings, "explain", KEY, "--a", str(THURSDAY), "--b", str(MONDAY), "--out", str(picture))
    assert result.exit_code == 0, result.output
    shown = "".join(map(str, etree.fromstring(picture.read_bytes()).itertext()))
    assert all(word in shown for word in ("quote move", "roll down", "+9.00", "M+1"))


async def test_moves_as_a_table_and_as_json(settings: Settings) -> None:
    dates = "--a", str(THURSDAY), "--b", str(FRIDAY), "--limit", "1"
    shown = await run(settings, "diff", KEY, *dates)
    assert shown.exit_code == 0, shown.output
    assert f"price: {THURSDAY} to {FRIDAY}" in shown.output
    assert all(text in shown.output for text in (KEY, "Sep-24", "-2", "both", "only 1 of 2 rows are shown"))
    document = json.loads((await run(settings, "diff", KEY, *dates, "--json")).output)
    (move,) = document["data"]
    assert (move["curve"], move["period"]["label"], move["a"], move["b"], move["move"]) == (KEY, "Sep-24", 80.0, 78.0, -2.0)
    assert (document["a"], document["b"], document["field"], document["total"]) == (str(THURSDAY), str(FRIDAY), "price", 2)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("continuous", "--front", "H+1"), "front"),
        (("continuous", "--roll", "last_trading_day"), "roll"),
        (("continuous", "--adjust", "log"), "--adjust"),
        (("explain", "--roll", "sometimes"), "roll"),
        (("explain", "--a", "2024-09-02", "--b", "2024-08-29"), "a: is after"),
        (("explain", "--a", "monday"), "--a"),
        (("explain", "--out", "why.gif"), "--out"),
        (("explain", "--out", "why.svg", "--json"), "--json"),
    ],
)
async def test_a_wrong_option_is_named(settings: Settings, arguments: tuple[str, ...], field: str) -> None:
    command, *options = arguments
    result = await run(settings, command, KEY, *options)
    assert isinstance(result.exception, InvalidParameters)
    assert field in result.exception.detail
