import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.pjm.load import INSTANTANEOUS, METERED

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

METERED_HEADER = "datetime_beginning_utc,datetime_beginning_ept,nerc_region,mkt_region,zone,load_area,mw,is_verified"
SAMPLED_HEADER = "datetime_beginning_utc,datetime_beginning_ept,area,instantaneous_load"


def metered(*rows: tuple[str, str, str]) -> str:
    """Invented rows: stamp, load, whether verified."""
    return "\n".join((METERED_HEADER, *(f"{utc},,RFC,WEST,AEP,AEPAPT,{mw},{verified}" for utc, mw, verified in rows))) + "\n"


def sampled(*rows: tuple[str, str]) -> str:
    return "\n".join((SAMPLED_HEADER, *(f"{utc},,AEP,{mw}" for utc, mw in rows))) + "\n"


def test_load_that_is_not_verified_is_preliminary(parse: Parse) -> None:
    (parsed,) = parse("x.csv", metered(("1/1/2025 5:00:00 AM", "700.5", "True"), ("1/1/2025 6:00:00 AM", "690", "False")))
    assert parsed.rows.select("location", "measure", "value", "quality").rows() == [
        ("AEPAPT", "load", 700.5, Quality.GOOD),
        ("AEPAPT", "load", 690.0, Quality.PRELIMINARY),
    ]
    series = parsed.series.row(0, named=True)
    assert (series["unit"], series["labels"]) == ("MW", '{"mkt_region":"WEST","nerc_region":"RFC","zone":"AEP"}')


def test_the_repeated_hour_is_two_hours(parse: Parse) -> None:
    (parsed,) = parse("x.csv", metered(("11/2/2025 5:00:00 AM", "1", "True"), ("11/2/2025 6:00:00 AM", "2", "True")))
    assert parsed.rows["ts"].to_list() == [datetime(2025, 11, 2, 5, tzinfo=UTC), datetime(2025, 11, 2, 6, tzinfo=UTC)]


def test_samples_a_few_seconds_late_belong_to_their_five_minutes(parse: Parse) -> None:
    (parsed,) = parse(
        "x.csv", sampled(("7/7/2026 4:10:01 AM", "17900"), ("7/7/2026 4:05:00 AM", "17800"), ("7/7/2026 4:00:02 AM", "17700"))
    )
    assert [instant.strftime("%H:%M:%S") for instant in parsed.rows["ts"]] == ["04:10:00", "04:05:00", "04:00:00"]
    assert "floored" in parsed.series["labels"].item()
    assert parsed.series["frequency"].item() == "5min"


def test_bad_rows_are_refused_and_the_rest_kept(parse: Parse) -> None:
    (parsed,) = parse(
        "x.csv",
        metered(
            ("13/1/2025 5:00:00 AM", "1", "True"), ("1/1/2025 6:00:00 AM", "?", "True"), ("1/1/2025 7:00:00 AM", "3", "True")
        ),
    )
    assert parsed.rows["value"].to_list() == [3.0]
    assert parsed.refused.select("line", "reason").rows() == [(2, Reason.INVALID_TIME), (3, Reason.NON_NUMERIC)]


@pytest.mark.parametrize("file_format", [METERED, INSTANTANEOUS])
def test_empty_and_foreign_files_are_refused(file_format: FileFormat) -> None:
    for content in (b"", b"a,b\n1,2\n"):
        with pytest.raises(RefusedFile):
            file_format.parse(SourceFile("x.csv", content))


def test_a_cut_off_last_line_refuses_the_file() -> None:
    with pytest.raises(RefusedFile, match="truncated"):
        METERED.parse(SourceFile("x.csv", metered(("1/1/2025 5:00:00 AM", "1", "True"))[:-20].encode()))


@pytest.mark.parametrize(
    ("name", "column", "rows"),
    [
        ("hrl_load_metered_rto_2025.csv", "mw", 8760),
        ("inst_load_20260707.csv", "instantaneous_load", 288),
    ],
)
def test_real_files_agree_with_a_plain_reading(parse: Parse, real_files: Path, name: str, column: str, rows: int) -> None:
    path = real_files / name
    with path.open(newline="") as stream:
        raw = [float(line[column]) for line in csv.DictReader(stream)]
    (parsed,) = parse(path.name, path.read_bytes())
    assert parsed.rows["value"].to_list() == raw
    assert (parsed.rows_read, parsed.rows["ts"].n_unique(), parsed.refused.height) == (rows, rows, 0)
