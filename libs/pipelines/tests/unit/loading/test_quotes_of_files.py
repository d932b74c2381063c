"""A file of quotes from its bytes to a part that the store takes: known times, products, messages of child processes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import polars as pl
import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.final_settlement import FinalSettlement
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, PublicationRule
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.prepare import Prepared, prepare
from aurum.pipelines.loading.rows import rows_of
from aurum.pipelines.loading.wire import from_message, rows_from_message, rows_to_message, to_message
from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.parsed_quotes import ParsedQuotes, QuoteTerms
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.reading import dates
from aurum.pipelines.reading.quotes import as_quotes, read_fields
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset, FileFormat, Source, SourceFile
from aurum.storage.ports.curves import CurveQuotes

NOW = datetime(2031, 6, 15, 12, tzinfo=UTC)
FINAL = FinalSettlement(
    OnDay(days=-1, at=time(12), zone="UTC"),
    "XEEE",
    "invented",
    weeks_end_later=True,
)
DATASET = Dataset(
    "invented",
    "settlements",
    "Invented settlements",
    "UTC",
    Frequency.DAY,
    (),
    rules=(PublicationRule(OnDay(days=0, at=time(18), zone="UTC"), "invented"),),
    quotes=QuoteTerms(final=FINAL),
)
HEADER = "product,first,end,traded,settle\n"


def _parse(document: SourceFile) -> tuple[ParsedQuotes, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, ["product"], refusals)
    days = {"delivery_start": "first", "delivery_end": "end", "trade_date": "traded"}
    frame = table.with_columns(dates.days(pl.col(name), ("%Y-%m-%d",)).alias(field) for field, name in days.items())
    frame = read_fields(frame.with_columns(curve=pl.col("product")), {"settle": "settle"}, refusals)
    return (ParsedQuotes(DATASET, as_quotes(frame), refusals.frame(), table.height, document.raw),)


FORMAT = FileFormat(
    "invented quotes",
    (DATASET,),
    lambda document: document.head.startswith(HEADER),
    _parse,
    named=days_in_name(r"(?P<day>[0-9]{8})", "UTC"),
)


def prepared(*rows: str, name: str = "x.csv", policy: KnownAtPolicy | None = None, now: datetime = NOW) -> Prepared:
    registry = Registry([Source("invented", "Invented", "", (FORMAT,))])
    content = (HEADER + "".join(f"{row}\n" for row in rows)).encode()
    return prepare(registry, Suites({}), SourceFile(name, content), "0" * 64, policy or KnownAtPolicy(), now)


def quotes_of(result: Prepared) -> CurveQuotes:
    assert result.load is not None, result.refusal
    (part,) = result.load.parts
    assert isinstance(part, CurveQuotes)
    return part


MAY = "power:XX:base:INV,2031-05-01,2031-06-01"


def test_each_quote_is_known_when_its_rule_says_and_products_are_numbered() -> None:
    part = quotes_of(
        prepared(f"{MAY},2031-04-07,10.5", "power:YY:base:INV,2031-05-01,2031-06-01,2031-04-07,", f"{MAY},2031-04-08,10.75")
    )
    assert (part.source, part.dataset) == ("invented", "settlements")
    assert part.curves["key"].to_list() == ["power:XX:base:INV", "power:YY:base:INV"]
    assert part.rows.select("curve", "settle").rows() == [(0, 10.5), (1, None), (0, 10.75)]
    assert part.rows["known_at"].to_list() == [datetime(2031, 4, day, 18, tzinfo=UTC) for day in (7, 7, 8)]
    assert part.rows["by_rule"].all()
    assert part.rule is not None
    assert not part.rule.may_correct


def test_a_file_that_is_taken_in_on_its_day_is_known_then() -> None:
    now = datetime(2031, 4, 8, 19, tzinfo=UTC)
    part = quotes_of(prepared(f"{MAY},2031-04-07,10.5", f"{MAY},2031-04-08,10.75", now=now))
    assert part.rows["known_at"].to_list() == [datetime(2031, 4, 7, 18, tzinfo=UTC), None]
    assert part.rows["by_rule"].to_list() == [True, False]


def test_the_known_time_that_an_operator_states_holds_for_all_quotes() -> None:
    stated = KnownAtPolicy.parse("2031-06-01T00:00:00Z")
    result = prepared(f"{MAY},2031-04-07,10.5", policy=stated)
    assert quotes_of(result).rule is None
    assert not quotes_of(result).rows["by_rule"].any()
    assert result.load is not None
    assert result.load.record.known_at_basis is KnownAtBasis.STATED


@pytest.mark.parametrize(
    ("first", "end", "traded", "known"),
    [
        # May 2031 ends on a Saturday, August on a Sunday: of August the last session is Friday, 29, of which the auction of
        # Sunday, on Saturday, is not known.
        (date(2031, 5, 1), date(2031, 6, 1), date(2031, 5, 30), datetime(2031, 5, 30, 18, tzinfo=UTC)),
        (date(2031, 8, 1), date(2031, 9, 1), date(2031, 8, 29), datetime(2031, 8, 30, 12, tzinfo=UTC)),
        (date(2031, 8, 1), date(2031, 9, 1), date(2031, 8, 28), datetime(2031, 8, 28, 18, tzinfo=UTC)),
        # A week is quoted on the Monday after it, so Friday's row is not final.
        (date(2031, 8, 25), date(2031, 9, 1), date(2031, 8, 29), datetime(2031, 8, 29, 18, tzinfo=UTC)),
        (date(2031, 8, 25), date(2031, 9, 1), date(2031, 9, 1), datetime(2031, 9, 1, 18, tzinfo=UTC)),
    ],
)
def test_a_final_settlement_is_not_known_before_the_auction_of_the_last_delivery_day(
    first: date, end: date, traded: date, known: datetime
) -> None:
    row = f"power:XX:base:INV,{first},{end},{traded},10.5"
    part = quotes_of(prepared(row, now=datetime(2032, 1, 1, tzinfo=UTC)))
    assert part.rows["known_at"].to_list() == [known]


def test_a_quote_of_another_trade_date_than_the_name_says_is_held_back() -> None:
    result = prepared(f"{MAY},2031-04-07,10.5", f"{MAY},2031-04-08,10.75", name="settlements_20310407.csv")
    assert quotes_of(result).rows["trade_date"].to_list() == [date(2031, 4, 7)]
    assert result.load is not None
    assert result.load.quarantine.select("line", "column").rows() == [(3, "trade_date")]


def test_text_in_a_price_is_reported_and_the_row_is_not_stored() -> None:
    result = prepared(f"{MAY},2031-04-07,10.5", f"{MAY},2031-04-08,none")
    assert quotes_of(result).rows.height == 1
    assert result.load is not None
    assert result.load.quarantine.select("line", "column", "raw", "detail").rows() == [
        (3, "settle", f"{MAY},2031-04-08,none", "none")
    ]


def test_quotes_reach_the_loader_from_a_child_process_as_they_are() -> None:
    here = prepared(f"{MAY},2031-04-07,10.5", f"{MAY},2031-04-07,11", f"{MAY},2031-04-08,10.75")
    there = from_message(to_message(here))
    ours, theirs = quotes_of(here), quotes_of(there)
    assert theirs.rows.equals(ours.rows, null_equal=True)
    assert theirs.curves.equals(ours.curves)
    assert replace(theirs, rows=ours.rows, curves=ours.curves) == ours
    assert here.load is not None
    assert there.load is not None
    assert there.load.record == here.load.record
    assert there.load.quarantine.equals(here.load.quarantine)
    assert there.load.quarantine.height == 2


def test_the_rows_of_a_file_of_quotes_are_shown_without_a_store() -> None:
    registry = Registry([Source("invented", "Invented", "", (FORMAT,))])
    rows = rows_of(registry, SourceFile("x.csv", (HEADER + f"{MAY},2031-04-07,10.5\n").encode()))
    (again,) = rows_from_message(rows_to_message(rows))
    assert again.rows.equals(rows[0].rows, null_equal=True)
    assert again.rows["settle"].to_list() == [10.5]
