"""Reads response headers: the file's name, its publication time, and how long to wait before a retry (RFC 9110, RFC 6266)."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

_LONGEST_NAME = 200
_ARCHIVES = {"application/x-zip-compressed": ".zip"}  # OASIS sends this type for a zip file; ``mimetypes`` does not know it


def file_name(response: httpx.Response, url: str, *, otherwise: str, is_named_by_server: bool = True) -> str:
    """Return a safe file name: that of the Content-Disposition header, else the end of the address, else ``otherwise``.

    ``is_named_by_server``: False to leave the header out. A name without a suffix gets the suffix of its content type, because
    formats are recognised by name too.
    """
    path = (_content_disposition(response) if is_named_by_server else "") or unquote(urlsplit(url).path)
    # Only the last part, without leading dots: the server must not choose the folder or hide the file.
    last = PurePosixPath(path.replace("\\", "/")).name
    name = "".join(character for character in last if character.isprintable()).lstrip(".")[:_LONGEST_NAME] or otherwise
    return name if PurePosixPath(name).suffix else name + _suffix(response)


def last_modified(response: httpx.Response) -> datetime | None:
    """Return when the file was made available, UTC; None when the header is missing or lies after the server's ``Date``."""
    changed, now = _time(response, "last-modified"), _time(response, "date")
    return None if changed is not None and now is not None and changed > now else changed


def retry_after_s(response: httpx.Response) -> float | None:
    """Return the requested wait in seconds, from either form of ``Retry-After`` (seconds or a date); None when missing."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    until, now = _time(response, "retry-after"), _time(response, "date")
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _content_disposition(response: httpx.Response) -> str:
    header = Message()
    header["Content-Disposition"] = response.headers.get("content-disposition", "")
    return header.get_filename("")


def _suffix(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _ARCHIVES.get(kind) or mimetypes.guess_extension(kind) or ""


def _time(response: httpx.Response, header: str) -> datetime | None:
    text = response.headers.get(header)
    if text is None:
        return None
    try:
        time = parsedate_to_datetime(text)
    except ValueError:
        return None
    # The parser returns a time without a zone for "-0000", which means UTC.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
