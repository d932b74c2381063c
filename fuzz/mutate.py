"""Damages bytes at random: bits, slices, lines, cells, and words that parsers trip over."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_MOST_DAMAGES = 6
_LONGEST_REPEAT = 200
_LONGEST = 4_000_000
"""Bytes of a damaged input; longer ones are cut."""

WORDS: Sequence[bytes] = (
    b"",
    b" ",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b'"',
    b'""',
    b"'",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"|",
    b"0",
    b"-0",
    b"-1",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"NaN",
    b"nan",
    b"inf",
    b"-Infinity",
    b"1_000",
    b"0x10",
    b"1,5",
    b"1.2.3",
    b"99999999999999999999",
    b"-9999",
    b"9" * 400,
    b"0001-01-01",
    b"9999-12-31",
    b"1969-12-31T23:59:59Z",
    b"2025-02-30",
    b"24:00",
    b"25",
    b"02X",
    b"31/12/2025",
    b"12/31/99999",
    b"11/02/2025 01:30",
    b"2025-03-09T02:30:00",
    b"null",
    b"None",
    b"true",
    b"[]",
    b"{}",
    b"[" * 3_000,
    b'{"a":' * 3_000,
    b"<a>" * 3_000,
    b'<!ENTITY a "b">',
    b"&a;",
    b"]]>",
    b"<!--",
    "²".encode(),
    "\u200b".encode(),
    "\u0660".encode(),
    "\u202e".encode(),
    "\U000e0041".encode(),
    b"\xc2\x91",
    b"\xed\xa0\x80",
    b"%s%n",
    b"../..",
    b"\\",
    b"\x1a",
    b"\x7f",
)

Damage = Callable[[random.Random, bytes], bytes]


def damaged(draw: random.Random, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return a content with one to six damages. ``others``: contents whose parts may be mixed into it."""
    for _ in range(draw.randint(1, _MOST_DAMAGES)):
        if others and draw.random() < 0.1:
            content = _spliced(draw, content, draw.choice(others))
        else:
            content = draw.choice(_DAMAGES)(draw, content)
    return content[:_LONGEST]


def _slice(draw: random.Random, content: bytes) -> tuple[int, int]:
    start = draw.randint(0, len(content))
    return start, min(len(content), start + draw.choice((0, 1, 2, 8, 64, 512)))


def _spliced(draw: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: draw.randint(0, len(content))] + other[draw.randint(0, len(other)) :]


def _flip(draw: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _remove(draw: random.Random, content: bytes) -> bytes:
    start, end = _slice(draw, content)
    return content[:start] + content[end:]


def _repeat(draw: random.Random, content: bytes) -> bytes:
    start, end = _slice(draw, content)
    return content[:end] + content[start:end] * draw.randint(1, _LONGEST_REPEAT) + content[end:]


def _insert(draw: random.Random, content: bytes) -> bytes:
    start, _ = _slice(draw, content)
    return content[:start] + draw.choice(WORDS) + content[start:]


def _cut(draw: random.Random, content: bytes) -> bytes:
    return content[: draw.randint(0, len(content))]


def _line(draw: random.Random, content: bytes) -> bytes:
    """Remove, repeat or exchange lines."""
    lines = content.split(b"\n")
    first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(3):
        case 0:
            del lines[first]
        case 1:
            lines[first:first] = [lines[second]] * draw.randint(1, _LONGEST_REPEAT)
        case _:
            lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _cell(draw: random.Random, content: bytes) -> bytes:
    """Replace a cell of a line, or a run of digits, by a word."""
    lines = content.split(b"\n")
    place = draw.randrange(len(lines))
    cells = lines[place].split(b",")
    cells[draw.randrange(len(cells))] = draw.choice(WORDS)
    lines[place] = b",".join(cells)
    return b"\n".join(lines)


def _encoded(draw: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(draw.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "utf-7")), errors="replace")


_DAMAGES: Sequence[Damage] = (_flip, _remove, _repeat, _insert, _insert, _cut, _line, _line, _cell, _cell, _cell, _encoded)
