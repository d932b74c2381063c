import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.eia import SOURCE, api

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

INTERCHANGE = (Path(__file__).parent / "data" / "interchange.json").read_text()


def answer(frequency: str, *records: dict[str, object]) -> str:
    return json.dumps(
        {"response": {"total": str(len(records)), "dateFormat": "x", "frequency": frequency, "data": list(records)}}
    )


def region(period: str, value: object, kind: str = "D", **changed: object) -> dict[str, object]:
    record = {"period": period, "respondent": "PJM", "respondent-name": "PJM Interconnection, LLC", "type": kind}
    return record | {"type-name": "x", "value": value, "value-units": "megawatthours"} | changed


def gas(period: str, value: object, **changed: object) -> dict[str, object]:
    record = {"period": period, "duoarea": "RGC", "area-name": "NA", "product": "EPG0", "process": "PS0", "series": "RNGWHHD"}
    return record | {"series-description": "Henry Hub Natural Gas Spot Price", "value": value, "units": "$/MMBTU"} | changed


def test_an_hour_is_marked_by_its_end(parse: Parse) -> None:
    (parsed,) = parse("x.json", INTERCHANGE)
    assert parsed.dataset.name == "rto_interchange"
    first = parsed.rows.row(0, named=True)
    assert first["ts"] == datetime(2020, 1, 6, 5, tzinfo=UTC), "the period says 06"
    assert (first["location"], first["measure"], first["value"], first["line"]) == ("FPC-FPL", "flow", -329.0, 1)
    assert parsed.series["unit"].to_list() == ["MWh"]
    assert parsed.series["location_name"].to_list() == ["Duke Energy Florida, Inc. to Florida Power & Light Co."]


def test_a_local_hour_says_its_offset(parse: Parse) -> None:
    (parsed,) = parse("x.json", answer("local-hourly", region("2024-11-03T02-04", 1), region("2024-11-03T02-05", 2)))
    assert parsed.rows.select("ts", "value").rows() == [
        (datetime(2024, 11, 3, 5, tzinfo=UTC), 1.0),
        (datetime(2024, 11, 3, 6, tzinfo=UTC), 2.0),
    ]


def test_types_of_a_region_are_measures(parse: Parse) -> None:
    records = [region("2024-01-01T05", value, kind) for kind, value in (("D", "90"), ("DF", 91), ("NG", 80.5), ("TI", "-10"))]
    (parsed,) = parse("x.json", answer("hourly", *records))
    assert dict(parsed.rows.select("measure", "value").iter_rows()) == {
        "load": 90.0,
        "load_forecast": 91.0,
        "generation": 80.5,
        "net_interchange": -10.0,
    }


def test_fuels_are_measures_and_subregions_are_places(parse: Parse) -> None:
    wind = {"period": "2024-01-01T05", "respondent": "PJM", "fueltype": "WND", "value": 5, "value-units": "megawatthours"}
    (fuel,) = parse("x.json", answer("hourly", wind))
    assert (fuel.dataset.name, fuel.rows["measure"].to_list()) == ("rto_fuel", ["generation_wind"])
    zone = {"period": "2024-01-01T05", "subba": "ZONJ", "parent": "NYIS", "value": 5, "value-units": "megawatthours"}
    (part,) = parse("x.json", answer("hourly", zone))
    assert (part.dataset.name, part.rows["location"].to_list()) == ("rto_subregion", ["NYIS-ZONJ"])


@pytest.mark.parametrize(
    ("frequency", "period", "start"),
    [
        ("daily", "2026-08-18", datetime(2026, 8, 18, 4, tzinfo=UTC)),
        ("daily", "2026-01-18", datetime(2026, 1, 18, 5, tzinfo=UTC)),
        ("weekly", "2026-08-14", datetime(2026, 8, 8, 4, tzinfo=UTC)),
        ("monthly", "2026-07", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("quarterly", "2026-Q2", datetime(2026, 4, 1, 4, tzinfo=UTC)),
        ("annual", "2025", datetime(2025, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_period_begins_with_its_first_day_in_new_york(parse: Parse, frequency: str, period: str, start: datetime) -> None:
    (parsed,) = parse("x.json", answer(frequency, gas(period, "2.82")))
    assert parsed.dataset.name == f"api_{frequency}"
    assert parsed.rows.select("location", "measure", "ts", "value").rows() == [("RNGWHHD", "value", start, 2.82)]
    assert parsed.series.select("unit", "currency", "location_name").row(0) == (
        "USD/MMBtu",
        "USD",
        "Henry Hub Natural Gas Spot Price",
    )


def test_records_without_a_series_are_placed_by_their_facets_and_every_value_column_is_a_measure(parse: Parse) -> None:
    record: dict[str, object] = {
        "period": "2023-01",
        "stateid": "CO",
        "stateDescription": "Colorado",
        "sectorid": "RES",
        "sectorName": "residential",
        "price": "13.2",
        "price-units": "cents per kilowatthour",
        "sales": 1702.9,
        "sales-units": "million kilowatthours",
    }
    (parsed,) = parse("x.json", answer("monthly", record))
    assert parsed.rows.select("location", "measure", "value").rows() == [("CO-RES", "price", 13.2), ("CO-RES", "sales", 1702.9)]
    assert dict(parsed.series.select("measure", "unit").iter_rows()) == {"price": "USc/kWh", "sales": "GWh"}


def test_a_daily_value_of_the_grid_begins_in_the_zone_it_names(parse: Parse) -> None:
    records = [region("2024-07-01", value, timezone=zone) for zone, value in (("Eastern", 1), ("Pacific", 2), ("Arizona", 3))]
    (parsed,) = parse("x.json", answer("daily", *records))
    assert parsed.rows.select("location", "ts").rows() == [
        ("PJM-D-Eastern", datetime(2024, 7, 1, 4, tzinfo=UTC)),
        ("PJM-D-Pacific", datetime(2024, 7, 1, 7, tzinfo=UTC)),
        ("PJM-D-Arizona", datetime(2024, 7, 1, 7, tzinfo=UTC)),
    ]
    assert parsed.series["zone"].to_list() == ["America/New_York", "America/Los_Angeles", "America/Phoenix"]


def test_a_null_is_no_observation(parse: Parse) -> None:
    (parsed,) = parse("x.json", answer("daily", gas("2026-08-17", None), gas("2026-08-18", 2)))
    assert parsed.rows["line"].to_list() == [2]
    assert parsed.refused.is_empty()


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (gas("2026-02-30", 1), "period", Reason.INVALID_TIME),
        (gas("2026-02", 1), "period", Reason.INVALID_TIME),
        (gas("2026-08-17", "x"), "value", Reason.NON_NUMERIC),
        (gas("2026-08-17", "NaN"), "value", Reason.NON_NUMERIC),
        (gas("2026-08-17", 1, units="doubloons"), "units", Reason.UNKNOWN_CODE),
        (gas("2026-08-17", 1, series=None), "series", Reason.MISSING_FIELD),
    ],
)
def test_a_record_that_is_not_understood_is_held_back(
    parse: Parse, bad: dict[str, object], column: str, reason: Reason
) -> None:
    (parsed,) = parse("x.json", answer("daily", bad, gas("2026-08-18", 2)))
    assert parsed.rows["value"].to_list() == [2.0]
    assert parsed.refused.select("line", "column", "reason").rows() == [(1, column, reason)]
    assert json.loads(parsed.refused["raw"][0]) == bad
    assert parsed.rows_read == 2


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (region("2024-01-01T25", 1), "period", Reason.INVALID_TIME),
        (region("2024-01-01", 1), "period", Reason.INVALID_TIME),
        (region("2024-01-01T05", 1, "XX"), "type", Reason.UNKNOWN_CODE),
        (region("2024-01-01T05", 1, **{"value-units": "MW"}), "value-units", Reason.UNKNOWN_CODE),
        (region("2024-01-01T05", 1, respondent=None), "respondent", Reason.MISSING_FIELD),
        (region("2024-01-01T05", "x"), "value", Reason.NON_NUMERIC),
    ],
)
def test_an_hourly_record_that_is_not_understood_is_held_back(
    parse: Parse, bad: dict[str, object], column: str, reason: Reason
) -> None:
    (parsed,) = parse("x.json", answer("hourly", bad, region("2024-01-01T06", 2)))
    assert parsed.rows["value"].to_list() == [2.0]
    assert parsed.refused.select("line", "column", "reason").rows() == [(1, column, reason)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (INTERCHANGE[:-40], "not well-formed"),
        (answer("daily"), "no data"),
        (answer("fortnightly", gas("2026-08-18", 2)), "fortnightly"),
        (answer("daily", {"period": "2026-08-18", "series": "X", "value": 1}), "units"),
        (answer("hourly", {"period": "2026-08-18T01", "series": "X", "value": 1, "units": "megawatthours"}), "unknown route"),
        ('{"response": {"frequency": "daily", "data": [1]}}', "record 1"),
    ],
)
def test_a_damaged_answer_is_refused_whole(parse: Parse, text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse("x.json", text)


def test_a_file_of_zero_bytes_is_refused() -> None:
    with pytest.raises(RefusedFile, match="not well-formed"):
        api.FORMAT.parse(SourceFile("x.json", b""))


def test_other_json_is_left_alone() -> None:
    document = SourceFile("x.json", b'{"fields": [], "data": []}')
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


def test_all_of_the_real_answer_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "eia_v2_api" / "US-FLA-FPC_US-FLA-FPL_exchange.json"
    (parsed,) = parse(path.name, path.read_bytes())
    published = json.loads(path.read_text())["response"]["data"]
    ends = [datetime.fromisoformat(f"{record['period']}:00+00:00") for record in published]
    assert parsed.rows["value"].to_list() == [float(record["value"]) for record in published]
    assert [(end - start).total_seconds() for end, start in zip(ends, parsed.rows["ts"], strict=True)] == [3600.0] * len(
        published
    )


def petroleum(series: str, description: str, unit: str, period: str = "2025-11-07", **changed: object) -> dict[str, object]:
    record = {"period": period, "duoarea": "NUS", "series": series, "series-description": description, "value": "1"}
    return record | {"units": unit} | changed


@pytest.mark.parametrize(
    ("description", "unit", "week"),
    [
        ("Weekly U.S. Field Production of Crude Oil (Thousand Barrels per Day)", "MBBL/D", "flow"),
        ("Weekly U.S. Imports of Crude Oil (Thousand Barrels per Day)", "MBBL/D", "flow"),
        ("Weekly U.S. Exports of Crude Oil (Thousand Barrels per Day)", "MBBL/D", "flow"),
        ("Weekly U.S. Refiner Net Input of Crude Oil (Thousand Barrels per Day)", "MBBL/D", "flow"),
        ("Weekly U.S. Product Supplied of Petroleum Products (Thousand Barrels per Day)", "MBBL/D", "flow"),
        ("Weekly U.S. Percent Utilization of Refinery Operable Capacity (Percent)", "%", "flow"),
        ("Weekly U.S. Ending Stocks excluding SPR of Crude Oil (Thousand Barrels)", "MBBL", "level"),
        ("Weekly U.S. Total Distillate Stock Change (Thousand Barrels per Day)", "MBBL/D", "flow"),
        ("Weekly Lower 48 States Natural Gas Working Underground Storage (Billion Cubic Feet)", "BCF", "level"),
        ("Weekly U.S. Regular All Formulations Retail Gasoline Prices (Dollars per Gallon)", "$/GAL", "survey"),
        ("U.S. Propane Residential Price (Dollars per Gallon)", "$/GAL", "survey"),
        ("Weekly Cushing, OK WTI Spot Price FOB (Dollars per Barrel)", "$/BBL", "flow"),
        ("Natural Gas Futures Contract 1 (Dollars per Million Btu)", "$/MMBTU", "flow"),
        ("Something that no rule knows (Percent)", "%", "undeclared"),
    ],
)
def test_a_weekly_series_declares_what_its_values_stand_for(parse: Parse, description: str, unit: str, week: str) -> None:
    period = "2025-11-03" if week == "survey" else "2025-11-07"
    (parsed,) = parse("x.json", answer("weekly", petroleum("WXXX", description, unit, period)))
    assert json.loads(parsed.series["labels"].item()) == {"week": week}
    starts = {"flow": datetime(2025, 11, 1, 4, tzinfo=UTC), "survey": datetime(2025, 11, 3, 5, tzinfo=UTC)}
    start = starts.get(week, datetime(2025, 11, 7, 5, tzinfo=UTC))
    assert parsed.rows["ts"].to_list() == [start]


def test_a_week_that_is_stamped_on_another_weekday_is_held_back(parse: Parse) -> None:
    production = ("WXXX", "Weekly U.S. Field Production of Crude Oil (Thousand Barrels per Day)", "MBBL/D")
    (parsed,) = parse("x.json", answer("weekly", petroleum(*production), petroleum(*production, "2025-11-13")))
    assert parsed.rows["ts"].to_list() == [datetime(2025, 11, 1, 4, tzinfo=UTC)]
    assert parsed.refused.select("line", "reason", "detail").rows() == [
        (2, "invalid_time", "stamped on a Thursday: the weeks of WXXX are stamped on a Friday")
    ]


def test_the_process_declares_a_week_where_no_description_does(parse: Parse) -> None:
    record = petroleum("WXXX", "", "MBBL") | {"process-name": "Ending Stocks", "product-name": "Crude Oil"}
    del record["series-description"]
    (parsed,) = parse("x.json", answer("weekly", record))
    assert json.loads(parsed.series["labels"].item()) == {"week": "level"}


def test_other_steps_declare_no_week(parse: Parse) -> None:
    (parsed,) = parse("x.json", answer("monthly", gas("2025-11", "3")))
    assert parsed.series["labels"].to_list() == ["{}"]


def test_a_weekly_production_of_a_real_answer_ends_with_its_stamp(parse: Parse, real_files: Path) -> None:
    (parsed,) = parse("eia_weekly_prod.json", (real_files / "faults/eia_weekly_prod.json").read_bytes())
    assert parsed.rows.select("ts", "value").rows() == [
        (datetime(2025, 11, 1, 4, tzinfo=UTC), 13862.0),
        (datetime(2025, 10, 25, 4, tzinfo=UTC), 13651.0),
    ]
