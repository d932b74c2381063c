"""Finds characters that a reader cannot see in a text, so that two names that look equal are equal.

Control, format, private-use and unassigned characters are unprintable for Python, as is every blank but the plain space. Some
characters that Python calls printable show nothing either: Hangul fillers, variation selectors, the combining grapheme joiner.
"""

from __future__ import annotations

import re

_IGNORABLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Property Default_Ignorable_Code_Point. Source: Unicode 16.0, DerivedCoreProperties.txt."""


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
