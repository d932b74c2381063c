import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.caiso import SOURCE

DATA = Path(__file__).parent / "data"
DEMAND = (DATA / "sld_forecast.xml").read_text()
RENEWABLES = (DATA / "sld_ren_forecast.xml").read_text()
SCHEDULES = (DATA / "ene_slrs_closed.xml").read_text()

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def test_one_answer_holds_two_datasets_of_different_steps(parse: Parse) -> None:
    quarters, fives = parse("x.xml", DEMAND)
    assert (quarters.dataset.name, fives.dataset.name) == ("sld_fcst_rtpd", "sld_fcst_rtd")
    assert quarters.rows.select("location", "ts", "value", "line").rows() == [
        ("CA ISO-TAC", datetime(2014, 5, 8, 19, 15, tzinfo=UTC), 26723.0, 1)
    ]
    assert fives.rows.select("location", "ts", "value", "line").rows() == [
        ("CA ISO-TAC", datetime(2014, 5, 8, 18, 55, tzinfo=UTC), 26755.0, 2),
        ("PGE-TAC", datetime(2014, 5, 8, 19, 5, tzinfo=UTC), 11530.0, 3),
    ]
    assert quarters.rows_read + fives.rows_read == 3
    assert (quarters.series["frequency"].item(), fives.series["frequency"][0]) == ("15min", "5min")


def test_time_date_is_the_moment_of_the_answer_and_no_publication(parse: Parse) -> None:
    for parsed in parse("x.xml", DEMAND):
        assert (parsed.answered_at, parsed.known_at) == (datetime(2014, 5, 9, 17, 50, 6, tzinfo=UTC), None)


def test_several_report_items_are_read_with_their_own_headers(parse: Parse) -> None:
    (parsed,) = parse("x.xml", RENEWABLES)
    assert parsed.dataset.name == "sld_ren_fcst_dam"
    assert parsed.rows.select("location", "measure", "value").rows() == [
        ("NP15", "generation_forecast_solar", 0.01),
        ("NP15", "generation_forecast_solar", 0.0),
        ("NP15", "generation_forecast_wind", 478.86),
        ("NP15", "generation_forecast_wind", 580.83),
    ]


def test_schedules_name_the_series_that_the_csv_answers_name(parse: Parse) -> None:
    (parsed,) = parse("x.xml", SCHEDULES)
    assert parsed.dataset.name == "ene_slrs_dam"
    assert sorted(parsed.series.select("location", "measure").rows()) == [
        ("Caiso_Totals", "exports"),
        ("Caiso_Totals", "generation"),
        ("Caiso_Totals", "imports"),
    ]


def test_prices_come_in_xml_too(parse: Parse) -> None:
    content = (
        SCHEDULES.replace("ENE_SLRS", "PRC_LMP").replace("ISO_TOT_EXP_MW", "LMP_PRC").replace("ISO_TOT_IMP_MW", "LMP_ENE_PRC")
    )
    content = content.replace("ISO_TOT_GEN_MW", "LMP_CONG_PRC").replace("<UOM>MW<", "<UOM>US$/MWh<")
    (parsed,) = parse("x.xml", content)
    assert parsed.dataset.name == "prc_lmp_dam"
    assert sorted(parsed.series["measure"]) == ["congestion", "energy", "lmp"]


@pytest.mark.parametrize(
    ("content", "unit"),
    [(SCHEDULES, "MWH"), (SCHEDULES, "kW"), (SCHEDULES, "US$"), (SCHEDULES.replace("ENE_SLRS", "PRC_LMP"), "MW")],
)
def test_an_answer_in_another_unit_is_refused(parse: Parse, content: str, unit: str) -> None:
    content = content.replace("ISO_TOT_EXP_MW", "LMP_PRC") if "PRC_LMP" in content else content
    with pytest.raises(RefusedFile, match=f"unit of measure '{re.escape(unit)}'.* is in "):
        parse("x.xml", content.replace("<UOM>MW<", f"<UOM>{unit}<"))


def test_an_answer_of_another_trading_day_than_its_times_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="the time in OPR_DATE disagrees with INTERVAL_START_GMT"):
        parse("x.xml", DEMAND.replace("<OPR_DATE>2014-05-08", "<OPR_DATE>2014-08-05", 1))


def test_tags_with_a_prefix_are_the_same_tags(parse: Parse) -> None:
    prefixed = DEMAND.replace("</", "\0").replace("<", "<m:").replace("\0", "</m:").replace("<m:?", "<?")
    content = prefixed.replace("xmlns=", "xmlns:m=")
    assert [parsed.rows.height for parsed in parse("x.xml", content)] == [1, 2]


def test_an_item_of_another_length_than_its_dataset_is_held_back(parse: Parse) -> None:
    quarters, fives = parse("x.xml", DEMAND.replace("2014-05-08T19:30:00-00:00", "2014-05-08T19:20:00-00:00"))
    assert quarters.rows.is_empty()
    assert quarters.refused.select("line", "column", "reason").rows() == [(1, "INTERVAL_END_GMT", "invalid_time")]
    assert "<VALUE>26723</VALUE>" in quarters.refused["raw"][0]
    assert fives.rows.height == 2


def test_an_unknown_item_is_held_back_once_and_the_rest_loads(parse: Parse) -> None:
    (fives,) = parse("x.xml", DEMAND.replace("SYS_FCST_15MIN_MW", "SYS_FCST_MOON_MW"))
    assert fives.rows.height == 2
    assert fives.refused.select("line", "column", "reason", "detail").rows() == [
        (1, "DATA_ITEM", "unknown_code", "SYS_FCST_MOON_MW")
    ]


@pytest.mark.parametrize("value", ["", "much"])
def test_a_value_that_is_none_is_no_observation(parse: Parse, value: str) -> None:
    _, fives = parse("x.xml", DEMAND.replace("26755", value))
    assert fives.rows.height == 1
    assert fives.refused["reason"].to_list() == (["non_numeric"] if value else [])


def test_a_file_that_is_not_well_formed_is_refused_with_the_line(parse: Parse) -> None:
    broken = SCHEDULES.replace("</REPORT_ITEM>\n", "")
    with pytest.raises(RefusedFile, match=r"line 78: not well-formed XML: .*REPORT_ITEM"):
        parse("ene_slrs.xml", broken)


def test_a_truncated_file_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="not well-formed XML"):
        parse("x.xml", DEMAND[: len(DEMAND) // 2])


def test_an_error_in_place_of_data_is_refused_in_oasis_words(parse: Parse) -> None:
    error = (
        '<?xml version="1.0"?><m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd"><m:MessagePayload><m:RTO>'
        "<m:name>CAISO</m:name><m:ERROR><m:ERR_CODE>1000</m:ERR_CODE><m:ERR_DESC>No data returned</m:ERR_DESC></m:ERROR>"
        "</m:RTO></m:MessagePayload></m:OASISReport>"
    )
    with pytest.raises(RefusedFile, match="OASIS answered error 1000: No data returned"):
        parse("INVALID_REQUEST.xml", error)


@pytest.mark.parametrize("stamp", ["yesterday", "2014-05-09T17:50:06"])
def test_a_known_time_that_names_no_instant_refuses_the_file(parse: Parse, stamp: str) -> None:
    with pytest.raises(RefusedFile, match="TimeDate"):
        parse("x.xml", DEMAND.replace("2014-05-09T17:50:06-00:00", stamp))


def test_two_reports_in_one_file_are_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="not one report"):
        parse("x.xml", RENEWABLES.replace("SLD_REN_FCST", "SLD_FCST", 1))


def test_other_oasis_reports_are_not_claimed() -> None:
    document = SourceFile("x.xml", DEMAND.replace("<REPORT>SLD_FCST<", "<REPORT>PRC_FUEL<").encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


@pytest.mark.parametrize("name", ["sld_forecast.xml", "sld_ren_forecast.xml"])
def test_real_files_give_the_sums_that_another_reader_gives(parse: Parse, real_files: Path, name: str) -> None:
    content = (real_files / name).read_bytes()
    values = [float(element.text or "") for element in ElementTree.fromstring(content).iter() if element.tag.endswith("}VALUE")]
    parsed = parse(name, content)
    assert sum(part.rows_read for part in parsed) == len(values)
    assert sum(part.rows["value"].sum() for part in parsed) == pytest.approx(sum(values))


def test_the_real_file_that_is_not_well_formed_is_refused(parse: Parse, real_files: Path) -> None:
    with pytest.raises(RefusedFile, match="line 78: not well-formed XML"):
        parse("ene_slrs.xml", (real_files / "ene_slrs.xml").read_bytes())
