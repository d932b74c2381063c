"""End-of-day workbooks of brokers, ``EOD_<broker>_<YYYYMMDD>[_<HHMM>].xlsx``: marks of EUGP, RP and PW.

Every sheet has a date, four rows of labels and a row of price types above its columns, and a row for each tenor (``layout``).
Labels become curve keys by ``core.curves.broker_labels``; a column whose labels it does not have is reported with its cells,
and the others are read. Sheets without prices are named in a notice. A line is a row counted through the sheets in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.broker_labels import Curve, Unmapped, Venue, venues, with_spellings
from aurum.core.curves.quotes import PARSED_QUOTES
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.curves.seasons import SeasonFamily
from aurum.core.frames import REFUSED
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.reading.workbook import first_bytes, quoted
from aurum.pipelines.source import Dataset, FileFormat, RefusedFile, SourceFile
from aurum.pipelines.sources.eod_workbook.cells import Workbook
from aurum.pipelines.sources.eod_workbook.datasets import DATASETS
from aurum.pipelines.sources.eod_workbook.layout import Column, NoTable, PriceType, Table, described, find_table
from aurum.pipelines.sources.eod_workbook.name import WorkbookName, read_name, readings_of_date, venue_in
from aurum.pipelines.sources.eod_workbook.prices import CELL_FIELDS, read_cells
from aurum.pipelines.sources.eod_workbook.repeats import AT, QUOTE, quotes_of
from aurum.pipelines.sources.eod_workbook.tenors import read_tenors

_TEXTS = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
_PEEK = 65_536
_DATE_CELL = re.compile(rb">\s*Date\s*:?\s*<", re.IGNORECASE)
_TYPE_CELL = re.compile(rb">\s*(?:Mid|Bid\s*/\s*(?:Ask|Offer))\s*<", re.IGNORECASE)
_MOST_NAMED = 5
_MOST_RAW = 4_000
"""Characters of an unknown column that its report has; the file itself is kept in full."""


@dataclass(slots=True)
class _Held:
    """The cells that are held back of a workbook, as parts of schema ``REFUSED``, and the sentences about it."""

    raw: Callable[[int], str]
    parts: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    unknown: list[str] = field(default_factory=list[str])

    def add(self, rows: Iterable[tuple[int, str, str, Reason, str]]) -> None:
        """Add rows: line, address, raw text, reason, detail."""
        self.parts.append(
            pl.DataFrame(
                [
                    {"line": line, "column": cell, "raw": raw, "reason": str(reason), "detail": detail}
                    for line, cell, raw, reason, detail in rows
                ],
                schema=REFUSED,
            )
        )

    def frame(self) -> pl.DataFrame:
        return pl.concat([pl.DataFrame(schema=REFUSED), *self.parts]).sort("line", maintain_order=True)


def parse_workbook(
    document: SourceFile, *, dataset: Dataset, venue: Venue, terms: ReadingTerms = SHIPPED_TERMS
) -> ParsedQuotes:
    """Return the quotes of a broker's workbook. ``terms``: what the store says of its labels. Raises ``RefusedFile``."""
    venue = replace(venue, scheme=with_spellings(venue.scheme, terms.spellings))
    name = read_name(document, venue.zone)
    workbook = Workbook(document)
    searched = [find_table(sheet, venue.scheme) for sheet in workbook.sheets if sheet.cells.width]
    tables = [table for table in searched if isinstance(table, Table)]
    if not tables:
        sheets = ", ".join(quoted(sheet.name) for sheet in workbook.sheets[:_MOST_NAMED])
        raise RefusedFile(f"no sheet has a row of price types (Mid, Bid / Ask) among its first rows; its sheets: {sheets}")
    _refuse_other_dates(document, name, tables)
    held = _Held(workbook.raw())
    others = [one for one in searched if isinstance(one, NoTable)]
    held.add(
        (one.sheet.line(one.row), one.sheet.address(one.row, 0), held.raw(one.sheet.line(one.row)), Reason.MISSING_FIELD, why)
        for one in others
        if one.row is not None
        for why in [f"sheet {quoted(one.sheet.name)} has a date and {one.why.removeprefix('has ')}; it was not read"]
    )
    priced = [_priced(workbook, table, venue, name, held, terms) for table in tables]
    cells = pl.concat([cells for cells, _ in priced])
    quotes, bad = quotes_of(cells)
    held.parts.append(_report(bad))
    rows = quotes.with_columns(pl.lit(name.trade_date, pl.Date).alias("trade_date")).sort("line", maintain_order=True)
    return ParsedQuotes(
        dataset=dataset,
        rows=rows.select(*PARSED_QUOTES, "cell", *AT),
        refused=held.frame(),
        rows_read=sum(_priced_rows(table) for table in tables),
        raw=held.raw,
        known_at=name.known_at,
        stated_trade_date=name.trade_date,
        notices=tuple(_notices(name, venue, others, held, {kind for _, kinds in priced for kind in kinds})),
    )


def _refuse_other_dates(document: SourceFile, name: WorkbookName, tables: Sequence[Table]) -> None:
    for table in tables:
        at = table.sheet.address(table.date, table.date_column)
        readings = readings_of_date(table.date_text)
        if not readings:
            stated = f"is {table.date_text!r}, which is not a date" if table.date_text else "is empty"
            raise RefusedFile(f"the trade date in {at} {stated}", line=table.sheet.line(table.date))
        if name.trade_date not in readings:
            dates = " or ".join(str(day) for day in sorted(readings))
            raise RefusedFile(
                f"name and content disagree: {document.name!r} says the trade date {name.trade_date}, {at} says {dates}",
                line=table.sheet.line(table.date),
            )


def _priced_rows(table: Table) -> int:
    """Return the number of rows with a cell beside their tenor."""
    body = table.sheet.cells.slice(table.types + 1)
    names = [str(column.position) for column in table.columns]
    return body.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in names)).height if names else 0


def _priced(
    workbook: Workbook, table: Table, venue: Venue, name: WorkbookName, held: _Held, terms: ReadingTerms
) -> tuple[pl.DataFrame, frozenset[str]]:
    """Return the cells of a table that belong to a quote, as ``quotes_of`` wants them, and the kinds of its tables."""
    curves = _curves(table, venue, held, terms)
    cells = read_cells(workbook, table, list(curves))
    sheet = table.sheet
    columns = pl.DataFrame(
        {
            "column": [column.position for column in curves],
            "curve": [str(curve.key) for curve in curves.values()],
            "family": [curve.seasons for curve in curves.values()],
            "letters": [sheet.letters(column.position) for column in curves],
            "is_mid": [column.price is PriceType.MID for column in curves],
            "factor": [terms.factors.get(str(curve.key)) for curve in curves.values()],
        },
        schema={
            "column": pl.UInt32,
            "curve": pl.String,
            "family": pl.String,
            "letters": pl.String,
            "is_mid": pl.Boolean,
            "factor": pl.Float64,
        },
    )
    rows = sheet.cells.select(pl.col(str(table.tenors)).alias("tenor")).with_row_index("row")
    tenors = read_tenors(
        rows.slice(table.types + 1)
        .join(cells, on="row", how="semi")["tenor"]
        .drop_nulls()
        .unique(maintain_order=True)
        .to_list(),
        _families((curve.seasons for curve in curves.values()), terms),
        name.trade_date,
        terms,
    )
    placed = (
        cells.join(columns, on="column", how="left", maintain_order="left")
        .join(rows, on="row", how="left", maintain_order="left")
        .join(tenors.rename({"why": "no_period"}), on=["tenor", "family"], how="left", maintain_order="left")
        .with_columns(
            (pl.col("row") + sheet.above + 1).cast(pl.UInt32).alias("line"),
            pl.format("{}!{}{}", pl.lit(quoted(sheet.name)), "letters", pl.col("row") + 1).alias("cell"),
            # Exact where the broker states the unit of the product: no multiplication then.
            *(
                pl.when(pl.col("factor").is_null()).then(pl.col(price)).otherwise(pl.col(price) * pl.col("factor")).alias(price)
                for price in CELL_FIELDS
            ),
        )
    )
    _hold_without_period(table, placed.filter(pl.col("delivery_start").is_null()), held)
    placed = placed.filter(pl.col("delivery_start").is_not_null())
    kinds = placed.filter(pl.col("group") != "").select("group", "is_mid").unique()
    groups = frozenset(f"{group} {'mid' if is_mid else 'bid/ask'}" for group, is_mid in zip(*kinds.get_columns(), strict=True))
    return placed.select(*QUOTE, *CELL_FIELDS, "why", "line", "cell", "text"), groups


def _families(names: Iterable[str], terms: ReadingTerms) -> Mapping[str, SeasonFamily | None]:
    return {name: terms.family(name or None) for name in dict.fromkeys(names)}


def _curves(table: Table, venue: Venue, held: _Held, terms: ReadingTerms) -> Mapping[Column, Curve]:
    """Return the columns whose curve and price type are known; the others are held back with all their cells."""
    known: dict[Column, Curve] = {}
    body = table.sheet.cells.slice(table.types + 1)
    tenors = body[str(table.tenors)]
    for column in table.columns:
        cells = body[str(column.position)]
        if not column.text and not any(column.labels.values()) and cells.equals(tenors, null_equal=True):
            continue  # the tenors once more
        curve = venue.scheme.curve_of(column.labels, venue.name)
        row, why = table.types, ""
        if column.price is None:
            why = f"the price type {column.text!r} is neither Mid nor Bid / Ask"
        elif isinstance(curve, Unmapped):
            row, why = table.labels.get(curve.header, table.types), curve.why
        else:
            key = str(curve.key)
            known[column] = replace(curve, seasons=terms.families[key] or "") if key in terms.families else curve
        if why:
            sheet = table.sheet
            held.unknown.append(f"{sheet.address(row, column.position)}: {why}")
            held.add(
                [(sheet.line(row), sheet.address(row, column.position), _text_of(table, column), Reason.UNKNOWN_CODE, why)]
            )
    return known


def _text_of(table: Table, column: Column) -> str:
    """Return the labels and the cells of a column, each with its tenor."""
    body = table.sheet.cells.slice(table.types + 1)
    cells = body.select(pl.col(str(table.tenors)).fill_null("-").alias("tenor"), pl.col(str(column.position)).alias("cell"))
    texts = cells.drop_nulls("cell").select(pl.format("{}: {}", "tenor", "cell"))
    text = f"{described(table.sheet, column)}: {'; '.join(texts.to_series())}"
    return text if len(text) <= _MOST_RAW else f"{text[:_MOST_RAW]}..."


def _hold_without_period(table: Table, placed: pl.DataFrame, held: _Held) -> None:
    """Hold back prices whose tenor is missing or names no period, one report for each tenor and reason."""
    sheet = table.sheet
    grouped = placed.group_by("row", "no_period", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("curve").first(), pl.col("tenor").first(), pl.col("line").first()
    )
    for row, why, count, curve, tenor, line in grouped.iter_rows():  # rows: one for each tenor that cannot be read
        reason = Reason.MISSING_FIELD if tenor is None else Reason.INVALID_TIME
        text = why or "the row has no tenor"
        detail = f"{text}; {count} prices are held back, the first of {curve}"
        held.add([(line, sheet.address(row, table.tenors), held.raw(line), reason, detail)])


def _report(bad: pl.DataFrame) -> pl.DataFrame:
    return bad.select(
        "line", pl.col("cell").alias("column"), pl.col("text").alias("raw"), pl.col("why").alias("reason"), "detail"
    )


def _notices(name: WorkbookName, venue: Venue, others: Sequence[NoTable], held: _Held, tables: set[str]) -> Iterable[str]:
    if name.notice:
        yield name.notice
    for one in others:
        yield f"sheet {quoted(one.sheet.name)} {one.why}: it was not read"
    if missing := [table for table in venue.tables if table not in tables]:
        yield f"tables that workbooks of {venue.name} have are missing: {', '.join(missing)}"
    if held.unknown:
        more = len(held.unknown) - _MOST_NAMED
        rest = f"; and {more} more" if more > 0 else ""
        yield (
            f"{len(held.unknown)} columns have labels that are not in the mapping and are in quarantine: "
            f"{'; '.join(held.unknown[:_MOST_NAMED])}{rest}"
        )


def _parse(document: SourceFile, terms: ReadingTerms = SHIPPED_TERMS, *, venue: str) -> tuple[ParsedQuotes, ...]:
    return (parse_workbook(document, dataset=DATASETS[venue], venue=venues()[venue], terms=terms),)


def _is_of(document: SourceFile, venue: str) -> bool:
    return venue_in(document) == venue


def _explain(document: SourceFile) -> str:
    if venue_in(document) or not document.content.startswith(b"PK"):
        return ""
    texts = b"".join(first_bytes(document.content, _TEXTS, most=_PEEK))
    if _DATE_CELL.search(texts) is None or _TYPE_CELL.search(texts) is None:
        return ""
    return "a broker's workbook: only its name states the broker and the time, as EOD_EUGP_20250917_1430.xlsx does"


def _format(venue: str) -> FileFormat:
    return FileFormat(
        name=f"{venue} end-of-day workbook",
        datasets=(DATASETS[venue],),
        recognise=partial(_is_of, venue=venue),
        parse=partial(_parse, venue=venue),
        parse_with=partial(_parse, venue=venue),
        explain=_explain,
        columns=("Date:", "Mid", "Bid / Ask"),
        version="2",  # 1 read numbers from the wrong column where the first columns of a sheet are empty
    )


FORMATS = tuple(map(_format, DATASETS))
