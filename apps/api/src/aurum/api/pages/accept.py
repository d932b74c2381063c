"""Preference between media types by the ``Accept`` header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from starlette.requests import Request


def prefers(request: Request, wanted: str, *, over: str) -> bool:
    """Return whether the ``Accept`` of a request ranks ``wanted`` above ``over``; see ``ranks``."""
    return ranks(request.headers.get("accept", ""), wanted, over=over)


def ranks(accept: str, wanted: str, *, over: str) -> bool:
    """Return whether ``Accept`` names ``wanted`` itself and ranks it above ``over``.

    A range such as ``*/*`` does not count: programs send it, browsers name ``text/html``.
    """
    qualities = dict(_quality(part) for part in accept.split(","))
    return wanted in qualities and qualities[wanted] > qualities.get(over, 0.0)


def _quality(part: str) -> tuple[str, float]:
    media_type, *parameters = (word.strip().lower() for word in part.split(";"))
    quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return media_type, float(quality)
    except ValueError:
        return media_type, 0.0
