import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.spp import SOURCE

DATA = Path(__file__).parent / "data"
FALL = "invented_fall_back_DA-LMP-SL-202511020100.csv"
SPRING = "invented_spring_forward_DA-LMP-SL-202603080100.csv"
HEADER = "Interval,GMTIntervalEnd,Settlement Location,Pnode,LMP,MLC,MCC,MEC"
ROW = "03/19/2025 01:00:00,03/19/2025 06:00:00,INV,INVP,9.5,0.25,-2.5,11.75"

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def file(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


def recognised(name: str, content: str) -> list[str]:
    document = SourceFile(name, content.encode())
    return [file_format.name for file_format in SOURCE.formats if file_format.recognise(document)]


def test_an_interval_end_in_gmt_becomes_the_start_of_the_hour(parse: Parse) -> None:
    (parsed,) = parse("DA-LMP-SL-202503190100.csv", file(ROW))
    assert parsed.rows["ts"].unique().to_list() == [datetime(2025, 3, 19, 5, tzinfo=UTC)]
    assert dict(parsed.rows.select("measure", "value").iter_rows()) == {
        "lmp": 9.5,
        "energy": 11.75,
        "congestion": -2.5,
        "loss": 0.25,
    }


def test_real_time_intervals_are_five_minutes(parse: Parse) -> None:
    (parsed,) = parse("RTBM-LMP-SL-202503310840.csv", (DATA / "invented_RTBM-LMP-SL-202503310840.csv").read_bytes())
    assert parsed.dataset.name == "rtbm_lmp_sl"
    assert parsed.rows["ts"].unique().to_list() == [datetime(2025, 3, 31, 13, 35, tzinfo=UTC)]
    assert parsed.series["frequency"].unique().to_list() == ["5min"]


@pytest.mark.parametrize(("name", "hours"), [(FALL, 25), (SPRING, 23)])
def test_days_of_clock_changes_have_25_and_23_hours(parse: Parse, name: str, hours: int) -> None:
    (parsed,) = parse(name, (DATA / name).read_bytes())
    hub = parsed.rows.filter(pl.col("location") == "INVENTED_HUB", pl.col("measure") == "lmp").sort("ts")
    assert hub.height == hours
    assert hub["ts"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
    assert parsed.refused.is_empty()


def test_every_component_adds_up_to_the_price(parse: Parse) -> None:
    (parsed,) = parse(FALL, (DATA / FALL).read_bytes())
    wide = parsed.rows.pivot(on="measure", index=["location", "ts"], values="value")
    off = (wide["lmp"] - wide["energy"] - wide["congestion"] - wide["loss"]).abs()
    assert off.max() < 1e-9


def test_files_of_2026_name_the_area_and_write_short_stamps(parse: Parse) -> None:
    (parsed,) = parse("x_DA-LMP-SL-202606040100.csv", (DATA / "invented_with_baa_DA-LMP-SL-202606040100.csv").read_bytes())
    assert parsed.rows.height == 24 * 3 * 4
    labels = dict(parsed.series.select("location", "labels").unique().iter_rows())
    assert labels["INVENTED_WEST_HUB"] == '{"pnode":"INVENTED_W","baa":"SWPW"}'


def test_the_daily_real_time_file_spells_its_header_in_another_way(parse: Parse) -> None:
    header = "Interval,GMT Interval,Settlement Location Name,PNODE Name,LMP,MLC,MCC,MEC"
    content = file("03/31/2025 00:05:00,03/31/2025 05:05:00,INV,P,1,0,0,1", header=header)
    (parsed,) = parse("RTBM-LMP-DAILY-SL-20250331.csv", content)
    assert parsed.rows.height == 4


@pytest.mark.parametrize("name", ["RTBM-LMP-SL-202503310845.csv", "DA-LMP-SL-202503190100.csv"])
def test_a_file_of_zero_bytes_is_recognised_by_its_name_and_refused(parse: Parse, name: str) -> None:
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse(name, b"")


def test_a_cut_off_last_line_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="line 3: truncated"):
        parse("DA-LMP-SL-202503190100.csv", file(ROW, ROW[:40]).rstrip("\n"))


def test_a_missing_column_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="wrong header: 'MEC' not among"):
        parse("DA-LMP-SL-202503190100.csv", file(ROW.rsplit(",", 1)[0], header=HEADER.rsplit(",", 1)[0]))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("03/19/2025 01:00:00,03/19/2025 25:00:00,INV,INVP,9.5,0.25,-2.5,11.75", "GMTIntervalEnd"),
        ("03/19/2025 25:00:00,03/19/2025 06:00:00,INV,INVP,9.5,0.25,-2.5,11.75", "Interval"),
        ("03/19/2025 02:00:00,03/19/2025 06:00:00,INV,INVP,9.5,0.25,-2.5,11.75", "Interval"),
        ("3/19/0025 1:00,3/19/0025 6:00,INV,INVP,9.5,0.25,-2.5,11.75", "GMTIntervalEnd"),
    ],
)
def test_a_row_without_one_possible_hour_is_held_back_and_the_rest_loads(parse: Parse, row: str, column: str) -> None:
    (parsed,) = parse("DA-LMP-SL-202503190100.csv", file(ROW, row))
    assert parsed.rows["line"].unique().to_list() == [2]
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [(3, column, row, "invalid_time")]
    assert parsed.rows_read == 2


def test_a_year_of_two_digits_is_of_this_century(parse: Parse) -> None:
    (parsed,) = parse("DA-LMP-SL-202503190100.csv", file(ROW, "3/19/25 2:00,3/19/25 7:00,INV,INVP,9.5,0.25,-2.5,11.75"))
    assert parsed.rows.filter(pl.col("line") == 3)["ts"].unique().to_list() == [datetime(2025, 3, 19, 6, tzinfo=UTC)]


def test_a_cell_that_is_no_number_is_held_back_alone(parse: Parse) -> None:
    (parsed,) = parse("DA-LMP-SL-202503190100.csv", file(ROW.replace("-2.5", "n/a")))
    assert parsed.rows["measure"].to_list() == ["lmp", "energy", "loss"]
    assert parsed.refused.select("column", "reason", "detail").rows() == [("MCC", "non_numeric", "n/a")]


def test_a_renamed_file_is_told_by_its_intervals() -> None:
    other_hour = ROW.replace("01:00:00,", "02:00:00,").replace("06:00:00", "07:00:00")
    assert recognised("prices.csv", file(ROW, other_hour)) == ["SPP DA-LMP-SL CSV"]


def test_a_renamed_five_minute_file_is_claimed_only_where_it_cannot_be_of_the_western_service() -> None:
    five = file(ROW.replace(":00:00", ":05:00"))
    assert recognised("prices.csv", five) == []
    with_baa = (DATA / "invented_with_baa_DA-LMP-SL-202606040100.csv").read_text().replace(":00,", ":05,")
    assert recognised("prices.csv", with_baa) == ["SPP RTBM-LMP-SL CSV"]


def test_one_renamed_full_hour_could_be_either_market_and_is_not_claimed() -> None:
    assert recognised("prices.csv", file(ROW)) == []


def test_the_western_energy_imbalance_service_is_another_market() -> None:
    assert recognised("WEIS-RTBM-LMP-SL-202503310840.csv", file(ROW.replace(":00:00", ":05:00"))) == []


COLUMNS = {"lmp": "LMP", "loss": "MLC", "congestion": "MCC", "energy": "MEC"}


@pytest.mark.parametrize(
    "name",
    [
        "DA-LMP-SL-202503190100.csv",
        "DA-LMP-SL-202511020100.rowsubset.csv",
        "RTBM-LMP-SL-202503310840.csv",
        "RTBM-LMP-SL-202503310850.csv",
        "RTBM-LMP-SL-202503310855.csv",
        "RTBM-LMP-SL-202503310900.csv",
    ],
)
def test_real_files_give_the_sums_that_csv_gives(parse: Parse, real_files: Path, name: str) -> None:
    content = (real_files / name).read_text()
    records = list(csv.DictReader(content.splitlines()))
    (parsed,) = parse(name, content)
    assert parsed.rows_read == len(records)
    assert parsed.refused.is_empty()
    for measure, column in COLUMNS.items():
        values = parsed.rows.filter(pl.col("measure") == measure)["value"]
        assert values.len() == len(records)
        assert values.sum() == pytest.approx(sum(float(record[column]) for record in records), abs=1e-6)
    step = timedelta(hours=1) if name.startswith("DA") else timedelta(minutes=5)
    first = datetime.strptime(records[0]["GMTIntervalEnd"], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC) - step
    assert parsed.rows["ts"].min() == first


def test_the_real_file_of_zero_bytes_is_refused(parse: Parse, real_files: Path) -> None:
    name = "RTBM-LMP-SL-202503310845.csv"
    with pytest.raises(RefusedFile, match="empty"):
        parse(name, (real_files / name).read_bytes())
