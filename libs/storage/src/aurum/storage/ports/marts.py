"""Reads of what models build over the store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import polars as pl

from aurum.core.errors import NotFound


class UnknownMart(NotFound):
    """There is no table or view of that name where marts are. Facts: ``mart``."""


class MartReader(Protocol):
    """Marts of one schema. They are rebuilt while they are read: an answer is from one state of one mart."""

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        """All rows of those columns that there are; others are absent. Their order is not said.

        Whole numbers, dates, texts and Booleans as they are; other numbers as Float64, null where they are not one; instants
        as Datetime(us, UTC). Raises ``UnknownMart``, and ``Unavailable`` when the place of the marts does not answer.
        """
        ...
