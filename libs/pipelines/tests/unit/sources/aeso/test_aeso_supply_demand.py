import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.aeso import SOURCE

DATA = Path(__file__).parent / "data"
REPORT = (DATA / "invented_csd_2017.csv").read_text()
LATER = (DATA / "invented_csd_2026.csv").read_text()

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def value(parsed: Parsed, location: str, measure: str) -> float:
    total = parsed.rows.filter(pl.col("location") == location, pl.col("measure") == measure)
    return total["value"].item()


def test_the_report_is_of_one_moment_which_is_also_its_known_time(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT)
    moment = datetime(2017, 7, 14, 1, 26, tzinfo=UTC)
    assert parsed.rows["ts"].unique().to_list() == [moment]
    assert parsed.known_at == moment
    assert parsed.series["frequency"].unique().to_list() == ["irregular"]


def test_net_generation_is_load_plus_net_interchange(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT)
    generation, load, interchange = (value(parsed, "AESO", name) for name in ("generation", "load", "net_interchange"))
    assert (generation, load, interchange) == (300, 320, -20)
    flows = parsed.rows.filter(pl.col("measure") == "flow")
    assert dict(flows.select("location", "value").iter_rows()) == {"British Columbia": -25, "Montana": 5, "Saskatchewan": 0}
    signs = parsed.series.filter(pl.col("measure").is_in(["flow", "net_interchange"]))["labels"].unique().to_list()
    assert signs == ['{"sign":"out of Alberta positive"}']


def test_fuel_groups_have_capability_generation_and_reserve(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT)
    names = ("capability_gas", "generation_gas", "reserve_gas")
    assert [value(parsed, "AESO", name) for name in names] == [250, 150, 21]
    assert value(parsed, "AESO", "capability") == 550


def test_generators_are_known_by_the_id_in_brackets(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT)
    assets = parsed.series.filter(pl.col("location_type") == "generator", pl.col("measure") == "generation")
    assert dict(assets.select("location", "location_name").iter_rows()) == {
        "IC1": "Invented Coal #1",
        "IP1": "Invented Peaker",
        "ICN": "Invented Cogen, North",
        "IW1": "Invented Wind",
    }
    assert [value(parsed, "IP1", name) for name in ("capability", "generation", "reserve")] == [50, 0, 21]


def test_the_report_of_2026_has_other_groups_and_no_quotes(parse: Parse) -> None:
    (parsed,) = parse("x.csv", LATER)
    assert parsed.known_at == datetime(2026, 2, 3, 6, 32, tzinfo=UTC)
    assert value(parsed, "AESO", "generation_energy_storage") == 10
    assert value(parsed, "IB1", "capability") == 100
    assert parsed.refused.is_empty()


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("Nov 05, 2017 01:30", "ambiguous_time"),
        ("Mar 12, 2017 02:30", "non_existent_time"),
        ("Feb 31, 2017 02:30", "invalid_time"),
    ],
)
def test_a_moment_that_names_no_single_instant_refuses_the_file(parse: Parse, moment: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse("x.csv", REPORT.replace("Jul 13, 2017 19:26", moment))


def test_an_unknown_line_of_the_summary_is_held_back_and_the_rest_loads(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT.replace("LSSi Armed Dispatch", "Moonshine"))
    (whole,) = parse("x.csv", REPORT)
    assert parsed.rows.height == whole.rows.height - 1
    assert parsed.refused.select("line", "reason", "detail").rows() == [(14, "unknown_code", "Moonshine")]


def test_an_unknown_fuel_is_stored_as_unmapped(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT.replace('"WIND"', '"TIDAL"'))
    assert parsed.refused.is_empty()
    tidal = parsed.series.filter(pl.col("fuel") == "unmapped").sort("measure")
    assert tidal.select("measure", "unit", "kind", "labels").rows() == [
        (f"{measure}_tidal", "MW", kind, '{"fuel_as_published": "TIDAL"}')
        for measure, kind in (("capability", "capacity"), ("generation", "generation"), ("reserve", "reserve"))
    ]


def test_a_row_of_a_fuel_without_a_word_is_held_back(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT.replace('"WIND"', '"1445"'))
    assert parsed.refused.select("line", "reason", "detail").rows() == [(19, "unknown_code", "1445")]


def test_a_cell_that_is_no_number_is_held_back_alone(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT.replace('"200","150","0"', '"200","n/a","0"'))
    assert parsed.refused.select("column", "reason", "detail").rows() == [("TNG", "non_numeric", "n/a")]
    assert value(parsed, "ICN", "capability") == 200


def test_a_generator_with_too_few_cells_is_held_back(parse: Parse) -> None:
    (parsed,) = parse("x.csv", REPORT.replace('"200","150","0"', '"200","150"'))
    assert parsed.refused["reason"].to_list() == ["missing_field"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("Current Supply Demand Report\n\nnothing\n", "no 'Last Update"),
        (REPORT[: REPORT.index('"British')], "no intertie_total, asset rows"),
        (REPORT[: REPORT.index('"Invented Wind')], "the generators listed have 450 of 550 MW"),
        (REPORT.rstrip()[:-2], "the last line is cut off"),
        (REPORT[: REPORT.index('"Alberta')], "no summary"),
    ],
)
def test_a_truncated_report_is_refused_whole(parse: Parse, content: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse("x.csv", content)


def test_a_file_of_zero_bytes_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse("latest_electricity_market_report.csv", b"")


def test_the_html_form_is_not_claimed() -> None:
    document = SourceFile("x.html", b"<html><title>Current Supply Demand Report</title></html>")
    assert not SOURCE.formats[0].recognise(document)


def test_the_real_report_gives_the_sums_of_its_own_totals(parse: Parse, real_files: Path) -> None:
    content = (real_files / "latest_electricity_market_report.csv").read_text()
    assets = re.findall(r'^"[^"]*\((\w+)\)\*?","(\d+)","(\d+)","(\d+)"$', content, re.MULTILINE)
    assert len(assets) == 123
    (parsed,) = parse("latest_electricity_market_report.csv", content)
    assert parsed.refused.is_empty()
    generators = parsed.series.filter(pl.col("location_type") == "generator")["location"].unique()
    assert set(generators) == {asset for asset, *_ in assets}
    for place, measure in ((1, "capability"), (2, "generation"), (3, "reserve")):
        total = parsed.rows.filter(pl.col("measure") == measure, pl.col("location").is_in(generators.implode()))["value"].sum()
        assert total == sum(int(asset[place]) for asset in assets)
    assert value(parsed, "AESO", "capability") == 16404
    assert value(parsed, "AESO", "generation") == 10054
