import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.pjm.lmp import DAY_AHEAD, REAL_TIME

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

HEADER = (
    "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,"
    "system_energy_price_da,total_lmp_da,congestion_price_da,marginal_loss_price_da,row_is_current,version_nbr"
)


def stamp(instant: datetime) -> str:
    return f"{instant.month}/{instant.day}/{instant.year} {instant:%I:%M:%S %p}".replace(" 0", " ")


def row(instant: datetime | str, lmp: str = "30.5", *, node: str = "1", current: str = "True", version: int | str = 1) -> str:
    """An invented row."""
    when = instant if isinstance(instant, str) else stamp(instant)
    return f"{when},,{node},INVENTED HUB,,,HUB,,25,{lmp},4.5,1,{current},{version}"


def file(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def day(start: datetime, hours: int) -> str:
    return file(*(row(start + timedelta(hours=hour), str(hour)) for hour in range(hours)))


def prices(parsed: Parsed, measure: str = "lmp") -> pl.DataFrame:
    return parsed.rows.filter(pl.col("measure") == measure)


def test_a_row_gives_four_measures_at_the_utc_hour(parse: Parse) -> None:
    (parsed,) = parse("da_hrl_lmps.csv", file(row("5/1/2025 4:00:00 AM")))
    assert parsed.dataset.name == "da_hrl_lmps"
    assert set(parsed.rows["ts"]) == {datetime(2025, 5, 1, 4, tzinfo=UTC)}
    assert dict(parsed.rows.select("measure", "value").rows()) == {"lmp": 30.5, "energy": 25, "congestion": 4.5, "loss": 1}


def test_series_carry_name_type_and_zone_of_the_node(parse: Parse) -> None:
    line = '5/1/2025 4:00:00 AM,,7,SOUTH 138,138 KV,LOAD "A",LOAD,AEP,25,30,4,1,True,1'
    (parsed,) = parse("x.csv", file(line.replace('LOAD "A"', '"LOAD ""A"""')))
    series = parsed.series.row(0, named=True)
    assert (series["location_name"], series["location_type"]) == ("SOUTH 138", "LOAD")
    assert series["labels"] == '{"equipment":"LOAD \\"A\\"","voltage":"138 KV","zone":"AEP"}'


@pytest.mark.parametrize(
    ("start", "hours"),
    [(datetime(2025, 3, 9, 5, tzinfo=UTC), 23), (datetime(2025, 11, 2, 4, tzinfo=UTC), 25)],
    ids=["spring", "fall"],
)
def test_days_on_which_clocks_change_keep_every_hour(parse: Parse, start: datetime, hours: int) -> None:
    (parsed,) = parse("x.csv", day(start, hours))
    assert prices(parsed)["ts"].to_list() == [start + timedelta(hours=hour) for hour in range(hours)]
    assert parsed.refused.is_empty()


def test_corrected_hours_are_ranked_back_from_the_current_row_of_each_node(parse: Parse) -> None:
    hour = "5/1/2025 4:00:00 AM"
    (parsed,) = parse(
        "x.csv",
        file(
            row(hour, "1", current="False", version=1),
            row(hour, "3", current="True", version=3),
            row(hour, "2", current="False", version=2),
            row(hour, "9", node="2", version=5),
        ),
    )
    assert prices(parsed).select("location", "value", "version").rows() == [
        ("1", 1.0, -2),
        ("1", 3.0, 0),
        ("1", 2.0, -1),
        ("2", 9.0, 0),
    ]


def test_a_replaced_row_without_its_successor_is_not_current(parse: Parse) -> None:
    (parsed,) = parse("x.csv", file(row("5/1/2025 4:00:00 AM", current="False")))
    assert prices(parsed)["version"].to_list() == [-1]


def test_the_two_markets_are_told_apart_by_their_headers(parse: Parse) -> None:
    (parsed,) = parse("rt_hrl_lmps.csv", file(row("5/1/2025 4:00:00 AM"), header=HEADER.replace("_da", "_rt")))
    assert parsed.dataset.name == "rt_hrl_lmps"


@pytest.mark.parametrize("text", ["5/1/2025 4:00", "2025-05-01T04:00:00", "5/1/25 4:00", "05/01/2025 04:00:00 AM"])
def test_other_spellings_of_the_hour_are_read(parse: Parse, text: str) -> None:
    (parsed,) = parse("x.csv", file(row(text)))
    assert set(parsed.rows["ts"]) == {datetime(2025, 5, 1, 4, tzinfo=UTC)}


def test_windows_line_ends_and_byte_order_mark_do_not_matter(parse: Parse) -> None:
    text = file(row("5/1/2025 4:00:00 AM"))
    (parsed,) = parse("x.csv", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert prices(parsed)["value"].to_list() == [30.5]


@pytest.mark.parametrize("text", ["5/1/2025 25:00:00 AM", "5/32/2025 5:00:00 AM", "5/1/2025 ٥:00:00 AM", "soon", ""])
def test_an_impossible_hour_is_refused_and_the_rest_kept(parse: Parse, text: str) -> None:
    (parsed,) = parse("x.csv", file(row("5/1/2025 4:00:00 AM"), row(text), row("5/1/2025 6:00:00 AM")))
    assert parsed.rows_read == 3
    assert prices(parsed)["line"].to_list() == [2, 4]
    assert parsed.refused.select("line", "column", "reason").rows() == [(3, "datetime_beginning_utc", Reason.INVALID_TIME)]


@pytest.mark.parametrize("text", ["n/a", "inf", "NaN"])
def test_a_price_that_is_no_number_is_refused_as_one_cell(parse: Parse, text: str) -> None:
    (parsed,) = parse("x.csv", file(row("5/1/2025 4:00:00 AM", text)))
    assert set(parsed.rows["measure"]) == {"energy", "congestion", "loss"}
    assert parsed.refused.select("column", "reason", "detail").rows() == [("total_lmp_da", Reason.NON_NUMERIC, text)]


def test_a_blank_price_is_no_observation_and_no_error(parse: Parse) -> None:
    (parsed,) = parse("x.csv", file(row("5/1/2025 4:00:00 AM", "")))
    assert set(parsed.rows["measure"]) == {"energy", "congestion", "loss"}
    assert parsed.refused.is_empty()


def test_rows_without_node_or_with_an_odd_version_are_refused(parse: Parse) -> None:
    (parsed,) = parse("x.csv", file(row("5/1/2025 4:00:00 AM", node=""), row("5/1/2025 5:00:00 AM", version="two")))
    assert parsed.rows.is_empty()
    assert parsed.refused.select("line", "reason").rows() == [(2, Reason.MISSING_FIELD), (3, Reason.NON_NUMERIC)]


@pytest.mark.parametrize(
    "content",
    [b"", file(row("5/1/2025 4:00:00 AM"))[:-25].encode(), b"datetime_beginning_utc,pnode_id\n5/1/2025 4:00:00 AM,1\n"],
    ids=["zero bytes", "cut off", "wrong header"],
)
def test_a_damaged_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        DAY_AHEAD.parse(SourceFile("da_hrl_lmps.csv", content))


def test_neither_format_claims_other_files() -> None:
    for name in ("", "Datetime,PJME_MW\n", "\x00\x01", HEADER.replace("total_lmp_da", "total")):
        document = SourceFile("x.csv", name.encode())
        assert not DAY_AHEAD.recognise(document)
        assert not REAL_TIME.recognise(document)


@pytest.mark.parametrize("run", ["da", "rt"])
def test_real_hub_prices_agree_with_a_plain_reading(parse: Parse, real_files: Path, run: str) -> None:
    path = real_files / f"{run}_hrl_lmps_hubs_20250501_20250801.csv"
    with path.open(newline="") as stream:
        raw = list(csv.DictReader(stream))
    labels = {line["datetime_beginning_utc"] for line in raw}
    instants = {label: datetime.strptime(label, "%m/%d/%Y %I:%M:%S %p") for label in labels}
    (parsed,) = parse(path.name, path.read_bytes())
    assert (parsed.rows_read, parsed.rows.height, parsed.refused.height) == (len(raw), 4 * len(raw), 0)
    for measure in parsed.dataset.measures:
        expected = {(line["pnode_id"], instants[line["datetime_beginning_utc"]]): float(line[measure.column]) for line in raw}
        rows = prices(parsed, measure.name).with_columns(pl.col("ts").dt.replace_time_zone(None))
        assert {(location, ts): value for location, ts, value in rows.select("location", "ts", "value").iter_rows()} == expected


def test_real_components_add_up_to_the_price(parse: Parse, real_files: Path) -> None:
    path = real_files / "da_hrl_lmps_rto_2025.csv"
    (parsed,) = parse(path.name, path.read_bytes())
    wide = parsed.rows.pivot("measure", index=["location", "ts"], values="value")
    gap = wide.select((pl.col("lmp") - pl.col("energy") - pl.col("congestion") - pl.col("loss")).abs().max()).item()
    # 6 decimals; the energy price of the RTO is rounded to cents.
    assert gap < 0.01
    assert wide["ts"].n_unique() == 8737


def test_a_hub_with_the_id_of_another_is_held_back(parse: Parse) -> None:
    start = datetime(2025, 7, 4, 4, tzinfo=UTC)
    rows = [
        row(start, node=node).replace("INVENTED HUB", name)
        for node, name in (("51217", "EASTERN HUB"), ("51217", "WESTERN HUB"))
    ]
    (parsed,) = parse("da_hrl_lmps.csv", file(*rows))
    assert set(parsed.rows["line"]) == {2}
    assert parsed.refused["detail"].to_list() == ["WESTERN HUB is 51288, not 51217"]


def both(instant: datetime, behind: int = 4) -> str:
    return f"{stamp(instant)},{stamp(instant - timedelta(hours=behind))}"


def row_of_both(times: str) -> str:
    return f"{times},1,INVENTED HUB,,,HUB,,25,30.5,4.5,1,True,1"


def test_a_row_whose_eastern_time_is_not_that_of_its_utc_time_is_held_back(parse: Parse) -> None:
    start = datetime(2025, 7, 4, 4, tzinfo=UTC)
    hours = [row_of_both(both(start + timedelta(hours=hour))) for hour in range(4)]
    (parsed,) = parse("da_hrl_lmps.csv", file(row_of_both(both(start + timedelta(hours=4), behind=5)), *hours))
    assert sorted(set(parsed.rows["line"])) == [3, 4, 5, 6]
    assert parsed.refused.select("line", "column", "reason").rows() == [(2, "datetime_beginning_ept", Reason.INVALID_TIME)]
    assert "not the time of datetime_beginning_utc 7/4/2025 8:00:00 AM" in parsed.refused["detail"][0]


@pytest.mark.parametrize("exchange", [True, False], ids=["columns exchanged", "an hour late"])
def test_a_file_whose_two_times_disagree_is_refused(exchange: bool) -> None:
    start = datetime(2025, 7, 4, 4, tzinfo=UTC)
    times = [both(start + timedelta(hours=hour), behind=4 if exchange else 5) for hour in range(24)]
    wrong = [",".join(reversed(each.split(","))) if exchange else each for each in times]
    content = file(*(row_of_both(each) for each in wrong)).encode()
    with pytest.raises(
        RefusedFile, match="the time in datetime_beginning_ept disagrees with datetime_beginning_utc in 24 of 24 rows"
    ):
        DAY_AHEAD.parse(SourceFile("da_hrl_lmps.csv", content))


def test_a_hub_with_an_id_that_no_other_hub_has_is_stored(parse: Parse) -> None:
    text = file(row(datetime(2025, 7, 4, 4, tzinfo=UTC), node="99001").replace("INVENTED HUB", "WESTERN HUB"))
    (parsed,) = parse("da_hrl_lmps.csv", text)
    assert set(parsed.rows["location"]) == {"99001"}
