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
_SEPARATORS = ",;\t|"
_SHOWN = 12
_LONGEST = 40
_ALIKE = 0.5
_FEW = 2
_FIELD = re.compile(r'"([A-Za-z_][\w .#-]{0,60})"\s*:')
_ELEMENT = re.compile(r"<(?:[\w-]+:)?([A-Za-z_][\w.-]*)")
_CELL = re.compile(r"<t[^>]*>([^<]{1,80})</t>")
_PARTS = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
_PEEK = 65_536
_SEPARATOR_NAMES = {"\t": "tabs", ";": "';'", "|": "'|'"}


@dataclass(frozen=True, slots=True)
class _Header:
    """The words that may be the header of a file. ``where``: ``line 3``, ``JSON`` ..."""

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
        return f"unknown format: no table, JSON or XML in it; it begins with {_cut(_first_line(document))!r}"
    pairs = [(header, known) for header in headers for known in formats if known.columns]
    header, known = max(pairs, key=lambda pair: _likeness(*pair), default=(headers[0], None))
    if known is None or not _is_alike(header, known):
        return f"unknown format: no format has the {headers[0].noun}s of {headers[0].where}; {_columns_of(headers[0])}"
    return f"unknown format: looks most like {known.name}, but {_difference(header, known)}; {_columns_of(header)}"


def _difference(header: _Header, known: FileFormat) -> str:
    names = {_plain(word): word for word in header.words}
    missing = [column for column in known.columns if _plain(column) not in names]
    if missing:
        several = f"{header.noun}s" if len(missing) > 1 else header.noun
        return f"{header.where} has no {several} {_listed(missing)}"
    respelt = [(column, names[_plain(column)]) for column in known.columns if column not in header.words]
    if respelt:
        column, word = respelt[0]
        return f"{header.where} has {_cut(word)!r} where that format has {column!r}"
    if header.separator != ",":
        return (
            f"the fields of {header.where} are separated by {_SEPARATOR_NAMES[header.separator]}, those of that format by ','"
        )
    return f"only the {header.noun}s of {header.where} fit: the name or the rows are not those of that format"


def _columns_of(header: _Header) -> str:
    return f"{header.noun}s found: {_listed(header.words, quote=False)}"


def _listed(words: Iterable[str], *, quote: bool = True) -> str:
    shown = [repr(_cut(word)) if quote else _cut(word) for word in dict.fromkeys(words) if word]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def _is_alike(header: _Header, known: FileFormat) -> bool:
    fitting, count = _fitting(header, known), len(known.columns)
    return fitting >= count * _ALIKE and fitting >= min(_FEW, count)


def _likeness(header: _Header, known: FileFormat) -> tuple[float, int, bool]:
    """Return how like a header is to a format. Of formats with the same columns, that of the same kind of file is liker."""
    fitting = _fitting(header, known)
    return fitting / len(known.columns), fitting, header.kind in known.name


def _fitting(header: _Header, known: FileFormat) -> int:
    words = {_plain(word) for word in header.words}
    return sum(_plain(column) in words for column in known.columns)


def _headers(document: SourceFile) -> Iterator[_Header]:
    """Yield what may be the header: fields of JSON, elements of XML, cells of a workbook, or each line of delimited text."""
    start = document.head.lstrip("\ufeff \t\r\n")
    if document.content.startswith(b"PK"):
        words = _cells_of_workbook(document.content)
        kinds = [_Header(words, "the workbook", "cell", kind="workbook")] if words else []
    elif start.startswith(("{", "[")):
        kinds = [_Header(tuple(dict.fromkeys(_FIELD.findall(document.head))), "the JSON", "field", kind="JSON")]
    elif start.startswith("<"):
        kinds = [_Header(tuple(dict.fromkeys(_ELEMENT.findall(document.head))), "the XML", "element", kind="XML")]
    else:
        kinds = list(_lines(document))
    yield from (header for header in kinds if header.words)


def _lines(document: SourceFile) -> Iterator[_Header]:
    for number, line in enumerate(document.head_lines(_LINES), start=1):
        separator = max(_SEPARATORS, key=line.count)
        cells = _split(line, separator)
        if len(cells) >= _FEW and any(cells):
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


def _plain(word: str) -> str:
    return "".join(word.split()).casefold()


def _cut(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text).strip()
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _first_line(document: SourceFile) -> str:
    return next((line.strip() for line in document.head_lines(_LINES) if line.strip()), "")
