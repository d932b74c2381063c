"""JSON values that PostgreSQL can hold, and that can be told again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

DEEPEST = 64
"""Levels of a value. What writes JSON gives up at about 250, and answers and records put some of their own around it."""

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def refuse_unstorable(value: object) -> None:
    """Raises ``ValueError`` for a text, or a name of a member, with characters that PostgreSQL has not, for a number that is
    none in JSON, and for a value of more than ``DEEPEST`` levels.
    """
    level: list[object] = [value]
    for _ in range(DEEPEST):
        for one in level:
            _refuse_scalar(one)
        level = [part for one in level for part in _parts_of(one)]
        if not level:
            return
    raise ValueError(f"no value may have more than {DEEPEST} levels")


def _parts_of(value: object) -> Sequence[object]:
    """What a value holds one level down, names of members among it."""
    if isinstance(value, Mapping):
        return list(chain.from_iterable(cast("Mapping[object, object]", value).items()))
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _refuse_scalar(value: object) -> None:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValueError("no text may hold a NUL or half of a surrogate pair")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("numbers must be finite")
