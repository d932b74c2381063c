"""Restatement of known times: the sanctioned change of answers about the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Restated:
    """Result of a restatement. ``points``: publications that moved. ``series``: ids of the series whose answers changed."""

    points: int
    series: tuple[int, ...]


class Restater(Protocol):
    """Restatements within a transaction."""

    async def moments(self, series_ids: Sequence[int]) -> pl.DataFrame:
        """Return the moments at which files with some series were taken in.

        Columns ``series_id``, ``known_at`` (the moment), ``file_id``, ``first_ts`` and ``last_ts`` (of the series in the file).
        """
        ...

    async def restate(self, moves: pl.DataFrame, *, recording_id: int) -> Restated:
        """Move publications to other known times, and raise the versions of their series.

        ``moves``: schema ``core.restatement.MOVES``; those of publications that are not stored have no effect. Archived months
        are restored first. The recording keeps what it took away.
        """
        ...

    async def restate_issues(self, source: str, dataset: str, moves: pl.DataFrame) -> None:
        """Give the issues of a forecast the known times of their publications.

        ``moves``: ``file_id``, ``known_at``, ``restated_at``, ``first_ts`` and ``last_ts``, one row an issue. It may be called
        for parts of an issue one after the other. The issues at the old known times stay.
        """
        ...

    async def drop_issues(self, source: str, dataset: str, issues: Sequence[tuple[datetime, int]]) -> None:
        """Remove issues, given by known time and file, from the list; no publication is removed.

        Only those go whose file has an issue with a scheduled time before: a file that was loaded meanwhile keeps its issue.
        """
        ...
