import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.nyiso.flows import EXTERNAL_LIMITS_FLOWS_FORMAT

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
NAME = "20171122ExternalLimitsFlows.csv"
HEADER = "Timestamp,Interface Name,Point ID,Flow (MWH),Positive Limit (MWH),Negative Limit (MWH)"


def file(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def test_flow_and_limits_are_measures_of_the_point(parse: Parse) -> None:
    regular, extra = parse(NAME, (DATA / NAME).read_bytes())
    first = regular.rows.filter((pl.col("location") == "23316") & (pl.col("ts") == datetime(2017, 11, 22, 5, tzinfo=UTC)))
    assert set(first["measure"]) == {"flow", "limit_positive", "limit_negative"}
    assert set(regular.series["unit"]) == {"MW"}
    assert set(regular.series["location_type"]) == {"INTERFACE"}
    assert extra.rows["ts"].unique().sort().to_list() == [
        datetime(2017, 11, 22, 5, 11, tzinfo=UTC),
        datetime(2017, 11, 22, 5, 12, tzinfo=UTC),
    ]


def test_a_limit_of_9999_is_none_and_9899_is_one(parse: Parse) -> None:
    (parsed,) = parse("x.csv", file("01/01/2025 00:00,A,1,9999,9999,-9999", "01/01/2025 00:00,B,2,-5,9899,-9899"))
    assert parsed.rows.select("location", "measure", "value").sort("location", "measure").rows() == [
        ("1", "flow", 9999.0),
        ("2", "flow", -5.0),
        ("2", "limit_negative", -9899.0),
        ("2", "limit_positive", 9899.0),
    ]
    assert parsed.refused.is_empty()


def test_samples_of_the_repeated_hour_are_told_apart_by_order(parse: Parse) -> None:
    labels = ["00:55", "01:00", "01:05", "01:00", "01:05", "02:00"]
    (parsed,) = parse("x.csv", file(*(f"11/02/2025 {label},A,1,{number},1,1" for number, label in enumerate(labels))))
    flow = parsed.rows.filter(pl.col("measure") == "flow")
    start = datetime(2025, 11, 2, 4, 55, tzinfo=UTC)
    minutes = [0, 5, 10, 65, 70, 125]
    assert flow["ts"].to_list() == [start + timedelta(minutes=minute) for minute in minutes]


def test_bad_rows_are_refused_and_the_rest_kept(parse: Parse) -> None:
    (parsed,) = parse("x.csv", file("01/01/2025 00:00,A,,1,1,1", "01/01/2025 xx:00,A,1,1,1,1", "01/01/2025 00:05,A,1,?,2,3"))
    assert parsed.rows["measure"].to_list() == ["limit_positive", "limit_negative"]
    assert parsed.refused["reason"].to_list() == [Reason.MISSING_FIELD, Reason.INVALID_TIME, Reason.NON_NUMERIC]


@pytest.mark.parametrize(
    "content", [b"", b"Timestamp,Interface Name,Point ID\n01/01/2025 00:00,A,1\n", (DATA / NAME).read_bytes()[:-15]]
)
def test_a_damaged_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        EXTERNAL_LIMITS_FLOWS_FORMAT.parse(SourceFile(NAME, content))


def test_a_real_day_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / NAME
    with path.open(newline="") as stream:
        raw = list(csv.DictReader(stream))
    both = pl.concat([parsed.rows for parsed in parse(path.name, path.read_bytes())]).sort("line")
    flows = both.filter(pl.col("measure") == "flow")
    assert list(flows.select("location", "value").iter_rows()) == [
        (line["Point ID"], float(line["Flow (MWH)"])) for line in raw
    ]
    limits = [line["Positive Limit (MWH)"] for line in raw if line["Positive Limit (MWH)"] != "9999"]
    assert both.filter(pl.col("measure") == "limit_positive")["value"].to_list() == [float(limit) for limit in limits]
    negative = [line["Negative Limit (MWH)"] for line in raw if line["Negative Limit (MWH)"] != "-9999"]
    assert both.filter(pl.col("measure") == "limit_negative")["value"].to_list() == [float(limit) for limit in negative]
