"""Finds characters that a reader cannot see in a text, so that two names that look equal are equal.

Control, format, private-use and unassigned characters are unprintable for Python, as is every blank but the plain space. Some
characters that Python calls printable show nothing either: Hangul fillers, variation selectors, the combining grapheme joiner.
"""

from __future__ import annotations

import re
import unicodedata

_IGNORABLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Property Default_Ignorable_Code_Point. Source: Unicode 16.0, DerivedCoreProperties.txt."""

_LIKE_LATIN = str.maketrans(
    "\u0405\u0406\u0408\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"  # Cyrillic
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",  # Greek
    "SIJABEKMHOPCTYXaeopcyxsijABEZHIKMNOPTYXo",
)
"""Letters that most fonts draw as Latin ones. Source: Unicode 16.0, confusables.txt."""


def is_visible(text: str) -> bool:
    """Return whether every character of a text is printable and shows something; plain spaces count as shown.

    >>> is_visible("CAPITL"), is_visible("CAP\u200bITL"), is_visible("CAP\ufe0fITL")
    (True, False, False)
    """
    return text.isprintable() and (text.isascii() or _IGNORABLE.search(text) is None)


def visible(text: str) -> str:
    """Return a text without the characters that ``is_visible`` refuses.

    >>> visible("CAP\u200bITL\u3164")
    'CAPITL'
    """
    if is_visible(text):
        return text
    return "".join(character for character in text if is_visible(character))


def escaped(text: str) -> str:
    r"""Return a text with invisible characters as escapes: a terminal obeys some of them, and shows none.

    >>> escaped("CAPITL"), escaped("a\x1b[31m\n")
    ('CAPITL', 'a\\x1b[31m\\n')
    """
    if is_visible(text):
        return text
    return "".join(char if is_visible(char) else char.encode("unicode_escape").decode() for char in text)


def as_latin(text: str) -> str:
    """Return a text with the Latin letters that it looks like, in place of Cyrillic, Greek and wide ones.

    >>> as_latin("\uff25\uff35\uff32/MW\uff48"), as_latin("\u0422TF"), as_latin("Zürich")
    ('EUR/MWh', 'TTF', 'Zürich')
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_LIKE_LATIN)
