"""Says in one line why no format recognises a file: what it is, or which layout it resembles and which columns do not fit."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aurum.pipelines.foreign import foreign_kind, is_binary
from aurum.pipelines.reading.workbook import first_bytes
from aurum.pipelines.source import FileFormat, SourceFile

_LINES = 40
"""Lines at the beginning of a text among which the header is looked for."""
_SEPARATORS = ",;\t|"
_MOST_WORDS = 12
"""Words that a reason lists; the others are counted."""
_WORD_LENGTH = 40
"""Characters of a word in a reason."""
_LEAST_SHARE = 0.5
"""Share of the columns of a format that a similar file has."""
_LEAST_COLUMNS = 2
"""Number of columns of a format that a similar file has, and of fields in a line that may be a header."""
_FIELD = re.compile(r'"([A-Za-z_][\w .#-]{0,60})"\s*:')
_ELEMENT = re.compile(r"<(?:[\w-]+:)?([A-Za-z_][\w.-]*)")
_CELL = re.compile(r"<t[^>]*>([^<]{1,80})</t>")
_PARTS = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
_PEEK = 65_536
_SEPARATOR_NAMES = {"\t": "tabs", ";": "';'", "|": "'|'"}


@dataclass(frozen=True, slots=True)
class _Header:
    """The words that may be the header of a file. ``where``: ``line 3``, ``the JSON``.

    ``noun``: name of such a word in a reason. ``kind``: of the file, as names of formats have it.
    """

    words: tuple[str, ...]
    where: str
    noun: str = "column"
    separator: str = ","
    kind: str = "CSV"


def why_unknown(document: SourceFile, formats: Sequence[FileFormat]) -> str:
    """Return one line about a file that no format recognises, at most a few hundred characters long."""
    if kind := foreign_kind(document):
        return f"unknown format: {kind}; such files are not read"
    headers = list(_headers(document))
    if not document.content.startswith(b"PK") and is_binary(document):
        return "unknown format: binary data, neither text nor a workbook"
    if not headers:
        return f"unknown format: no table, JSON or XML in it; it begins with {_shortened(_first_line(document))!r}"
    pairs = [(header, known) for header in headers for known in formats if known.columns]
    header, known = max(pairs, key=lambda pair: _similarity(*pair), default=(headers[0], None))
    if known is None or not _is_similar(header, known):
        return f"unknown format: no format has the {headers[0].noun}s of {headers[0].where}; {_columns_of(headers[0])}"
    return f"unknown format: looks most like {known.name}, but {_difference(header, known)}; {_columns_of(header)}"


def _difference(header: _Header, known: FileFormat) -> str:
    names = {_normalised(word): word for word in header.words}
    missing = [column for column in known.columns if _normalised(column) not in names]
    if missing:
        noun = f"{header.noun}s" if len(missing) > 1 else header.noun
        return f"{header.where} has no {noun} {_listed(missing)}"
    spelt_differently = [(column, names[_normalised(column)]) for column in known.columns if column not in header.words]
    if spelt_differently:
        column, word = spelt_differently[0]
        return f"{header.where} has {_shortened(word)!r} where that format has {column!r}"
    if header.separator != ",":
        return (
            f"the fields of {header.where} are separated by {_SEPARATOR_NAMES[header.separator]}, those of that format by ','"
        )
    return f"only the {header.noun}s of {header.where} fit: the name or the rows are not those of that format"


def _columns_of(header: _Header) -> str:
    return f"{header.noun}s found: {_listed(header.words, quote=False)}"


def _listed(words: Iterable[str], *, quote: bool = True) -> str:
    shown = [repr(_shortened(word)) if quote else _shortened(word) for word in dict.fromkeys(words) if word]
    more = f" and {len(shown) - _MOST_WORDS} more" if len(shown) > _MOST_WORDS else ""
    return ", ".join(shown[:_MOST_WORDS]) + more


def _is_similar(header: _Header, known: FileFormat) -> bool:
    common, count = _common_columns(header, known), len(known.columns)
    return common >= count * _LEAST_SHARE and common >= min(_LEAST_COLUMNS, count)


def _similarity(header: _Header, known: FileFormat) -> tuple[float, int, bool]:
    """Return the similarity of a header and a format, to compare: share and number of common columns, same kind of file."""
    common = _common_columns(header, known)
    return common / len(known.columns), common, header.kind in known.name


def _common_columns(header: _Header, known: FileFormat) -> int:
    words = {_normalised(word) for word in header.words}
    return sum(_normalised(column) in words for column in known.columns)


def _headers(document: SourceFile) -> Iterator[_Header]:
    """Yield what may be the header: fields of JSON, elements of XML, cells of a workbook, or each line of delimited text."""
    start = document.head.lstrip("\ufeff \t\r\n")
    if document.content.startswith(b"PK"):
        words = _cells_of_workbook(document.content)
        headers = [_Header(words, "the workbook", "cell", kind="workbook")] if words else []
    elif start.startswith(("{", "[")):
        headers = [_Header(tuple(dict.fromkeys(_FIELD.findall(document.head))), "the JSON", "field", kind="JSON")]
    elif start.startswith("<"):
        headers = [_Header(tuple(dict.fromkeys(_ELEMENT.findall(document.head))), "the XML", "element", kind="XML")]
    else:
        headers = list(_lines(document))
    yield from (header for header in headers if header.words)


def _lines(document: SourceFile) -> Iterator[_Header]:
    for number, line in enumerate(document.head_lines(_LINES), start=1):
        separator = max(_SEPARATORS, key=line.count)
        cells = _split(line, separator)
        if len(cells) >= _LEAST_COLUMNS and any(cells):
            yield _Header(cells, f"line {number}", separator=separator)


def _split(line: str, separator: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=separator), list[str]()))
    except csv.Error:
        return ()


def _cells_of_workbook(content: bytes) -> tuple[str, ...]:
    """Return the texts at the beginning of an .xlsx workbook, of 64 kB of each part at most; none when it cannot be read."""
    texts = (
        text.strip()
        for head in first_bytes(content, _PARTS, most=_PEEK)
        for text in _CELL.findall(head.decode("utf-8", errors="replace"))
    )
    return tuple(dict.fromkeys(text for text in texts if text))


def _normalised(word: str) -> str:
    return "".join(word.split()).casefold()


def _shortened(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text).strip()
    return shown if len(shown) <= _WORD_LENGTH else f"{shown[: _WORD_LENGTH - 1]}…"


def _first_line(document: SourceFile) -> str:
    return next((line.strip() for line in document.head_lines(_LINES) if line.strip()), "")
