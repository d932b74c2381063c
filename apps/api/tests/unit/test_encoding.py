"""The same few rows in each format."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.table import NAT, Column, Days, Fragments, Instants, Labels, Numbers, Table

HOUR_US = 3_600_000_000
FALL_BACK_US = int(datetime(2025, 11, 2, 5, tzinfo=UTC).timestamp()) * 1_000_000


def table(zone: str = "UTC", **columns: Column) -> Table:
    return Table(columns, zone)


def starts(count: int, first: int = FALL_BACK_US) -> Instants:
    return Instants(first + np.arange(count, dtype=np.int64) * HOUR_US)


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values, np.float64))


def csv(rows: Table) -> str:
    writer = bulk_writer("csv", rows)
    return (writer.start() + writer.write(rows) + writer.finish()).decode()


def encoded(name: str, rows: Table) -> bytes:
    writer = bulk_writer(name, rows)
    return writer.start() + writer.write(rows) + writer.finish()


def read_arrow(content: bytes, name: str) -> pa.Table:
    if name == "parquet":
        return pq.read_table(io.BytesIO(content))
    with pa.ipc.open_stream(content) as stream:
        return stream.read_all()


def test_times_are_written_with_the_offset_in_force_so_the_repeated_hour_is_told_apart() -> None:
    text = csv(table("America/New_York", start=starts(3)))
    assert text == "start\n2025-11-02T01:00:00-04:00\n2025-11-02T01:00:00-05:00\n2025-11-02T02:00:00-05:00\n"


def test_utc_is_written_as_z() -> None:
    assert csv(table(start=starts(1))) == "start\n2025-11-02T05:00:00Z\n"


def test_a_column_with_microseconds_shows_them_in_every_row() -> None:
    text = csv(table(known_at=Instants(starts(2).us + np.array([0, 1]))))
    assert text == "known_at\n2025-11-02T05:00:00.000000Z\n2025-11-02T06:00:00.000001Z\n"


def test_offsets_with_seconds_are_rounded_and_the_instant_stays() -> None:
    before_standard_time = int(datetime(1880, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
    text = csv(table("America/New_York", start=Instants(np.array([before_standard_time])))).splitlines()[1]
    assert datetime.fromisoformat(text) == datetime(1880, 6, 1, tzinfo=UTC)


def test_a_missing_value_is_null_in_json_and_empty_in_csv() -> None:
    rows = table(value=numbers(1.5, float("nan")), end=Instants(np.array([NAT, FALL_BACK_US])))
    assert json.loads(json_rows(rows, {}))["data"] == [
        {"value": 1.5, "end": None},
        {"value": None, "end": "2025-11-02T05:00:00Z"},
    ]
    assert csv(rows) == "value,end\n1.5,\n,2025-11-02T05:00:00Z\n"


def test_a_column_that_is_missing_throughout_is_null() -> None:
    rows = table(end=Instants(np.full(2, NAT)))
    assert json.loads(json_columns(rows, {}))["data"] == {"end": [None, None]}
    assert csv(rows) == "end\n\n\n"


@pytest.mark.parametrize("value", [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308, 1e16, 3.0])
def test_numbers_read_back_to_the_same_float(value: float) -> None:
    rows = table(value=numbers(value, 1.0))
    read = [float(line) for line in csv(rows).splitlines()[1:]]
    assert read == [value, 1.0]
    assert json.loads(json_rows(rows, {}))["data"][0]["value"] == value


def test_numbers_of_different_length_keep_their_rows() -> None:
    values = [1.0, -12345.678901234567, 0.1, 1e300, 7.25]
    lines = csv(table(start=starts(5), value=numbers(*values))).splitlines()[1:]
    assert [float(line.split(",")[1]) for line in lines] == values


def test_words_are_quoted_as_each_format_needs_it() -> None:
    rows = table(series=Labels(np.array([0, 1, 0]), ('a:b:50% "X", Y:z', "a:b:Zürich:z")))
    assert csv(rows) == 'series\n"a:b:50% ""X"", Y:z"\na:b:Zürich:z\n"a:b:50% ""X"", Y:z"\n'
    assert [row["series"] for row in json.loads(json_rows(rows, {}))["data"]] == [
        'a:b:50% "X", Y:z',
        "a:b:Zürich:z",
        'a:b:50% "X", Y:z',
    ]


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_a_word_has_one_place_in_a_dictionary_and_a_gap_has_none(name: str) -> None:
    rows = table(quality=Labels(np.array([4, 0, 3, 4], np.int16), ("good", "", "", "good", "withdrawn")))
    read = read_arrow(encoded(name, rows), name)["quality"]
    assert read.to_pylist() == ["withdrawn", "good", "good", "withdrawn"]
    assert [chunk.dictionary.to_pylist() for chunk in read.chunks] == [["good", "withdrawn"]]
    assert list(read.to_pandas().cat.categories) == ["good", "withdrawn"]


def test_a_code_in_a_gap_is_a_null_where_there_are_nulls_and_an_empty_word_elsewhere() -> None:
    rows = table(start=starts(2), quality=Labels(np.array([0, 1], np.int16), ("good", "")))
    for name in ("arrow", "parquet"):
        assert read_arrow(encoded(name, rows), name)["quality"].to_pylist() == ["good", None]
    assert csv(rows) == 'start,quality\n2025-11-02T05:00:00Z,good\n2025-11-02T06:00:00Z,""\n'
    assert [row["quality"] for row in json.loads(json_rows(rows, {}))["data"]] == ["good", ""]


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_a_dictionary_is_the_same_in_every_batch(name: str) -> None:
    words = ("good", "", "withdrawn")
    batches = [table(quality=Labels(np.array(codes, np.int16), words)) for codes in ([], [0, 0], [2], [0, 2])]
    writer = bulk_writer(name, batches[0])
    content = writer.start() + b"".join(writer.write(batch) for batch in batches) + writer.finish()
    read = read_arrow(content, name)["quality"]
    assert read.to_pylist() == ["good", "good", "withdrawn", "good", "withdrawn"]
    assert {tuple(chunk.dictionary.to_pylist()) for chunk in read.chunks} == {("good", "withdrawn")}


def test_column_names_are_escaped_too() -> None:
    rows = Table({'a:b:"q", r:z': numbers(1.0)})
    assert csv(rows) == '"a:b:""q"", r:z"\n1.0\n'
    assert json.loads(json_rows(rows, {}))["data"] == [{'a:b:"q", r:z': 1.0}]


def test_an_empty_table_is_a_valid_file_in_every_format() -> None:
    rows = table(start=starts(0), value=numbers(), quality=Labels(np.array([], np.int16), ("good",)))
    assert json.loads(json_rows(rows, {"count": 0})) == {"data": [], "meta": {"count": 0}}
    assert json.loads(json_columns(rows, {}))["data"] == {"start": [], "value": [], "quality": []}
    assert csv(rows) == "start,value,quality\n"
    for name, read in (("arrow", pl.read_ipc_stream), ("parquet", pl.read_parquet)):
        writer = bulk_writer(name, rows)
        frame = read(io.BytesIO(writer.start() + writer.write(rows) + writer.finish()))
        assert (frame.height, frame.columns) == (0, ["start", "value", "quality"])


def test_arrow_and_parquet_carry_the_clock_and_real_nulls() -> None:
    rows = table("America/New_York", start=starts(2), value=numbers(1.0, float("nan")), end=Instants(np.array([NAT, 0])))
    for name, read in (("arrow", pl.read_ipc_stream), ("parquet", pl.read_parquet)):
        writer = bulk_writer(name, rows)
        frame = read(io.BytesIO(writer.start() + writer.write(rows) + writer.finish()))
        assert frame.schema["start"] == pl.Datetime("us", "America/New_York")
        assert frame["value"].to_list() == [1.0, None]
        assert frame["end"].null_count() == 1


@pytest.mark.parametrize("name", ["csv", "ndjson", "arrow", "parquet"])
def test_batches_one_after_the_other_make_one_file(name: str) -> None:
    first = table(start=starts(2), value=numbers(1.0, 2.0))
    second = table(start=starts(1, FALL_BACK_US + 2 * HOUR_US), value=numbers(3.0))
    writer = bulk_writer(name, table(start=starts(0), value=numbers()))
    data = io.BytesIO(writer.start() + writer.write(first) + writer.write(second) + writer.finish())
    read = {"csv": pl.read_csv, "ndjson": pl.read_ndjson, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}[name]
    assert read(data)["value"].to_list() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("count", [1, 3, 100])
def test_days_are_dates_in_text_and_in_arrow(count: int) -> None:
    days = [date(2024, 2, 28) + timedelta(days=number) for number in range(count)]
    rows = table(day=Days(np.array(days, "datetime64[D]").astype(np.int32)))
    texts = [day.isoformat() for day in days]
    assert csv(rows).split() == ["day", *texts]
    assert [row["day"] for row in json.loads(json_rows(rows, {}))["data"]] == texts
    assert json.loads(json_columns(rows, {}))["data"] == {"day": texts}
    for name in ("arrow", "parquet"):
        column = read_arrow(encoded(name, rows), name).column("day")
        assert column.type == pa.date32()
        assert column.to_pylist() == days


@pytest.mark.parametrize("count", [1, 3, 100])
def test_json_values_are_written_as_they_are(count: int) -> None:
    objects = [{"label": "Q1-25", "hours": 2159}, {"label": 'a "quoted" one', "hours": 0.5}]
    rows = table(period=Fragments(np.arange(count) % 2, tuple(json.dumps(one) for one in objects)))
    expected = [objects[number % 2] for number in range(count)]
    assert [row["period"] for row in json.loads(json_rows(rows, {}))["data"]] == expected
    assert json.loads(json_columns(rows, {}))["data"] == {"period": expected}
    assert [json.loads(line)["period"] for line in encoded("ndjson", rows).splitlines()] == expected
    with pytest.raises(ValueError, match="JSON values"):
        encoded("arrow", rows)
