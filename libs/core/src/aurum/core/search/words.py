"""Words of names and of queries, in one spelling: without accents, case and punctuation.

``N.Y.C.`` is the word ``nyc``, ``Hydro-Québec`` are ``hydro`` and ``quebec``, ``LZ_HOUSTON`` are ``lz`` and ``houston``. The
whole of a name is a word of its own, which begins with ``=``: ``=lz_houston``. It finds a name by its exact spelling, so that
the zone ``WEST`` comes before all names that contain the word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_INITIALS = re.compile(r"\b(?:[^\W\d_]\.)+[^\W\d_]\b")
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = str.maketrans("", "", "'’`")
_LONGEST = 60
"""Characters of a word; PostgreSQL takes up to 2,046 bytes, and no query has longer words."""
_MOST = 60
"""Words of one name."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, with repetitions.

    >>> words_of("N.Y.C. Day-Ahead"), words_of("Hydro-Québec"), words_of("HB_NORTH & | ! :*")
    (['nyc', 'day', 'ahead'], ['hydro', 'quebec'], ['hb', 'north'])
    """
    if text.isascii():
        plain = text.lower()
    else:
        decomposed = unicodedata.normalize("NFKD", text)
        plain = "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()
    if "." in plain:
        plain = _INITIALS.sub(lambda match: match[0].replace(".", ""), plain)
    return [word[:_LONGEST] for word in _WORD.findall(plain.translate(_APOSTROPHES))]


def whole(words: Sequence[str]) -> str:
    """Return the word that stands for a whole name.

    >>> whole(["new", "york", "city"])
    '=new_york_city'
    """
    return "=" + "_".join(words)[:_LONGEST]


def name_words(*names: str) -> list[str]:
    """Return the distinct words of the names of one place, ascending, with the word for each whole name."""
    distinct: set[str] = set()
    for name in names:
        words = words_of(name)[:_MOST]
        if words:
            distinct.update(words)
            distinct.add(whole(words))
    return sorted(distinct)


def plain_words(words: Iterable[str]) -> list[str]:
    """Return the words that are not the whole of a name, in order."""
    return [word for word in words if not word.startswith("=")]
