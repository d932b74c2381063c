"""``aurum series search``, and ``aurum series list`` with words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import series
from aurum.common.settings import DatabaseSettings, Settings
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

NYC = "nyiso:damlbmp_zone:61761:lmp"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, series.app, list(arguments), obj=settings)


async def stock(store: PostgresStore) -> None:
    for key, name in ((NYC, "N.Y.C."), ("nyiso:damlbmp_zone:61752:lmp", "WEST")):
        load = file_load([(0, 1, 1.0)], key=key, unit="USD/MWh", location_name=name, market="NYISO", kind="price")
        await store.loader.load(load)


async def test_words_find_a_series_first(settings: Settings, postgres_store: PostgresStore) -> None:
    await stock(postgres_store)
    result = await run(settings, "search", "new", "york", "city", "price", "--json", "--facets")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [hit["key"] for hit in document["data"]] == [NYC, "nyiso:damlbmp_zone:61752:lmp"]
    assert document["data"][0]["match"] == {"terms": 2, "by": "name"}
    assert document["facets"]["measure"] == {"lmp": 1}


async def test_a_list_has_sparklines_in_blocks_and_in_json(settings: Settings, postgres_store: PostgresStore) -> None:
    load = file_load([(at, 1, value) for at, value in enumerate((1.0, 2.0, 4.0, 8.0))], key=NYC, unit="USD/MWh", kind="price")
    await postgres_store.loader.load(load)
    for words in ((), ("price",)):
        result = await run(settings, "list", *words, "--sparkline")
        assert result.exit_code == 0, result.output
        assert "▁▂▄█" in result.output
        (one,) = json.loads((await run(settings, "list", *words, "--sparkline", "--json")).stdout)["data"]
        assert one["sparkline"]["points"] == [1.0, 2.0, 4.0, 8.0]
    assert "sparkline" not in (await run(settings, "list", "--json")).output


async def test_a_misspelt_word_is_told(settings: Settings, postgres_store: PostgresStore) -> None:
    await stock(postgres_store)
    result = await run(settings, "search", "nyc", "priec", "qqqqq")
    assert "'priec' is unknown: searched for 'price'" in result.output
    assert "'qqqqq' is unknown: left out" in result.output
    assert NYC in result.output
    assert "nothing found" in (await run(settings, "search", "qqqqq")).output


async def test_a_list_with_words_has_the_series_with_all_of_them(settings: Settings, postgres_store: PostgresStore) -> None:
    await stock(postgres_store)
    result = await run(settings, "list", "n.y.c price", "--json")
    assert [entry["key"] for entry in json.loads(result.stdout)["data"]] == [NYC]
