import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.isone.lmp import LMP_REPORT

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DAY_AHEAD = "Day-Ahead Energy Market Hourly LMP Report"
REAL_TIME = "Real-Time Energy Market Hourly LMP Report"
HEADERS = (
    '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price",'
    '"Energy Component","Congestion Component","Marginal Loss Component"',
    '"H","Date","HE","String","String","String","Number","Number","Number","Number"',
)


def row(day: str, hour: str, lmp: str = "41.5", *, location: str = "4000") -> str:
    """An invented line."""
    return f'"D","{day}","{hour}","{location}","INVENTED {location}","NETWORK NODE",{lmp},40.0,1.0,0.5'


def report(
    *rows: str,
    title: str = DAY_AHEAD,
    name: str = "WW_DALMP_ISO_20250602.csv",
    stated: int | None = None,
    headers: Sequence[str] = HEADERS,
) -> str:
    return "\n".join(
        (
            f'"C","{title}"',
            f'"C","Filename: {name}"',
            '"C","Report for: 06/02/2025 - 06/02/2025"',
            '"C","Report generated: 06/01/2025 12:57:12 EDT"',
            *headers,
            *rows,
            f'"T","{len(rows) if stated is None else stated} lines"',
        )
    )


def day_of(day: str, labels: Sequence[str]) -> str:
    """One location, its price the number of the row in the day."""
    return report(*(row(day, label, str(number)) for number, label in enumerate(labels)))


def prices(parsed: Parsed) -> dict[datetime, float]:
    return dict(parsed.rows.filter(pl.col("measure") == "lmp").select("ts", "value").iter_rows())


def hourly(start: datetime, count: int) -> dict[datetime, float]:
    return {start + timedelta(hours=hour): hour for hour in range(count)}


def test_a_line_gives_four_measures_at_the_start_of_its_hour(parse: Parse) -> None:
    (parsed,) = parse("WW_DALMP_ISO_20250602.csv", report(row("06/02/2025", "01"), row("06/02/2025", "24", location="321")))
    assert parsed.dataset.name == "da_lmp"
    assert parsed.rows.filter(pl.col("location") == "4000").select("measure", "ts", "value").rows() == [
        ("lmp", datetime(2025, 6, 2, 4, tzinfo=UTC), 41.5),
        ("energy", datetime(2025, 6, 2, 4, tzinfo=UTC), 40.0),
        ("congestion", datetime(2025, 6, 2, 4, tzinfo=UTC), 1.0),
        ("loss", datetime(2025, 6, 2, 4, tzinfo=UTC), 0.5),
    ]
    assert set(parsed.rows.filter(pl.col("location") == "321")["ts"]) == {datetime(2025, 6, 3, 3, tzinfo=UTC)}
    assert parsed.series.filter(pl.col("location") == "321")["location_name"].unique().to_list() == ["INVENTED 321"]
    assert set(parsed.rows["line"]) == {7, 8}


@pytest.mark.parametrize(("clock", "month", "hour"), [("EDT", 6, 16), ("EST", 1, 17)])
def test_the_report_says_when_it_was_made(parse: Parse, clock: str, month: int, hour: int) -> None:
    text = report(row("06/02/2025", "01")).replace("generated: 06/01", f"generated: {month:02}/01").replace("EDT", clock)
    (parsed,) = parse("x.csv", text)
    assert parsed.known_at == datetime(2025, month, 1, hour, 57, 12, tzinfo=UTC)


@pytest.mark.parametrize("clock", ["EST", "PST", "PDT"])
def test_a_report_of_june_made_on_another_clock_than_edt_is_refused(parse: Parse, clock: str) -> None:
    with pytest.raises(RefusedFile, match="no such time in New York"):
        parse("x.csv", report(row("06/02/2025", "01")).replace("EDT", clock))


@pytest.mark.parametrize(
    ("title", "inside", "outside", "dataset"),
    [
        (DAY_AHEAD, "WW_DALMP_ISO_20250602.csv", "renamed.csv", "da_lmp"),
        (REAL_TIME, "lmp_rt_final_20250602.csv", "renamed.csv", "rt_lmp_final"),
        (REAL_TIME, "lmp_rt_prelim_20250602.csv", "renamed.csv", "rt_lmp_prelim"),
        ("Preliminary Real-Time Hourly LMPs", "x.csv", "renamed.csv", "rt_lmp_prelim"),
        (REAL_TIME + " - Preliminary", "WW_RTLMP_ISO_20250602.csv", "renamed.csv", "rt_lmp_prelim"),
        (REAL_TIME, "WW_RTLMP_ISO_20250602.csv", "lmp_rt_prelim_20250602.csv", "rt_lmp_prelim"),
        (REAL_TIME, "WW_RTLMP_ISO_20250602.csv", "WW_RTLMP_ISO_20250602.csv", "rt_lmp_final"),
    ],
)
def test_the_three_reports_are_told_apart_by_what_they_say(
    parse: Parse, title: str, inside: str, outside: str, dataset: str
) -> None:
    (parsed,) = parse(outside, report(row("06/02/2025", "01"), title=title, name=inside))
    assert parsed.dataset.name == dataset


def test_the_short_layout_of_the_preliminary_report_is_read(parse: Parse) -> None:
    headers = (
        '"H","Date","Hour Ending","Location","LMP","Energy","Congestion","Loss"',
        '"H","Date","HE","String","Number","Number","Number","Number"',
    )
    line = '"D","06/02/2025","01",".H.INTERNAL_HUB",20.5,19.0,1.0,0.5'
    (parsed,) = parse(
        "lmp_rt_prelim_20250602.csv", report(line, title=REAL_TIME, name="lmp_rt_prelim_20250602.csv", headers=headers)
    )
    assert parsed.dataset.name == "rt_lmp_prelim"
    assert dict(parsed.rows.select("measure", "value").iter_rows()) == {
        "lmp": 20.5,
        "energy": 19.0,
        "congestion": 1.0,
        "loss": 0.5,
    }
    assert set(parsed.rows["location"]) == {".H.INTERNAL_HUB"}


def test_fall_back_day_has_25_hours(parse: Parse) -> None:
    labels = ["01", "02", "02X", *(f"{hour:02}" for hour in range(3, 25))]
    (parsed,) = parse("x.csv", day_of("11/02/2025", labels))
    assert prices(parsed) == hourly(datetime(2025, 11, 2, 4, tzinfo=UTC), 25)
    assert parsed.refused.is_empty()


@pytest.mark.parametrize("second", ["02", "03"])
def test_spring_day_has_23_hours_whatever_the_second_is_called(parse: Parse, second: str) -> None:
    labels = ["01", second, *(f"{hour:02}" for hour in range(4, 25))]
    (parsed,) = parse("x.csv", day_of("03/09/2025", labels))
    assert prices(parsed) == hourly(datetime(2025, 3, 9, 5, tzinfo=UTC), 23)
    assert parsed.refused.is_empty()


def test_of_24_labels_of_the_spring_day_the_third_does_not_exist(parse: Parse) -> None:
    (parsed,) = parse("x.csv", day_of("03/09/2025", [f"{hour:02}" for hour in range(1, 25)]))
    assert len(prices(parsed)) == 23
    assert parsed.refused.select("line", "reason", "detail").rows() == [
        (9, Reason.NON_EXISTENT_TIME, "2025-03-09 hour ending 03")
    ]


def test_hour_02_of_a_fall_day_without_02x_is_refused(parse: Parse) -> None:
    (parsed,) = parse("x.csv", day_of("11/02/2025", [f"{hour:02}" for hour in range(1, 25)]))
    assert len(prices(parsed)) == 23
    assert parsed.refused["reason"].to_list() == [Reason.AMBIGUOUS_TIME]


@pytest.mark.parametrize(
    ("hour", "reason"),
    [
        ("25", Reason.INVALID_TIME),
        ("1st", Reason.INVALID_TIME),
        ("02X", Reason.NON_EXISTENT_TIME),
        ("", Reason.INVALID_TIME),
    ],
)
def test_an_hour_that_is_none_is_refused_and_the_rest_kept(parse: Parse, hour: str, reason: Reason) -> None:
    (parsed,) = parse("x.csv", report(row("06/02/2025", "01"), row("06/02/2025", hour), row("06/02/2025", "03")))
    assert parsed.rows_read == 3
    assert len(prices(parsed)) == 2
    assert parsed.refused.select("line", "column", "reason").rows() == [(8, "Hour Ending", reason)]
    assert parsed.refused["raw"].item() == row("06/02/2025", hour)


def test_a_day_or_a_price_or_a_location_that_is_none_is_refused(parse: Parse) -> None:
    (parsed,) = parse(
        "x.csv", report(row("02/30/2025", "01"), row("06/02/2025", "02", "free"), row("06/02/2025", "03", location=""))
    )
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (7, "Date", Reason.INVALID_TIME),
        (8, "Locational Marginal Price", Reason.NON_NUMERIC),
        (9, "Location ID", Reason.MISSING_FIELD),
    ]
    assert set(parsed.rows["line"]) == {8}


def test_one_header_line_and_windows_line_ends_are_read(parse: Parse) -> None:
    text = report(row("06/02/2025", "01"), headers=HEADERS[:1]) + "\n"
    (parsed,) = parse("x.csv", text.replace("\n", "\r\n"))
    assert prices(parsed) == {datetime(2025, 6, 2, 4, tzinfo=UTC): 41.5}
    assert set(parsed.rows["line"]) == {6}


GOOD = report(row("06/02/2025", "01"), row("06/02/2025", "02"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        (GOOD[: GOOD.index('"T"')], "not a trailer"),
        (GOOD[: GOOD.index('"T"') - 30], "not a trailer"),
        (report(row("06/02/2025", "01"), stated=2), "truncated: 1 data lines where the trailer says 2"),
        (GOOD.replace('"D","06/02/2025","02"', '"C","06/02/2025","02"'), "'C' line among the data"),
        (GOOD.replace('"Hour Ending"', '"Hour"'), "wrong header"),
        (GOOD.replace('"H"', '"X"'), "wrong header"),
        (GOOD.replace("06/01/2025 12", "06/31/2025 12"), "no such time"),
        (GOOD.replace(",40.0,", ",40.0,40.0,", 1), "fields under a header"),
    ],
)
def test_a_damaged_report_is_refused_whole(content: str, reason: str) -> None:
    with pytest.raises(RefusedFile, match=reason):
        LMP_REPORT.parse(SourceFile("WW_DALMP_ISO_20250602.csv", content.encode()))


def test_a_report_without_data_lines_is_an_empty_answer(parse: Parse) -> None:
    (parsed,) = parse("x.csv", report())
    assert (parsed.rows_read, parsed.rows.height, parsed.refused.height) == (0, 0, 0)


def test_a_line_cut_short_is_refused_and_counts_for_the_trailer(parse: Parse) -> None:
    (parsed,) = parse("x.csv", report('"D","06/02/2025","01","321","INVENTED"', row("06/02/2025", "02")))
    assert parsed.refused.select("line", "reason").rows() == [(7, Reason.MISSING_FIELD)]
    assert parsed.rows_read == 2


def test_reports_on_other_things_are_not_claimed() -> None:
    wind = '"C","ISO New England Inc. Seven Day Wind Power Forecast Report"\n"H","",,"Day 1"\n"D",,01,,205\n"T","1 lines"'
    for content in ("", wind, GOOD.replace("Day-Ahead", "Year-Ahead").replace("DALMP", "YALMP")):
        assert not LMP_REPORT.recognise(SourceFile("x.csv", content.encode()))


def test_a_real_day_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / "WW_DALMP_ISO_20260604.csv"
    with path.open(newline="") as stream:
        raw = [line for line in csv.reader(stream) if line[0] == "D"]
    (parsed,) = parse(path.name, path.read_bytes())
    assert parsed.rows_read == len(raw) == 29_016
    assert parsed.refused.is_empty()
    assert parsed.known_at == datetime(2026, 6, 3, 16, 57, 12, tzinfo=UTC)
    for position, measure in enumerate(("lmp", "energy", "congestion", "loss"), start=6):
        rows = parsed.rows.filter(pl.col("measure") == measure)
        assert rows["value"].to_list() == [float(line[position]) for line in raw]
        assert rows["location"].to_list() == [line[3] for line in raw]
    start = datetime(2026, 6, 4, 4, tzinfo=UTC)
    first = parsed.rows.filter(pl.col("measure") == "lmp")["ts"].to_list()
    assert first == [start + timedelta(hours=int(line[2]) - 1) for line in raw]


def test_a_real_day_cut_in_the_middle_is_refused(real_files: Path) -> None:
    content = (real_files / "WW_DALMP_ISO_20260604.csv").read_bytes()
    middle = content.index(b"\n", len(content) // 2) + 1
    with pytest.raises(RefusedFile, match="not a trailer"):
        LMP_REPORT.parse(SourceFile("WW_DALMP_ISO_20260604.csv", content[:middle]))


def test_two_names_under_one_id_are_two_places_and_neither_has_the_plain_id(parse: Parse) -> None:
    lines = [row("11/04/2018", hour, price) for hour in ("01", "03") for price in ("31", "41")]
    named = [line.replace("INVENTED 4000", name) for line, name in zip(lines, ["LD.B", "LD.A"] * 2, strict=True)]
    (parsed,) = parse("WW_DALMP_ISO_20181104.csv", report(*named))
    places = dict(parsed.series.select("location_name", "location").unique().iter_rows())
    assert places == {"LD.A": "4000-LD.A", "LD.B": "4000-LD.B"}
    prices = parsed.rows.filter(pl.col("measure") == "lmp").group_by("location").agg("value")
    assert dict(prices.iter_rows()) == {"4000-LD.A": [41.0, 41.0], "4000-LD.B": [31.0, 31.0]}


def test_a_place_with_a_new_name_from_an_hour_on_stays_one_place(parse: Parse) -> None:
    lines = [row("11/05/2018", "01", "31"), row("11/05/2018", "02", "41").replace("INVENTED 4000", "LD.NEW")]
    (parsed,) = parse("WW_DALMP_ISO_20181105.csv", report(*lines))
    assert parsed.rows["location"].unique().to_list() == ["4000"]


def test_a_real_report_with_two_nodes_under_one_id_is_read_whole(parse: Parse, real_files: Path) -> None:
    name = "WW_DALMP_ISO_20181104.csv"
    (parsed,) = parse(name, (real_files.parent / "faults" / name).read_bytes())
    assert parsed.series["location"].unique().sort().to_list() == ["16251-LD.ALPHA1", "16251-LD.ALPHA2", "4000"]
    assert parsed.rows.height == 75 * 4


def test_hours_that_are_counted_from_0_are_not_read_an_hour_early(parse: Parse) -> None:
    (parsed,) = parse("x.csv", day_of("06/02/2025", [f"{hour:02}" for hour in range(24)]))
    assert parsed.rows.is_empty()
    assert parsed.refused["detail"].unique().to_list() == ["counted from 0: ISO-NE's hours end at 01 to 24"]
    assert parsed.refused.height == 24


def test_an_hour_0_beside_an_hour_24_is_a_fault_of_its_own_row(parse: Parse) -> None:
    (parsed,) = parse("x.csv", day_of("06/02/2025", ["00", *(f"{hour:02}" for hour in range(1, 25))]))
    assert len(prices(parsed)) == 24
    assert parsed.refused.height == 1


def checked(name: str, text: str) -> pl.DataFrame:
    document = SourceFile(name, text.encode())
    (parsed,) = hold_to_name(name, LMP_REPORT.named(document), LMP_REPORT.parse(document))
    return parsed.rows


@pytest.mark.parametrize("name", ["renamed.csv", "WW_DALMP_ISO_20250602.csv", "WW_DALMP_ISO_20250603.csv"])
def test_rows_of_another_day_than_the_report_states_are_refused(name: str) -> None:
    other = report(*(row("06/03/2025", f"{hour:02}") for hour in range(1, 25)))
    with pytest.raises(RefusedFile, match="name and content disagree"):
        checked(name, other)


@pytest.mark.parametrize(
    "said",
    ["Report for: 06/03/2025 - 06/03/2025", "Report for: 06/03/2025", "Report For 6/3/25", "Report for: 2025-06-03"],
)
def test_a_report_that_states_another_day_than_its_name_or_its_file_name_is_refused(said: str) -> None:
    text = report(*(row("06/02/2025", f"{hour:02}") for hour in range(1, 25)))
    text = text.replace("Report for: 06/02/2025 - 06/02/2025", said)
    for name in ("WW_DALMP_ISO_20250602.csv", "renamed.csv"):
        with pytest.raises(RefusedFile, match=r"disagree: .* says 2025-06-02, the comment .* says 2025-06-03"):
            checked(name, text)


def test_a_comment_that_states_no_day_is_refused() -> None:
    text = report(row("06/02/2025", "01")).replace("Report for: 06/02/2025 - 06/02/2025", "Report for: 13/45/2025")
    with pytest.raises(RefusedFile, match="'Report for: 13/45/2025' has a day that does not exist"):
        checked("renamed.csv", text)


@pytest.mark.parametrize("name", ["renamed.csv", "WW_DALMP_ISO_20250602.csv"])
def test_a_report_of_several_days_may_be_named_after_the_first(name: str) -> None:
    text = report(*(row(day, "01") for day in ("06/02/2025", "06/03/2025", "06/04/2025")))
    text = text.replace("Report for: 06/02/2025 - 06/02/2025", "Report for: 06/02/2025 - 06/04/2025")
    assert checked(name, text).height == 3 * 4
    with pytest.raises(RefusedFile, match="name and content disagree"):
        checked(name, text.replace('"D","06/', '"D","07/'))


def test_the_only_day_of_a_report_is_read() -> None:
    assert checked("WW_DALMP_ISO_20250602.csv", report(row("06/02/2025", "01"))).height == 4


def test_a_zone_with_the_id_of_another_is_held_back(parse: Parse) -> None:
    lines = [row("06/02/2025", "01", location=each) for each in ("4001", "4002")]
    lines = [line.replace(f"INVENTED {each}", ".Z.MAINE") for line, each in zip(lines, ("4001", "4002"), strict=True)]
    (parsed,) = parse("x.csv", report(*lines))
    assert parsed.rows["location"].unique().to_list() == ["4001"]
    assert parsed.refused["detail"].to_list() == [".Z.MAINE is 4001, not 4002"]


@pytest.mark.parametrize(("unit", "is_read"), [("$/MWh", True), ("$/kWh", False), ("c/kWh", False), ("EUR/MWh", False)])
def test_a_report_in_another_unit_is_refused(parse: Parse, unit: str, is_read: bool) -> None:
    headers = (HEADERS[0], HEADERS[1].replace('"Number"', f'"{unit}"'))
    text = report(row("06/02/2025", "01"), headers=headers)
    if is_read:
        assert parse("x.csv", text)[0].rows.height == 4
    else:
        with pytest.raises(RefusedFile, match="are in \\$/MWh"):
            parse("x.csv", text)
