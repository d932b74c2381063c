"""Arrow and Parquet say in their schemas what their numbers are, and equal answers have equal bytes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aurum.api.testing import InMemory, MovableClock, file_of, hourly, serving
from aurum.common.settings import CacheSettings, Settings
from aurum.storage.memory import MemoryStore

NYC, LOAD = "nyiso:damlbmp_zone:61761:lmp", "nyiso:pal:61761:load"
ONE = f"/v2/series/{NYC}/observations"
MANY = f"/v2/observations?series={NYC},{LOAD}"
START = datetime(2025, 11, 3, tzinfo=UTC)
FACTS = {
    "key": NYC,
    "unit": "USD/MWh",
    "currency": "USD",
    "market": "NYISO",
    "zone": "America/New_York",
    "step": "1h",
    "version": "1",
}


async def answer(url: str, *, form: str) -> bytes:
    clock = MovableClock(datetime(2026, 11, 28, tzinfo=UTC))
    store = MemoryStore(clock)
    await store.loader.load(file_of(hourly(NYC, START, [30.0, 31.5])))
    await store.loader.load(file_of(hourly(LOAD, START, [5_000.0], unit="MW", currency=None)))
    clock.at = datetime(2026, 11, 29, 1, tzinfo=UTC)
    # Without caches: each answer is made anew.
    async with serving(Settings(cache=CacheSettings(enabled=False)), InMemory(store)) as served:
        response: httpx.Response = await served.client.get(url, params=[*httpx.URL(url).params.multi_items(), ("format", form)])
    assert response.status_code == 200, response.text
    return response.content


def schema(content: bytes, form: str) -> pa.Schema:
    if form == "parquet":
        return pq.read_schema(io.BytesIO(content))
    with pa.ipc.open_stream(content) as stream:
        return stream.schema


def texts(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in (metadata or {}).items()}


FORMATS = pytest.mark.parametrize("form", ["arrow", "parquet"])


@FORMATS
@pytest.mark.parametrize(
    "url", [f"{ONE}?tz=market", f"/v2/observations?series={NYC}&tz=market", f"/v2/series/{NYC}/revisions?tz=market"]
)
async def test_a_file_of_one_series_says_what_it_is(form: str, url: str) -> None:
    facts = texts(schema(await answer(url, form=form), form).metadata)
    (one,) = json.loads(facts.pop("series"))
    assert one == FACTS | {"version": 1}
    assert facts == FACTS | {"tz": "America/New_York"}


@FORMATS
async def test_an_instant_is_told_where_it_was_asked_for(form: str) -> None:
    facts = texts(schema(await answer(f"{ONE}?as_of=2026-01-02T03:04:05.6%2B01:00", form=form), form).metadata)
    assert facts["as_of"] == "2026-01-02T02:04:05.600000Z"
    assert "as_of" not in texts(schema(await answer(ONE, form=form), form).metadata)
    loaded = texts(schema(await answer(f"{ONE}?as_loaded=2026-11-29T00:00:00Z", form=form), form).metadata)
    assert loaded["as_loaded"] == "2026-11-29T00:00:00Z"
    assert "version" not in loaded


@FORMATS
async def test_units_and_steps_are_those_of_the_answer(form: str) -> None:
    facts = texts(schema(await answer(f"{ONE}?freq=1d&unit=USD/kWh", form=form), form).metadata)
    assert (facts["unit"], facts["step"], facts["freq"], facts["agg"]) == ("USD/kWh", "1d", "1d", "mean")


@FORMATS
async def test_a_file_of_several_series_has_a_list_of_them(form: str) -> None:
    facts = texts(schema(await answer(MANY, form=form), form).metadata)
    price, load = json.loads(facts["series"])
    assert price == FACTS | {"version": 1}
    assert (load["key"], load["unit"], load["currency"]) == (LOAD, "MW", None)
    assert "key" not in facts


@FORMATS
async def test_wide_columns_say_what_they_are(form: str) -> None:
    columns = schema(await answer(f"{MANY}&layout=wide", form=form), form)
    assert texts(columns.field(NYC).metadata).items() >= FACTS.items()
    assert texts(columns.field(LOAD).metadata)["unit"] == "MW"
    assert "currency" not in texts(columns.field(LOAD).metadata)
    assert not {"unit", "key"} & texts(columns.field("start").metadata).keys()


@FORMATS
@pytest.mark.parametrize("url", [ONE, MANY, f"{MANY}&layout=wide"])
async def test_equal_answers_have_equal_bytes(form: str, url: str) -> None:
    assert await answer(url, form=form) == await answer(url, form=form)


@FORMATS
async def test_an_answer_without_rows_has_its_facts(form: str) -> None:
    assert texts(schema(await answer(f"{ONE}?end=2000-01-01", form=form), form).metadata)["key"] == NYC


async def test_polars_and_pandas_read_described_files() -> None:
    content = await answer(ONE, form="parquet")
    assert pl.read_parquet_metadata(io.BytesIO(content))["unit"] == "USD/MWh"
    assert pl.read_parquet(io.BytesIO(content))["value"].to_list() == [30.0, 31.5]
    assert pd.read_parquet(io.BytesIO(content))["value"].to_list() == [30.0, 31.5]
    stream = await answer(MANY, form="arrow")
    assert pl.read_ipc_stream(io.BytesIO(stream)).height == 3
