"""Recognition of code blocks that a page can run: a single ``curl`` that only reads from this service."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

ORIGIN = "http://127.0.0.1:8000"
"""The address of the service in the guides; pages replace it with their own origin."""

_WITHOUT_VALUE = frozenset({"-s", "-i", "-si", "-is", "-sS", "-g", "--compressed"})
_HEADER = "-H"


def read_of(code: str) -> tuple[str, dict[str, str]] | None:
    """Return path with query, and headers, of a block with one ``curl`` that reads; None for any other block."""
    lines = [line for line in code.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) != 1 or any(sign in lines[0] for sign in ("|", ";", "$", "`", ">", "<")):
        return None
    try:
        command, *words = shlex.split(lines[0])
    except ValueError:  # a quote that is never closed
        return None
    if command != "curl":
        return None
    headers: dict[str, str] = {}
    urls: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == _HEADER:
            name, _, value = next(rest, "").partition(":")
            headers[name.strip()] = value.strip()
        elif word.startswith("-") and word not in _WITHOUT_VALUE:
            return None
        elif not word.startswith("-"):
            urls.append(word)
    return (_path(urls[0]), headers) if len(urls) == 1 and urls[0].startswith(f"{ORIGIN}/") else None


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
