"""JSON values that PostgreSQL can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def scalars_of(value: object) -> Iterator[object]:
    """All texts and numbers within a value, names of members among them."""
    if isinstance(value, Mapping):
        for pair in cast("Mapping[str, object]", value).items():
            for part in pair:
                yield from scalars_of(part)
    elif isinstance(value, list | tuple):
        for part in cast("Sequence[object]", value):
            yield from scalars_of(part)
    else:
        yield value


def refuse_unstorable(value: object) -> None:
    """Raises ``ValueError`` for a text with characters that PostgreSQL has not, and for a number that is none in JSON."""
    for scalar in scalars_of(value):
        if isinstance(scalar, str) and _UNSTORABLE.search(scalar):
            raise ValueError("no text may hold a NUL or half of a surrogate pair")
        if isinstance(scalar, float) and not math.isfinite(scalar):
            raise ValueError("numbers must be finite")
