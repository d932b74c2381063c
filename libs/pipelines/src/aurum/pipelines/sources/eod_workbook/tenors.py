"""Reads the tenors of a broker's table: months as date cells, ``Calendar 2026``, ``Summer 2026``, ``BOM``.

The months of a season depend on the product, so a tenor is read once for each family of seasons on the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime

import polars as pl

from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.periods import Period, PeriodKind, name_period
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.curves.seasons import SeasonFamily
from aurum.pipelines.reading.dates import times

MONTHS = "months"
STRIPS = "strips"
_DATE_CELL = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
_STRIPS = frozenset({PeriodKind.QUARTER, PeriodKind.SEASON, PeriodKind.HALF, PeriodKind.YEAR})
_MOMENT = ("%Y-%m-%d %H:%M:%S",)
_READ = {
    "tenor": pl.String,
    "family": pl.String,
    "delivery_start": pl.Date,
    "delivery_end": pl.Date,
    "label": pl.String,
    "group": pl.String,
    "why": pl.String,
}


def read_tenors(
    texts: Collection[str],
    families: Mapping[str, SeasonFamily | None],
    trade_date: date,
    terms: ReadingTerms = SHIPPED_TERMS,
) -> pl.DataFrame:
    """Return each pair of a tenor and a family of seasons with its delivery period, or why it has none.

    Columns ``tenor``, ``family``, ``delivery_start``, ``delivery_end``, ``label``, ``group`` (``months``, ``strips`` or empty)
    and ``why``. ``families``: by name; the name of None, which is that of products without seasons, is empty.
    ``terms``: have mapped words of labels.
    """
    moments = _moments(texts)
    rows = [
        _row(text, moments.get(text), name, family, trade_date, terms) for text in texts for name, family in families.items()
    ]
    return pl.DataFrame(rows, schema=_READ, orient="row")


def _moments(texts: Collection[str]) -> Mapping[str, datetime | None]:
    """Return the moments of the texts that are date cells; None for one that has the form and is not a time."""
    cells = pl.DataFrame({"text": [text for text in texts if _DATE_CELL.fullmatch(text)]}, schema={"text": pl.String})
    return dict(zip(cells["text"], cells.select(times(pl.col("text"), _MOMENT)).to_series(), strict=True))


def _row(
    text: str, moment: datetime | None, name: str, family: SeasonFamily | None, trade_date: date, terms: ReadingTerms
) -> tuple[object, ...]:
    try:
        is_cell = _DATE_CELL.fullmatch(text) is not None
        period = _month(text, moment, family) if is_cell else terms.period(text, seasons=family, trade_date=trade_date)
    except InvalidPeriod as error:
        return text, name, None, None, "", "", error.detail
    group = MONTHS if period.kind is PeriodKind.MONTH else STRIPS if period.kind in _STRIPS else ""
    return text, name, period.first, period.end, period.label, group, None


def _month(text: str, moment: datetime | None, family: SeasonFamily | None) -> Period:
    if moment is None or moment != moment.replace(day=1, hour=0, minute=0, second=0):
        raise InvalidPeriod(text, "a date cell stands for a month, and this one is not the first day of one")
    first = moment.date()
    end = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return name_period(first, end, seasons=family)
