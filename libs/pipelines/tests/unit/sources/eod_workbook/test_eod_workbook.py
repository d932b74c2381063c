from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

import polars as pl
import pytest

from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.sources.eod_workbook import SOURCE
from aurum.pipelines.testing.broker_workbook import BID_ASK, MID, TRADE_DATE, Labels, price_sheet, two_sided
from aurum.pipelines.testing.workbook import Cell, far_workbook, workbook

NAME = "EOD_EUGP_20250917_1430.xlsx"
DE_BASE = ("Germany", "Germany", "Power", "Base")
DE_PEAK = ("Germany", "Germany", "Power", "Peak")
GB_PEAK = ("Great_Britian", "GB", "Power", "Peak")
TTF = ("Netherlands", "TTF", "Gas", "")
NBP = ("UK", "NBP", "Natural Gas", "")
EUA = ("Europe", "EUA", "Emissions", "")
OCT, NOV, DEC = date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)

Parse = Callable[[str, bytes | Mapping[str, Sequence[Sequence[Cell]]]], ParsedQuotes]


def quote(parsed: ParsedQuotes, curve: str, start: date) -> dict[str, object]:
    (row,) = parsed.rows.filter((pl.col("curve") == curve) & (pl.col("delivery_start") == start)).to_dicts()
    return row


def held(parsed: ParsedQuotes) -> list[tuple[object, ...]]:
    return parsed.refused.select("column", "raw", "reason").rows()


def test_a_mid_cell_is_the_settle_of_a_month(parse: Parse) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.125]), (DEC, [101.5])])})
    assert parsed.rows.select("curve", "delivery_start", "delivery_end", "trade_date", "settle", "bid", "ask").rows() == [
        ("power:DE:base:EUGP", OCT, NOV, TRADE_DATE, 88.125, None, None),
        ("power:DE:base:EUGP", DEC, date(2026, 1, 1), TRADE_DATE, 101.5, None, None),
    ]
    assert parsed.rows.select("line", "cell").rows() == [(12, "'Fixed'!B12"), (13, "'Fixed'!B13")]
    assert parsed.rows_read == 2
    assert parsed.stated_trade_date == TRADE_DATE
    assert parsed.refused.is_empty()


def test_all_digits_of_a_number_cell_are_read(parse: Parse) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [31.423333333333336]), (NOV, ["31.25"])])})
    assert parsed.rows["settle"].to_list() == [31.423333333333336, 31.25]


@pytest.mark.parametrize(("empty", "columns"), [(1, "CD"), (2, "DE")])
def test_a_sheet_whose_first_columns_are_empty_has_the_same_quotes_at_other_addresses(
    parse: Parse, empty: int, columns: str
) -> None:
    sheet = price_sheet([DE_BASE, TTF], MID, [(OCT, [88.125, 31.5]), (NOV, [90.5, 32.5])])
    parsed = parse(NAME, {"Fixed": [[*[None] * empty, *row] for row in sheet]})
    assert parsed.rows.select("curve", "delivery_start", "settle", "cell").rows() == [
        ("power:DE:base:EUGP", OCT, 88.125, f"'Fixed'!{columns[0]}12"),
        ("gas:TTF:base:EUGP", OCT, 31.5, f"'Fixed'!{columns[1]}12"),
        ("power:DE:base:EUGP", NOV, 90.5, f"'Fixed'!{columns[0]}13"),
        ("gas:TTF:base:EUGP", NOV, 32.5, f"'Fixed'!{columns[1]}13"),
    ]


@pytest.mark.parametrize(
    ("cell", "bid", "ask"),
    [
        ("31.493   /   31.700", 31.493, 31.7),
        ("31.493/31.700", 31.493, 31.7),
        ("31.493   /   ", 31.493, None),
        ("   /   31.700", None, 31.7),
        ("-4.5 / -4.25", -4.5, -4.25),
        ("31.5 / 31.5", 31.5, 31.5),
    ],
)
def test_bid_and_ask_share_a_cell_and_either_may_be_missing(
    parse: Parse, cell: str, bid: float | None, ask: float | None
) -> None:
    parsed = parse(NAME, {"Prices": price_sheet([TTF], BID_ASK, [(OCT, [cell])])})
    assert parsed.rows.select("curve", "settle", "bid", "ask").rows() == [("gas:TTF:base:EUGP", None, bid, ask)]


def test_mid_of_one_sheet_and_bid_and_ask_of_another_are_one_quote(parse: Parse) -> None:
    sheets = {
        "Fixed": price_sheet([NBP], MID, [(OCT, [79.5])]),
        "Fixed two-sided": price_sheet([NBP], BID_ASK, [(OCT, [two_sided(79.4, 79.7)])]),
    }
    parsed = parse(NAME, sheets)
    assert parsed.rows.select("settle", "bid", "ask", "cell").rows() == [(79.5, 79.4, 79.7, "'Fixed'!B12")]


def test_empty_cells_empty_texts_and_a_lone_slash_are_no_quotes(parse: Parse) -> None:
    sheets = {
        "Fixed": price_sheet([DE_BASE, TTF, NBP], MID, [(OCT, [None, "", "  "]), (NOV, [None, 31.0, ""])]),
        "Two-sided": price_sheet([DE_BASE], BID_ASK, [(OCT, [" / "]), (NOV, [""])]),
    }
    parsed = parse(NAME, sheets)
    assert parsed.rows.select("curve", "delivery_start").rows() == [("gas:TTF:base:EUGP", NOV)]
    assert parsed.refused.is_empty()


def test_strips_are_quotes_of_their_own(parse: Parse) -> None:
    rows: list[tuple[Cell, Sequence[Cell]]] = [("Calendar 2026", [90.5]), ("Summer 2026", [82.25]), ("Winter 2026", [99.75])]
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])]), "Strips": price_sheet([DE_BASE], MID, rows)})
    assert parsed.rows.select("delivery_start", "delivery_end", "settle").rows() == [
        (OCT, NOV, 88.0),
        (date(2026, 1, 1), date(2027, 1, 1), 90.5),
        (date(2026, 4, 1), date(2026, 10, 1), 82.25),
        (date(2026, 10, 1), date(2027, 4, 1), 99.75),
    ]


def test_spellings_drift_and_every_commodity_has_its_curve(parse: Parse) -> None:
    columns = [
        ("GERMANY", "germany", "power", "Baseload"),
        ("Great_Britian", "Great Britain", "Power", "Peak"),
        ("Holland", "TTF", "Nat Gas", "Base"),
        ("UK", "NBP", "Gas", ""),
        ("Europe", "EUA", "CO2", ""),
        ("Germany", "", "Power", "Off-Peak"),
        ("", "PSV", "Gas", ""),
        ("Germany", "Germany", "Spark Spread", "Base"),
    ]
    parsed = parse(NAME, {"Fixed": price_sheet(columns, MID, [(OCT, [float(n) for n in range(8)])])})
    assert parsed.rows["curve"].to_list() == [
        "power:DE:base:EUGP",
        "power:GB:peak:EUGP",
        "gas:TTF:base:EUGP",
        "gas:NBP:base:EUGP",
        "emissions:EUA:base:EUGP",
        "power:DE:off_peak:EUGP",
        "gas:PSV:base:EUGP",
        "spark:DE:base:EUGP",
    ]
    assert parsed.refused.is_empty()


def test_label_rows_with_titles_may_stand_in_another_order(parse: Parse) -> None:
    titles = ("Product", "Block", "Region", "Location")
    column = ("Power", "Base", "Germany", "Germany")
    parsed = parse(NAME, {"Fixed": price_sheet([column], MID, [(OCT, [88.0])], titles=titles)})
    assert parsed.rows["curve"].to_list() == ["power:DE:base:EUGP"]


def test_a_title_that_is_a_price_type_is_not_the_row_of_types(parse: Parse) -> None:
    rows = price_sheet([DE_BASE], MID, [(OCT, [88.0])])
    rows[0] = ["Mid"]
    assert parse(NAME, {"Fixed": rows}).rows["settle"].to_list() == [88.0]


def test_the_tenors_repeated_beside_later_columns_are_not_prices(parse: Parse) -> None:
    columns: list[Labels] = [DE_BASE, ("", "", "", ""), TTF]
    rows: list[tuple[Cell, Sequence[Cell]]] = [(OCT, [88.0, OCT, 31.0]), (NOV, [89.0, NOV, 32.0])]
    parsed = parse(NAME, {"Fixed": price_sheet(columns, [MID, "", MID], rows)})
    assert parsed.rows.height == 4
    assert parsed.refused.is_empty()


def test_columns_that_repeat_those_of_the_first_sheet_are_one_quote(parse: Parse) -> None:
    rows: list[tuple[Cell, Sequence[Cell]]] = [(OCT, [88.0, 31.0]), (NOV, [90.0, 32.0])]
    sheets = {
        "Fixed": price_sheet([DE_BASE, TTF], MID, rows),
        "Germany": price_sheet([DE_BASE, DE_BASE], MID, [(OCT, [88.0, 88.0])]),
    }
    parsed = parse(NAME, sheets)
    assert parsed.rows.height == 4
    assert parsed.refused.is_empty()


def test_a_repeat_that_a_formula_computed_is_the_same_number(parse: Parse) -> None:
    sheets = {
        "Fixed": price_sheet([DE_BASE], MID, [(OCT, [31.5965])]),
        "Germany": price_sheet([DE_BASE], MID, [(OCT, [31.596500000000002])]),
    }
    parsed = parse(NAME, sheets)
    assert parsed.rows["settle"].to_list() == [31.5965]
    assert parsed.refused.is_empty()


def test_repeats_that_differ_hold_the_quote_back_and_name_both_cells(parse: Parse) -> None:
    sheets = {
        "Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0]), (NOV, [90.0])]),
        "Germany": price_sheet([DE_BASE], MID, [(OCT, [88.01]), (NOV, [90.0])]),
    }
    parsed = parse(NAME, sheets)
    assert parsed.rows["delivery_start"].to_list() == [NOV]
    assert held(parsed) == [("'Fixed'!B12", "88", "duplicate_key"), ("'Germany'!B12", "88.01", "duplicate_key")]
    assert "settle 88.0 and 88.01" in parsed.refused["detail"][0]


def test_a_crossed_cell_is_held_back_and_the_rest_loads(parse: Parse) -> None:
    cells = [(OCT, [two_sided(31.7, 31.4)]), (NOV, [two_sided(31.4, 31.7)])]
    parsed = parse(NAME, {"Two-sided": price_sheet([TTF], BID_ASK, cells)})
    assert parsed.rows["delivery_start"].to_list() == [NOV]
    assert held(parsed) == [("'Two-sided'!B12", "31.700   /   31.400", "inconsistent")]
    assert "bid 31.7 above ask 31.4" in parsed.refused["detail"][0]


def test_a_quote_with_a_crossed_cell_is_held_back_with_its_mid(parse: Parse) -> None:
    sheets = {
        "Fixed": price_sheet([TTF], MID, [(OCT, [31.5])]),
        "Two-sided": price_sheet([TTF], BID_ASK, [(OCT, [two_sided(31.7, 31.4)])]),
    }
    parsed = parse(NAME, sheets)
    assert parsed.rows.is_empty()
    assert held(parsed) == [("'Two-sided'!B12", "31.700   /   31.400", "inconsistent")]
    assert "settle 31.5" in parsed.refused["detail"][0]


@pytest.mark.parametrize(
    ("price_type", "cell"),
    [
        (MID, "n/a"),
        (MID, "1,5"),
        (MID, "31.5 / 31.6"),
        (MID, OCT),
        (BID_ASK, "31.5"),
        (BID_ASK, "31 / x"),
        (BID_ASK, "1 / 2 / 3"),
    ],
)
def test_text_in_a_price_is_held_back_with_sheet_and_cell(parse: Parse, price_type: str, cell: Cell) -> None:
    good: Cell = 32.0 if price_type == MID else two_sided(32.0, 32.1)
    parsed = parse(NAME, {"It's": price_sheet([NBP, TTF], price_type, [(OCT, [good, cell])])})
    assert parsed.rows["curve"].to_list() == ["gas:NBP:base:EUGP"]
    assert parsed.refused.select("line", "column", "reason").rows() == [(12, "'It''s'!C12", "non_numeric")]


def test_a_column_with_an_unknown_label_is_reported_with_its_cells_and_the_others_load(parse: Parse) -> None:
    columns = [DE_BASE, ("Narnia", "Cair Paravel", "Power", "Base"), ("Germany", "Germany", "Power", "Twilight")]
    parsed = parse(NAME, {"Fixed": price_sheet(columns, MID, [(OCT, [88.0, 1.5, 2.5]), (NOV, [89.0, 3.5, None])])})
    assert parsed.rows["curve"].unique().to_list() == ["power:DE:base:EUGP"]
    assert parsed.refused.select("column", "reason").rows() == [
        ("'Fixed'!C6", "unknown_code"),
        ("'Fixed'!D9", "unknown_code"),
    ]
    raw = parsed.refused["raw"][0]
    assert "Narnia | Cair Paravel | Power | Base | Mid" in raw
    assert "1.5" in raw
    assert "3.5" in raw
    (notice,) = [text for text in parsed.notices if "mapping" in text]
    assert "'Fixed'!C6: region 'Narnia'" in notice
    assert "'Fixed'!D9" in notice


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (("Germany", "TTF", "Power", "Base"), "location 'TTF' of DE power"),
        (("", "", "Power", "Base"), "neither region nor location"),
        (("Germany", "Germany", "", "Base"), "no product"),
        (("Germany", "Germany", "Power", ""), "no block"),
        (("UK", "NBP", "Gas", "Peak"), "has no block 'Peak'"),
        (("Belgium", "", "Gas", ""), "several areas (ZEE, ZTP)"),
    ],
)
def test_labels_that_name_no_curve_or_several_are_not_guessed(parse: Parse, column: Labels, why: str) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([column], MID, [(OCT, [88.0])])})
    assert parsed.rows.is_empty()
    assert why in parsed.refused["detail"][0]


def test_an_unknown_price_type_is_reported(parse: Parse) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE, DE_PEAK], [MID, "Last"], [(OCT, [88.0, 99.0])])})
    assert parsed.rows["curve"].to_list() == ["power:DE:base:EUGP"]
    assert parsed.refused.select("column", "reason").rows() == [("'Fixed'!C10", "unknown_code")]


def test_a_season_that_two_families_read_differently_is_held_back(parse: Parse) -> None:
    parsed = parse(
        NAME, {"Strips": price_sheet([EUA, TTF], MID, [("Summer 2026", [75.5, 30.0]), ("Calendar 2026", [75.0, 31.0])])}
    )
    assert parsed.rows.select("curve", "settle").rows() == [
        ("gas:TTF:base:EUGP", 30.0),
        ("emissions:EUA:base:EUGP", 75.0),
        ("gas:TTF:base:EUGP", 31.0),
    ]
    assert parsed.refused.select("column", "reason").rows() == [("'Strips'!A12", "invalid_time")]
    assert "differently" in parsed.refused["detail"][0]


@pytest.mark.parametrize("tenor", ["Sometime", "Q5-26", date(2025, 10, 15), 45931])
def test_a_tenor_that_no_calendar_knows_is_held_back_once(parse: Parse, tenor: Cell) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE, TTF], MID, [(tenor, [1.0, 2.0]), (NOV, [3.0, 4.0])])})
    assert parsed.rows["delivery_start"].unique().to_list() == [NOV]
    assert parsed.refused.select("column", "reason").rows() == [("'Fixed'!A12", "invalid_time")]
    assert "2 prices" in parsed.refused["detail"][0]


def test_prices_without_a_tenor_are_held_back(parse: Parse) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE], MID, [(NOV, [3.0]), (None, [1.0])])})
    assert parsed.refused.select("column", "reason").rows() == [("'Fixed'!A13", "missing_field")]


def test_the_rest_of_the_month_follows_the_trade_date(parse: Parse) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([TTF], MID, [("BOM", [30.5])])})
    assert parsed.rows.select("delivery_start", "delivery_end").rows() == [(date(2025, 9, 18), OCT)]


@pytest.mark.parametrize("cell", [date(2025, 9, 16), "16/09/2025", "17.10.2025"])
def test_a_date_that_disagrees_with_the_name_refuses_the_file(parse: Parse, cell: Cell) -> None:
    sheets = {
        "Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])]),
        "Other": price_sheet([TTF], MID, [(OCT, [31.0])], trade_date=cell),
    }
    with pytest.raises(RefusedFile, match=r"name and content disagree: .* says the trade date 2025-09-17, 'Other'!B5 says"):
        parse(NAME, sheets)


@pytest.mark.parametrize("cell", [date(2025, 9, 17), "17/09/2025", "17-Sep-2025", "17 September 2025", 45917])
def test_a_date_in_any_spelling_that_agrees_with_the_name_is_accepted(parse: Parse, cell: Cell) -> None:
    parsed = parse(NAME, {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])], trade_date=cell)})
    assert parsed.rows["trade_date"].to_list() == [TRADE_DATE]


@pytest.mark.parametrize("cell", ["soon", "", None])
def test_a_date_cell_without_a_date_refuses_the_file(parse: Parse, cell: Cell) -> None:
    with pytest.raises(RefusedFile, match=r"the trade date in 'Fixed'!"):
        parse(NAME, {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])], trade_date=cell)})


def test_a_sheet_without_a_date_refuses_the_file(parse: Parse) -> None:
    rows = price_sheet([DE_BASE], MID, [(OCT, [88.0])])
    rows[4] = []
    with pytest.raises(RefusedFile, match="no cell 'Date:'"):
        parse(NAME, {"Fixed": rows})


def test_the_time_in_the_name_is_of_london_and_is_the_known_time(parse: Parse) -> None:
    sheets = {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])}
    assert parse(NAME, sheets).known_at == datetime(2025, 9, 17, 13, 30, tzinfo=UTC)
    winter = {"Fixed": price_sheet([DE_BASE], MID, [(DEC, [88.0])], trade_date=date(2025, 11, 3))}
    assert parse("EOD_RP_20251103_1430.xlsx", winter).known_at == datetime(2025, 11, 3, 14, 30, tzinfo=UTC)


def test_a_name_without_a_time_leaves_the_known_time_to_the_rule(parse: Parse) -> None:
    parsed = parse("EOD_RP_20250917.xlsx", {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])})
    assert parsed.known_at is None
    assert parsed.rows["curve"].to_list() == ["power:DE:base:RP"]


def test_a_time_that_no_clock_has_is_named_in_a_notice(parse: Parse) -> None:
    parsed = parse("EOD_RP_20250917_2575.xlsx", {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])})
    assert parsed.known_at is None
    assert any("the time 2575" in notice for notice in parsed.notices)


def test_a_name_with_an_impossible_date_refuses_the_file(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="20250931, which is not a date"):
        parse("EOD_EUGP_20250931.xlsx", {"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])})


def test_missing_tables_and_unread_sheets_are_named(parse: Parse) -> None:
    sheets = {"Cover": [["Marks of the day"]], "Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])}
    notices = parse(NAME, sheets).notices
    assert "sheet 'Cover' has no row of price types (Mid, Bid / Ask): it was not read" in notices
    assert "tables that workbooks of EUGP have are missing: months bid/ask, strips mid, strips bid/ask" in notices


def test_a_whole_workbook_has_no_notices(parse: Parse) -> None:
    sheets = {
        "Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])]),
        "Fixed two-sided": price_sheet([DE_BASE], BID_ASK, [(OCT, [two_sided(87.5, 88.5)])]),
        "Strips": price_sheet([DE_BASE], MID, [("Calendar 2026", [90.0])]),
        "Strips two-sided": price_sheet([DE_BASE], BID_ASK, [("Calendar 2026", [two_sided(89.5, 90.5)])]),
    }
    assert parse(NAME, sheets).notices == ()


def test_a_dated_sheet_without_price_types_is_in_quarantine(parse: Parse) -> None:
    damaged = price_sheet([DE_BASE], MID, [(OCT, [88.0])])
    damaged[9] = []
    parsed = parse(NAME, {"Fixed": price_sheet([TTF], MID, [(OCT, [31.0])]), "Power": damaged})
    assert parsed.refused.select("column", "reason").rows() == [("'Power'!A5", "missing_field")]
    assert any("sheet 'Power'" in notice for notice in parsed.notices)


def test_a_workbook_without_any_table_is_refused_with_its_sheets(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match=r"no sheet has a row of price types .* its sheets: 'Cover', 'Notes'"):
        parse(NAME, {"Cover": [["x"]], "Notes": []})


def test_a_sheet_that_lacks_a_row_of_labels_is_refused(parse: Parse) -> None:
    rows = price_sheet([DE_BASE], MID, [(OCT, [88.0])])
    del rows[6]
    with pytest.raises(RefusedFile, match="'Fixed' has no rows of labels"):
        parse(NAME, {"Fixed": rows})


def test_a_sheet_without_tenors_is_refused(parse: Parse) -> None:
    rows = price_sheet([DE_BASE, TTF], MID, [(None, [88.0, 31.0]), (None, [89.0, 32.0])])
    with pytest.raises(RefusedFile, match="no column of tenors"):
        parse(NAME, {"Fixed": rows})


def test_an_empty_truncated_or_other_file_is_refused(parse: Parse) -> None:
    content = workbook({"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])})
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse(NAME, b"")
    for damaged in (content[: len(content) // 2], b"PK\x03\x04" + b"\xff" * 60, b"Date:,2025-09-17\n"):
        with pytest.raises(RefusedFile, match="not a readable workbook"):
            parse(NAME, damaged)


def test_a_sheet_of_many_rows_is_refused_before_its_tenors_are_read(parse: Parse) -> None:
    rows = price_sheet([DE_BASE], MID, [(f"x{n}", [1.0]) for n in range(5001)])
    with pytest.raises(RefusedFile, match="at most 5,000"):
        parse(NAME, {"Fixed": rows})


def test_us_power_is_read_by_operator_hub_market_and_block(parse: Parse) -> None:
    columns = [("PJM", "Western Hub", "Real-Time", "5x16"), ("Narnia ISO", "Hub", "Real-Time", "5x16")]
    rows = price_sheet(
        columns, MID, [(OCT, [48.5, 1.0]), ("Jan-Feb 26", [61.0, 1.0])], titles=("ISO", "Location", "Market", "Block")
    )
    parsed = parse("EOD_PW_20250917_1430.xlsx", {"Prices": rows})
    assert parsed.rows.select("delivery_start", "delivery_end", "settle").rows() == [
        (OCT, NOV, 48.5),
        (date(2026, 1, 1), date(2026, 3, 1), 61.0),
    ]
    assert parsed.rows["curve"].unique().to_list() == ["power:PJM.WESTERN_HUB:peak:PW"]
    assert parsed.refused["column"].to_list() == ["'Prices'!C6"]
    assert parsed.known_at == datetime(2025, 9, 17, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["EOD_EUGP_20250917_1430.xlsx", "eod_eugp_20250917.xlsx", "EUGP-20250917.xls", "in/EOD EUGP 20250917.xlsm"]
)
def test_names_of_the_broker_are_recognised(name: str) -> None:
    assert [one.name for one in SOURCE.formats if one.recognise(SourceFile(name, b"PK"))] == ["EUGP end-of-day workbook"]


@pytest.mark.parametrize(
    "name", ["EOD_XYZ_20250917_1430.xlsx", "EOD_EUGP_2025.xlsx", "corp_20250917.xlsx", "EOD_EUGP_20250917.csv"]
)
def test_other_names_are_not(name: str) -> None:
    assert not any(one.recognise(SourceFile(name, b"PK")) for one in SOURCE.formats)


def test_a_renamed_workbook_is_told_which_name_it_needs() -> None:
    document = SourceFile("marks.xlsx", workbook({"Fixed": price_sheet([DE_BASE], MID, [(OCT, [88.0])])}))
    assert not any(one.recognise(document) for one in SOURCE.formats)
    assert "EOD_EUGP_20250917_1430.xlsx" in SOURCE.formats[0].explain(document)
    assert SOURCE.formats[0].explain(SourceFile("marks.xlsx", far_workbook())) == ""
