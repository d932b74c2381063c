"""The place of a number in the file that it came from: what is looked for, and what was found. Pure values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, TypeAlias

_NOISE = 1e-12
"""Relative difference of one number that was read twice: a workbook's formula and its repeat differ by as much."""


@dataclass(frozen=True, slots=True)
class SoughtPoint:
    """An observation to find in a file. ``start``: UTC. ``value``: as stored; None: withdrawn."""

    source: str
    dataset: str
    location: str
    measure: str
    start: datetime
    value: float | None
    kind: Literal["point"] = "point"


@dataclass(frozen=True, slots=True)
class SoughtQuote:
    """A field of a quote to find in a file. ``value``: as stored; None: listed without it.

    ``any_venue``: the product is a tenant's own, whose venue may differ from that of the product that the file names.
    """

    curve: str
    trade_date: date
    delivery_start: date
    delivery_end: date
    field: str
    value: float | None
    any_venue: bool = False
    kind: Literal["quote"] = "quote"


Sought: TypeAlias = SoughtPoint | SoughtQuote


class PlaceState(StrEnum):
    """Whether the place of a number in a file is known, and if not, why."""

    LOCATED = "located"
    PENDING = "pending"
    """A job looks for it."""
    NO_FILE = "no_file"
    """The number was sent over HTTP, or computed: no file has it."""
    NOT_STORED = "not_stored"
    DAMAGED = "damaged"
    """The stored file cannot be read back."""
    UNREADABLE = "unreadable"
    """The parser of today refuses the file."""
    NOT_IN_FILE = "not_in_file"
    """The parser of today reads the file and does not find the number in it."""
    FAILED = "failed"
    """The job that looked for it failed."""
    NOT_REQUESTED = "not_requested"


class Unit(StrEnum):
    """The things that ``Place.line`` counts, from 1."""

    LINE = "line"
    ROW = "row"
    """Rows of a workbook, through its sheets in order."""
    ELEMENT = "element"
    """Elements of XML or JSON, as the parser counts them."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a number in a file, as the parser of today reads it.

    ``why``: the reason why it is not located, or why it is not verified; else empty. ``cell``: address in a workbook, as
    ``'Fixed Price'!F12``. ``column``: header of its column, or name of its element; None where the parser does not say.
    ``column_number``: position of the column in a table of text, from 1. ``text``: of the line. ``value``: the number there, in
    the unit in which it is stored. ``verified``: it is the stored number. ``format``, ``parser_version``,
    ``release``: of the parser that looked for it. ``parser_changed``: another one had read the file; None: not on record.
    ``job_id``: of the job that looks for it.
    """

    state: PlaceState
    why: str = ""
    line: int | None = None
    counts: Unit | None = None
    cell: str | None = None
    column: str | None = None
    column_number: int | None = None
    text: str | None = None
    value: float | None = None
    verified: bool | None = None
    format: str = ""
    parser_version: str = ""
    release: str = ""
    parser_changed: bool | None = None
    job_id: str | None = None


def is_same(number: float | None, stored: float | None) -> bool:
    """Return whether a number in a file is the stored one; NaN counts as None.

    >>> is_same(0.1 + 0.2, 0.3), is_same(None, 1.0), is_same(float("nan"), None)
    (True, False, True)
    """
    first, second = (None if value is None or math.isnan(value) else value for value in (number, stored))
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=_NOISE, abs_tol=0.0)


@dataclass(frozen=True, slots=True)
class FileToSearch:
    """A file in which a number is looked for, as its record names it.

    ``digest``: SHA-256 of the content, hexadecimal. ``format``, ``parser_version``, ``release``: of the parser that read it;
    empty where that is not on record. ``tenant``: owner of the number, whose spellings the file is read with; None: shared.
    ``loaded_at``: of its last load on record, UTC.
    """

    digest: str
    name: str
    sought: Sought
    archive: str = ""
    format: str = ""
    parser_version: str = ""
    release: str = ""
    tenant: str | None = None
    loaded_at: datetime | None = None
