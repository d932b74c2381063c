import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.pjm.generation import WIND

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def invented(fuel: str, *rows: tuple[str, str]) -> str:
    header = f"datetime_beginning_utc,datetime_beginning_ept,area,{fuel}_generation_mw"
    return "\n".join((header, *(f"{utc},,RTO,{mw}" for utc, mw in rows))) + "\n"


@pytest.mark.parametrize("fuel", ["wind", "solar"])
def test_the_fuel_is_in_the_measure_and_in_the_dataset(parse: Parse, fuel: str) -> None:
    (parsed,) = parse("x.csv", invented(fuel, ("1/1/2025 5:00:00 AM", "-13.5")))
    assert parsed.dataset.name == f"{fuel}_gen"
    assert parsed.rows.select("location", "measure", "ts", "value").rows() == [
        ("RTO", f"generation_{fuel}", datetime(2025, 1, 1, 5, tzinfo=UTC), -13.5)
    ]


def test_an_impossible_hour_is_refused_and_the_rest_kept(parse: Parse) -> None:
    (parsed,) = parse("x.csv", invented("wind", ("1/1/2025 5:61:00 AM", "1"), ("1/1/2025 6:00:00 AM", "2")))
    assert parsed.rows["value"].to_list() == [2.0]
    assert parsed.refused["reason"].to_list() == [Reason.INVALID_TIME]


@pytest.mark.parametrize("content", [b"", b"area,wind_generation_mw\nRTO,1\n"])
def test_a_file_of_zero_bytes_or_without_the_utc_column_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        WIND.parse(SourceFile("wind_gen.csv", content))


@pytest.mark.parametrize("fuel", ["wind", "solar"])
def test_a_real_year_agrees_with_a_plain_reading(parse: Parse, real_files: Path, fuel: str) -> None:
    path = real_files / f"{fuel}_gen_rto_2025.csv"
    with path.open(newline="") as stream:
        raw = [float(line[f"{fuel}_generation_mw"]) for line in csv.DictReader(stream)]
    (parsed,) = parse(path.name, path.read_bytes())
    assert parsed.rows["value"].to_list() == raw
    assert parsed.rows["ts"].n_unique() == 8760
    assert (parsed.rows["ts"].min(), parsed.rows["ts"].max()) == (
        datetime(2025, 1, 1, 5, tzinfo=UTC),
        datetime(2026, 1, 1, 4, tzinfo=UTC),
    )
