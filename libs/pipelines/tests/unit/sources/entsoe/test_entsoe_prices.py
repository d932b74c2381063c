import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.core.markettime import day_bounds
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.entsoe import SOURCE

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

ZONE = "10YES-REE------0"


def period(points: dict[int, str], *, start: str, end: str, resolution: str) -> str:
    body = "".join(
        f"<Point>\n<position>{n}</position>\n<price.amount>{p}</price.amount>\n</Point>\n" for n, p in points.items()
    )
    return (
        f"<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>\n{body}</Period>"
    )


def series(
    points: dict[int, str],
    *,
    start: str = "2025-10-01T22:00Z",
    end: str = "2025-10-02T22:00Z",
    resolution: str = "PT60M",
    curve: str | None = "A03",
    sequence: str | None = None,
    contract: str | None = "A01",
    currency: str = "EUR",
    per: str = "MWH",
    area: str = ZONE,
    out: str | None = None,
) -> str:
    place = "classificationSequence_AttributeInstanceComponent.position"
    to = out or area
    return (
        "<TimeSeries><mRID>1</mRID><auction.type>A01</auction.type><businessType>A62</businessType>"
        f'<in_Domain.mRID codingScheme="A01">{area}</in_Domain.mRID>'
        f'<out_Domain.mRID codingScheme="A01">{to}</out_Domain.mRID>'
        + (f"<contract_MarketAgreement.type>{contract}</contract_MarketAgreement.type>" if contract else "")
        + (f"<{place}>{sequence}</{place}>" if sequence else "")
        + f"<currency_Unit.name>{currency}</currency_Unit.name><price_Measure_Unit.name>{per}</price_Measure_Unit.name>"
        + (f"<curveType>{curve}</curveType>\n" if curve else "")
        + period(points, start=start, end=end, resolution=resolution)
        + "</TimeSeries>"
    )


def document(*parts: str, version: str = "7:3") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:{version}">'
        "<type>A44</type><createdDateTime>2025-10-01T10:57:06Z</createdDateTime>\n"
        + "".join(parts)
        + "</Publication_MarketDocument>"
    )


def values(parsed: Parsed, measure: str = "price_60min") -> dict[datetime, float]:
    return dict(parsed.rows.filter(pl.col("measure") == measure).select("ts", "value").iter_rows())


START = datetime(2025, 10, 1, 22, tzinfo=UTC)


def test_a_left_out_position_of_an_a03_curve_repeats_the_price_before_to_the_end_of_the_period(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50.5", 4: "-3", 23: "7"})))
    expected = [50.5] * 3 + [-3.0] * 19 + [7.0] * 2
    assert values(parsed) == {START + timedelta(hours=n): value for n, value in enumerate(expected)}
    assert parsed.rows_read == 3


@pytest.mark.parametrize("curve", ["A01", None])
def test_a_left_out_position_of_an_a01_curve_is_a_gap(parse: Parse, curve: str | None) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50.5", 4: "-3"}, curve=curve)))
    assert values(parsed) == {START: 50.5, START + timedelta(hours=3): -3.0}


def test_hours_and_quarter_hours_of_one_day_are_different_series(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50"}), series({1: "10", 96: "20"}, resolution="PT15M")))
    assert set(values(parsed).values()) == {50.0}
    assert len(values(parsed)) == 24
    assert list(values(parsed, "price_15min").values()) == [10.0] * 95 + [20.0]
    steps = dict(parsed.series.select("measure", "frequency").iter_rows())
    assert steps == {"price_60min": "1h", "price_15min": "15min"}


def test_the_second_auction_is_a_series_of_its_own(parse: Parse) -> None:
    first, second = (series({1: price}, sequence=n) for price, n in (("50", "1"), ("60", "2")))
    (parsed,) = parse("x.xml", document(second, first))
    assert set(values(parsed).values()) == {50.0}
    assert set(values(parsed, "price_60min_seq2").values()) == {60.0}


def test_intraday_auctions_are_another_dataset(parse: Parse) -> None:
    day_ahead, intraday = parse("x.xml", document(series({1: "50"}), series({1: "70"}, contract="A07", sequence="1")))
    assert day_ahead.dataset.name == "day_ahead_prices"
    assert intraday.dataset.name == "intraday_auction_prices"
    assert set(values(day_ahead).values()) == {50.0}
    assert set(values(intraday).values()) == {70.0}
    assert day_ahead.rows_read + intraday.rows_read == 2


def test_another_currency_is_another_series_in_that_currency(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50"}), series({1: "220"}, currency="PLN")))
    units = dict(parsed.series.select("measure", "unit").iter_rows())
    assert units == {"price_60min": "EUR/MWh", "price_60min_pln": "PLN/MWh"}
    assert set(values(parsed, "price_60min_pln").values()) == {220.0}


@pytest.mark.parametrize(("day", "hours"), [(datetime(2025, 10, 26), 25), (datetime(2025, 3, 30), 23)])
def test_a_local_day_with_a_clock_change_has_25_or_23_hours(parse: Parse, day: datetime, hours: int) -> None:
    start, end = day_bounds(day.date(), "Europe/Madrid")
    stamps = {"start": f"{start:%Y-%m-%dT%H:%MZ}", "end": f"{end:%Y-%m-%dT%H:%MZ}"}
    (parsed,) = parse("x.xml", document(series({1: "1"}, **stamps)))
    assert sorted(values(parsed)) == [start + timedelta(hours=n) for n in range(hours)]


def test_two_series_that_say_the_same_are_one(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50"}), series({1: "50"})))
    assert parsed.rows.height == 24


def test_two_series_that_contradict_each_other_are_both_kept_for_the_gate(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50"}), series({1: "50", 24: "51"})))
    last = parsed.rows.filter(pl.col("ts") == START + timedelta(hours=23))
    assert sorted(last["value"].to_list()) == [50.0, 51.0]


def test_an_unreadable_price_takes_what_it_stood_for_with_it_and_nothing_else(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50", 4: "n/a", 23: "7"})))
    assert list(values(parsed).values()) == [50.0] * 3 + [7.0] * 2
    (held,) = parsed.refused.iter_rows(named=True)
    assert held["reason"] == Reason.NON_NUMERIC
    assert held["column"] == "price.amount"
    assert "<price.amount>n/a</price.amount>" in held["raw"]


@pytest.mark.parametrize("price", ["NaN", "inf", "1e999"])
def test_what_is_not_finite_is_no_price(parse: Parse, price: str) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50", 24: price})))
    assert parsed.refused["reason"].to_list() == [Reason.NON_NUMERIC]


@pytest.mark.parametrize("position", [25, -1])
def test_a_position_outside_its_period_is_held_back(parse: Parse, position: int) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50", position: "60"})))
    assert set(values(parsed).values()) == {50.0}
    assert parsed.refused.select("column", "reason", "detail").rows() == [("position", Reason.INVALID_TIME, str(position))]


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"resolution": "P1D"}, "resolution"),
        ({"curve": "A04"}, "curveType"),
        ({"contract": "A02"}, "contract_MarketAgreement.type"),
        ({"per": "KWH"}, "price_Measure_Unit.name"),
        ({"currency": "euro"}, "currency_Unit.name"),
        ({"out": "10YFR-RTE------C"}, "out_Domain.mRID"),
    ],
)
def test_a_series_that_is_not_understood_is_held_back(parse: Parse, changed: dict[str, str], column: str) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50"}), series({1: "60"}, **changed)))
    assert set(values(parsed).values()) == {50.0}
    assert parsed.refused["column"].to_list()[0] == column
    assert set(parsed.refused["reason"]) == {Reason.UNKNOWN_CODE}


def test_a_document_is_made_when_it_is_queried_and_states_no_publication(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "50"})))
    assert (parsed.answered_at, parsed.known_at) == (datetime(2025, 10, 1, 10, 57, 6, tzinfo=UTC), None)


def test_lines_are_those_of_the_points_in_the_file(parse: Parse) -> None:
    text = document(series({1: "50", 2: "51"}, curve="A01"))
    (parsed,) = parse("x.xml", text)
    lines = [n for n, line in enumerate(text.splitlines(), start=1) if "<Point>" in line]
    assert parsed.rows["line"].to_list() == lines


def test_a_prefix_and_another_version_of_the_namespace_change_nothing(parse: Parse) -> None:
    plain = document(series({1: "50"}), version="7:0")
    prefixed = ElementTree.tostring(ElementTree.fromstring(plain), encoding="unicode")
    assert "<ns0:TimeSeries>" in prefixed
    assert values(parse("x.xml", prefixed)[0]) == values(parse("x.xml", plain)[0])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (document(series({1: "50"})).encode()[:-40], "not well-formed"),
        (document().encode(), "no point"),
        (document(series({1: "50"})).replace("10:57:06Z", "25:57:06Z").encode(), "createdDateTime"),
    ],
)
def test_a_damaged_document_is_refused_whole(content: bytes, why: str) -> None:
    prices = SOURCE.formats[0]
    with pytest.raises(RefusedFile, match=why):
        prices.parse(SourceFile("x.xml", content))


def test_an_acknowledgement_is_refused_with_its_reason(parse: Parse) -> None:
    text = (
        '<?xml version="1.0"?>\n'
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        "<Reason><code>999</code><text>No matching data found for Data item X</text></Reason></Acknowledgement_MarketDocument>"
    )
    with pytest.raises(RefusedFile, match="No matching data found for Data item X"):
        parse("x.xml", text)


def independent_prices(path: Path) -> dict[tuple[str, datetime], float]:
    """Prices by resolution and time, by the standard library and a loop over every interval."""
    by_resolution: dict[tuple[str, datetime], float] = {}
    for each in ElementTree.parse(path).findall(".//{*}Period"):
        (start,), (end,), (resolution,) = (
            [e.text for e in each.findall(".//{*}" + tag)] for tag in ("start", "end", "resolution")
        )
        step = timedelta(minutes=int(str(resolution)[2:-1]))
        points = {int(str(p[0].text)): float(str(p[1].text)) for p in each.findall("{*}Point")}
        moment, position, price = datetime.fromisoformat(str(start)), 1, float("nan")
        while moment < datetime.fromisoformat(str(end)):
            price = points.get(position, price)
            by_resolution[str(resolution), moment] = price
            moment, position = moment + step, position + 1
    return by_resolution


def test_all_of_a_real_answer_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "operator_responses_electricitymaps" / "ENTSOE" / "ES_day_ahead_price.xml"
    (parsed,) = parse(path.name, path.read_bytes())
    names = {"PT60M": "price_60min", "PT15M": "price_15min"}
    expected = {(names[resolution], ts): price for (resolution, ts), price in independent_prices(path).items()}
    assert {(m, ts): v for m, ts, v in parsed.rows.select("measure", "ts", "value").iter_rows()} == expected
    assert parsed.refused.is_empty()
    assert parsed.rows.height == 240


def test_prices_without_a_contract_type_are_of_the_day_ahead_auction(parse: Parse) -> None:
    (parsed,) = parse("x.xml", document(series({1: "10"}, contract=None)))
    assert (parsed.dataset.name, parsed.rows.height) == ("day_ahead_prices", 24)
    assert parsed.refused.is_empty()


@pytest.mark.parametrize(
    ("area", "zone", "labels"),
    [
        ("10YBE----------2", "Europe/Brussels", {}),
        ("10YFI-1--------U", "Europe/Brussels", {}),
        ("10YPT-REN------W", "Europe/Brussels", {}),
        ("10YGB----------A", "Europe/Brussels", {}),
        ("10Y1001A1001A59C", "Europe/Brussels", {}),
        ("10YTR-TEIAS----W", "Europe/Istanbul", {}),
        ("10Y-NOT-LISTED-X", "UTC", {"zone": "undeclared"}),
    ],
)
def test_prices_go_by_the_trading_day_of_their_auction(parse: Parse, area: str, zone: str, labels: dict[str, str]) -> None:
    (parsed,) = parse("x.xml", document(series({1: "10"}, area=area)))
    assert parsed.series["zone"].to_list() == [zone]
    assert json.loads(parsed.series["labels"].item()) == {"auction_sequence": "1", **labels}


def test_the_quarter_hours_of_a_fall_day_are_one_trading_day(parse: Parse, real_files: Path) -> None:
    (parsed,) = parse("entsoe_be_dst.xml", (real_files / "faults/entsoe_be_dst.xml").read_bytes())
    assert parsed.series.select("zone", "frequency").rows() == [("Europe/Brussels", "15min")]
    start, end = day_bounds(date(2025, 10, 26), "Europe/Brussels")
    day = parsed.rows.filter(pl.col("ts").is_between(start, end, closed="left"))
    assert day.height == 100
    assert round(float(day.select(pl.col("value").mean()).item()), 4) == -2.9014
