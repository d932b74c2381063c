"""Checks that a JSON value can be stored in PostgreSQL and written to an answer again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

DEEPEST = 64
"""Most levels of a value. JSON encoders fail at about 250 levels, and answers and audit records add some around a value."""

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def refuse_unstorable(value: object) -> None:
    """Raise ``ValueError`` for a value that cannot be stored.

    Refused are texts and names of members with characters that PostgreSQL cannot store, numbers that are not finite, and
    values of more than ``DEEPEST`` levels.
    """
    level: list[object] = [value]
    for _ in range(DEEPEST):
        for part in level:
            _refuse_scalar(part)
        level = [child for part in level for child in _children(part)]
        if not level:
            return
    raise ValueError(f"a value may have at most {DEEPEST} levels")


def _children(value: object) -> Sequence[object]:
    """Return the items of a list, or the names and values of the members of an object."""
    if isinstance(value, Mapping):
        return list(chain.from_iterable(cast("Mapping[object, object]", value).items()))
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _refuse_scalar(value: object) -> None:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValueError("a text must not contain a NUL character or half of a surrogate pair")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("numbers must be finite")
