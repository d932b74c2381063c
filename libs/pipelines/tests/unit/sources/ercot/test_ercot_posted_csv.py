import csv
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.source import Parsed, RefusedFile
from aurum.pipelines.sources.ercot.posted_csv import posted_at

DATA = Path(__file__).parent / "data"
DAM = (DATA / "invented_dam_fall_back.csv").read_text()
RTM = (DATA / "invented_rtm_repeated_hour.csv").read_text()
DAM_NAME = "cdr.00012331.0000000000000000.20251101.123005.DAMSPNP4190.csv"
RTM_NAME = "cdr.00012301.0000000000000000.20251102.021701.SPPHLZNP6905_20251102_0215.csv"

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def test_fall_back_day_has_25_hours_at_every_point(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, DAM)
    assert parsed.dataset.name == "dam_spp"
    assert parsed.rows.group_by("location").len()["len"].to_list() == [25] * 3
    assert parsed.rows["value"].sum() == pytest.approx(
        sum(float(record["SettlementPointPrice"]) for record in csv.DictReader(DAM.splitlines()))
    )


def test_the_posting_time_in_the_name_is_the_known_time(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, DAM)
    assert parsed.known_at == datetime(2025, 11, 1, 17, 30, 5, tzinfo=UTC)
    (renamed,) = parse("prices.csv", DAM)
    assert renamed.known_at is None


def test_a_mark_in_the_name_tells_the_two_repeated_hours_of_posting() -> None:
    first = "cdr.00012301.0000000000000000.20251102.011502.SPPHLZNP6905_20251102_0115.csv"
    second = "cdr.00012301.0000000000000000.20251102.011502xhr.SPPHLZNP6905_20251102_0115xhr.csv"
    assert posted_at(first) == datetime(2025, 11, 2, 6, 15, 2, tzinfo=UTC)
    assert posted_at(second) == datetime(2025, 11, 2, 7, 15, 2, tzinfo=UTC)
    assert posted_at(RTM_NAME) == datetime(2025, 11, 2, 8, 17, 1, tzinfo=UTC)


def test_quarters_of_the_repeated_hour_are_told_by_the_flag(parse: Parse) -> None:
    (parsed,) = parse(RTM_NAME, RTM)
    hub = parsed.rows.filter(pl.col("location") == "HB_NORTH").sort("ts")
    assert hub["ts"][0] == datetime(2025, 11, 2, 6, tzinfo=UTC)
    assert hub["ts"].diff().drop_nulls().dt.total_minutes().to_list() == [15] * 7


def test_the_energy_weighted_price_of_a_zone_is_a_measure_of_its_own(parse: Parse) -> None:
    (parsed,) = parse(RTM_NAME, RTM)
    zone = parsed.series.filter(pl.col("location") == "LZ_AEN")
    assert sorted(zone["measure"]) == ["spp", "spp_energy_weighted"]
    assert parsed.rows.select("location", "measure", "ts").is_unique().all()


def test_types_of_points_follow_from_names_and_codes(parse: Parse) -> None:
    (parsed,) = parse(RTM_NAME, RTM)
    assert dict(parsed.series.select("location", "location_type").unique().iter_rows()) == {
        "INVENTED_RN": "resource_node",
        "HB_NORTH": "hub",
        "LZ_AEN": "load_zone",
    }


def test_header_words_with_blanks_and_short_hours_are_read(parse: Parse) -> None:
    header = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag    "
    (parsed,) = parse("prices.csv", f"{header}\n11/02/2025,1:00,HB_NORTH, 30.0,N\n")
    assert parsed.rows.select("ts", "value").rows() == [(datetime(2025, 11, 2, 5, tzinfo=UTC), 30.0)]


@pytest.mark.parametrize("quarter", ["0", "5", "x"])
def test_an_impossible_quarter_is_held_back_and_the_rest_loads(parse: Parse, quarter: str) -> None:
    (parsed,) = parse(RTM_NAME, RTM + f"11/02/2025,3,{quarter},HB_NORTH,HU,20,N\n")
    assert parsed.rows.height == 32
    assert parsed.refused.select("line", "reason").rows() == [(34, "invalid_time")]


def test_an_impossible_hour_is_held_back_and_the_rest_loads(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, DAM + "11/02/2025,25:00,HB_NORTH,20,N\n")
    assert parsed.rows.height == 75
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [
        (77, "HourEnding", "11/02/2025,25:00,HB_NORTH,20,N", "invalid_time")
    ]
    assert parsed.rows_read == 76


def test_a_point_that_is_missing_is_held_back(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, DAM + "11/02/2025,24:00,,20,N\n")
    assert parsed.refused.select("column", "reason").rows() == [("SettlementPoint", "missing_field")]


@pytest.mark.parametrize("name", [DAM_NAME, RTM_NAME])
def test_a_file_of_zero_bytes_is_refused(parse: Parse, name: str) -> None:
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse(name, b"")


def test_a_cut_off_last_line_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="truncated: the last line has 3 of 5 fields"):
        parse(DAM_NAME, DAM + "11/02/2025,24:00,HB_NO")


def test_another_header_under_a_known_name_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="wrong header"):
        parse(DAM_NAME, "DeliveryDate,HourEnding,BusName,LMP,DSTFlag\n11/02/2025,01:00,A,1,N\n")


HEADER = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n"


def counted(day: str, hours: Iterable[int], flagged: int | None = None) -> str:
    return HEADER + "".join(f"{day},{hour},HB_WEST,{hour},{'Y' if hour == flagged else 'N'}\n" for hour in hours)


@pytest.mark.parametrize("flagged", [None, 3])
def test_hours_counted_to_25_stand_one_back_after_the_second(parse: Parse, flagged: int | None) -> None:
    (parsed,) = parse(DAM_NAME, counted("11/03/2024", range(1, 26), flagged))
    start = datetime(2024, 11, 3, 5, tzinfo=UTC)
    assert parsed.rows["ts"].to_list() == [start + timedelta(hours=n) for n in range(25)]
    assert parsed.rows["value"].to_list() == [float(n) for n in range(1, 26)]
    assert parsed.refused.is_empty()


def test_hours_counted_to_25_under_another_flag_are_held_back(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, counted("11/03/2024", range(1, 26), flagged=7))
    assert parsed.rows.is_empty()
    assert parsed.refused["reason"].unique().to_list() == ["invalid_time"]


def test_hours_counted_to_23_on_the_spring_day_skip_the_missing_one(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, counted("03/09/2025", range(1, 24)))
    start = datetime(2025, 3, 9, 6, tzinfo=UTC)
    assert parsed.rows["ts"].to_list() == [start + timedelta(hours=n) for n in range(23)]


def test_a_spring_day_that_may_be_counted_or_labelled_is_held_back_from_the_third_hour_on(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, counted("03/09/2025", [1, 2, 3, 10, 11]))
    assert parsed.rows["value"].to_list() == [1.0, 2.0]
    assert parsed.refused.height == 3


def test_the_hours_of_other_days_are_not_counted(parse: Parse) -> None:
    (parsed,) = parse(DAM_NAME, counted("11/04/2024", range(1, 26)))
    assert parsed.rows.height == 24
    assert parsed.refused["line"].to_list() == [26]


def test_a_real_file_of_counted_hours_is_read_whole(parse: Parse, real_files: Path) -> None:
    name = "ercot_he25_DAMSPNP4190.csv"
    (parsed,) = parse(name, (real_files.parent / "faults" / name).read_bytes())
    start = datetime(2024, 11, 3, 5, tzinfo=UTC)
    assert parsed.rows.sort("ts").select("ts", "value").rows() == [(start + timedelta(hours=n), n + 1.0) for n in range(25)]


def test_hours_that_are_counted_from_0_are_not_read_an_hour_early(parse: Parse) -> None:
    header = DAM.splitlines()[0]
    rows = [
        f"07/{day:02}/2025,{hour:02}:00,HB_INVENTED,{hour}.5,N" for day in (4, 5) for hour in range(day == 5, 24 + (day == 5))
    ]
    (parsed,) = parse("prices.csv", "\n".join([header, *rows]) + "\n")
    assert parsed.rows.height == 24
    assert parsed.rows["ts"].min() == datetime(2025, 7, 5, 5, tzinfo=UTC)
    assert parsed.refused["detail"].unique().to_list() == ["counted from 0: ERCOT's hours end at 1 to 24"]
    assert parsed.refused.height == 24


def test_quarters_that_are_counted_from_0_are_not_read_a_quarter_early(parse: Parse) -> None:
    header = RTM.splitlines()[0]
    rows = [f"07/04/2025,2,{quarter},HB_INVENTED,HU,{quarter}.5,N" for quarter in range(4)]
    (parsed,) = parse("prices.csv", "\n".join([header, *rows]) + "\n")
    assert parsed.rows.is_empty()
    assert parsed.refused.height == 4
