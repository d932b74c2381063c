import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.quality.price_sums import check_prices
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.caiso import SOURCE
from aurum.pipelines.sources.caiso.oasis_csv import answered_at

DATA = Path(__file__).parent / "data"
FALL = "20191012_20191106_PRC_LMP_DAM_20200511_15_31_06_v1.csv"
SPRING = "20200301_20200401_PRC_LMP_DAM_20200603_08_32_02_v1.csv"
SCHEDULES = "20191010_20191011_ENE_SLRS_DAM_20200511_12_10_51_v1.csv"
DEMAND = "20250219_20250227_SLD_FCST_7DA_20250221_01_09_58_v1.csv"
RENEWABLES = "20250204_20250211_SLD_REN_FCST_DAM_20250214_04_52_10_v1.csv"
NAME = "20190701_20190801_PRC_LMP_DAM_20200602_23_20_18_v1.csv"
HEADER = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,"
    "LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
)

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def price(
    kind: str = "LMP",
    value: str = "24.5",
    *,
    start: str = "2019-07-01T11:00:00-00:00",
    end: str = "2019-07-01T12:00:00-00:00",
    label: str = "2019-07-01,5",
    run: str = "DAM",
) -> str:
    return f"{start},{end},{label},0,INV_1,INV_1,INV_1,{run},{kind},X_PRC,INV_1,ALL,1,{value},1"


def file(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


def shipped(parse: Parse, name: str) -> Parsed:
    (parsed,) = parse(name, (DATA / name).read_bytes())
    return parsed


def test_the_price_stands_in_the_column_mw_and_the_type_names_the_component(parse: Parse) -> None:
    (parsed,) = parse(
        NAME, file(price("LMP", "1"), price("MCE", "2"), price("MCC", "3"), price("MCL", "4"), price("MGHG", "5"))
    )
    assert parsed.rows.select("location", "measure", "value").rows() == [
        ("INV_1", "lmp", 1.0),
        ("INV_1", "energy", 2.0),
        ("INV_1", "congestion", 3.0),
        ("INV_1", "loss", 4.0),
        ("INV_1", "ghg", 5.0),
    ]
    assert parsed.rows["ts"].unique().to_list() == [datetime(2019, 7, 1, 11, tzinfo=UTC)]
    assert parsed.series["unit"].unique().to_list() == ["USD/MWh"]


@pytest.mark.parametrize("word", ["MW", "VALUE", "PRC"])
def test_the_price_column_has_other_names_in_other_vintages(parse: Parse, word: str) -> None:
    (parsed,) = parse(NAME, file(price(), header=HEADER.replace(",MW,", f",{word},")))
    assert parsed.rows["value"].to_list() == [24.5]


@pytest.mark.parametrize(("name", "hours"), [(FALL, 25), (SPRING, 23)])
def test_days_of_clock_changes_have_25_and_23_hours(parse: Parse, name: str, hours: int) -> None:
    parsed = shipped(parse, name)
    lmp = parsed.rows.filter(pl.col("measure") == "lmp").sort("ts")
    assert lmp.height == hours
    assert lmp["ts"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
    assert parsed.refused.is_empty()


def test_hour_25_is_the_second_of_the_repeated_hours(parse: Parse) -> None:
    parsed = shipped(parse, FALL)
    records = csv.DictReader((DATA / FALL).read_text().splitlines())
    repeated = next(float(r["MW"]) for r in records if r["OPR_HR"] == "25" and r["LMP_TYPE"] == "LMP")
    second = parsed.rows.filter(pl.col("ts") == datetime(2019, 11, 3, 9, tzinfo=UTC), pl.col("measure") == "lmp")
    assert second["value"].item() == repeated


def test_the_components_add_up_to_the_price(parse: Parse) -> None:
    wide = shipped(parse, FALL).rows.pivot(on="measure", index="ts", values="value")
    assert (wide["lmp"] - wide["energy"] - wide["congestion"] - wide["loss"]).abs().max() < 2e-5


def test_the_stamp_in_the_name_is_the_moment_of_the_answer_and_no_publication(parse: Parse) -> None:
    answer = shipped(parse, FALL)
    assert (answer.answered_at, answer.known_at) == (datetime(2020, 5, 11, 22, 31, 6, tzinfo=UTC), None)
    (renamed,) = parse("prices.csv", file(price()))
    assert (renamed.answered_at, renamed.known_at) == (None, None)


def test_a_stamp_in_the_repeated_hour_is_the_later_of_its_two_readings() -> None:
    answered = answered_at("20191101_20191102_PRC_LMP_DAM_20191103_01_30_00_v1.csv")
    assert answered == datetime(2019, 11, 3, 9, 30, tzinfo=UTC), "known no later than that"


def test_schedules_of_the_system_and_of_one_zone(parse: Parse) -> None:
    parsed = shipped(parse, SCHEDULES)
    assert parsed.dataset.name == "ene_slrs_dam"
    assert sorted(parsed.series.select("location", "measure").rows()) == [
        ("Caiso_Totals", "exports"),
        ("Caiso_Totals", "generation"),
        ("Caiso_Totals", "imports"),
        ("Caiso_Totals", "load"),
        ("TAC_NORTH", "load"),
    ]
    assert parsed.rows.height == parsed.rows_read == 5 * 24


def test_the_seven_day_forecast_is_a_dataset_of_its_own(parse: Parse) -> None:
    parsed = shipped(parse, DEMAND)
    assert parsed.dataset.name == "sld_fcst_7da"
    assert sorted(parsed.series["location"]) == ["CA ISO-TAC", "PGE-TAC"]
    assert parsed.series["measure"].unique().to_list() == ["load_forecast"]


def test_wind_and_solar_forecasts_are_told_by_their_type(parse: Parse) -> None:
    parsed = shipped(parse, RENEWABLES)
    assert parsed.dataset.name == "sld_ren_fcst_dam"
    assert sorted(parsed.series.select("location", "measure").rows()) == [
        ("NP15", "generation_forecast_solar"),
        ("NP15", "generation_forecast_wind"),
    ]


def test_actual_wind_and_solar_are_generation(parse: Parse) -> None:
    content = (DATA / RENEWABLES).read_text().replace(",DAM,", ",ACTUAL,")
    (parsed,) = parse("20250204_20250205_SLD_REN_FCST_ACTUAL_20250214_04_52_10_v1.csv", content)
    assert parsed.dataset.name == "sld_ren_fcst_actual"
    assert sorted(parsed.series["measure"]) == ["generation_solar", "generation_wind"]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (price(start="2019-07-01T25:00:00-00:00"), "INTERVALSTARTTIME_GMT"),
        (price(start="2019-07-01T11:00:00-07:00"), "INTERVALSTARTTIME_GMT"),
        (price(end="2019-07-01T11:15:00-00:00"), "INTERVALENDTIME_GMT"),
        (price(label="2019-07-01,26"), "OPR_HR"),
        (price(label="2019-07-02,5"), "OPR_HR"),
    ],
)
def test_a_row_without_one_possible_hour_is_held_back_and_the_rest_loads(parse: Parse, row: str, column: str) -> None:
    (parsed,) = parse(NAME, file(price(), row))
    assert parsed.rows["line"].to_list() == [2]
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [(3, column, row, "invalid_time")]
    assert parsed.rows_read == 2


@pytest.mark.parametrize("row", [price("MCX"), price(run="RUC")])
def test_an_unknown_component_or_run_is_held_back(parse: Parse, row: str) -> None:
    (parsed,) = parse(NAME, file(price(), row))
    assert parsed.rows.height == 1
    assert parsed.refused.select("column", "reason").rows() == [("LMP_TYPE", "unknown_code")]


def test_a_file_whose_rows_are_of_another_run_is_not_claimed_and_says_so() -> None:
    document = SourceFile(NAME, file(price(run="RUC"), price(run="RUC")).encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)
    assert "PRC_LMP has no RUC LMP" in {file_format.explain(document) for file_format in SOURCE.formats}


@pytest.mark.parametrize("value", ["n/a", "NaN", "-inf"])
def test_a_price_that_is_no_number_is_held_back(parse: Parse, value: str) -> None:
    (parsed,) = parse(NAME, file(price(), price("MCE", value)))
    assert parsed.rows.height == 1
    assert parsed.refused.select("column", "reason", "detail").rows() == [("MW", "non_numeric", value)]


def test_a_row_without_a_place_is_held_back(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(price(), price().replace("INV_1", "")))
    assert parsed.refused.select("column", "reason").rows() == [("NODE_ID", "missing_field")]


@pytest.mark.parametrize("name", [NAME, SCHEDULES, DEMAND, RENEWABLES])
def test_a_file_of_zero_bytes_is_refused(parse: Parse, name: str) -> None:
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse(name, b"")


@pytest.mark.parametrize("name", [FALL, SCHEDULES, DEMAND, RENEWABLES])
def test_a_cut_off_last_line_refuses_the_file(parse: Parse, name: str) -> None:
    content = (DATA / name).read_text()
    with pytest.raises(RefusedFile, match="truncated"):
        parse(name, content[: content.rindex(",", 0, -20)])


def test_a_missing_column_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="wrong header: 'MW' not among"):
        parse(NAME, file(price(), header=HEADER.replace(",MW,", ",PRICE,")))


def test_prices_of_other_markets_in_the_same_layout_are_not_claimed() -> None:
    document = SourceFile("20190701_PRC_RTPD_LMP_RTPD_x_v1.csv", file(price(run="RTPD")).encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


TYPES = {"LMP": "lmp", "MCE": "energy", "MCC": "congestion", "MCL": "loss"}
REAL = [
    NAME,
    FALL,
    "20191101_20191201_PRC_LMP_DAM_20200603_00_24_23_v1.csv",
    SPRING,
    "20200401_20200501_PRC_LMP_DAM_20200603_08_42_03_v1.csv",
    "20200510_20200511_PRC_LMP_DAM_20200510_10_49_47_v1.csv",
]


@pytest.mark.parametrize("name", REAL)
def test_real_prices_give_the_sums_that_csv_gives(parse: Parse, real_files: Path, name: str) -> None:
    content = (real_files / "oasis_prc_lmp_dam" / name).read_text()
    records = list(csv.DictReader(io.StringIO(content)))
    (parsed,) = parse(name, content)
    assert parsed.rows_read == parsed.rows.height == len(records)
    for kind, measure in TYPES.items():
        expected = [float(record["MW"]) for record in records if record["LMP_TYPE"] == kind]
        parsed_values = parsed.rows.filter(pl.col("measure") == measure)["value"]
        assert (parsed_values.len(), parsed_values.sum()) == (len(expected), pytest.approx(sum(expected), abs=1e-6))
    stamps = {datetime.fromisoformat(record["INTERVALSTARTTIME_GMT"]) for record in records}
    assert set(parsed.rows["ts"]) == stamps


def test_real_schedules_and_forecasts_give_the_sums_that_csv_gives(parse: Parse, real_files: Path) -> None:
    answers = {SCHEDULES: (real_files / "oasis_ene_slrs" / SCHEDULES).read_text()}
    for archive in (real_files.parent / "operator_responses_electricitymaps" / "US_CA").glob("*.zip"):
        with zipfile.ZipFile(archive) as members:
            answers |= {name: members.read(name).decode() for name in members.namelist()}
    assert len(answers) == 3
    for name, content in answers.items():
        records = list(csv.DictReader(io.StringIO(content)))
        (parsed,) = parse(name, content)
        assert parsed.rows_read == parsed.rows.height == len(records)
        assert parsed.refused.is_empty()
        assert parsed.rows["value"].sum() == pytest.approx(sum(float(record["MW"]) for record in records), abs=1e-4)


@pytest.mark.parametrize("component", ["MCE", "MCC", "MCL"])
def test_prices_under_each_others_types_are_refused(parse: Parse, component: str) -> None:
    text = (DATA / FALL).read_text()
    exchanged = text.replace(",LMP,", ",?,").replace(f",{component},", ",LMP,").replace(",?,", f",{component},")
    (parsed,) = parse(FALL, exchanged)
    refusal = check_prices(parsed.rows, parsed.dataset).refusal
    assert "'lmp', 'energy', 'congestion', 'loss' do not add up in 25 of 25 rows" in refusal
    assert check_prices(shipped(parse, FALL).rows, parsed.dataset).refusal == ""


@pytest.mark.parametrize("label", ["2019-07-01,6", "2019-07-02,5"])
def test_an_answer_whose_trading_hours_are_not_those_of_its_gmt_columns_is_refused(parse: Parse, label: str) -> None:
    with pytest.raises(RefusedFile, match="the time in OPR_DT and OPR_HR disagrees with INTERVALSTARTTIME_GMT in 2 of 3 rows"):
        parse(NAME, file(price(), price("MCE", label=label), price("MCC", label=label)))
