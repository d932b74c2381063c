"""Tables that encoders write: named columns of one length, as NumPy arrays, with the time zone of their times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NAT = int(np.iinfo(np.int64).min)
"""A missing instant."""


@dataclass(frozen=True, slots=True)
class Instants:
    """Instants as int64 microseconds since 1970-01-01 UTC; ``NAT``: a missing instant."""

    us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.us)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers as float64; NaN: a missing value."""

    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Labels:
    """Words of a small vocabulary: ``codes`` has the position in ``words`` for each row. No word contains a NUL.

    Unused positions have an empty word: the codes of a store have gaps.
    """

    codes: NDArray[np.integer]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts as int64; a negative one is a missing value."""

    values: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


Column = Instants | Numbers | Labels | Counts


@dataclass(frozen=True, slots=True)
class Description:
    """Facts about a table for formats that have a place for them. ``columns``: facts about single columns, by column."""

    table: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


NOTHING_SAID = Description()


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in the order in which they are written. ``zone``: IANA name of the time zone of written times."""

    columns: Mapping[str, Column]
    zone: str = "UTC"

    @property
    def height(self) -> int:
        return len(next(iter(self.columns.values())))
