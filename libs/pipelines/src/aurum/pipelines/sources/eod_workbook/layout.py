"""Finds the table of prices on a sheet of a broker's workbook.

From top to bottom: a row ``Date:`` with the trade date; rows of labels (region, location, product, block) above each column; a
row of price types (``Mid``, ``Bid   /   Ask``); a blank row; a row for each tenor. The rows are found by what they hold, as
their numbers differ between sheets: the labels are the four rows above the price types, or those with their titles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aurum.core.curves.broker_labels import Scheme, folded
from aurum.pipelines.reading.workbook import quoted
from aurum.pipelines.source import RefusedFile
from aurum.pipelines.sources.eod_workbook.cells import Sheet

_TOP = 60
"""Rows within which the table has to begin."""
_MOST_ROWS = 5_000
"""Most rows of a table. The longest tables have a row for each month of some decades."""
_DATE = re.compile(r"(?:trad(?:e|ing) )?date\s*(?::\s*(.*))?", re.IGNORECASE | re.DOTALL)


class PriceType(StrEnum):
    """Which price a column has."""

    MID = "mid"
    BID_ASK = "bid/ask"
    BID = "bid"
    ASK = "ask"


_TYPES: Mapping[str, PriceType] = {
    "mid": PriceType.MID,
    "mids": PriceType.MID,
    "mid price": PriceType.MID,
    "bid ask": PriceType.BID_ASK,
    "bid offer": PriceType.BID_ASK,
    "bid": PriceType.BID,
    "ask": PriceType.ASK,
    "offer": PriceType.ASK,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of prices. ``position``: from 0. ``labels``: by header. ``text``: its price type as written, maybe unknown."""

    position: int
    labels: Mapping[str, str] = field(hash=False)
    text: str

    @property
    def price(self) -> PriceType | None:
        return price_type(self.text)


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a sheet. Rows and columns are counted from 0.

    ``date``: row of the date, ``date_text`` its text. ``types``: row of price types. ``tenors``: column of the tenors.
    ``labels``: row of each header. ``columns``: those with a label, a price type or a cell below.
    """

    sheet: Sheet
    date: int
    date_text: str
    date_column: int
    types: int
    tenors: int
    labels: Mapping[str, int]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class NoTable:
    """A sheet without a table. ``row``: the row of its date; None: it has none, so it does not hold prices."""

    sheet: Sheet
    why: str
    row: int | None = None


def price_type(text: str) -> PriceType | None:
    """Return the price type that a text names; None where it names none."""
    return _TYPES.get(folded(text))


def find_table(sheet: Sheet, scheme: Scheme) -> Table | NoTable:
    """Return the table of a sheet. Raises ``RefusedFile`` for a table of prices that cannot be read with certainty."""
    top = [sheet.row(position) for position in range(min(_TOP, sheet.cells.height))]
    dated = _date_cell(top)
    first = 0 if dated is None else dated[0] + 1
    types = next((position for position in range(first, len(top)) if _is_row_of_types(top[position])), None)
    if types is None:
        why = "has no row of price types (Mid, Bid / Ask)"
        return NoTable(sheet, why, dated[0] if dated is not None else None)
    name = quoted(sheet.name)
    if dated is None:
        raise RefusedFile(f"sheet {name} has prices and no cell 'Date:' above them", line=sheet.line(types))
    date, date_column, date_text = dated
    if sheet.cells.height - types > _MOST_ROWS:
        raise RefusedFile(f"sheet {name} has {sheet.cells.height:,} rows: a table of prices has at most {_MOST_ROWS:,}")
    body = sheet.cells[types + 1 :]
    has_cells = [body.height > 0 and body[:, column].null_count() < body.height for column in range(body.width)]
    tenors = next((column for column, has in enumerate(has_cells) if has), 0)
    rows = _label_rows(top, date, types, tenors, scheme, sheet)
    columns = [
        Column(position, {header: top[row][position] for header, row in rows.items()}, top[types][position])
        for position in range(sheet.cells.width)
        if position != tenors
    ]
    if price_type(top[types][tenors]) is not None:
        at = sheet.address(types, tenors)
        raise RefusedFile(f"sheet {name} has no column of tenors left of its prices, which begin at {at}")
    used = [column for column in columns if column.text or has_cells[column.position] or any(column.labels.values())]
    return Table(sheet, date, date_text, date_column, types, tenors, rows, tuple(used))


def _is_row_of_types(cells: Sequence[str]) -> bool:
    texts = [cell for cell in cells if cell]
    known = sum(price_type(text) is not None for text in texts)
    return known > 0 and 2 * known >= len(texts)


def _date_cell(top: Sequence[Sequence[str]]) -> tuple[int, int, str] | None:
    """Return row, column and text of the trade date: in the cell ``Date:`` itself, or in the next one that is not empty."""
    for position, cells in enumerate(top):
        if _is_row_of_types(cells) and len(list(filter(None, cells))) > 1:
            return None  # where the prices begin; a title of one cell may be a price type, too
        for column, cell in enumerate(cells):
            match = _DATE.fullmatch(cell)
            if match is None:
                continue
            if match[1]:
                return position, column, match[1]
            after = next((place for place in range(column + 1, len(cells)) if cells[place]), column)
            return position, after, cells[after] if after > column else ""
    return None


def _label_rows(
    top: Sequence[Sequence[str]], date: int, types: int, tenors: int, scheme: Scheme, sheet: Sheet
) -> Mapping[str, int]:
    """Return the row of each header. Raises ``RefusedFile``."""
    count = len(scheme.headers)
    titled = {
        header: row
        for row in range(date + 1, types)
        for header, titles in scheme.titles.items()
        if any(folded(cell) in titles for cell in top[row][: tenors + 1])
    }
    if len(titled) == count:
        return titled
    placed = {header: types - count + place for place, header in enumerate(scheme.headers)}
    if types - count <= date or any(placed[header] != row for header, row in titled.items()):
        missing = [header for header in scheme.headers if header not in titled]
        raise RefusedFile(
            f"sheet {quoted(sheet.name)} has no rows of labels ({', '.join(missing)}) between 'Date:' in row {date + 1} and "
            f"the price types in row {types + 1}",
            line=sheet.line(types),
        )
    return placed


def described(sheet: Sheet, column: Column) -> str:
    """Return the words for a column of a sheet in reports."""
    labels = " | ".join(column.labels[header] or "-" for header in column.labels)
    return f"column {sheet.letters(column.position)} ({labels} | {column.text or '-'})"
