"""Files that look like a dataset's and are not: each is refused with the reason, or is a dataset of its own."""

from __future__ import annotations

import pytest

from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.registry import UnknownFormat, own_registry
from aurum.pipelines.source import NamedContent, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.fred.identity import series_in_name
from aurum.pipelines.testing.samples import Sample
from aurum.pipelines.testing.samples.ercot import ERCOT
from aurum.pipelines.testing.samples.nyiso import NYISO
from aurum.pipelines.testing.samples.pjm import PJM
from aurum.pipelines.testing.samples.sample import csv

REGISTRY = own_registry()


def sample(*, name: str) -> Sample:
    return next(each for each in (*PJM, *NYISO, *ERCOT) if each.name == name)


def parts(name: str, content: bytes) -> tuple[Parsed, ...]:
    document = SourceFile(name, content)
    _, file_format = REGISTRY.recognise(document)
    return hold_to_name(name, file_format.named(document), file_format.parse(document))


def test_five_minute_prices_are_a_dataset_of_their_own_whatever_the_file_is_called() -> None:
    content = sample(name="rt_fivemin_hrl_lmps.csv").content
    assert parts("download.csv", content)[0].dataset.name == "rt_fivemin_hrl_lmps"
    with pytest.raises(UnknownFormat, match="spacing 5 minutes, the dataset's is 1 hour"):
        REGISTRY.recognise(SourceFile("rt_hrl_lmps.csv", content))


SWAPPED = csv(["Date", "USD", "JPY", "GBP"], [["2025-11-17", "1.25", "190", "0.85"], ["2025-11-18", "1.26", "191", "0.85"]])
GSOD = ["STATION", "DATE", "LATITUDE", "LONGITUDE", "ELEVATION", "NAME", "TEMP", "TEMP_ATTRIBUTES", "PRCP", "PRCP_ATTRIBUTES"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("fx_usd_base.csv", "Date,EUR,JPY,USD\n2025-11-17,0.86,154.2,1\n2025-11-18,0.87,155.2,1\n", "a column EUR"),
        ("fx.csv", SWAPPED, "without the krone"),
        ("fx.csv", "Date,USD,JPY,DKK\n2025-11-17,1,154.2,6.43\n", "between 7.2 and 7.7 DKK"),
        ("load_export.csv", "DATE,PJM_LOAD,WEST_HUB\n2025-11-17,90000,50\n2025-11-18,91000,51\n", "fredgraph.csv"),
        (
            "fredgraph.csv",
            "observation_date,DHHNGSP\n2025-07-01,3.2\n2025-08-01,2.9\n2025-09-01,3.0\n",
            "spacing 1 month, the dataset's is 1 day",
        ),
        ("MHHNGSP.csv", "observation_date,DHHNGSP\n2025-07-01,3.2\n2025-07-02,2.9\n", "says MHHNGSP"),
        ("daily.csv", "Date,Country,Exchange rate\n2025-07-01,Canada,1.3\n2025-07-02,Canada,1.4\n", "only the monthly edition"),
        ("henry_hub_monthly.csv", "Date,Price\n2025-07-01,3.2\n2025-07-02,2.9\n", "1 days apart"),
        ("eia_ng_storage.csv", "date,value\n2025-07-01,3000\n2025-07-02,3001\n", "Fridays"),
    ],
)
def test_a_table_of_a_neighbour_is_refused_with_the_reason(name: str, text: str, why: str) -> None:
    with pytest.raises(UnknownFormat, match=why):
        REGISTRY.recognise(SourceFile(name, text.encode()))


def test_the_global_summary_of_the_day_is_not_taken_for_ghcn_daily() -> None:
    text = csv(GSOD, [["72528014733", "2025-07-04", 42.9, -78.7, 218, "BUFFALO", 71.2, 24, 0.12, "G"]])
    with pytest.raises(UnknownFormat):
        REGISTRY.recognise(SourceFile("72528014733.csv", text.encode()))


def test_name_and_content_that_disagree_refuse_the_file_and_are_both_named() -> None:
    content = sample(name="20250704damlbmp_zone.csv").text.replace("07/04/2025", "04/07/2025").encode()
    with pytest.raises(RefusedFile, match=r"'20250704damlbmp_zone.csv' says 2025-07-04, rows are of 2025-04-07"):
        parts("20250704damlbmp_zone.csv", content)
    with pytest.raises(RefusedFile, match="says 2025-07-05"):
        parts("20250705damlbmp_zone.csv", sample(name="20250704damlbmp_zone.csv").content)


def test_a_renamed_file_says_nothing_of_its_days() -> None:
    content = sample(name="20250704damlbmp_zone.csv").content
    assert parts("my_damlbmp_copy_of_july.csv", content)[0].rows.height == 6 * 3 * 4


def test_a_few_rows_of_another_day_are_held_back_alone() -> None:
    rows = [f"07/04/2025 {hour:02}:00,INVENTED,61761,{hour},0,0" for hour in range(24)]
    header = sample(name="20250704damlbmp_zone.csv").text.partition("\n")[0]
    text = "\n".join([header, *rows, "07/05/2025 00:00,INVENTED,61761,99,0,0"])
    (part,) = parts("20250704damlbmp_zone.csv", text.encode() + b"\n")
    assert part.rows.filter(part.rows["value"] == 99).is_empty()
    assert part.refused.select("line", "reason", "detail").rows() == [
        (26, "invalid_time", "the name 20250704damlbmp_zone.csv says 2025-07-04")
    ]


def test_a_posting_of_the_hour_to_midnight_is_of_the_day_before() -> None:
    name = "cdr.00012301.0000000000000000.20250705.000105.SPPHLZNP6905_20250705_0000.csv"
    text = sample(name="cdr.00012301.0000000000000000.20250704.020105.SPPHLZNP6905_20250704_0200.csv").text
    assert parts(name, text.replace("07/04/2025,2,", "07/04/2025,24,").encode())[0].rows.height == 4


def test_a_name_of_a_day_that_does_not_exist_says_nothing() -> None:
    document = SourceFile("20251399damlbmp_zone.csv", sample(name="20250704damlbmp_zone.csv").content)
    _, file_format = REGISTRY.recognise(document)
    assert file_format.named(document) is None


def test_locations_that_the_name_does_not_say_refuse_the_file() -> None:
    part = parts("da_hrl_lmps.csv", sample(name="da_hrl_lmps.csv").content)
    with pytest.raises(RefusedFile, match="says 99999, the rows are of 51217"):
        hold_to_name("x.csv", NamedContent(locations=frozenset({"99999"})), part)


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("CPIAUCSL.json", ("CPIAUCSL",)),
        ("fred_CPIAUCSL_2025.json", ("CPIAUCSL",)),
        ("CPIAUCSL_2026-06vintage.csv", ("CPIAUCSL",)),
        ("4BIGEURORECP.csv", ("4BIGEURORECP",)),
        ("MY_ID_20251113.csv", ("MY_ID",)),
        ("load_export.csv", ()),
    ],
)
def test_the_series_in_a_name_is_told_from_words_and_dates(name: str, series: tuple[str, ...]) -> None:
    assert series_in_name(name) == series


def test_a_five_minute_report_of_iso_ne_is_called_by_its_name() -> None:
    content = (
        '"C","Real-Time Five Minute LMP Report"\n"C","Report generated: 07/04/2025 05:00:00 EDT"\n'
        '"H","Local Time","Location ID","Location Name","LMP","Energy","Congestion","Loss"\n'
        '"D","07/04/2025 00:05:00","4001","INVENTED","41.5","40.0","1.0","0.5"\n"T","1 lines"\n'
    )
    for name in ("lmp_5min_20250704_00-04.csv", "download.csv"):
        with pytest.raises(UnknownFormat) as caught:
            own_registry().recognise(SourceFile(name, content.encode()))
        assert caught.value.reason == "five-minute prices of ISO-NE are not read"


def test_hours_of_pjm_that_begin_at_half_past_are_said_to_do_so() -> None:
    content = sample(name="da_hrl_lmps.csv").content.replace(b":00:00 ", b":30:00 ")
    with pytest.raises(UnknownFormat, match="its hours do not begin on the hour"):
        REGISTRY.recognise(SourceFile("da_hrl_lmps.csv", content))
