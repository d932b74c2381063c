import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aurum.pipelines.source import Parsed, RefusedFile

ANSWER = (Path(__file__).parent / "data" / "ercot-2025-11-02.json").read_text()

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def changed(**parts: Any) -> str:
    return json.dumps({**json.loads(ANSWER), **parts})


def with_record(position: int, *record: Any) -> str:
    data = json.loads(ANSWER)["data"]
    data[position - 1] = list(record)
    return changed(data=data)


def test_fall_back_day_has_25_hours(parse: Parse) -> None:
    (parsed,) = parse("ercot-2025-11-02.json", ANSWER)
    assert parsed.rows_read == 25
    assert parsed.rows.sort("ts")["ts"].diff().drop_nulls().dt.total_hours().to_list() == [1] * 24


def test_the_flag_and_not_the_order_tells_the_repeated_hour(parse: Parse) -> None:
    (parsed,) = parse("ercot-2025-11-02.json", ANSWER)
    prices = dict(parsed.rows.select("ts", "value").iter_rows())
    assert prices[datetime(2025, 11, 2, 6, tzinfo=UTC)] == 46.44  # false, stands second in the file
    assert prices[datetime(2025, 11, 2, 7, tzinfo=UTC)] == 48.25  # true, stands first
    data = json.loads(ANSWER)["data"]
    data[1], data[2] = data[2], data[1]
    (swapped,) = parse("ercot-2025-11-02.json", changed(data=data))
    assert dict(swapped.rows.select("ts", "value").iter_rows()) == prices


def test_a_repeated_hour_without_a_flag_is_ambiguous(parse: Parse) -> None:
    (parsed,) = parse("x.json", with_record(2, "2025-11-02", "02:00", "HB_HUBAVG", 48.25, None))
    assert parsed.rows.height == 24
    assert parsed.refused.select("line", "raw", "reason").rows() == [
        (2, '["2025-11-02", "02:00", "HB_HUBAVG", 48.25, null]', "ambiguous_time")
    ]


def test_the_workbook_and_the_web_service_name_one_series(parse: Parse) -> None:
    (parsed,) = parse("x.json", ANSWER)
    assert parsed.dataset.name == "dam_spp"
    assert parsed.series.select("location", "measure", "location_type").rows() == [("HB_HUBAVG", "spp", "hub")]


def test_real_time_answers_are_recognised_by_their_fields(parse: Parse) -> None:
    names = ["deliveryDate", "deliveryHour", "deliveryInterval", "settlementPoint", "settlementPointType"]
    fields = [{"name": name} for name in [*names, "settlementPointPrice", "DSTFlag"]]
    records = [["2026-11-01", 2, 1, "HB_NORTH", "HU", 21.5, False], ["2026-11-01", 2, 1, "HB_NORTH", "HU", 19.25, True]]
    (parsed,) = parse("x.json", json.dumps({"fields": fields, "data": records}))
    assert parsed.dataset.name == "rtm_spp"
    assert dict(parsed.rows.select("ts", "value").iter_rows()) == {
        datetime(2026, 11, 1, 6, tzinfo=UTC): 21.5,
        datetime(2026, 11, 1, 7, tzinfo=UTC): 19.25,
    }


def test_fields_after_the_data_are_found_too(parse: Parse) -> None:
    answer = json.loads(ANSWER)
    (parsed,) = parse("x.json", json.dumps({"data": answer["data"] * 50, "fields": answer["fields"]}))
    assert parsed.rows_read == 25 * 50


def test_an_impossible_hour_is_held_back_and_the_rest_loads(parse: Parse) -> None:
    (parsed,) = parse("x.json", with_record(3, "2025-11-02", "26:00", "HB_HUBAVG", 1.5, False))
    assert parsed.rows.height == 24
    assert parsed.refused.select("line", "column", "reason").rows() == [(3, "hourEnding", "invalid_time")]


@pytest.mark.parametrize("price", ["n/a", float("nan"), float("inf")])
def test_a_price_that_is_no_number_is_held_back(parse: Parse, price: object) -> None:
    (parsed,) = parse("x.json", with_record(1, "2025-11-02", "01:00", "HB_HUBAVG", price, False))
    assert parsed.rows.height == 24
    assert parsed.refused.select("column", "reason").rows() == [("settlementPointPrice", "non_numeric")]


def test_a_null_price_is_no_observation(parse: Parse) -> None:
    (parsed,) = parse("x.json", with_record(1, "2025-11-02", "01:00", "HB_HUBAVG", None, False))
    assert parsed.rows.height == 24
    assert parsed.refused.is_empty()


def test_cut_off_json_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="not well-formed JSON"):
        parse("x.json", ANSWER[:-200])


@pytest.mark.parametrize("field", [None, "deliveryDate", []])
def test_fields_that_describe_none_refuse_the_file(parse: Parse, field: object) -> None:
    with pytest.raises(RefusedFile, match="'fields' does not describe fields"):
        parse("x.json", changed(fields=[*json.loads(ANSWER)["fields"], field]))


def test_fewer_records_than_the_answer_counts_refuse_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="cut off: 20 of 25 records"):
        parse("x.json", changed(data=json.loads(ANSWER)["data"][:20]))


def test_the_last_of_several_pages_may_be_short(parse: Parse) -> None:
    meta = {"totalRecords": 45, "pageSize": 20, "totalPages": 3, "currentPage": 3}
    (parsed,) = parse("x.json", changed(_meta=meta, data=json.loads(ANSWER)["data"][:5]))
    assert parsed.rows.height == 5


def test_a_record_with_too_few_fields_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="line 4: record 4 does not have the 5 fields"):
        parse("x.json", with_record(4, "2025-11-02", "03:00"))


def test_the_real_answer_gives_the_sum_that_json_gives(parse: Parse, real_files: Path) -> None:
    content = (real_files / "np4-190-cd_api" / "ercot-2025-11-02.json").read_text()
    (parsed,) = parse("ercot-2025-11-02.json", content)
    expected = [record[3] for record in json.loads(content)["data"]]
    assert parsed.rows["value"].sum() == pytest.approx(sum(expected))
    assert parsed.rows.filter(pl.col("line") == 25)["ts"].item() == datetime(2025, 11, 3, 5, tzinfo=UTC)
