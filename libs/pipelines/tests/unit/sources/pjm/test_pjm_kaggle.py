import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.pjm.kaggle import PJME_HOURLY

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def invented(*rows: tuple[str, str]) -> str:
    return "\n".join(("Datetime,PJME_MW", *(f"{label},{mw}" for label, mw in rows))) + "\n"


@pytest.mark.parametrize("label", ["01-02-2010 01:00", "2010-02-01 01:00:00"])
def test_labels_are_the_end_of_the_hour(parse: Parse, label: str) -> None:
    (parsed,) = parse("PJME_hourly.csv", invented((label, "30000")))
    assert parsed.rows["ts"].to_list() == [datetime(2010, 2, 1, 5, tzinfo=UTC)]


def test_both_hours_of_a_fall_day_are_refused_and_its_neighbours_kept(parse: Parse) -> None:
    fall = [(f"02-11-2014 {hour}:00", mw) for hour, mw in (("01", "1"), ("02", "2"), ("02", "3"), ("03", "4"))]
    (parsed,) = parse("PJME_hourly.csv", invented(*fall))
    assert parsed.rows["value"].to_list() == [1.0, 4.0]
    assert parsed.rows["ts"].to_list() == [datetime(2014, 11, 2, 4, tzinfo=UTC), datetime(2014, 11, 2, 7, tzinfo=UTC)]
    assert parsed.refused.select("line", "reason").rows() == [(3, Reason.AMBIGUOUS_TIME), (4, Reason.AMBIGUOUS_TIME)]


def test_the_spring_gap_leaves_no_hole_in_utc(parse: Parse) -> None:
    (parsed,) = parse(
        "PJME_hourly.csv", invented(("09-03-2014 02:00", "1"), ("09-03-2014 04:00", "2"), ("09-03-2014 03:00", "3"))
    )
    assert parsed.rows["ts"].to_list() == [datetime(2014, 3, 9, 6, tzinfo=UTC), datetime(2014, 3, 9, 7, tzinfo=UTC)]
    assert parsed.refused["reason"].to_list() == [Reason.NON_EXISTENT_TIME]


@pytest.mark.parametrize("content", [b"", b"Datetime,PJME_MW\n01-02-2010 01"])
def test_empty_and_cut_off_files_are_refused(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        PJME_HOURLY.parse(SourceFile("PJME_hourly.csv", content))


def test_the_real_file_loses_only_its_eight_ambiguous_rows(parse: Parse, real_files: Path) -> None:
    path = real_files / "PJME_hourly.csv"
    with path.open(newline="") as stream:
        raw = list(csv.DictReader(stream))
    twice = {label for label, count in Counter(line["Datetime"] for line in raw).items() if count > 1}
    expected = [float(line["PJME_MW"]) for line in raw if line["Datetime"] not in twice]
    (parsed,) = parse(path.name, path.read_bytes())
    assert parsed.rows["value"].to_list() == expected
    assert (parsed.rows_read, parsed.refused.height) == (len(raw), 2 * len(twice))
    assert parsed.rows["ts"].n_unique() == len(expected)
