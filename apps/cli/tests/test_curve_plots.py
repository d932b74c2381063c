"""``aurum curves plot`` and ``aurum curves list --sparkline``."""

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
from aurum.core.curves.quotes import FIELDS, FILE_CURVES, FILE_QUOTES
from aurum.core.errors import InvalidParameters
from aurum.core.frames import REFUSED
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.testing.stores import PostgresStore

KEY = "power:XX:base:INVENTED"
FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)

pytestmark = pytest.mark.needs_postgres


def quotes_file(key: str = KEY, *, settled: bool = True) -> FileLoad:
    """Return a file of two months and a quarter on two trade dates: settlements, or bids and asks around them."""
    periods = [(date(2025, 1, 1), date(2025, 2, 1)), (date(2025, 2, 1), date(2025, 3, 1)), (date(2025, 1, 1), date(2025, 4, 1))]
    rows = [
        {
            "curve": 0,
            "delivery_start": first,
            "delivery_end": end,
            "trade_date": day,
            **prices(90.0 + number + move, settled=settled),
            "known_at": datetime(day.year, day.month, day.day, 17, tzinfo=UTC),
            "by_rule": False,
        }
        for day, move in ((FRIDAY, 0.0), (MONDAY, 1.5))
        for number, (first, end) in enumerate(periods)
    ]
    missing = [pl.lit(None, pl.Float64).alias(name) for name in FIELDS if name not in prices(0.0, settled=settled)]
    frame = pl.DataFrame(rows).with_columns(missing).select(pl.col(name).cast(kind) for name, kind in FILE_QUOTES.items())
    digest = hashlib.sha256(key.encode()).hexdigest()
    record = FileRecord("invented.csv", digest, 1, "invented", "settlements", known_at_basis=KnownAtBasis.PUBLISHED)
    part = CurveQuotes("invented", "settlements", pl.DataFrame({"key": [key]}, schema=FILE_CURVES), frame)
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


def prices(price: float, *, settled: bool) -> dict[str, float]:
    return {"settle": price} if settled else {"bid": price - 0.5, "ask": price + 0.5}


@pytest.fixture
async def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    terms = Product(CurveKey.parse(KEY), "Invented base", "EUR", "EUR/MWh", 0.01, "eu_power", seasons="europe")
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.curve_reference.put_product(terms, tenant=None)
    await postgres_store.loader.load(quotes_file())
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def test_a_plot_is_written_as_a_file_by_its_ending(settings: Settings, tmp_path: Path) -> None:
    svg, png = tmp_path / "de.svg", tmp_path / "de.PNG"
    for path in (svg, png):
        result = await run(settings, "plot", KEY, "--vs", "previous", "--out", str(path))
        assert result.exit_code == 0, result.output
        assert str(path) in result.stdout
    assert "Move since Fri 11 Oct 2024" in "".join(etree.fromstring(svg.read_bytes()).itertext())
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("more", [[], ["--vs", "2024-10-11"], ["--period", "Jan-25,Q1-25"]], ids=str)
async def test_without_a_file_it_is_plotted_in_the_terminal(settings: Settings, more: list[str]) -> None:
    result = await run(settings, "plot", KEY, *more)
    assert result.exit_code == 0, result.output
    assert "Invented base" in result.stdout
    assert "Source: INVENTED." in result.stdout


async def test_a_plot_without_colours_has_another_marker_for_each_trade_date(settings: Settings) -> None:
    result = await run(settings, "plot", KEY, "--vs", "previous")
    assert "▞▞ Mon 14 Oct 2024" in result.stdout
    assert "xx Fri 11 Oct 2024" in result.stdout
    history = await run(settings, "plot", KEY, "--period", "Jan-25,Q1-25")
    axis = history.stdout.rstrip().splitlines()
    assert next(line.split() for line in axis if "2024-10-11" in line) == ["2024-10-11", "2024-10-14"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--out", "picture.gif"], "--out"),
        (["--out", "/nowhere/at/all.svg"], "--out"),
        (["--vs", "previous", "--trade-date", "2024-10-11"], "--vs"),
        (["--vs", "previous", "--period", "Q1-25"], "--vs"),
        (["--vs", "latest"], "--vs"),
        (["--vs", "2024-10-14"], "--vs: must be before the trade date 2024-10-14"),
        (["--vs", "2024-13-14"], "--vs"),
        (["--trade-date", "monday"], "--trade-date"),
        (["--trade-date", "2024-10-11", "--period", "Q1-25"], "--trade-date"),
        (["--width", "640"], "--width"),
        (["--out", "missing/folder/curve.svg"], "--out: the folder missing/folder does not exist"),
        (["--trade-date", "2020-01-01"], "trade_date"),
    ],
    ids=str,
)
async def test_what_cannot_be_plotted_is_refused_by_name(settings: Settings, options: list[str], named: str) -> None:
    result = await run(settings, "plot", KEY, *options)
    assert isinstance(result.exception, InvalidParameters)
    assert named in str(result.exception)


async def test_a_list_has_sparklines_in_blocks_and_in_json(settings: Settings) -> None:
    result = await run(settings, "list", "--sparkline")
    assert result.exit_code == 0, result.output
    assert "▁█" in result.stdout
    (one,) = json.loads((await run(settings, "list", "--sparkline", "--json")).stdout)["data"]
    assert one["sparkline"]["points"] == [90.0, 91.5]


async def test_a_curve_of_bids_and_asks_alone_is_drawn_by_their_mean(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    broker = "power:XX:base:BROKER"
    terms = Product(CurveKey.parse(broker), "Broker", "EUR", "EUR/MWh", 0.01, "eu_power", seasons="europe")
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.curve_reference.put_product(terms, tenant=None)
    await postgres_store.loader.load(quotes_file(broker, settled=False))
    for arguments, caption in (
        ((), "mid on Mon 14 Oct 2024"),
        (("--vs", "previous"), "mid on Mon 14 Oct 2024"),
        (("--period", "Jan-25"), "mid of Jan-25"),
        (("--field", "bid"), "bid on Mon 14 Oct 2024"),
    ):
        result = await run(settings, "plot", broker, *arguments)
        assert result.exit_code == 0, result.output
        assert caption in result.stdout
    refused = await run(settings, "plot", broker, "--field", "settle")
    assert isinstance(refused.exception, InvalidParameters)
    assert "has settle" in refused.exception.detail
    listed = json.loads((await run(settings, "list", broker, "--sparkline", "--json")).stdout)["data"]
    assert [one["sparkline"]["points"] for one in listed] == [[90.0, 91.5]]
