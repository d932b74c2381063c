"""Reads ids of locations: one rule a dataset (``Dataset.ids``), applied to each different text of a column once.

Every id becomes NFC text without outer blanks, with any space (U+00A0 and its like) as the plain one. An id that cannot be part
of a series key (``core.keys.is_location``) is held back, whatever the rule. Ids that are numbers are read as numbers where
that is certain: spreadsheets turn 51217 into ``51217.0``, ``51,217``, ``5.1217E+04`` or ``00051217``. An exponent that hides
digits (``5.12E+04``) is not certain, and the row is held back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.keys import is_location
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import IdRule

LONGEST = 200
"""Most characters of an id. The longest published ones have about 60."""

_SPACE = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_OUTER = " \t\r\n"
_BARE_NUMBER = "^(?:0|[1-9][0-9]{0,17})$"
_PLAIN = re.compile(r"[0-9]+(?:\.0*)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.0*)?")
_SCIENTIFIC = re.compile(r"([1-9])(?:\.([0-9]+))?[eE]\+?([0-9]{1,2})")
_WIDTHS = {IdRule.FIPS: (2, 5), IdRule.HUC: (2, 4, 6, 8, 10, 12)}


def with_ids(
    frame: pl.DataFrame, column: str, refusals: Refusals, *, rule: IdRule = IdRule.TEXT, header: str | None = None
) -> pl.DataFrame:
    """Return the frame with ``location``, the id of each row. Rows without one, or with one that is not read, are held back.

    ``header``: what the report names, if not the column.
    """
    header = header or column
    frame = refusals.rows(frame, pl.col(column).is_null(), column=header, reason=Reason.MISSING_FIELD)
    # Reading each id would be most of the cost of a small file, and plain numbers stay as published.
    if rule is IdRule.NUMBER and frame.select(pl.col(column).str.contains(_BARE_NUMBER).all()).item():
        return frame.with_columns(pl.col(column).alias("location"))
    texts: list[str] = frame[column].unique().to_list()
    read = {text: read_id(text, rule) for text in texts}
    if all(text == key for text, key in read.items()):
        return frame.with_columns(pl.col(column).alias("location"))
    ids = pl.DataFrame({column: texts, "__id": list(read.values())}, schema={column: pl.String, "__id": pl.String})
    frame = frame.join(ids, on=column, how="left", maintain_order="left")
    unread = pl.col("__id").is_null()
    frame = refusals.rows(frame, unread, column=header, reason=Reason.UNKNOWN_CODE, detail=f"not an id: {_WANTED[rule]}")
    return frame.with_columns(pl.col("__id").alias("location")).drop("__id")


def read_id(text: str, rule: IdRule = IdRule.TEXT) -> str | None:
    """Return the id that a text is by a rule; None when it is not certainly one."""
    composed = text if text.isascii() else _SPACE.sub(" ", unicodedata.normalize("NFC", text))
    plain = composed.strip(_OUTER)
    if rule is not IdRule.TEXT:
        plain = _code(plain, _WIDTHS[rule]) if rule in _WIDTHS else _digits(plain) or ""
    return plain if len(plain) <= LONGEST and is_location(plain) else None


def _digits(text: str) -> str | None:
    """Return the digits of a whole number without leading zeros; None where they are not certain."""
    if _PLAIN.fullmatch(text) or _GROUPED.fullmatch(text):
        return _without_zeros(text.partition(".")[0].replace(",", ""))
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is None:
        return None
    first, fraction, exponent = scientific[1], scientific[2] or "", int(scientific[3])
    if len(fraction) < exponent or fraction[exponent:].strip("0"):
        return None
    return first + fraction[:exponent]


def _without_zeros(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _code(text: str, widths: tuple[int, ...]) -> str:
    """Return a code of one of the widths, with the one leading zero that a spreadsheet took; empty for any other text."""
    if text.isascii() and text.isdigit() and len(text) in widths:
        return text
    digits = _digits(text) or ""
    return digits.zfill(len(digits) + 1) if len(digits) + 1 in widths and not text.startswith("0") else ""


_WANTED: Mapping[IdRule, str] = MappingProxyType(
    {
        IdRule.TEXT: f"at most {LONGEST} characters, all printable",
        IdRule.NUMBER: "a whole number with all its digits",
        IdRule.FIPS: "a FIPS code of 2 or 5 digits",
        IdRule.HUC: "a code of 2, 4, 6, 8, 10 or 12 digits",
    }
)
