"""Text that a database can store: PostgreSQL has no NUL, and UTF-8 has no halves of characters."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import polars as pl

from aurum.core.visible import visible

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return a text with NUL and lone surrogates escaped: ``\\\\x00``, ``\\\\udc80``."""
    return _UNSTORABLE.sub(lambda match: f"\\x{ord(match[0]):02x}" if match[0] == "\x00" else f"\\u{ord(match[0]):x}", text)


def storable_column(text: pl.Expr) -> pl.Expr:
    """Return ``storable`` of a column. Columns hold no surrogates."""
    return text.str.replace_all("\x00", "\\x00", literal=True)


def printable(text: str) -> str:
    """Return a name for people: NFC, every blank a plain space, none around it, no invisible character."""
    plain = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    return visible(plain).strip()


def printable_json(text: str) -> str:
    """Return a JSON object of strings with ``printable`` values."""
    values: dict[str, Any] = json.loads(text)
    return json.dumps({name: printable(str(value)) for name, value in values.items()}, ensure_ascii=False)
