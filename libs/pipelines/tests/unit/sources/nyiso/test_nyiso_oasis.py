import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.nyiso.oasis import DAM_ZONAL_FORMAT, RTC_ZONAL_FORMAT

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
DST_DAYS = "OASIS_Day-Ahead_Market_Zonal_LBMP_2022_dst_days.csv"
HEADER = (
    "Eastern Date Hour,Eastern Date Hour Time Zone,Zone Name,Zone PTID,"
    "DAM Zonal LBMP,DAM Zonal Losses,DAM Zonal Congestion,DAM Zonal Price Version"
)


def prices(parsed: Parsed, measure: str = "lmp") -> pl.DataFrame:
    return parsed.rows.filter(pl.col("measure") == measure)


def hours(start: datetime, count: int) -> list[datetime]:
    return [start + timedelta(hours=hour) for hour in range(count)]


def test_days_on_which_clocks_change_have_23_and_25_hours(parse: Parse) -> None:
    (parsed,) = parse(DST_DAYS, (DATA / DST_DAYS).read_bytes())
    spring, fall = hours(datetime(2022, 3, 13, 5, tzinfo=UTC), 23), hours(datetime(2022, 11, 6, 4, tzinfo=UTC), 25)
    assert prices(parsed)["ts"].to_list() == spring + fall
    assert parsed.refused.is_empty()


def test_day_ahead_prices_go_where_those_of_the_mis_file_go(parse: Parse) -> None:
    (parsed,) = parse(DST_DAYS, (DATA / DST_DAYS).read_bytes())
    assert parsed.dataset.name == "damlbmp_zone"
    assert set(parsed.rows["location"]) == {"61761"}


def test_an_export_re_saved_by_a_spreadsheet_is_read(parse: Parse) -> None:
    name = "OASIS_DAM_Zonal_LBMP_resaved_20240601.csv"
    (parsed,) = parse(name, (DATA / name).read_bytes())
    assert prices(parsed)["ts"].to_list() == hours(datetime(2024, 6, 1, 4, tzinfo=UTC), 24)
    first = parsed.rows.filter(pl.col("line") == 2)
    assert dict(first.select("measure", "value").iter_rows()) == {
        "lmp": 22.21,
        "energy": 21.03,
        "congestion": 0.0,
        "loss": 1.18,
    }


def test_price_versions_are_ranked_back_from_the_greatest(parse: Parse) -> None:
    rows = [
        f"2022/01/01 0{hour}:00:00,EST,N.Y.C.,61761,{price},0,0,{version}"
        for hour, price, version in ((0, 10, 1), (0, 12, 3), (1, 9, 2))
    ]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)) + "\n")
    assert prices(parsed).select("value", "version").rows() == [(10.0, -1), (12.0, 0), (9.0, 0)]


def test_the_repeated_hour_without_a_time_zone_is_refused(parse: Parse) -> None:
    rows = [f"2022/11/06 01:00:00,{zone},N.Y.C.,61761,{price},0,0,1" for zone, price in (("EDT", 1), ("EST", 2), ("", 3))]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)) + "\n")
    assert prices(parsed)["value"].to_list() == [1.0, 2.0]
    assert prices(parsed)["ts"].to_list() == hours(datetime(2022, 11, 6, 5, tzinfo=UTC), 2)
    assert parsed.refused["reason"].to_list() == [Reason.AMBIGUOUS_TIME]


def test_bad_rows_are_refused_and_the_rest_kept(parse: Parse) -> None:
    rows = [
        "2022/02/30 00:00:00,EST,N.Y.C.,61761,1,0,0,1",
        "2022/03/13 02:00:00,EST,N.Y.C.,61761,2,0,0,1",
        "2022/01/01 00:00:00,EST,N.Y.C.,61761,3,0,0,first",
        "2022/01/01 01:00:00,EST,N.Y.C.,61761,4,,0,1",
        "2022/01/01 02:00:00,EST,N.Y.C.,61761,x,0,0,1",
    ]
    (parsed,) = parse("x.csv", "\n".join((HEADER, *rows)) + "\n")
    assert parsed.refused.select("line", "reason").rows() == [
        (2, Reason.INVALID_TIME),
        (3, Reason.NON_EXISTENT_TIME),
        (4, Reason.NON_NUMERIC),
        (6, Reason.NON_NUMERIC),
    ]
    assert set(parsed.rows.filter(pl.col("line") == 5)["measure"]) == {"lmp", "congestion"}


def test_a_header_without_rows_is_an_empty_answer(parse: Parse) -> None:
    (parsed,) = parse("x.csv", HEADER + "\n")
    assert (parsed.rows_read, parsed.rows.height, parsed.refused.height) == (0, 0, 0)


def test_commitment_stamps_are_ends_of_quarter_hours(parse: Parse) -> None:
    name = "OASIS_Real_Time_Commitment_Zonal_LBMP.csv"
    (parsed,) = parse(name, (DATA / name).read_bytes())
    start = datetime(2024, 6, 1, 4, tzinfo=UTC)
    assert parsed.dataset.name == "rtc_zone"
    assert prices(parsed)["ts"].to_list() == [start + timedelta(minutes=15 * step) for step in range(12)]
    assert set(parsed.series["frequency"]) == {"15min"}


def test_the_repeated_hour_of_a_commitment_export_is_told_apart_by_order(parse: Parse) -> None:
    header = (
        "RTC End Time Stamp,Zone Name,Zone PTID,RTC Zonal LBMP,RTC Zonal Losses,RTC Zonal Congestion,RTC Zonal Price Version"
    )
    ends = ["01:00", "01:15", "01:30", "01:45", "01:00", "01:15", "01:30", "01:45", "02:00"]
    rows = [f"2024/11/03 {end}:00,N.Y.C.,61761,{number},0,0,1" for number, end in enumerate(ends)]
    (parsed,) = parse("x.csv", "\n".join((header, *rows)) + "\n")
    start = datetime(2024, 11, 3, 4, 45, tzinfo=UTC)
    assert prices(parsed)["ts"].to_list() == [start + timedelta(minutes=15 * step) for step in range(9)]


@pytest.mark.parametrize(
    "content", [b"", b"Eastern Date Hour,Zone Name\n2022/01/01 00:00:00,N.Y.C.\n", (DATA / DST_DAYS).read_bytes()[:-30]]
)
def test_a_damaged_file_is_refused_whole(content: bytes) -> None:
    for file_format in (DAM_ZONAL_FORMAT, RTC_ZONAL_FORMAT):
        with pytest.raises(RefusedFile):
            file_format.parse(SourceFile("x.csv", content))


@pytest.mark.parametrize("suffix", ["", "_1", "_3", "_6"])
def test_real_years_agree_with_a_plain_reading(parse: Parse, real_files: Path, suffix: str) -> None:
    path = real_files / "oasis_dam_zonal_lbmp" / f"OASIS_Day-Ahead_Market_Zonal_LBMP{suffix}.csv"
    with path.open(newline="") as stream:
        raw = list(csv.DictReader(stream))
    (parsed,) = parse(path.name, path.read_bytes())
    assert prices(parsed)["value"].to_list() == [float(line["DAM Zonal LBMP"]) for line in raw]
    assert prices(parsed, "congestion")["value"].to_list() == [-float(line["DAM Zonal Congestion"]) for line in raw]
    instants = prices(parsed)["ts"]
    assert instants.diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
    assert parsed.refused.is_empty()


def test_a_real_summer_of_commitment_prices_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / "oasis_rtc_zonal_lbmp" / "OASIS_Real_Time_Commitment_Zonal_LBMP.csv"
    with path.open(newline="") as stream:
        raw = [float(line["RTC Zonal LBMP"]) for line in csv.DictReader(stream)]
    (parsed,) = parse(path.name, path.read_bytes())
    assert prices(parsed)["value"].to_list() == raw
    assert prices(parsed)["ts"].n_unique() == 92 * 96 - 13
