import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.isone.web_service import HOURLY_LMP

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def record(begin: str, lmp: object = 32.5) -> dict[str, object]:
    """An invented record."""
    place = {"@LocId": "4000", "@LocType": "HUB", "$": ".H.INVENTED"}
    return {
        "BeginDate": begin,
        "Location": place,
        "LmpTotal": lmp,
        "EnergyComponent": 32,
        "CongestionComponent": 0,
        "LossComponent": 0.5,
    }


def answer(*records: object) -> str:
    return json.dumps({"HourlyLmps": {"HourlyLmp": list(records)}})


def test_offsets_tell_the_repeated_hour_apart(parse: Parse) -> None:
    (parsed,) = parse("x.json", answer(record("2025-11-02T01:00:00.000-04:00", 1), record("2025-11-02T01:00:00.000-05:00", 2)))
    prices = parsed.rows.filter(pl.col("measure") == "lmp")
    assert prices.select("ts", "value").rows() == [
        (datetime(2025, 11, 2, 5, tzinfo=UTC), 1.0),
        (datetime(2025, 11, 2, 6, tzinfo=UTC), 2.0),
    ]
    assert parsed.series.select("location_name", "location_type").row(0) == (".H.INVENTED", "HUB")


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("isone-2025-11-02.json", "hourlylmp"),
        ("hourlylmp_da_final_20251102.json", "da_lmp"),
        ("hourlylmp_rt_prelim_20251102.json", "rt_lmp_prelim"),
        ("hourlylmp-rt-final-20251102.json", "rt_lmp_final"),
        ("hourlylmp_rt.json", "hourlylmp"),
        ("day_chart.json", "hourlylmp"),
    ],
)
def test_only_the_name_says_which_market_it_is(parse: Parse, name: str, dataset: str) -> None:
    (parsed,) = parse(name, answer(record("2025-06-02T00:00:00.000-04:00")))
    assert parsed.dataset.name == dataset


def test_a_single_record_needs_no_list(parse: Parse) -> None:
    (parsed,) = parse("x.json", json.dumps({"HourlyLmps": {"HourlyLmp": record("2025-06-02T00:00:00.000-04:00")}}))
    assert parsed.rows.height == 4


def test_bad_records_are_refused_and_the_rest_kept(parse: Parse) -> None:
    nowhere = record("2025-06-02T02:00:00.000-04:00") | {"Location": None}
    (parsed,) = parse(
        "x.json", answer(record("2025-06-02T25:00:00.000-04:00"), record("2025-06-02T01:00:00.000-04:00", "free"), nowhere)
    )
    assert parsed.refused.select("line", "reason").rows() == [
        (1, Reason.INVALID_TIME),
        (2, Reason.NON_NUMERIC),
        (3, Reason.MISSING_FIELD),
    ]
    assert parsed.refused["raw"].str.contains("BeginDate").all()
    assert set(parsed.rows["line"]) == {2}


@pytest.mark.parametrize(
    "content",
    [
        "",
        answer(record("2025-06-02T00:00:00.000-04:00"))[:-4],
        '{"HourlyLmps": {}}',
        '{"HourlyLmps": {"HourlyLmp": [1, 2]}}',
        "[]",
    ],
)
def test_a_damaged_answer_is_refused_whole(content: str) -> None:
    with pytest.raises(RefusedFile):
        HOURLY_LMP.parse(SourceFile("x.json", content.encode()))


def test_the_real_fall_back_day_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / "hourlylmp_da_final_api" / "isone-2025-11-02.json"
    raw = json.loads(path.read_text())["HourlyLmps"]["HourlyLmp"]
    (parsed,) = parse(path.name, path.read_bytes())
    prices = parsed.rows.filter(pl.col("measure") == "lmp")
    start = datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert prices["ts"].to_list() == [start + timedelta(hours=hour) for hour in range(25)]
    assert prices["value"].to_list() == [line["LmpTotal"] for line in raw]
