"""Words on charts: characters that a picture must not contain are replaced, and long texts wrapped."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_HIDDEN = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that change the direction of the text after them: a label could hide or reorder what stands beside it."""
_EM = 0.6
"""Mean width of a character of DejaVu Sans, in sizes of the font; wide ones of East Asia have one and a half of it."""


def plain(text: str) -> str:
    """Return a text on one line, without characters that XML forbids (XML 1.0, 2.2) and without marks of direction.

    >>> plain("Base\\nload\\x00 \\u202e$")
    'Base load\\ufffd $'
    """
    shown = "".join(_shown(character) for character in text if character not in _HIDDEN)
    return " ".join(shown.split())


def width(text: str, size: float) -> float:
    """Return about how wide a text is, in the unit of ``size``, the size of its font."""
    return sum(1.5 if unicodedata.east_asian_width(one) in "WF" else 1.0 for one in text) * size * _EM


def wrapped(text: str, size: float, room: float, *, lines: int) -> Sequence[str]:
    """Return a plain text in lines no wider than ``room``; what does not fit into ``lines`` of them ends with an ellipsis."""
    words = plain(text).split(" ")
    done: list[str] = []
    line = ""
    for word in words:
        for piece in _pieces(word, size, room):
            joined = f"{line} {piece}" if line else piece
            if width(joined, size) <= room:
                line = joined
                continue
            done.append(line)
            line = piece
    done.append(line)
    if len(done) <= lines:
        return done
    last = done[lines - 1]
    while last and width(last + "…", size) > room:
        last = last[:-1]
    return [*done[: lines - 1], last.rstrip() + "…"]


def _pieces(word: str, size: float, room: float) -> Sequence[str]:
    """Return a word in pieces that fit."""
    pieces: list[str] = []
    piece = ""
    for character in word:
        if piece and width(piece + character, size) > room:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    is_bad = unicodedata.category(character) in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE
    return "\ufffd" if is_bad else character
