"""Names the kind of a file that no source publishes, by its first bytes: a PDF document, a picture, a web page."""

from __future__ import annotations

import re

from aurum.pipelines.source import SourceFile

_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"CDF\x01", "a NetCDF file"),
    (b"CDF\x02", "a NetCDF file"),
    (b"GRIB", "a GRIB file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive whose name does not end in .gz"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"{\\rtf", "an RTF document"),
    (b"-----BEGIN ", "a key or a certificate"),
)
_TAR = slice(257, 262)
_PAGE = re.compile(r"\s*(?:<!--.*?-->\s*)*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,80})", re.IGNORECASE)
_WORKBOOK, _DOCUMENT = b"xl/", b"word/"
"""Folders in the zip archive of an Excel workbook and of a Word document."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_MOST_CONTROL = 0.1
"""Share of control characters up to which a file counts as text."""
_PEEK = 4096


def foreign_kind(document: SourceFile) -> str:
    """Return what a file is, such as ``a PDF document``; empty for text, workbooks and unknown kinds."""
    content = document.content
    start = content[:_PEEK]
    if start.startswith(b"PK\x03\x04"):
        return _zip_kind(content)
    if (kind := next((kind for mark, kind in _MARKS if start.startswith(mark)), "")) and not _is_text(start, kind):
        return kind
    if content[_TAR] == b"ustar":
        return "a tar archive"
    if _PAGE.match(document.head):
        title = _TITLE.search(document.head)
        return f"a web page, {' '.join(title[1].split())!r}" if title is not None else "a web page"
    return ""


def is_binary(document: SourceFile) -> bool:
    """Return whether the beginning has more control characters than text has."""
    start = document.head.encode()[:_PEEK]
    return bool(start) and len(_CONTROL.findall(start)) > len(start) * _MOST_CONTROL


def _zip_kind(content: bytes) -> str:
    # The directory of an archive is at its end.
    names = content[-65_536:]
    if _WORKBOOK in names:
        return ""
    if _DOCUMENT in names:
        return "a Word document"
    return "an archive whose name does not end in .zip"


def _is_text(start: bytes, kind: str) -> bool:
    """Return whether a file that begins with a mark made of letters is text all the same, such as ``MZ,PRICE``."""
    return kind in ("a program", "an ORC file", "a bzip2 archive", "a GRIB file") and not _CONTROL.search(start)
