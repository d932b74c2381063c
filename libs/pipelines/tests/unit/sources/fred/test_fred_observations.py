import csv
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.fred import SOURCE

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


@pytest.mark.parametrize("header", ["observation_date,CPIAUCSL", "DATE,CPIAUCSL", "date,CPIAUCSL", '"date","CPIAUCSL"'])
def test_the_series_is_the_word_in_the_header_whatever_the_date_is_called(parse: Parse, header: str) -> None:
    (parsed,) = parse("x.csv", f"{header}\n2025-01-01,101.5\n2025-02-01,102\n")
    assert parsed.rows.select("location", "measure", "ts", "value", "line").rows() == [
        ("CPIAUCSL", "value", datetime(2025, 1, 1, tzinfo=UTC), 101.5, 2),
        ("CPIAUCSL", "value", datetime(2025, 2, 1, tzinfo=UTC), 102.0, 3),
    ]
    assert parsed.series.select("unit", "frequency", "zone").row(0) == ("index", "1mo", "UTC")
    assert parsed.known_at is None


def test_a_point_na_and_nothing_are_no_observation(parse: Parse) -> None:
    (parsed,) = parse("x.csv", "DATE,DHHNGSP\n2025-01-01,.\n2025-01-02,NA\n2025-01-03,\n2025-01-06,3.5\n")
    assert parsed.rows["value"].to_list() == [3.5]
    assert parsed.refused.is_empty()
    assert parsed.rows_read == 4


def test_several_series_of_one_graph_keep_their_own_step(parse: Parse) -> None:
    text = "observation_date,XDAILY,XMONTHLY\n2025-01-01,1,10\n2025-01-02,2,\n2025-01-31,3,\n2025-02-01,,11\n"
    (parsed,) = parse("fredgraph.csv", text)
    assert dict(parsed.series.select("location", "frequency").iter_rows()) == {"XDAILY": "1d", "XMONTHLY": "1mo"}
    assert parsed.rows.group_by("location").len().sort("location").rows() == [("XDAILY", 3), ("XMONTHLY", 2)]


@pytest.mark.parametrize(
    ("days", "step"),
    [
        (["2025-01-03", "2025-01-10"], "1w"),
        (["2024-12-31", "2025-03-31"], "1q"),
        (["2024-01-01", "2025-01-01"], "1y"),
        (["2025-01-03", "2025-01-06", "2025-01-07"], "1d"),
    ],
)
def test_the_step_of_a_series_that_is_not_known_is_told_by_its_dates(parse: Parse, days: list[str], step: str) -> None:
    (parsed,) = parse("fredgraph.csv", "observation_date,XINVENTED\n" + "".join(f"{day},1\n" for day in days))
    assert parsed.series["frequency"].to_list() == [step]
    assert parsed.series["unit"].to_list() == ["unknown"]


@pytest.mark.parametrize(
    ("series", "stamp", "start", "week"),
    [
        ("WHHNGSP", "2025-11-07", datetime(2025, 11, 1, tzinfo=UTC), "flow"),
        ("ICSA", "2025-11-08", datetime(2025, 11, 2, tzinfo=UTC), "flow"),
        ("WALCL", "2025-11-05", datetime(2025, 11, 5, tzinfo=UTC), "level"),
        ("GASREGW", "2025-11-03", datetime(2025, 11, 3, tzinfo=UTC), "survey"),
        ("XINVENTED", "2025-11-07", datetime(2025, 11, 7, tzinfo=UTC), "undeclared"),
    ],
)
def test_a_weekly_series_is_declared_by_its_id(parse: Parse, series: str, stamp: str, start: datetime, week: str) -> None:
    before = datetime.fromisoformat(stamp) - timedelta(days=7)
    (parsed,) = parse("fredgraph.csv", f"observation_date,{series}\n{before:%Y-%m-%d},1\n{stamp},2\n")
    assert parsed.rows["ts"].to_list() == [start - timedelta(days=7), start]
    assert json.loads(parsed.series["labels"].item()) == {"week": week}


def test_a_single_date_of_a_series_that_is_not_known_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="step of XINVENTED"):
        parse("fredgraph.csv", "observation_date,XINVENTED\n2025-01-01,1\n")


def test_a_cell_that_is_no_number_and_a_day_that_is_none_are_held_back(parse: Parse) -> None:
    (parsed,) = parse("x.csv", "DATE,DHHNGSP\n2025-02-28,x\n2025-02-30,3\n2025-03-03,4\n")
    assert parsed.rows["value"].to_list() == [4.0]
    assert parsed.refused.select("line", "reason").rows() == [(2, Reason.NON_NUMERIC), (3, Reason.INVALID_TIME)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("DATE,DHHNGSP\n2025-01-02,3.5\n2025-01", "truncated"),
        ("DATE,CPIAUCSL_20251113\n2025-01-01,1\n", "vintages"),
    ],
)
def test_a_damaged_file_is_refused_whole(text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        SOURCE.formats[0].parse(SourceFile("x.csv", text.encode()))


@pytest.mark.parametrize("header", ["date,value", "Date,Price", "DATE,VALUE", "date,attr,value,a,b,c,d", "Date,USD,JPY"])
def test_files_of_others_are_left_alone(header: str) -> None:
    document = SourceFile("DHHNGSP.csv", f"{header}\n2025-01-01,1\n".encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


def answer(*observations: tuple[str, str, str], **changed: object) -> str:
    records = [
        {"realtime_start": start, "realtime_end": "9999-12-31", "date": day, "value": value}
        for start, day, value in observations
    ]
    head = {"realtime_start": "2025-11-13", "realtime_end": "9999-12-31", "observation_start": "1600-01-01", "units": "lin"}
    return json.dumps(head | {"count": len(records), "observations": records} | changed)


def test_the_known_time_of_an_answer_is_the_day_its_values_came_in(parse: Parse) -> None:
    text = answer(("2025-11-13", "2025-08-01", "323.4"), ("2025-11-13", "2025-09-01", "."), ("2025-11-13", "2025-10-01", "324"))
    (parsed,) = parse("CPIAUCSL.json", text)
    assert parsed.known_at == datetime(2025, 11, 13, 6, tzinfo=UTC)
    stated = parsed.rows.filter(pl.col("quality") != int(Quality.WITHDRAWN))
    assert stated.select("location", "value", "line").rows() == [("CPIAUCSL", 323.4, 1), ("CPIAUCSL", 324.0, 3)]


def test_every_vintage_of_an_answer_has_its_own_known_time(parse: Parse) -> None:
    text = answer(
        ("2025-09-11", "2025-08-01", "323.1"), ("2026-02-13", "2025-08-01", "323.4"), ("2026-02-13", "2025-09-01", "324")
    )
    first, second = parse("fred_CPIAUCSL_2025.json", text)
    assert (first.known_at, second.known_at) == (datetime(2025, 9, 11, 5, tzinfo=UTC), datetime(2026, 2, 13, 6, tzinfo=UTC))
    assert (first.rows["value"].to_list(), second.rows["value"].to_list()) == ([323.1], [323.4, 324.0])
    assert (first.rows_read, second.rows_read) == (1, 2)


def test_an_observation_of_an_answer_that_cannot_be_read_is_held_back(parse: Parse) -> None:
    text = answer(("2025-11-13", "2025-08-01", "x"), ("2025-11-13", "2025-02-30", "1"), ("2025-11-13", "2025-09-01", "2"))
    (parsed,) = parse("CPIAUCSL.json", text)
    assert parsed.rows["value"].to_list() == [2.0]
    assert parsed.refused.select("line", "reason").rows() == [(1, Reason.NON_NUMERIC), (2, Reason.INVALID_TIME)]
    assert '"value": "x"' in parsed.refused["raw"][0]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("CPIAUCSL.json", answer(("2025-11-13", "2025-08-01", "1"))[:-9], "not well-formed"),
        ("observations.json", answer(("2025-11-13", "2025-08-01", "1")), "does not name its series"),
        ("CPIAUCSL.json", answer(("2025-11-13", "2025-08-01", "1"), units="pch"), "pch"),
        ("CPIAUCSL.json", answer(), "no observations"),
        ("CPIAUCSL.json", answer(("yesterday", "2025-08-01", "1")), "yesterday"),
    ],
)
def test_a_damaged_answer_is_refused_whole(parse: Parse, name: str, text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(name, text)


@pytest.mark.parametrize(
    "name",
    ["CPIAUCSL_2025-11vintage", "CPIAUCSL_2026-06vintage", "DHHNGSP_2018vintage", "DHHNGSP_2026vintage", "MHHNGSP_2025vintage"],
)
def test_all_of_a_real_download_is_read(parse: Parse, real_files: Path, name: str) -> None:
    path = real_files / "fred" / f"{name}.csv"
    (parsed,) = parse(path.name, path.read_bytes())
    with path.open(newline="") as file:
        rows = [(day, cell) for day, cell in list(csv.reader(file))[1:]]
    published = [(datetime.fromisoformat(day).replace(tzinfo=UTC), float(cell)) for day, cell in rows if cell not in ("", "NA")]
    assert parsed.rows.select("ts", "value").rows() == published
    assert parsed.rows_read == len(rows)
    assert parsed.refused.is_empty()


def test_two_real_vintages_differ_in_48_months(parse: Parse, real_files: Path) -> None:
    older, newer = (
        parse(name, (real_files / "fred" / name).read_bytes())[0].rows
        for name in ("CPIAUCSL_2025-11vintage.csv", "CPIAUCSL_2026-06vintage.csv")
    )
    both = older.join(newer, on="ts")
    assert both.filter(pl.col("value") != pl.col("value_right")).height == 48


def test_a_missing_value_in_a_later_vintage_withdraws_the_value(parse: Parse) -> None:
    text = answer(
        ("2001-01-01", "2000-04-01", "9318.9"),
        ("2001-01-01", "2000-07-01", "9369.5"),
        ("2001-07-27", "2000-07-01", "."),
        ("2001-09-28", "2000-07-01", "9260.1"),
        ("2001-09-28", "2000-10-01", "."),
    )
    first, second, third = parse("GDPC1.json", text)
    assert first.rows["quality"].to_list() == [0, 0]
    ((value, quality),) = second.rows.select("value", "quality").rows()
    assert math.isnan(value)
    assert quality == Quality.WITHDRAWN
    assert third.rows["quality"].to_list() == [0, Quality.WITHDRAWN], "an earlier file may have a value of the date"


@pytest.mark.parametrize(
    ("series", "first", "days", "calendar"),
    [
        ("DGS10", date(2025, 1, 2), 2, "US_TREASURY"),
        ("DHHNGSP", date(2025, 1, 2), 2, "NYMEX"),
        ("DEXUSEU", date(2025, 1, 2), 2, "US_FEDERAL"),
        ("DFF", date(2025, 1, 2), 30, None),
        ("UNLISTED", date(2025, 1, 2), 30, None),
    ],
)
def test_a_daily_series_has_the_calendar_of_its_market(
    parse: Parse, series: str, first: date, days: int, calendar: str | None
) -> None:
    lines = [f"{first + timedelta(days=number)},{number}" for number in range(days)]
    (parsed,) = parse("fredgraph.csv", f"observation_date,{series}\n" + "\n".join(lines) + "\n")
    assert parsed.series["business_days"].to_list() == [calendar]


def test_an_unlisted_daily_series_without_weekends_is_published_on_business_days(parse: Parse) -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(40)]
    lines = [f"{day},1" for day in days if day.isoweekday() < 6]
    (parsed,) = parse("fredgraph.csv", "observation_date,UNLISTED\n" + "\n".join(lines) + "\n")
    assert parsed.series["business_days"].to_list() == ["US_FEDERAL"]


WEEKLY_DAYS = {
    "WHHNGSP": "2025-11-07",
    "WGS10YR": "2025-11-07",
    "ICSA": "2025-11-08",
    "FF": "2025-11-05",
    "WALCL": "2025-11-05",
    "GASREGW": "2025-11-03",
}


@pytest.mark.parametrize("late", [-1, 1, 2])
@pytest.mark.parametrize("series", WEEKLY_DAYS)
def test_a_file_of_weeks_on_another_weekday_is_refused(series: str, late: int) -> None:
    days = [date.fromisoformat(WEEKLY_DAYS[series]) + timedelta(days=late + 7 * n) for n in range(4)]
    lines = [f"observation_date,{series}", *(f"{day},{n}" for n, day in enumerate(days)), ""]
    graph, service = SOURCE.formats
    document = SourceFile(f"{series}.csv", "\n".join(lines).encode())
    assert not graph.recognise(document)
    assert f"{series} is stamped on a " in graph.explain(document)
    text = answer(*(("2025-12-31", str(day), str(n)) for n, day in enumerate(days)))
    with pytest.raises(RefusedFile, match=f"{series} is stamped on a "):
        service.parse(SourceFile(f"{series}.json", text.encode()))


def test_a_single_week_on_another_weekday_is_held_back(parse: Parse) -> None:
    (parsed,) = parse("WALCL.csv", "observation_date,WALCL\n2025-10-22,1\n2025-10-29,2\n2025-11-06,3\n2025-11-12,4\n")
    assert parsed.rows["value"].to_list() == [1.0, 2.0, 4.0]
    assert parsed.refused.select("line", "raw", "reason", "detail").rows() == [
        (4, "2025-11-06,3", Reason.INVALID_TIME, "stamped on a Thursday: the weeks of WALCL are stamped on a Wednesday")
    ]


def test_a_survey_that_moves_before_holidays_is_read_on_every_weekday(parse: Parse) -> None:
    text = "observation_date,MORTGAGE30US\n2025-11-20,6.26\n2025-11-26,6.23\n2025-12-04,6.19\n"
    (parsed,) = parse("MORTGAGE30US.csv", text)
    assert parsed.rows.height == 3
