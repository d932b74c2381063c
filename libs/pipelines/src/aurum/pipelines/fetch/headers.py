"""What the headers of an answer say of its file: name, time of publication, and how long to wait (RFC 9110, RFC 6266)."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

_LONGEST_NAME = 200
_ARCHIVES = {"application/x-zip-compressed": ".zip"}  # how OASIS calls a zip; the standard table does not know it


def file_name(response: httpx.Response, url: str, *, otherwise: str) -> str:
    """A name fit for a folder: what the server calls the file, else the end of its address, else ``otherwise``.

    A name without a suffix is given that of its content type: formats are recognised by name too.
    """
    given = _content_disposition(response) or unquote(urlsplit(url).path)
    # Its last part only, and nothing hidden: whoever answers must not choose the folder.
    last = PurePosixPath(given.replace("\\", "/")).name
    name = "".join(character for character in last if character.isprintable()).lstrip(".")[:_LONGEST_NAME] or otherwise
    return name if PurePosixPath(name).suffix else name + _suffix(response)


def last_modified(response: httpx.Response) -> datetime | None:
    """When the file was made available, UTC; None when the server does not say, or says a time after its own clock."""
    changed, now = _time(response, "last-modified"), _time(response, "date")
    return None if changed is not None and now is not None and changed > now else changed


def retry_after_s(response: httpx.Response) -> float | None:
    """How long the server asks to wait, in seconds, however it says so; None when it does not."""
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
    # "-0000" comes without a zone and means UTC.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
