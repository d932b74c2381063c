import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

AREA = "10YLU-CEGEDEL-NQ"


def series(
    numbers: list[str], *, fuel: str | None = "B16", side: str = "in", unit: str = "MAW", resolution: str = "PT15M"
) -> str:
    points = "".join(
        f"<Point><position>{n}</position><quantity>{number}</quantity></Point>\n" for n, number in enumerate(numbers, start=1)
    )
    kind = f"<MktPSRType><psrType>{fuel}</psrType></MktPSRType>" if fuel else ""
    return (
        f"<TimeSeries><mRID>1</mRID><{side}BiddingZone_Domain.mRID>{AREA}</{side}BiddingZone_Domain.mRID>"
        f"<quantity_Measure_Unit.name>{unit}</quantity_Measure_Unit.name><curveType>A01</curveType>{kind}"
        "<Period><timeInterval><start>2024-05-21T10:00Z</start><end>2024-05-21T12:00Z</end></timeInterval>"
        f"<resolution>{resolution}</resolution>\n{points}</Period></TimeSeries>"
    )


def document(code: str, process: str, *parts: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">'
        f"<type>{code}</type><process.processType>{process}</process.processType>"
        "<createdDateTime>2024-05-24T10:25:00Z</createdDateTime>\n" + "".join(parts) + "</GL_MarketDocument>"
    )


def test_generation_is_named_by_fuel_and_step(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document("A75", "A16", series(["0", "1.5"]), series(["7"], fuel="B04", resolution="PT60M")))
    assert dict(parsed.series.select("measure", "frequency").iter_rows()) == {
        "generation_solar_15min": "15min",
        "generation_natural_gas_60min": "1h",
    }
    assert parsed.series["unit"].unique().to_list() == ["MW"]
    assert parsed.series["location_name"].unique().to_list() == ["Luxembourg"]
    assert parsed.rows["value"].to_list() == [0.0, 1.5, 7.0]
    assert (parsed.answered_at, parsed.known_at) == (datetime(2024, 5, 24, 10, 25, tzinfo=UTC), None)


def test_what_pumps_take_out_is_not_what_they_feed_in(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document("A75", "A16", series(["5"], fuel="B10"), series(["9"], fuel="B10", side="out")))
    values = dict(parsed.rows.select("measure", "value").iter_rows())
    assert values == {"generation_hydro_pumped_storage_15min": 5.0, "consumption_hydro_pumped_storage_15min": 9.0}


def test_generation_has_a_fuel_of_every_market_and_consumption_is_load(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document("A75", "A16", series(["5"], fuel="B19"), series(["9"], fuel="B10", side="out")))
    dimensions = parsed.series.select("kind", "market_run", "fuel", "fuel_detail").rows()
    assert dimensions == [
        ("generation", "real_time", "wind", "wind_onshore"),
        ("load", "real_time", "pumped_storage", None),
    ]
    labels = json.loads(parsed.series["labels"][0])
    assert labels == {"fuel": "wind_onshore", "fuel_as_published": "B19", "psr_type": "B19"}


def test_an_unknown_fuel_is_stored_as_unmapped(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document("A75", "A16", series(["5"], fuel="B99"), series(["9"], fuel="B99", side="out")))
    described = parsed.series.select("measure", "unit", "kind", "fuel").rows()
    assert described == [
        ("generation_b99_15min", "MW", "generation", "unmapped"),
        ("consumption_b99_15min", "MW", "load", "unmapped"),
    ]
    assert parsed.refused.is_empty()


@pytest.mark.parametrize(
    ("code", "process", "dataset", "measure"),
    [
        ("A65", "A16", "load", "load_15min"),
        ("A65", "A01", "load_forecast", "load_forecast_15min"),
        ("A69", "A01", "wind_solar_forecast", "generation_forecast_solar_15min"),
        ("A69", "A40", "wind_solar_forecast_intraday", "generation_forecast_solar_15min"),
        ("A69", "A18", "wind_solar_forecast_current", "generation_forecast_solar_15min"),
    ],
)
def test_what_was_is_not_what_was_expected(parse: Parse, code: str, process: str, dataset: str, measure: str) -> None:
    (parsed,) = parse("x.xml", document(code, process, series(["800"], side="out")))
    assert parsed.dataset.name == dataset
    assert parsed.rows["measure"].to_list() == [measure]


@pytest.mark.parametrize(("code", "process"), [("A65", "A31"), ("A75", "A01"), ("A69", "A31")])
def test_another_process_is_refused(parse: Parse, code: str, process: str) -> None:
    with pytest.raises(RefusedFile, match=f"process type '{process}'"):
        parse("x.xml", document(code, process, series(["800"])))


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (series(["1"], fuel="99"), "psrType", Reason.UNKNOWN_CODE),
        (series(["1"], fuel=None), "psrType", Reason.UNKNOWN_CODE),
        (series(["1"], unit="KWT"), "quantity_Measure_Unit.name", Reason.UNKNOWN_CODE),
        (series(["x"]), "quantity", Reason.NON_NUMERIC),
        (series([""]), "quantity", Reason.MISSING_FIELD),
        (series(["1"], side="between"), "outBiddingZone_Domain.mRID", Reason.MISSING_FIELD),
    ],
)
def test_a_point_that_is_not_understood_is_held_back_and_the_rest_kept(
    parse: Parse, bad: str, column: str, reason: Reason
) -> None:
    (parsed,) = parse("x.xml", document("A75", "A16", series(["4"], fuel="B01"), bad))
    assert parsed.rows["value"].to_list() == [4.0]
    assert parsed.refused.select("column", "reason").rows() == [(column, reason)]
    assert parsed.rows_read == 2


def test_a_cut_off_file_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="not well-formed"):
        parse("x.xml", document("A75", "A16", series(["1", "2"]))[:-60])


@pytest.mark.parametrize(
    "name",
    [
        "entsoe/de_gen.xml",
        "entsoe/de_load.xml",
        "operator_responses_electricitymaps/ENTSOE/LU_production.xml",
        "operator_responses_electricitymaps/ENTSOE/wind_solar_forecast_FI_DAY_AHEAD.xml",
    ],
)
def test_all_points_of_a_real_answer_are_read(parse: Parse, real_files: Path, name: str) -> None:
    (parsed,) = parse(name.rpartition("/")[2], (real_files / name).read_bytes())
    numbers = [float(str(e.text)) for e in ElementTree.parse(real_files / name).findall(".//{*}quantity")]
    assert parsed.rows_read == parsed.rows.height == len(numbers)
    assert parsed.rows["value"].sum() == sum(numbers)
    assert parsed.refused.is_empty()
    starts = [str(e.text) for e in ElementTree.parse(real_files / name).findall(".//{*}start")]
    assert parsed.rows["ts"].min() == min(map(datetime.fromisoformat, starts))


def test_pumped_storage_of_a_real_answer_has_both_sides(parse: Parse, real_files: Path) -> None:
    (parsed,) = parse("de_gen.xml", (real_files / "entsoe" / "de_gen.xml").read_bytes())
    sides = parsed.rows.filter(pl.col("measure").str.contains("pumped_storage"))
    assert sides["measure"].n_unique() == 2


@pytest.mark.parametrize(("area", "zone"), [("10YFI-1--------U", "Europe/Helsinki"), ("10YPT-REN------W", "Europe/Lisbon")])
def test_load_goes_by_the_civil_day_of_its_area(parse: Parse, area: str, zone: str) -> None:
    (parsed,) = parse("x.xml", document("A65", "A16", series(["800"], side="out")).replace(AREA, area))
    assert parsed.series.select("location", "zone").row(0) == (area, zone)


def test_positions_that_are_counted_from_0_are_not_read_an_interval_early(parse: Parse) -> None:
    counted = series(["1", "2", "3"])
    for position in (1, 2, 3):
        counted = counted.replace(f"<position>{position}<", f"<position>{position - 1}<")
    (parsed,) = parse("x.xml", document("A75", "A16", counted, series(["7"], fuel="B04")))
    assert parsed.rows["value"].to_list() == [7.0]
    assert parsed.refused["detail"].to_list() == ["counted from 0: positions begin at 1"] * 3
