"""The calendars of business days that daily series of the sample state, against the days in the files."""

from __future__ import annotations

from importlib.resources import files

import polars as pl
import pytest

from aurum.core.calendars import BusinessDays, is_business_day
from aurum.pipelines.source import Source, SourceFile
from aurum.pipelines.sources.datahub import SOURCE as DATAHUB
from aurum.pipelines.sources.ecb import SOURCE as ECB


@pytest.mark.parametrize(
    ("source", "path", "calendar", "most"),
    [
        (ECB, "ecb/eurofxref-hist.csv", BusinessDays.TARGET, 0),
        (DATAHUB, "datahub/henry_hub_daily.csv", BusinessDays.NYMEX, 12),
        (DATAHUB, "datahub/wti_daily.csv", BusinessDays.NYMEX, 12),
        (DATAHUB, "datahub/brent_daily.csv", BusinessDays.ENGLAND, 12),
    ],
)
def test_a_daily_file_has_the_days_of_its_calendar(source: Source, path: str, calendar: BusinessDays, most: int) -> None:
    content = files("aurum.pipelines").joinpath("sample", path).read_bytes()
    document = SourceFile(path.rpartition("/")[2], content)
    (format_,) = [one for one in source.formats if one.recognise(document)]
    (parsed,) = format_.parse(document)
    assert set(parsed.series["business_days"]) == {calendar}
    zone = parsed.series["zone"][0]
    days = parsed.rows["ts"].dt.convert_time_zone(zone).dt.date().unique().sort()
    span = pl.date_range(days[0], days[-1], eager=True)
    expected = span.filter(is_business_day(span, calendar))
    assert len(set(days) ^ set(expected)) <= most * (days[-1].year - days[0].year + 1)
