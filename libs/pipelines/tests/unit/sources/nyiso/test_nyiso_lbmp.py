import csv
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.quality.price_sums import check_prices
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.nyiso import SOURCE
from aurum.pipelines.sources.nyiso.lbmp import DAMLBMP_ZONE_FORMAT

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)"
NYC = "61761"


def file(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def series_of(parsed: Parsed, location: str, measure: str) -> dict[datetime, float]:
    rows = parsed.rows.filter((pl.col("location") == location) & (pl.col("measure") == measure))
    return dict(rows.select("ts", "value").iter_rows())


def read(parse: Parse, name: str) -> tuple[Parsed, ...]:
    return parse(name, (DATA / name).read_bytes())


def test_the_fall_back_day_has_25_hours_in_file_order(parse: Parse) -> None:
    (parsed,) = read(parse, "20251102damlbmp_zone.csv")
    prices = series_of(parsed, NYC, "lmp")
    start = datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert list(prices) == [start + timedelta(hours=hour) for hour in range(25)]
    # The file prints 01:00 twice, in daylight time first.
    assert (prices[start + timedelta(hours=1)], prices[start + timedelta(hours=2)]) == (53.65, 52.59)
    assert parsed.refused.is_empty()


def test_an_hour_of_the_fall_back_day_that_stands_once_is_refused(parse: Parse) -> None:
    once = [line for line in (DATA / "20251102damlbmp_zone.csv").read_text().splitlines() if "53.65" not in line]
    (parsed,) = parse("20251102damlbmp_zone.csv", "\n".join(once) + "\n")
    assert len(series_of(parsed, NYC, "lmp")) == 23
    assert parsed.refused["reason"].to_list() == [Reason.AMBIGUOUS_TIME]
    assert len(series_of(parsed, "61752", "lmp")) == 25


def test_the_spring_day_has_no_hour_02(parse: Parse) -> None:
    rows = [f"03/09/2025 {hour:02}:00,N.Y.C.,61761,{hour},0.00,0.00" for hour in range(24)]
    (parsed,) = parse("20250309damlbmp_zone.csv", file(*rows))
    start = datetime(2025, 3, 9, 5, tzinfo=UTC)
    assert list(series_of(parsed, NYC, "lmp")) == [start + timedelta(hours=hour) for hour in range(23)]
    assert parsed.refused.select("line", "reason").rows() == [(4, Reason.NON_EXISTENT_TIME)]


def test_congestion_has_its_sign_turned_so_that_the_parts_add_up(parse: Parse) -> None:
    (parsed,) = parse("20250101damlbmp_zone.csv", file("01/01/2025 00:00,N.Y.C.,61761,40.90,3.08,-3.63"))
    values = dict(parsed.rows.select("measure", "value").iter_rows())
    assert values == {"lmp": 40.9, "energy": 34.19, "congestion": 3.63, "loss": 3.08}
    labels = dict(parsed.series.select("measure", "labels").iter_rows())
    assert labels["congestion"] == '{"published_congestion_sign": "negative"}'
    assert labels["energy"] == '{"derived": "lmp - congestion - loss"}'
    assert labels["lmp"] == "{}"


def test_energy_is_one_price_for_every_zone(parse: Parse) -> None:
    (parsed,) = read(parse, "20251102damlbmp_zone.csv")
    energy = (
        parsed.rows.filter(pl.col("measure") == "energy")
        .group_by("ts")
        .agg(spread=pl.col("value").max() - pl.col("value").min())
    )
    assert energy["spread"].max() <= 0.0101


def test_zones_and_neighbours_are_told_apart(parse: Parse) -> None:
    (parsed,) = read(parse, "20251102damlbmp_zone.csv")
    kinds = {(name, kind) for name, kind in parsed.series.select("location_name", "location_type").iter_rows()}
    assert kinds == {("N.Y.C.", "ZONE"), ("WEST", "ZONE"), ("PJM", "EXTERNAL")}


def test_real_time_stamps_are_interval_ends(parse: Parse) -> None:
    regular, _ = read(parse, "20220718realtime_zone.csv")
    prices = series_of(regular, NYC, "lmp")
    start = datetime(2022, 7, 18, 4, tzinfo=UTC)
    assert list(prices) == [start + timedelta(minutes=5 * step) for step in range(11)]
    assert prices[start + timedelta(minutes=15)] == 58.16
    assert set(regular.series["frequency"]) == {"5min"}


def test_extra_runs_off_the_five_minutes_are_kept_apart_as_printed(parse: Parse) -> None:
    regular, extra = read(parse, "20220718realtime_zone.csv")
    assert (regular.dataset.name, extra.dataset.name) == ("realtime_zone", "realtime_zone_extra")
    assert series_of(extra, NYC, "lmp") == {
        datetime(2022, 7, 18, 4, 15, 12, tzinfo=UTC): 59.36,
        datetime(2022, 7, 18, 4, 16, 36, tzinfo=UTC): 73.29,
    }
    assert set(extra.series["frequency"]) == {"irregular"}
    assert (regular.rows_read, extra.rows_read) == (22, 4)


def test_the_five_minutes_of_the_repeated_hour_are_told_apart_by_order(parse: Parse) -> None:
    ends = ["00:55", "01:00", *(f"01:{minute:02}" for minute in range(5, 60, 5))]
    ends += ["01:00", *(f"01:{minute:02}" for minute in range(5, 60, 5)), "02:00"]
    rows = [f"11/02/2025 {end}:00,N.Y.C.,61761,{number},0.00,0.00" for number, end in enumerate(ends)]
    (parsed,) = parse("20251102realtime_zone.csv", file(*rows))
    start = datetime(2025, 11, 2, 4, 50, tzinfo=UTC)
    assert series_of(parsed, NYC, "lmp") == {start + timedelta(minutes=5 * number): number for number in range(len(ends))}


@pytest.mark.parametrize(
    ("name", "stamp", "ptid", "dataset"),
    [
        ("20250101damlbmp_gen.csv", "01/01/2025 00:00", "23512", "damlbmp_gen"),
        ("20250101realtime_gen.csv", "01/01/2025 00:05:00", "23512", "realtime_gen"),
        ("renamed.csv", "01/01/2025 00:05:00", "23512", "realtime_gen"),
        ("renamed.csv", "01/01/2025 00:05:00", "61752", "realtime_zone"),
        ("dam.csv", "01/01/2025 00:00", "61752", "damlbmp_zone"),
    ],
)
def test_the_four_files_of_one_header_are_told_apart(parse: Parse, name: str, stamp: str, ptid: str, dataset: str) -> None:
    (parsed,) = parse(name, file(f"{stamp},INVENTED,{ptid},1.00,0.00,0.00"))
    assert parsed.dataset.name == dataset
    assert set(parsed.series["location_type"]) == {"GENERATOR" if dataset.endswith("gen") else "ZONE"}


def test_an_hourly_file_that_does_not_say_its_market_is_nobodys() -> None:
    for name in ("20250101rtlbmp_zone.csv", "prices.csv"):
        document = SourceFile(name, file("01/01/2025 00:00,N.Y.C.,61761,1.00,0.00,0.00").encode())
        assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


def test_quotes_and_windows_line_ends_do_not_matter(parse: Parse) -> None:
    text = file("01/01/2025 00:00,N.Y.C.,61761,1.50,0.00,0.00")
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines())
    (parsed,) = parse("20250101damlbmp_zone.csv", quoted)
    assert series_of(parsed, NYC, "lmp") == {datetime(2025, 1, 1, 5, tzinfo=UTC): 1.5}


def test_bad_rows_are_refused_and_the_rest_kept(parse: Parse) -> None:
    (parsed,) = parse(
        "20250101damlbmp_zone.csv",
        file(
            "01/01/2025 24:00,N.Y.C.,61761,1.00,0.00,0.00",
            "01/01/202５ 01:00,N.Y.C.,61761,2.00,0.00,0.00",
            "01/01/2025 02:00,N.Y.C.,61761,many,0.00,0.00",
            "01/01/2025 03:00,N.Y.C.,,4.00,0.00,0.00",
            "01/01/2025 04:00,N.Y.C.,61761,5.00,0.00,0.00",
        ),
    )
    assert parsed.rows_read == 5
    assert series_of(parsed, NYC, "lmp") == {datetime(2025, 1, 1, 9, tzinfo=UTC): 5.0}
    assert parsed.refused.select("line", "reason").rows() == [
        (2, Reason.INVALID_TIME),
        (3, Reason.INVALID_TIME),
        (4, Reason.NON_NUMERIC),
        (5, Reason.MISSING_FIELD),
    ]
    # Without a price the energy is missing too, but the published components of the hour stay.
    remaining = parsed.rows.filter(pl.col("line") == 4)["measure"]
    assert set(remaining) == {"congestion", "loss"}


@pytest.mark.parametrize(
    "content",
    [b"", (DATA / "20251102damlbmp_zone.csv").read_bytes()[:-12], b"Time Stamp,Name,PTID\n01/01/2025 00:00,N.Y.C.,61761\n"],
    ids=["zero bytes", "cut off", "wrong header"],
)
def test_a_damaged_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        DAMLBMP_ZONE_FORMAT.parse(SourceFile("20251102damlbmp_zone.csv", content))


def test_a_real_day_of_five_minutes_agrees_with_a_plain_reading(parse: Parse, real_files: Path) -> None:
    path = real_files / "mis_realtime_zone" / "20220718realtime_zone.csv"
    expected: dict[str, float] = defaultdict(float)
    on_grid = 0
    with path.open(newline="") as stream:
        for line in csv.DictReader(stream):
            expected["lmp"] += float(line["LBMP ($/MWHr)"])
            expected["loss"] += float(line["Marginal Cost Losses ($/MWHr)"])
            expected["congestion"] -= float(line["Marginal Cost Congestion ($/MWHr)"])
            on_grid += line["Time Stamp"].endswith(("0:00", "5:00"))
    regular, extra = parse(path.name, path.read_bytes())
    assert (regular.rows_read, extra.rows_read) == (on_grid, 4575 - on_grid)
    assert regular.rows["ts"].n_unique() == 288
    both = pl.concat([regular.rows, extra.rows])
    sums = dict(both.group_by("measure").agg(pl.col("value").sum()).iter_rows())
    for measure, total in expected.items():
        assert sums[measure] == pytest.approx(total, abs=1e-6)
    assert sums["energy"] == pytest.approx(sums["lmp"] - sums["congestion"] - sums["loss"], abs=1e-6)


@pytest.mark.parametrize("spelling", ["61,761", "61761.0", "6.1761E4", "6.1761E+04", "00061761"])
@pytest.mark.parametrize("name", ["20250704damlbmp_zone.csv", "dayahead_july.csv"])
def test_zones_that_a_spreadsheet_saved_again_are_zones(parse: Parse, name: str, spelling: str) -> None:
    row = f'07/04/2025 00:00,N.Y.C.,"{spelling}",40.90,3.08,-3.63'
    (parsed,) = parse(name, file(row))
    assert parsed.dataset.name == "damlbmp_zone"
    assert parsed.rows["location"].unique().to_list() == ["61761"]


def test_a_zone_with_the_id_of_another_is_held_back(parse: Parse) -> None:
    rows = ["07/04/2025 00:00,N.Y.C.,61752,40.90,3.08,-3.63", "07/04/2025 00:00,CAPITL,61757,30.90,3.08,-3.63"]
    (parsed,) = parse("20250704damlbmp_zone.csv", file(*rows))
    assert parsed.rows["location"].unique().to_list() == ["61757"]
    assert parsed.refused.select("line", "column", "reason", "detail").rows() == [
        (2, "PTID", Reason.UNKNOWN_CODE, "N.Y.C. is 61761, not 61752")
    ]


@pytest.mark.parametrize(
    ("one", "other"), [(3, 4), (3, 5), (4, 5)], ids=["total and losses", "total and congestion", "components"]
)
def test_prices_under_each_others_headers_are_refused(parse: Parse, one: int, other: int) -> None:
    header, *lines = [line.split(",") for line in (DATA / "20251102damlbmp_zone.csv").read_text().splitlines()]
    (right, *_), places = read(parse, "20251102damlbmp_zone.csv"), list(range(len(header)))
    places[one], places[other] = other, one
    text = file(*(",".join(line[place] for place in places) for line in lines))
    (wrong, *_) = parse("20251102damlbmp_zone.csv", text)
    assert check_prices(right.rows, right.dataset).refusal == ""
    assert "are exchanged" in check_prices(wrong.rows, wrong.dataset).refusal


@pytest.mark.parametrize("stamp", ["07/04/2025 01:00:00", "07/04/2025 01:05:00"])
def test_a_single_interval_of_a_file_named_real_time_is_read(parse: Parse, stamp: str) -> None:
    (parsed,) = parse("20250704realtime_zone.csv", file(f"{stamp},N.Y.C.,61761,40.90,3.08,-3.63"))
    assert parsed.dataset.name == "realtime_zone"


@pytest.mark.parametrize("name", ["20250704realtime_zone.csv", "20250704realtime_gen.csv"])
def test_a_day_ahead_hour_under_a_real_time_name_is_refused(name: str) -> None:
    document = SourceFile(name, file("07/04/2025 01:00,N.Y.C.,61761,40.90,3.08,-3.63").encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)
