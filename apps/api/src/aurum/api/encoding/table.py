"""What every encoder writes: named columns of one length, as NumPy arrays, with the clock on which times are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAT = int(np.iinfo(np.int64).min)
"""A missing instant."""


@dataclass(frozen=True, slots=True)
class Instants:
    """Int64 microseconds since 1970-01-01 UTC; ``NAT`` where there is none."""

    us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.us)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Float64; NaN is a missing value."""

    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Labels:
    """Words of a small vocabulary: positions in ``words``, one a row. No word holds a NUL.

    An empty word stands at a position that no row has: codes of a store have gaps.
    """

    codes: NDArray[np.integer]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)


Column = Instants | Numbers | Labels


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in the order in which they are written. ``zone``: IANA name of the clock that times are shown on."""

    columns: Mapping[str, Column]
    zone: str = "UTC"

    @property
    def height(self) -> int:
        return len(next(iter(self.columns.values())))
