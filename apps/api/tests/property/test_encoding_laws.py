"""All formats of one table decode to the same table."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aurum.api.encoding.bulk import bulk_writer
from aurum.api.encoding.instants import rfc3339
from aurum.api.encoding.json import json_columns, json_rows
from aurum.api.encoding.table import NAT, Instants, Labels, Numbers, Table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Etc/GMT+5", "Australia/Lord_Howe"]


instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)).map(
    lambda naive: (naive.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
)
whole_seconds = st.integers(-2_000_000_000, 4_000_000_000).map(lambda seconds: seconds * 1_000_000)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(1, 20))
    several = {"min_size": count, "max_size": count}
    vocabulary = tuple(draw(st.lists(words, min_size=1, max_size=4)))
    times = draw(st.sampled_from([instants, whole_seconds]))
    columns = {
        "series": Labels(np.array(draw(st.lists(st.integers(0, len(vocabulary) - 1), **several))), vocabulary),
        "start": Instants(np.array(draw(st.lists(times, **several)), np.int64)),
        "end": Instants(np.array(draw(st.lists(times | st.just(NAT), **several)), np.int64)),
        "value": Numbers(np.array(draw(st.lists(st.floats(allow_infinity=False), **several)))),
    }
    return Table(columns, draw(st.sampled_from(ZONES)))


def plain(table: Table) -> list[dict[str, object]]:
    """The rows as Python values: instants, floats or None, words."""
    series, start, end, value = table.columns.values()
    assert isinstance(series, Labels)
    assert isinstance(start, Instants)
    assert isinstance(end, Instants)
    assert isinstance(value, Numbers)
    return [
        {
            "series": series.words[code],
            "start": EPOCH + timedelta(microseconds=int(first)),
            "end": None if last == NAT else EPOCH + timedelta(microseconds=int(last)),
            "value": None if math.isnan(number) else number,
        }
        for code, first, last, number in zip(series.codes, start.us, end.us, value.values.tolist(), strict=True)
    ]


def from_texts(rows: list[dict[str, object]], missing: object) -> list[dict[str, object]]:
    def instant(text: object) -> datetime | None:
        return None if text == missing else datetime.fromisoformat(str(text)).astimezone(UTC)

    return [
        {
            "series": row["series"],
            "start": instant(row["start"]),
            "end": instant(row["end"]),
            "value": None if row["value"] == missing else float(str(row["value"])),
        }
        for row in rows
    ]


def encoded(name: str, table: Table) -> bytes:
    writer = bulk_writer(name, table)
    return writer.start() + writer.write(table) + writer.finish()


@given(tables())
def test_json_rows_say_the_table(table: Table) -> None:
    assert from_texts(json.loads(json_rows(table, {}))["data"], None) == plain(table)


@given(tables())
def test_json_columns_say_the_table(table: Table) -> None:
    columns = json.loads(json_columns(table, {}))["data"]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert from_texts(rows, None) == plain(table)


@given(tables())
def test_ndjson_says_the_table(table: Table) -> None:
    rows = [json.loads(line) for line in encoded("ndjson", table).decode().split("\n")[:-1]]
    assert from_texts(rows, None) == plain(table)


@given(tables())
def test_csv_says_the_table(table: Table) -> None:
    rows = list(csv.DictReader(io.StringIO(encoded("csv", table).decode(), newline="")))
    assert from_texts(rows, "") == plain(table)


@given(tables(), st.sampled_from(["arrow", "parquet"]))
def test_arrow_and_parquet_say_the_table(table: Table, name: str) -> None:
    frame = {"arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}[name](io.BytesIO(encoded(name, table)))
    shown = frame.with_columns(pl.col("series").cast(pl.String), pl.col("start", "end").dt.convert_time_zone("UTC"))
    assert shown.to_dicts() == plain(table)


@given(st.lists(instants, min_size=1, max_size=30), st.sampled_from(ZONES))
def test_a_written_instant_reads_back_to_itself(us: list[int], zone: str) -> None:
    texts = [text.tobytes().decode() for text in rfc3339(np.array(us), zone)]
    assert [datetime.fromisoformat(text) for text in texts] == [EPOCH + timedelta(microseconds=micros) for micros in us]


# Polars knows no clock changes after 2099, so from then on local times keep winter's offset.
@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)), st.sampled_from(ZONES))
def test_a_written_instant_shows_the_local_clock(naive: datetime, zone: str) -> None:
    instant = naive.replace(tzinfo=UTC)
    text = rfc3339(np.array([(instant - EPOCH) // timedelta(microseconds=1)]), zone)[0].tobytes().decode()
    shown = datetime.fromisoformat(text).replace(tzinfo=None)
    # Offsets once had seconds, which RFC 3339 cannot say.
    assert abs(shown - instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) < timedelta(minutes=1)


numbers = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53), 2**53).map(float)
    | st.decimals(-100_000, 100_000, places=4).map(float)
)


def shortest(text: str) -> bool:
    """Return whether no text with fewer digits reads back to the same number."""
    digits = len(text.lower().partition("e")[0].replace(".", "").replace("-", "").strip("0"))
    number = float(text)
    return all(float(f"{number:.{fewer}e}") != number for fewer in range(digits - 1))


@given(st.lists(numbers, min_size=1, max_size=80))
def test_numbers_are_written_in_the_shortest_form_that_reads_back_to_them(values: list[float]) -> None:
    table = Table({"value": Numbers(np.array(values))})
    texts: dict[str, list[str]] = {}
    writer = bulk_writer("csv", table)
    texts["csv"] = (writer.start() + writer.write(table) + writer.finish()).decode().splitlines()[1:]
    writer = bulk_writer("ndjson", table)
    lines = (writer.start() + writer.write(table) + writer.finish()).decode().splitlines()
    texts["ndjson"] = [line.removeprefix('{"value":').removesuffix("}") for line in lines]
    rows = json_rows(table, {}).decode()
    texts["json"] = [part.partition("}")[0] for part in rows.split('{"value":')[1:]]
    columns = json_columns(table, {}).decode()
    texts["columns"] = columns.removeprefix('{"data":{"value":[').partition("]")[0].split(",")
    for form, written in texts.items():
        # Equal to the last bit, a negative zero too.
        assert np.array(list(map(float, written))).tobytes() == np.array(values).tobytes(), form
        assert all(map(shortest, written)), form
    read = pl.read_csv(io.StringIO("value\n" + "\n".join(texts["csv"]) + "\n"), schema={"value": pl.Float64})
    assert read["value"].to_numpy().tobytes() == np.array(values).tobytes()
