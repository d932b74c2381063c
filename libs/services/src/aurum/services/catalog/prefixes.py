"""Filters by the beginning of a name."""

from __future__ import annotations


def has_prefix(text: str, prefix: str | None) -> bool:
    """Return whether a text begins with a prefix, in upper or lower case; every text has the prefix None."""
    return prefix is None or text.casefold().startswith(prefix.casefold())
