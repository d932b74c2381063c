import csv
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.nyiso.fuelmix import RTFUELMIX_FORMAT

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
HEADER = "Time Stamp,Time Zone,Fuel Category,Gen MW"


def test_fuels_become_measures_at_the_start_of_the_interval(parse: Parse) -> None:
    regular, extra = parse("20171122rtfuelmix.csv", (DATA / "20171122rtfuelmix.csv").read_bytes())
    gas = regular.rows.filter(pl.col("measure") == "generation_natural_gas")
    start = datetime(2017, 11, 22, 5, tzinfo=UTC)
    assert gas["ts"].to_list() == [start + timedelta(minutes=5 * step) for step in range(11)]
    assert gas["value"][0] == 1565.0
    assert set(regular.rows["location"]) == {"NYISO"}
    assert (extra.dataset.name, extra.rows["ts"].n_unique()) == ("rtfuelmix_extra", 2)


@pytest.mark.parametrize("word", ["Gen MW", "Gen MWh"])
def test_both_spellings_of_the_header_are_read(parse: Parse, word: str) -> None:
    (parsed,) = parse("x.csv", HEADER.replace("Gen MW", word) + "\n02/01/2016 00:05:00,EST,Wind,120.0")
    assert parsed.rows.select("measure", "ts", "value").rows() == [
        ("generation_wind", datetime(2016, 2, 1, 5, tzinfo=UTC), 120.0)
    ]


def test_the_repeated_hour_ends_at_two_instants(parse: Parse) -> None:
    rows = ["11/02/2025 01:05:00,EDT,Wind,1", "11/02/2025 01:05:00,EST,Wind,2", "11/02/2025 01:10:00,,Wind,3"]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)))
    assert parsed.rows["ts"].to_list() == [datetime(2025, 11, 2, 5, tzinfo=UTC), datetime(2025, 11, 2, 6, tzinfo=UTC)]
    assert parsed.refused["reason"].to_list() == [Reason.AMBIGUOUS_TIME]


def test_an_unknown_fuel_is_stored_as_unmapped_and_a_missing_one_is_refused(parse: Parse) -> None:
    rows = ["02/01/2016 00:05:00,EST,Antimatter,1", "02/01/2016 00:05:00,EST,,1", "02/01/2016 00:05:00,EST,Hydro,2"]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)))
    assert parsed.rows["measure"].to_list() == ["generation_antimatter", "generation_hydro"]
    described = parsed.series.select("unit", "kind", "market_run", "fuel", "labels").rows()
    assert described == [
        ("MW", "generation", "real_time", "unmapped", '{"fuel_as_published": "Antimatter"}'),
        ("MW", "generation", "real_time", "hydro", '{"fuel_as_published": "Hydro"}'),
    ]
    assert parsed.refused.select("line", "reason", "detail").rows() == [(3, Reason.UNKNOWN_CODE, "")]


def test_bad_cells_are_refused_and_the_rest_kept(parse: Parse) -> None:
    rows = ["02/01/2016 00:65:00,EST,Wind,1", "02/01/2016 00:10:00,EST,Wind,two", "02/01/2016 00:15:00,EST,Wind,3"]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)))
    assert parsed.rows["value"].to_list() == [3.0]
    assert parsed.refused["reason"].to_list() == [Reason.INVALID_TIME, Reason.NON_NUMERIC]


@pytest.mark.parametrize(
    "content",
    [b"", b"Time Stamp,Fuel Category\nx,y\n", (DATA / "20171122rtfuelmix.csv").read_bytes() + b"\n11/22/2017 01:00:00,ES"],
)
def test_a_damaged_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        RTFUELMIX_FORMAT.parse(SourceFile("x.csv", content))


def test_a_real_month_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    archive = real_files.parent / "operator_responses_electricitymaps" / "US_NY" / "20250201rtfuelmix_csv.zip"
    expected: dict[str, float] = defaultdict(float)
    totals: dict[str, float] = defaultdict(float)
    with ZipFile(archive) as month:
        for name in month.namelist()[:7]:
            content = month.read(name)
            for line in csv.DictReader(content.decode().splitlines()):
                expected[f"generation_{line['Fuel Category'].lower().replace(' ', '_')}"] += float(line["Gen MW"])
            for parsed in parse(name, content):
                for measure, total in parsed.rows.group_by("measure").agg(pl.col("value").sum()).iter_rows():
                    totals[measure] += total
    assert totals == pytest.approx(expected)
