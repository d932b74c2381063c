"""Whether a caller would rather have one media type than another. RFC 9110, section 12.5.1."""

from __future__ import annotations

from starlette.requests import Request


def prefers(request: Request, wanted: str, *, over: str) -> bool:
    """``Accept`` names ``wanted`` itself and ranks it above ``over``; a range such as ``*/*`` says nothing about it."""
    qualities = dict(_quality(part) for part in request.headers.get("accept", "").split(","))
    return wanted in qualities and qualities[wanted] > qualities.get(over, 0.0)


def _quality(part: str) -> tuple[str, float]:
    media_type, *parameters = (word.strip().lower() for word in part.split(";"))
    given = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return media_type, float(given)
    except ValueError:
        return media_type, 0.0
