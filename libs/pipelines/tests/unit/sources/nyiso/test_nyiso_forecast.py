import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.nyiso.forecast import ISOLF_FORMAT
from aurum.pipelines.sources.nyiso.zones import LOAD_ZONES

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
HEADER = '"Time Stamp","Capitl","N.Y.C.","NYISO"'


def test_columns_become_locations_by_ptid(parse: Parse) -> None:
    (parsed,) = parse("20171122isolf.csv", (DATA / "20171122isolf.csv").read_bytes())
    first = parsed.rows.filter(pl.col("line") == 2)
    assert set(first["ts"]) == {datetime(2017, 11, 22, 5, tzinfo=UTC)}
    assert set(first["measure"]) == {"load_forecast"}
    by_location = dict(first.select("location", "value").iter_rows())
    assert set(by_location) == {*LOAD_ZONES.values(), "NYISO"}
    assert (by_location["61757"], by_location["61762"], by_location["NYISO"]) == (1107.0, 1678.0, 13962.0)
    names = dict(parsed.series.select("location", "location_name").iter_rows())
    assert (names["61758"], names["61761"], names["NYISO"]) == ("HUD VL", "N.Y.C.", "NYISO")


def test_zones_add_up_to_the_total(parse: Parse) -> None:
    (parsed,) = parse("20171122isolf.csv", (DATA / "20171122isolf.csv").read_bytes())
    total = pl.col("location") == "NYISO"
    sums = parsed.rows.group_by("ts").agg(gap=pl.col("value").filter(total).sum() - pl.col("value").filter(~total).sum())
    # Each zone is rounded to a megawatt.
    assert sums.height == 48
    assert sums["gap"].abs().max() <= 6


def test_the_hour_printed_twice_is_two_hours(parse: Parse) -> None:
    labels = ["00", "01", "01", "02"]
    rows = [f'"11/02/2025 {label}:00",{number},0,0' for number, label in enumerate(labels)]
    (parsed,) = parse("20251102isolf.csv", "\n".join((HEADER, *rows)) + "\n")
    start = datetime(2025, 11, 2, 4, tzinfo=UTC)
    capital = parsed.rows.filter(pl.col("location") == "61757")
    assert dict(capital.select("ts", "value").iter_rows()) == {start + timedelta(hours=number): number for number in range(4)}


def test_bad_cells_and_hours_are_refused_and_the_rest_kept(parse: Parse) -> None:
    rows = ['"03/09/2025 02:00",1,2,3', '"03/09/2025 03:00",x,5,6']
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)) + "\n")
    assert parsed.rows.select("location", "value").rows() == [("61761", 5.0), ("NYISO", 6.0)]
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (2, "Time Stamp", Reason.NON_EXISTENT_TIME),
        (3, "Capitl", Reason.NON_NUMERIC),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'"Time Stamp","Capitl"\n"11/02/2025 00:00",1\n',
        b'"Time Stamp","Capitl","Atlantis","NYISO"\n"11/02/2025 00:00",1,2,3\n',
    ],
    ids=["zero bytes", "no total", "unknown zone"],
)
def test_a_damaged_or_strange_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        ISOLF_FORMAT.parse(SourceFile("20251102isolf.csv", content))


def test_six_real_days_agree_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / "20171122isolf.csv"
    with path.open(newline="") as stream:
        raw = list(csv.DictReader(stream))
    (parsed,) = parse(path.name, path.read_bytes())
    for header, location in (("Capitl", "61757"), ("Mhk Vl", "61756"), ("NYISO", "NYISO")):
        values = parsed.rows.filter(pl.col("location") == location)["value"].to_list()
        assert values == [float(line[header]) for line in raw]
    assert parsed.rows.height == 144 * 12
