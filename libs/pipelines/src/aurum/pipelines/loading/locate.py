"""Finds the place of a stored number in its file, by parsing the file again with the parser of today. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.errors import AurumError
from aurum.core.lineage import FileToSearch, Place, PlaceState, Sought, SoughtPoint, SoughtQuote, Unit, is_same
from aurum.pipelines.loading.cells import cell_of
from aurum.pipelines.loading.columns import column_of
from aurum.pipelines.loading.prepare import is_surprise, surprise
from aurum.pipelines.loading.reasons import brief
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.reading.bounds import check_bounds
from aurum.pipelines.registry import Registry
from aurum.pipelines.release import release
from aurum.pipelines.source import Content, FileFormat, Parsed, RefusedFile, SourceFile

_MOST_TEXT = 1_000
"""Characters of a line that an answer shows."""
_XML_OR_JSON = ("<", "{", "[")


def locate(registry: Registry, document: SourceFile, wanted: FileToSearch, terms: ReadingTerms = SHIPPED_TERMS) -> Place:
    """Return the place of a number in a file, without I/O. ``terms``: what the store says of its labels."""
    try:
        check_bounds(document)
        _, file_format = registry.recognise(document)
    except RefusedFile as error:
        return Place(PlaceState.UNREADABLE, error.reason, parser_changed=bool(wanted.format) or None)
    parser = _parser(file_format, wanted)
    try:
        place = _place(file_format.parsed(document, terms), document, wanted.sought)
    except BaseException as error:
        if not is_surprise(error):
            raise
        why = brief(error.detail) if isinstance(error, AurumError) else surprise(error)
        return Place(PlaceState.UNREADABLE, why, **parser)
    if place is None:
        why = "the parser finds no such number in the file" + _after_a_change(file_format, wanted)
        return Place(PlaceState.NOT_IN_FILE, why, **parser)
    if not place["verified"]:
        place["why"] = "the file has another number at this place" + _after_a_change(file_format, wanted)
    return Place(PlaceState.LOCATED, **place, **parser)


def _parser(file_format: FileFormat, wanted: FileToSearch) -> dict[str, Any]:
    changed = _is_changed(file_format, wanted) if wanted.format else None
    return {
        "format": file_format.name,
        "parser_version": file_format.version,
        "release": release(),
        "parser_changed": changed,
    }


def _is_changed(file_format: FileFormat, wanted: FileToSearch) -> bool:
    return (file_format.name, file_format.version) != (wanted.format, wanted.parser_version)


def _after_a_change(file_format: FileFormat, wanted: FileToSearch) -> str:
    if not wanted.format or not _is_changed(file_format, wanted):
        return ""
    return (
        f": the parser has changed since, from {wanted.format!r} version {wanted.parser_version} (release {wanted.release}) to "
        f"{file_format.name!r} version {file_format.version}"
    )


def _place(parts: Sequence[Content], document: SourceFile, sought: Sought) -> dict[str, Any] | None:
    """Return the fields of the place that the row of a number has: of several rows, one with the stored number."""
    places = [place for part in parts for place in _places_in(part, sought)]
    if not places:
        return None
    best = next((place for place in places if is_same(place["value"], sought.value)), places[0])
    counts, names, row = _counts(document), best.pop("columns"), best.pop("row")
    column: tuple[str | None, int | None] = ((names[0] if names else "") or None, None)
    if counts is Unit.LINE:
        column = column_of(document, best["line"], names) or (None, None)
    elif counts is Unit.ROW and best["cell"] is None:
        best["cell"] = cell_of(document, row, names)
    verified = is_same(best["value"], sought.value)
    text = row if len(row) <= _MOST_TEXT else f"{row[:_MOST_TEXT]}..."
    return best | {
        "counts": counts,
        "column": column[0],
        "column_number": column[1],
        "text": text,
        "verified": verified,
    }


def _places_in(part: Content, sought: Sought) -> list[dict[str, Any]]:
    if isinstance(sought, SoughtQuote):
        return _of_quote(part, sought) if isinstance(part, ParsedQuotes) else []
    return _of_point(part, sought) if isinstance(part, Parsed) else []


def _of_point(part: Parsed, sought: SoughtPoint) -> list[dict[str, Any]]:
    if (part.dataset.source, part.dataset.name) != (sought.source, sought.dataset):
        return []
    rows = part.rows.filter(
        (pl.col("location") == sought.location) & (pl.col("measure") == sought.measure) & (pl.col("ts") == sought.start)
    )
    declared = next((one.column for one in part.dataset.measures if one.name == sought.measure), "")
    # Tables with a column for each location or measure have its name as the header.
    columns = [part.column(sought.start)] if part.column else [declared, sought.measure, sought.location]
    return [
        {"line": line, "cell": None, "columns": columns, "value": _number(value), "row": part.raw(line)}
        for line, value in rows.select("line", "value").rows()
    ]


def _of_quote(part: ParsedQuotes, sought: SoughtQuote) -> list[dict[str, Any]]:
    curve = pl.col("curve")
    of_curve = curve == sought.curve
    if sought.any_venue:
        of_curve |= curve.str.starts_with(sought.curve.rpartition(":")[0] + ":")
    rows = part.rows.filter(
        of_curve
        & (pl.col("trade_date") == sought.trade_date)
        & (pl.col("delivery_start") == sought.delivery_start)
        & (pl.col("delivery_end") == sought.delivery_end)
    )
    # A workbook states the fields of one quote in several cells.
    at = f"at_{sought.field}"
    if at in rows.columns:
        stated = pl.col(at).struct
        rows = rows.with_columns(
            pl.coalesce(stated.field("line"), "line").alias("line"), pl.coalesce(stated.field("cell"), "cell").alias("cell")
        )
    cell = pl.col("cell") if "cell" in rows.columns else pl.lit(None, pl.String).alias("cell")
    places = rows.select("line", pl.col(sought.field).alias("value"), cell)
    columns = list(filter(None, [part.columns.get(sought.field)]))
    return [
        {"line": line, "cell": address, "columns": columns, "value": _number(value), "row": part.raw(line)}
        for line, value, address in places.rows()
    ]


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else value


def _counts(document: SourceFile) -> Unit:
    if document.content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return Unit.ROW
    return Unit.ELEMENT if document.head.lstrip().startswith(_XML_OR_JSON) else Unit.LINE
