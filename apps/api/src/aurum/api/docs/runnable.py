"""Which code blocks a page can run: a single ``curl`` that only reads from this service."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

ORIGIN = "http://127.0.0.1:8000"
"""What the guides call the service; pages put their own origin in its place."""

_WITHOUT_VALUE = frozenset({"-s", "-i", "-si", "-is", "-sS", "-g", "--compressed"})
_HEADER = "-H"


def read_of(code: str) -> tuple[str, dict[str, str]] | None:
    """Path with query, and headers, of a block that is one ``curl`` which reads; None for anything else."""
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
