"""Bulk answers as Polars, pandas and PyArrow read them: the same rows each time, in types that suit."""

from __future__ import annotations

import io
from collections.abc import Callable

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest
from api_market import LONG, NYC, TANK, WEST

from aurum.core.catalog import Quality

pytestmark = pytest.mark.needs_postgres

ONE = f"/v2/series/{NYC}/observations"
SEVERAL = f"/v2/observations?series={NYC},{WEST},{TANK}"
STREAMED = f"/v2/series/{LONG}/observations"
INSTANTS = ("start", "end", "known_at")
QUALITIES = [quality.label for quality in Quality]

Read = Callable[[bytes], pl.DataFrame]


def arrow(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(content) as stream:
        return stream.read_all()


READERS: dict[tuple[str, str], Read] = {
    ("arrow", "polars"): lambda content: pl.read_ipc_stream(io.BytesIO(content)),
    ("arrow", "pandas"): lambda content: pl.from_pandas(arrow(content).to_pandas()),
    ("arrow", "pyarrow"): lambda content: pl.DataFrame(arrow(content)),
    ("parquet", "polars"): lambda content: pl.read_parquet(io.BytesIO(content)),
    ("parquet", "pandas"): lambda content: pl.from_pandas(pd.read_parquet(io.BytesIO(content))),
    ("parquet", "pyarrow"): lambda content: pl.DataFrame(pq.read_table(io.BytesIO(content))),
    ("csv", "polars"): lambda content: pl.read_csv(io.BytesIO(content)),
    ("csv", "pandas"): lambda content: pl.from_pandas(pd.read_csv(io.BytesIO(content))),
    ("csv", "pyarrow"): lambda content: pl.DataFrame(pa.csv.read_csv(io.BytesIO(content))),
    ("ndjson", "polars"): lambda content: pl.read_ndjson(io.BytesIO(content)),
    ("ndjson", "pandas"): lambda content: pl.from_pandas(pd.read_json(io.BytesIO(content), lines=True)),
    ("ndjson", "pyarrow"): lambda content: pl.DataFrame(pa.json.read_json(io.BytesIO(content))),
}


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Instants in UTC, words as texts, NaN as nothing: what all readers can be held to."""
    for name in INSTANTS:
        if frame.schema[name] == pl.String:
            frame = frame.with_columns(pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC"))
        elif frame.schema[name] == pl.Null:
            frame = frame.with_columns(pl.col(name).cast(pl.Datetime("us", "UTC")))
        elif isinstance(kind := frame.schema[name], pl.Datetime) and kind.time_zone is None:
            frame = frame.with_columns(pl.col(name).dt.replace_time_zone("UTC"))
    words = [name for name in ("series", "quality") if name in frame.columns]
    return frame.with_columns(
        pl.col(*INSTANTS).dt.convert_time_zone("UTC").dt.cast_time_unit("us"),
        pl.col(*words).cast(pl.String),
        pl.col("value").cast(pl.Float64).fill_nan(None),
    )


async def expected(client: httpx.AsyncClient, path: str) -> pl.DataFrame:
    """The rows by the JSON of the same question; where there are too many for one, by what the store was given."""
    if path != STREAMED:
        return plain(pl.DataFrame((await client.get(path)).json()["data"], infer_schema_length=None))
    return pl.DataFrame({"value": [float(number) for number in range(70_000)], "quality": ["good"] * 70_000})


async def content_of(client: httpx.AsyncClient, path: str, name: str) -> bytes:
    response = await client.get(path, params=[*httpx.URL(path).params.multi_items(), ("format", name)])
    assert response.status_code == 200, response.text
    return response.content


@pytest.mark.parametrize("path", [ONE, SEVERAL, STREAMED], ids=["one series", "several series", "streamed"])
@pytest.mark.parametrize(("name", "reader"), list(READERS))
async def test_every_reader_finds_the_same_rows(client: httpx.AsyncClient, name: str, reader: str, path: str) -> None:
    rows = await expected(client, path)
    frame = plain(READERS[name, reader](await content_of(client, path, name)))
    assert frame.height == rows.height
    assert frame.select(rows.columns).to_dicts() == rows.to_dicts()


@pytest.mark.parametrize("name", ["arrow", "parquet"])
@pytest.mark.parametrize("path", [ONE, SEVERAL, STREAMED], ids=["one series", "several series", "streamed"])
async def test_words_that_repeat_are_categories_without_a_word_too_many(
    client: httpx.AsyncClient, name: str, path: str
) -> None:
    content = await content_of(client, path, name)
    table = arrow(content) if name == "arrow" else pq.read_table(io.BytesIO(content))
    words = {"quality": QUALITIES} | ({"series": [NYC, WEST, TANK]} if path == SEVERAL else {})
    for column, vocabulary in words.items():
        assert table.schema.field(column).type == pa.dictionary(pa.int32(), pa.string())
        for chunk in table[column].chunks:
            assert chunk.dictionary.to_pylist() == vocabulary
        kind = table.to_pandas()[column].dtype
        assert isinstance(kind, pd.CategoricalDtype)
        assert list(kind.categories) == vocabulary


@pytest.mark.parametrize("name", ["arrow", "parquet"])
async def test_columns_have_the_types_that_the_guide_names(client: httpx.AsyncClient, name: str) -> None:
    for zone in ("UTC", "America/New_York"):
        content = await content_of(client, f"{SEVERAL}&tz={zone}", name)
        table = arrow(content) if name == "arrow" else pq.read_table(io.BytesIO(content))
        words, instant = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("us", zone)
        assert {field.name: field.type for field in table.schema} == {
            "series": words,
            "start": instant,
            "end": instant,
            "value": pa.float64(),
            "quality": words,
            "known_at": instant,
        }
        schema = READERS[name, "polars"](content).schema
        assert [schema[column] for column in ("start", "value")] == [pl.Datetime("us", zone), pl.Float64]
        assert [type(schema[column]) for column in ("series", "quality")] == [pl.Categorical] * 2
        kinds = table.to_pandas().dtypes
        assert {name: str(kinds[name]) for name in ("start", "value", "quality")} == {
            "start": f"datetime64[us, {zone}]",  # words: a unit of time
            "value": "float64",
            "quality": "category",
        }


@pytest.mark.parametrize(("name", "reader"), [pair for pair in READERS if pair[0] != "ndjson"])
async def test_an_answer_without_rows_has_its_columns(client: httpx.AsyncClient, name: str, reader: str) -> None:
    frame = READERS[name, reader](await content_of(client, f"{ONE}?end=2000-01-01", name))
    assert (frame.height, frame.columns) == (0, ["start", "end", "value", "quality", "known_at"])
