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


@dataclass(frozen=True, slots=True)
class Days:
    """Days, none missing, as int32 days since 1970-01-01. They are written as YYYY-MM-DD, in Arrow as date32."""

    days: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.days)

    def labels(self) -> Labels:
        """Return the days as words."""
        distinct, codes = np.unique(self.days, return_inverse=True)
        return Labels(codes, tuple(np.datetime_as_string(distinct.astype("datetime64[D]")).tolist()))


@dataclass(frozen=True, slots=True)
class Fragments:
    """JSON values: ``codes`` has the position in ``texts``, JSON texts, for each row. Only JSON and NDJSON can hold them."""

    codes: NDArray[np.integer]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)


Column = Instants | Numbers | Labels | Counts | Days | Fragments


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
