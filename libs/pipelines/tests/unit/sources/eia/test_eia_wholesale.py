import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.eia import wholesale

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]
Workbook = Callable[..., bytes]

HEADER = ("Price hub", "Trade date", "Delivery start date", "Delivery \nend date", "High price $/MWh", "Low price $/MWh")
HEADER += ("Wtd avg price $/MWh", "Change", "Daily volume MWh", "Number of trades", "Number of counterparties")


def invented(
    traded: object = date(2025, 1, 3),
    first: object = date(2025, 1, 6),
    last: object = None,
    price: object = 56.45,
    volume: object = 2400,
) -> tuple[object, ...]:
    """A row of the workbook's layout; the numbers are invented."""
    return ("Invented Hub Peak", traded, first, last or first, 58, 53.5, price, -13.95, volume, 3, 5)


def read(parse: Parse, workbook: Workbook, *rows: tuple[object, ...], header: tuple[str, ...] = HEADER) -> Parsed:
    (parsed,) = parse("renamed.xlsx", workbook({"2025": [header, *rows]}))
    return parsed


def prices(parsed: Parsed) -> list[tuple[object, ...]]:
    return parsed.rows.filter(pl.col("measure") == "price").select("ts", "value", "version").rows()


def test_a_price_is_for_the_day_of_delivery(parse: Parse, workbook: Workbook) -> None:
    parsed = read(parse, workbook, invented())
    assert parsed.rows["ts"].unique().to_list() == [datetime(2025, 1, 6, 5, tzinfo=UTC)]
    assert dict(parsed.rows.select("measure", "value").iter_rows()) == {
        "price": 56.45,
        "price_high": 58.0,
        "price_low": 53.5,
        "price_change": -13.95,
        "volume": 2400.0,
        "trades": 3.0,
        "counterparties": 5.0,
    }
    assert parsed.series.filter(pl.col("measure") == "price").select("location", "unit", "currency").rows() == [
        ("Invented Hub Peak", "USD/MWh", "USD")
    ]


def test_a_row_of_the_next_year_and_a_delivery_of_two_days_are_in_order(parse: Parse, workbook: Workbook) -> None:
    parsed = read(
        parse,
        workbook,
        invented(date(2024, 12, 31), date(2025, 1, 2)),
        invented(date(2025, 3, 6), date(2025, 3, 7), date(2025, 3, 8)),
    )
    assert [row[0] for row in prices(parsed)] == [datetime(2025, 1, 2, 5, tzinfo=UTC), datetime(2025, 3, 7, 5, tzinfo=UTC)]
    assert parsed.refused.is_empty()


def test_days_and_volumes_may_be_text(parse: Parse, workbook: Workbook) -> None:
    parsed = read(parse, workbook, invented("03/19/2025", "3/20/2025", volume="       1,600"))
    assert parsed.rows.filter(pl.col("measure") == "volume").select("ts", "value").rows() == [
        (datetime(2025, 3, 20, 4, tzinfo=UTC), 1600.0)
    ]


def test_of_two_trade_dates_for_one_delivery_the_later_is_current(parse: Parse, workbook: Workbook) -> None:
    parsed = read(
        parse,
        workbook,
        invented(date(2025, 5, 23), date(2025, 5, 27), price=34.88),
        invented(date(2025, 5, 26), date(2025, 5, 27), price=30.36),
    )
    ts = datetime(2025, 5, 27, 4, tzinfo=UTC)
    assert prices(parsed) == [(ts, 34.88, -1), (ts, 30.36, 0)]


def test_early_years_count_companies_or_nothing(parse: Parse, workbook: Workbook) -> None:
    companies = read(parse, workbook, invented(), header=(*HEADER[:-1], "Number of companies"))
    assert companies.rows.filter(pl.col("measure") == "counterparties")["value"].to_list() == [5.0]
    nothing = read(parse, workbook, invented()[:-2], header=HEADER[:-2])
    assert nothing.rows.height == 5


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (invented(date(2025, 1, 9), date(2025, 1, 6)), "Delivery start date", Reason.INVALID_TIME),
        (invented(first="02/30/2025"), "Delivery end date", Reason.INVALID_TIME),
        (invented(price="n/a"), "Wtd avg price $/MWh", Reason.NON_NUMERIC),
        ((None, *invented()[1:]), "Price hub", Reason.MISSING_FIELD),
    ],
)
def test_a_row_that_cannot_be_read_is_held_back(
    parse: Parse, workbook: Workbook, bad: tuple[object, ...], column: str, reason: Reason
) -> None:
    parsed = read(parse, workbook, invented(price=1), bad)
    assert prices(parsed) == [(datetime(2025, 1, 6, 5, tzinfo=UTC), 1.0, 0)]
    assert parsed.refused.select("line", "column", "reason").rows() == [(3, column, reason)]
    assert parsed.refused["raw"][0].startswith("2025: ")
    assert parsed.rows_read == 2


def test_a_workbook_without_a_price_column_is_refused(parse: Parse, workbook: Workbook) -> None:
    with pytest.raises(RefusedFile, match="Wtd avg price"):
        parse("ice_electric-2025.xlsx", workbook({"2025": [(*HEADER[:6], "Settle", *HEADER[7:]), invented()]}))


@pytest.mark.parametrize(("cut", "why"), [(0, "empty"), (900, "not a readable workbook")])
def test_a_damaged_file_is_refused(workbook: Workbook, cut: int, why: str) -> None:
    content = workbook({"2025": [HEADER, invented()]})[:cut]
    with pytest.raises(RefusedFile, match=why):
        wholesale.FORMAT.parse(SourceFile("ice_electric-2025.xlsx", content))


def independent_column(path: Path, letter: str) -> list[float]:
    """The numbers of a column, by the standard library: cells of the sheet's XML, texts by the table of shared texts."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        texts = [
            "".join(t.text or "" for t in si.findall(".//{*}t"))
            for si in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    cells = [c for c in sheet.findall(".//{*}c") if re.fullmatch(rf"{letter}\d+", c.attrib["r"]) and c.findtext("{*}v")]
    shown = [texts[int(str(c.findtext("{*}v")))] if c.attrib.get("t") == "s" else str(c.findtext("{*}v")) for c in cells]
    return [float(text.replace(",", "").strip()) for text in shown[1:]]


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("ice_electric-2021final.xlsx", 0),
        ("ice_electric-2022final.xlsx", 6),
        ("ice_electric-2023_partial.xlsx", 0),
        ("ice_electric-2025.xlsx", 0),
    ],
)
def test_all_of_a_real_workbook_is_read(parse: Parse, real_files: Path, name: str, held: int) -> None:
    path = real_files / "ice_eia_wholesale" / name
    (parsed,) = parse(name, path.read_bytes())
    lost = parsed.refused["line"].to_list()
    assert len(lost) == held
    for letter, measure in (("G", "price"), ("I", "volume")):
        numbers = independent_column(path, letter)
        expected = [number for line, number in enumerate(numbers, start=2) if line not in lost]
        assert parsed.rows_read == len(numbers)
        assert parsed.rows.filter(pl.col("measure") == measure)["value"].to_list() == expected


def test_the_real_workbook_of_2016_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "ice_eia_wholesale" / "ice_electric-2016final.xls"
    (parsed,) = parse(path.name, path.read_bytes())
    assert (parsed.rows_read, parsed.rows.height, parsed.refused.height) == (1759, 1759 * 7, 0)
    assert parsed.rows.filter(pl.col("version") == -1).height == 7
