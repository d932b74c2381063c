"""Tells an answer with data from pages, error documents and cut files, by its first and last bytes."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast
from urllib.parse import urlsplit

from aurum.pipelines.public_files import Content, Problem

EDGE = 64 << 10
"""Bytes of the beginning and of the end of an answer that are looked at."""

_BY_SUFFIX = {
    ".csv": Content.CSV,
    ".txt": Content.CSV,
    ".json": Content.JSON,
    ".xls": Content.WORKBOOK,
    ".xlsx": Content.WORKBOOK,
    ".xml": Content.XML,
    ".zip": Content.ZIP,
}
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARK = b"\xef\xbb\xbf"
_ZIP, _EMPTY_ZIP, _OLE = b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0"
_ZIP_END = b"PK\x05\x06"
_LONGEST_REASON = 200
_REASONS = ("error_message", "message", "error", "detail", "title")


@dataclass(frozen=True, slots=True)
class Sample:
    """The first and the last bytes of an answer, at most ``EDGE`` each, and its whole size."""

    head: bytes
    tail: bytes
    size: int


def content_at(url: str) -> Content | None:
    """Return the kind of content that the end of an address names; None where it names none."""
    return _BY_SUFFIX.get(PurePosixPath(urlsplit(url).path).suffix.lower())


def problem_of(sample: Sample, content: Content | None) -> Problem | None:
    """Return why an answer is not a whole file of a kind of content; None for one that is.

    ``content``: None for any kind but HTML.
    """
    if sample.size == 0:
        return Problem("the answer is empty", is_passing=True)
    head = sample.head.removeprefix(_MARK).lstrip()
    if content is not Content.HTML and _HTML.match(head):
        wanted = f" instead of {content}" if content is not None else ""
        title = title_of(head)
        return Problem(f"a page{wanted}" + (f", titled {title!r}" if title else ""))
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        if _ZIP_END not in sample.tail:
            return Problem("the archive is cut off", is_passing=True)
        return None if content in (None, Content.ZIP, Content.WORKBOOK) else Problem(f"an archive instead of {content}")
    match content:
        case Content.ZIP:
            return Problem(f"no archive: {_excerpt(head)}")
        case Content.WORKBOOK:
            return None if head.startswith(_OLE) else Problem(f"no workbook: {_excerpt(head)}")
        case Content.XML:
            return _edges(head, sample.tail, b"<", b">", content)
        case Content.JSON:
            return _edges(head, sample.tail, b"{[", b"}]", content)
        case Content.CSV:
            return Problem(f"a document instead of {content}: {_excerpt(head)}") if head.startswith((b"<", b"{")) else None
        case Content.HTML | None:
            return None


def title_of(content: bytes) -> str:
    """Return the title of an HTML page in one line; empty where it has none."""
    title = _TITLE.search(content)
    return _one_line(html.unescape(title[1].decode("utf-8", "replace"))) if title else ""


def reason_in(content: bytes) -> str:
    """Return what the body of an error says, in one line: a field of JSON, the title of a page, else nothing."""
    head = content.removeprefix(_MARK).lstrip()
    if _HTML.match(head):
        return title_of(head)
    try:
        document: object = json.loads(head)
    except ValueError:
        return ""
    return _one_line(_reason(document))


def _reason(document: object) -> str:
    if isinstance(document, str):
        return document
    if isinstance(document, list):
        items = cast("list[object]", document)
        return _reason(items[0]) if items else ""
    if not isinstance(document, dict):
        return ""
    fields = cast("dict[str, object]", document)
    errors = fields.get("errors")
    if isinstance(errors, list) and errors:
        return _reason(cast("list[object]", errors)[0])
    return next((text for name in _REASONS if (text := _reason(fields.get(name)))), "")


def _edges(head: bytes, tail: bytes, opening: bytes, closing: bytes, content: Content) -> Problem | None:
    if head[:1] not in [bytes([byte]) for byte in opening]:
        return Problem(f"no {content.value.upper()}: {_excerpt(head)}")
    if tail.rstrip(b"\0 \t\r\n")[-1:] not in [bytes([byte]) for byte in closing]:
        return Problem(f"the {content.value.upper()} is cut off", is_passing=True)
    return None


def _excerpt(head: bytes) -> str:
    return repr(_one_line(head[:_LONGEST_REASON].decode("utf-8", "replace"))[:60])


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:_LONGEST_REASON]
