import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.nyiso.load import PAL_FORMAT

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
HEADER = "Time Stamp,Time Zone,Name,PTID,Load"


def test_samples_are_at_their_stamp_and_extra_ones_kept_apart(parse: Parse) -> None:
    regular, extra = parse("20171122pal.csv", (DATA / "20171122pal.csv").read_bytes())
    nyc = regular.rows.filter(pl.col("location") == "61761")
    start = datetime(2017, 11, 22, 5, tzinfo=UTC)
    assert nyc["ts"].to_list() == [start + timedelta(minutes=5 * step) for step in range(12)]
    assert nyc["value"][0] == 4776.8
    assert extra.dataset.name == "pal_extra"
    assert extra.rows.filter(pl.col("location") == "61761")["ts"].to_list() == [
        datetime(2017, 11, 22, 5, 7, 34, tzinfo=UTC),
        datetime(2017, 11, 22, 5, 9, 40, tzinfo=UTC),
    ]


def test_the_time_zone_column_tells_the_repeated_hour_apart(parse: Parse) -> None:
    rows = [f"11/02/2025 01:00:00,{zone},WEST,61752,{load}" for zone, load in (("EDT", 1), ("EST", 2))]
    (parsed,) = parse("20251102pal.csv", "\n".join((HEADER, *rows)) + "\n")
    assert dict(parsed.rows.select("ts", "value").iter_rows()) == {
        datetime(2025, 11, 2, 5, tzinfo=UTC): 1.0,
        datetime(2025, 11, 2, 6, tzinfo=UTC): 2.0,
    }


def test_a_label_in_the_spring_gap_is_refused(parse: Parse) -> None:
    labels = (("01:55:00,EST", 1), ("02:00:00,EST", 2), ("03:00:00,EDT", 3))
    rows = [f"03/09/2025 {label},WEST,61752,{load}" for label, load in labels]
    (parsed,) = parse("20250309pal.csv", "\n".join((HEADER, *rows)) + "\n")
    assert parsed.rows["ts"].to_list() == [datetime(2025, 3, 9, 6, 55, tzinfo=UTC), datetime(2025, 3, 9, 7, tzinfo=UTC)]
    assert parsed.refused["reason"].to_list() == [Reason.NON_EXISTENT_TIME]


def test_integrated_load_is_hourly_and_a_dataset_of_its_own(parse: Parse) -> None:
    text = HEADER.replace("Load", "Integrated Load") + "\n11/22/2017 00:00:00,EST,WEST,61752,1600.5\n"
    (parsed,) = parse("20171122palIntegrated.csv", text)
    assert parsed.dataset.name == "pal_integrated"
    assert parsed.rows.select("location", "measure", "ts", "value").rows() == [
        ("61752", "load", datetime(2017, 11, 22, 5, tzinfo=UTC), 1600.5)
    ]


def test_a_label_of_the_clock_must_be_that_of_the_date(parse: Parse) -> None:
    labels = (
        ("07/05/2025 00:00", "EST"),
        ("07/05/2025 00:05", "EDT"),
        ("07/05/2025 00:10", "PST"),
        ("01/05/2025 00:00", "EDT"),
    )
    text = "\n".join((HEADER, *(f"{stamp}:00,{clock},DUNWOD,61760,100" for stamp, clock in labels))) + "\n"
    (parsed,) = parse("20250705pal.csv", text)
    assert parsed.rows["ts"].to_list() == [datetime(2025, 7, 5, 4, 5, tzinfo=UTC)]
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (line, "Time Zone", Reason.INVALID_TIME) for line in (2, 4, 5)
    ]


def test_a_load_that_is_no_number_is_refused_and_a_blank_one_is_none(parse: Parse) -> None:
    rows = [f"11/22/2017 00:0{minute}:00,EST,WEST,61752,{load}" for minute, load in ((0, "-"), (5, ""))]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)) + "\n")
    assert parsed.rows.is_empty()
    assert parsed.refused.select("line", "reason").rows() == [(2, Reason.NON_NUMERIC)]


@pytest.mark.parametrize(
    "content", [b"", b"Time Stamp,Load\n11/22/2017 00:00:00,1\n", (DATA / "20171122pal.csv").read_bytes()[:-10]]
)
def test_a_damaged_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        PAL_FORMAT.parse(SourceFile("20171122pal.csv", content))


def test_a_real_day_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / "20171122pal.csv"
    with path.open(newline="") as stream:
        raw = [(line["PTID"], float(line["Load"])) for line in csv.DictReader(stream)]
    both = pl.concat([parsed.rows for parsed in parse(path.name, path.read_bytes())]).sort("line")
    assert list(both.select("location", "value").iter_rows()) == raw
