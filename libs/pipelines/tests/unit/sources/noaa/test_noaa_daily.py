import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.noaa import SOURCE

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
EXTRACT = (DATA / "ghcn_USW00094728.csv").read_text()
ACCESS = (DATA / "invented_access.csv").read_text()
PAST = (DATA / "Indianapolis_Weather.csv").read_text()
BY_STATION = "ID,DATE,ELEMENT,DATA_VALUE,M_FLAG,Q_FLAG,S_FLAG,OBS_TIME\n"
HEADER = "date,attr,value,a,b,c,d\n"
NAME = "USW00094728.csv"


def first_day(parsed: Parsed) -> dict[str, float]:
    return dict(parsed.rows.filter(pl.col("ts") == datetime(2014, 1, 1, tzinfo=UTC)).select("measure", "value").iter_rows())


def test_tenths_become_degrees_millimetres_and_metres_per_second(parse: Parse) -> None:
    (parsed,) = parse("ghcn_USW00094728.csv", EXTRACT)
    assert first_day(parsed) == {
        "tmax": 0.6,
        "tmin": -4.3,
        "prcp": 0.0,
        "snow": 0.0,
        "snwd": 0.0,
        "awnd": 2.5,
        "wdf2": 280.0,
        "wdf5": 300.0,
        "wsf2": 6.3,
        "wsf5": 10.3,
    }
    units = dict(parsed.series.select("measure", "unit").iter_rows())
    assert (units["tmax"], units["prcp"], units["awnd"], units["wdf2"]) == ("degC", "mm", "m/s", "index")
    assert parsed.series["location"].unique().to_list() == ["USW00094728"]


@pytest.mark.parametrize("name", ["USW00094728.csv", "ghcn_usw00094728_2014.csv", "US1NYNY0074.csv", "GME00121150-x.csv"])
def test_the_station_of_an_extract_is_in_the_name_of_the_file(parse: Parse, name: str) -> None:
    (parsed,) = parse(name, HEADER + "20140101,TMAX,6,,,W,2400\n")
    assert parsed.rows["location"].item() in name.upper()
    assert len(parsed.rows["location"].item()) == 11


def test_an_extract_without_a_station_in_its_name_is_not_recognised() -> None:
    document = SourceFile("weather.csv", EXTRACT.encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


def test_a_failed_check_makes_a_value_suspect_and_a_presumed_zero_an_estimate(parse: Parse) -> None:
    text = HEADER + "20140101,TMAX,999,,X,W,\n20140101,PRCP,0,P,,W,\n20140101,SNOW,0,T,,W,\n"
    (parsed,) = parse(NAME, text)
    assert parsed.rows["quality"].to_list() == [Quality.SUSPECT, Quality.ESTIMATED, Quality.GOOD]


def test_minus_9999_is_no_observation(parse: Parse) -> None:
    (parsed,) = parse(NAME, HEADER + "20140101,TMAX,-9999,,,W,\n20140101,TMIN,-43,,,W,\n")
    assert parsed.rows["measure"].to_list() == ["tmin"]
    assert parsed.refused.is_empty()


def test_noaas_files_by_station_say_the_same(parse: Parse) -> None:
    body = "".join(f"USW00094728,{line}\n" for line in EXTRACT.splitlines()[1:])
    (own,) = parse("anything.csv", BY_STATION + body)
    (extract,) = parse(NAME, EXTRACT)
    assert own.rows.equals(extract.rows)


def test_an_access_file_is_a_row_a_day(parse: Parse) -> None:
    (parsed,) = parse("anything.csv", ACCESS)
    observations = parsed.rows.sort("ts", "measure").select("measure", "ts", "value", "quality", "line").rows()
    days = [datetime(2025, 1, n, tzinfo=UTC) for n in (1, 2, 3)]
    assert observations == [
        ("prcp", days[0], 8.4, Quality.GOOD, 2),
        ("tmax", days[0], 5.6, Quality.GOOD, 2),
        ("prcp", days[1], 0.0, Quality.ESTIMATED, 3),
        ("tmax", days[1], -1.2, Quality.SUSPECT, 3),
        ("wt01", days[1], 1.0, Quality.GOOD, 3),
        ("tmax", days[2], 3.1, Quality.GOOD, 4),
    ]
    assert parsed.series["location_name"].unique().to_list() == ["INVENTED, NY US"]
    assert parsed.rows_read == 3


def test_a_monthly_summary_is_not_taken_for_a_daily_one() -> None:
    monthly = ACCESS.replace("2025-01-01", "2025-01").replace("2025-01-02", "2025-02").replace("2025-01-03", "2025-03")
    assert not any(file_format.recognise(SourceFile("x.csv", monthly.encode())) for file_format in SOURCE.formats)


def test_past_weather_keeps_the_units_it_is_published_in(parse: Parse) -> None:
    (parsed,) = parse("anything.csv", PAST)
    assert parsed.dataset.name == "past_weather"
    assert parsed.series.select("location", "location_name").unique().rows() == [
        ("USC00124260", "INDIANAPOLIS WEATHER FORECAST OFFICE, IN US")
    ]
    first = parsed.rows.filter(pl.col("ts") == datetime(2011, 9, 1, tzinfo=UTC))
    assert dict(first.select("measure", "value").iter_rows()) == {
        "tmax": 99.0,
        "tmin": 73.0,
        "prcp": 0.0,
        "snow": 0.0,
        "snwd": 0.0,
    }
    assert dict(parsed.series.select("measure", "unit").iter_rows()) == {
        "tmax": "degF",
        "tmin": "degF",
        "prcp": "in",
        "snow": "in",
        "snwd": "in",
    }


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("20140230,TMAX,6,,,W,", "date", Reason.INVALID_TIME),
        ("20140101,TMAX,x,,,W,", "value", Reason.NON_NUMERIC),
        ("20140101,XXXX,6,,,W,", "element", Reason.UNKNOWN_CODE),
    ],
)
def test_a_row_that_cannot_be_read_is_held_back(parse: Parse, row: str, column: str, reason: Reason) -> None:
    (parsed,) = parse(NAME, f"{HEADER}{row}\n20140101,TMIN,-43,,,W,\n")
    assert parsed.rows["value"].to_list() == [-4.3]
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [(2, column, row, reason)]
    assert parsed.rows_read == 2


@pytest.mark.parametrize("high", ["hot", "99\u00b2"])
def test_a_cell_of_past_weather_that_cannot_be_read_is_held_back(parse: Parse, high: str) -> None:
    (parsed,) = parse("x.csv", PAST.replace("2011-09-01,,99", f"2011-09-01,,{high}").replace("2011-09-02", "2011-09-31"))
    assert parsed.refused.select("line", "reason").rows() == [(3, Reason.NON_NUMERIC), (4, Reason.INVALID_TIME)]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (NAME, HEADER + "20140101,TMAX,6,,,W,\n20140101,TM", "truncated"),
        ("x.csv", ACCESS.rstrip()[:-40], "truncated"),
        ("x.csv", PAST.rstrip()[:-9], "truncated"),
        ("x.csv", PAST.replace("SNWD (Inches)", "SNWD (Feet)"), "not known"),
    ],
)
def test_a_damaged_file_is_refused_whole(parse: Parse, name: str, text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(name, text)


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_a_file_of_zero_bytes_is_refused(position: int) -> None:
    with pytest.raises(RefusedFile, match="empty"):
        SOURCE.formats[position].parse(SourceFile(NAME, b""))


def test_all_of_a_real_extract_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "noaa" / "ghcn_USW00094728_dmitra.csv"
    (parsed,) = parse(path.name, path.read_bytes())
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert parsed.rows.height == parsed.rows_read == len(rows)
    for element, divisor in (("TMAX", 10), ("PRCP", 10), ("SNWD", 1), ("WDF2", 1)):
        numbers = [int(row["value"]) / divisor for row in rows if row["attr"] == element]
        assert parsed.rows.filter(pl.col("measure") == element.lower())["value"].to_list() == numbers


def test_all_of_a_real_past_weather_file_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "noaa" / "Indianapolis_Weather.csv"
    (parsed,) = parse(path.name, path.read_bytes())
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[2:]
    assert parsed.rows_read == len(rows)
    for place, measure in ((2, "tmax"), (4, "prcp"), (6, "snwd")):
        numbers = [float(row[place]) for row in rows if row[place]]
        assert parsed.rows.filter(pl.col("measure") == measure)["value"].to_list() == numbers
