"""The header ``Range`` (RFC 9110, 14.2), as far as this service serves it: one range of bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 100
"""Bytes of a header that is read; a longer one holds no range of a file that exists, and is ignored."""
_ONE = re.compile(rb"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes. ``first`` None: the last ``last`` bytes; ``last`` None: up to the end; else both are inclusive."""

    first: int | None
    last: int | None

    def within(self, size: int) -> tuple[int, int] | None:
        """Return the first byte and the one after the last in a file of ``size`` bytes; None when it has none of them."""
        if self.first is None:
            length = min(self.last or 0, size)
            return (size - length, size) if length else None
        if self.first >= size:
            return None
        return self.first, size if self.last is None else min(self.last + 1, size)


def parse_range(header: bytes) -> ByteRange | None:
    """Return the range of a header; None for one to be ignored (RFC 9110, 14.2), which gets the whole answer.

    Ignored are other units, malformed ranges, and several ranges at once: no reader of data files needs ``multipart`` answers,
    and overlapping ranges would let a small request cost much.
    """
    match = _ONE.fullmatch(header) if len(header) <= _LONGEST else None
    if match is None:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        return None
    return ByteRange(first, last)
