import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.quality.price_sums import check_prices
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.miso import SOURCE

DATA = Path(__file__).parent / "data"
FALL = "invented_fall_back_20251102_da_expost_lmp.csv"
PADDED = "invented_padded_20260308_da_expost_lmp.csv"
NAME = "20250319_da_expost_lmp.csv"

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

TITLES = ["Day Ahead Market ExPost LMPs", "03/19/2025", "", ",,,All Hours-Ending are Eastern Standard Time (EST)"]
HEADER = "Node,Type,Value," + ",".join(f"HE {hour}" for hour in range(1, 25))


def row(node: str, value: str, *prices: str) -> str:
    return ",".join([node, "Hub", value, *prices, *["1"] * (24 - len(prices))])


def file(*rows: str, titles: list[str] | None = None, header: str = HEADER) -> str:
    return "\n".join([*(TITLES if titles is None else titles), header, *rows, ""])


def test_hour_ending_1_begins_at_midnight_eastern_standard_time_in_summer_too(parse: Parse) -> None:
    (parsed,) = parse("x", file(row("A.HUB", "LMP", "7.5"), titles=["Day Ahead Market ExPost LMPs", "7/4/2025"]))
    first = parsed.rows.sort("ts").row(0, named=True)
    assert (first["ts"], first["value"]) == (datetime(2025, 7, 4, 5, tzinfo=UTC), 7.5)


@pytest.mark.parametrize(("name", "first"), [(FALL, datetime(2025, 11, 2, 5)), (PADDED, datetime(2026, 3, 8, 5))])
def test_days_of_clock_changes_have_24_hours(parse: Parse, name: str, first: datetime) -> None:
    (parsed,) = parse(name, (DATA / name).read_bytes())
    hub = parsed.rows.filter(pl.col("location") == "INVENTED.HUB", pl.col("measure") == "lmp").sort("ts")
    assert hub["ts"][0] == first.replace(tzinfo=UTC)
    assert hub["ts"].diff().drop_nulls().to_list() == [timedelta(hours=1)] * 23
    assert parsed.refused.is_empty()


def test_numbers_without_a_leading_zero_are_read(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row("A.HUB", "LMP", ".6", "-.37")))
    assert parsed.rows.sort("ts")["value"].to_list()[:2] == [0.6, -0.37]


def test_the_energy_price_is_what_the_other_two_leave(parse: Parse) -> None:
    rows = [row("A.HUB", "LMP", "36.22"), row("A.HUB", "MCC", "2.99"), row("A.HUB", "MLC", ".47")]
    (parsed,) = parse(NAME, file(*rows))
    energy = parsed.rows.filter(pl.col("measure") == "energy").sort("ts")
    assert energy.height == 24
    assert energy["value"][0] == 32.76
    labels = parsed.series.filter(pl.col("measure") == "energy")["labels"].item()
    assert labels == '{"derived":"lmp - congestion - loss"}'


def test_without_both_components_there_is_no_energy_price(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row("A.HUB", "LMP", "36.22"), row("A.HUB", "MCC", "2.99")))
    assert sorted(parsed.series["measure"]) == ["congestion", "lmp"]


def test_a_price_that_stands_twice_and_differs_gives_no_energy_price_for_its_hour(parse: Parse) -> None:
    rows = [row("A.HUB", "LMP", "36.22"), row("A.HUB", "LMP", "40"), row("A.HUB", "MCC"), row("A.HUB", "MLC")]
    (parsed,) = parse(NAME, file(*rows))
    assert parsed.rows.filter(pl.col("measure") == "energy").height == 23
    assert parsed.rows.filter(pl.col("measure") == "lmp").height == 48


def test_the_type_of_a_node_describes_its_location(parse: Parse) -> None:
    (parsed,) = parse(FALL, (DATA / FALL).read_bytes())
    kinds = dict(parsed.series.select("location", "location_type").unique().iter_rows())
    assert kinds == {"INVENTED.HUB": "hub", "INVENTED.AZ": "loadzone", "INVENTED.GEN1": "gennode"}


def test_a_file_of_zero_bytes_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse(NAME, b"")


def test_a_cut_off_last_line_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="line 7: truncated"):
        parse(NAME, file(row("A.HUB", "LMP"), row("A.HUB", "MCC")[:20]).rstrip("\n"))


def test_a_file_without_the_header_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="wrong header: no line 'Node,Type,Value,HE 1,"):
        parse(NAME, file(row("A.HUB", "LMP"), header="Name,Type,Value,HE 1"))


def test_a_missing_hour_column_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="wrong header: 'HE 24' not among"):
        parse(NAME, file(row("A.HUB", "LMP")[:-2], header=HEADER.removesuffix(",HE 24")))


@pytest.mark.parametrize("day", ["", "19 March 2025", "13/32/2025"])
def test_a_file_without_a_market_day_is_refused(parse: Parse, day: str) -> None:
    with pytest.raises(RefusedFile, match="no market day"):
        parse(NAME, file(row("A.HUB", "LMP"), titles=[TITLES[0], day, "", TITLES[3]]))


def test_an_unknown_component_is_held_back_and_the_rest_loads(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row("A.HUB", "LMP"), row("A.HUB", "MEC")))
    assert parsed.rows.height == 24
    assert parsed.refused.select("line", "column", "reason", "detail").rows() == [(7, "Value", "unknown_code", "MEC")]
    assert parsed.rows_read == 2


def test_a_cell_that_is_no_number_is_held_back_alone(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row("A.HUB", "LMP", "1", "inf", "x")))
    assert parsed.rows.height == 22
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (6, "HE 2", "non_numeric"),
        (6, "HE 3", "non_numeric"),
    ]


def test_other_reports_of_the_same_layout_are_not_claimed() -> None:
    other = file(row("A.HUB", "LMP"), titles=["Real Time Market Final LMPs", *TITLES[1:]])
    assert not SOURCE.formats[0].recognise(SourceFile("20250319_rt_lmp_final.csv", other.encode()))


@pytest.mark.parametrize("day", ["20251102", "20251201", "20260923"])
def test_real_files_give_the_sums_that_csv_gives(parse: Parse, real_files: Path, day: str) -> None:
    name = f"{day}_da_expost_lmp.rowsubset.csv"
    content = (real_files / "da_expost_lmp" / name).read_text()
    lines = content.splitlines()
    header = next(number for number, line in enumerate(lines) if line.startswith("Node,"))
    records = list(csv.DictReader(lines[header:]))
    (parsed,) = parse(name, content)
    assert parsed.rows_read == len(records)
    assert parsed.refused.is_empty()
    for measure, value in (("lmp", "LMP"), ("congestion", "MCC"), ("loss", "MLC")):
        expected = [float(record[f"HE {h}"]) for record in records if record["Value"] == value for h in range(1, 25)]
        parsed_values = parsed.rows.filter(pl.col("measure") == measure)["value"]
        assert parsed_values.len() == len(expected)
        assert parsed_values.sum() == pytest.approx(sum(expected), abs=1e-6)
    by_node = {(record["Node"], record["Value"]): float(record["HE 24"]) for record in records}
    last = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + timedelta(hours=28)
    energy = parsed.rows.filter(pl.col("measure") == "energy", pl.col("ts") == last)
    assert dict(energy.select("location", "value").iter_rows()) == {
        node: pytest.approx(by_node[node, "LMP"] - by_node[node, "MCC"] - by_node[node, "MLC"])
        for node, value in by_node
        if value == "MCC"
    }


@pytest.mark.parametrize(
    "line",
    [
        ",,,All Hours-Ending are Central Standard Time (CST)",
        ",,,All Hours-Ending are Eastern Prevailing Time (EPT)",
        ",,,All Hours-Ending are Eastern Daylight Time (EDT)",
        ",,,All Hours-Ending are CST",
        "All Hours-Ending are UTC",
        "Time zone: local",
        ",,,All Hours-Ending are the market's",
    ],
)
def test_a_file_in_another_time_zone_is_refused(parse: Parse, line: str) -> None:
    with pytest.raises(RefusedFile, match="Eastern Standard Time"):
        parse(NAME, file(row("A.HUB", "LMP", "7.5"), titles=[*TITLES[:3], line]))


@pytest.mark.parametrize("line", ["All Hours-Ending are Eastern Standard Time (EST)", "All hours ending are EST", ""])
def test_a_file_in_eastern_standard_time_or_that_states_none_is_read(parse: Parse, line: str) -> None:
    (parsed,) = parse(NAME, file(row("A.HUB", "LMP", "7.5"), titles=[*TITLES[:3], line]))
    assert parsed.rows.height == 24


@pytest.mark.parametrize("component", ["MCC", "MLC"])
def test_prices_under_each_others_values_are_refused(parse: Parse, component: str) -> None:
    def hours(first: float) -> list[str]:
        return [str(first + hour) for hour in range(24)]

    nodes = {f"NODE{n}": (2.0 * n, 0.5 - n) for n in range(4)}
    rows = [
        row(node, value, *prices)
        for node, (congestion, loss) in nodes.items()
        for value, prices in (
            ("LMP", hours(30 + congestion + loss)),
            ("MCC", [str(congestion)] * 24),
            ("MLC", [str(loss)] * 24),
        )
    ]
    text = file(*rows)
    exchanged = text.replace(",LMP,", ",?,").replace(f",{component},", ",LMP,").replace(",?,", f",{component},")
    (right,), (wrong,) = parse(NAME, text), parse(NAME, exchanged)
    assert check_prices(right.rows, right.dataset).refusal == ""
    assert "are exchanged" in check_prices(wrong.rows, wrong.dataset).refusal
