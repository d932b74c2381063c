"""A sample file, and the helpers that write one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aurum.pipelines.testing.workbook import Cell, workbook


@dataclass(frozen=True)
class Sample:
    """A file, and what a mutation may change in it.

    ``datasets``: keys ``source:dataset`` that it holds. ``neutral``: the content is enough under any name. ``stamps``: patterns
    of the times in its rows. ``ids`` and ``numbers``: texts of locations and of values, each unique in the file. ``exchange``:
    two columns of one unit. ``total`` and ``energy``: that price and a component's. ``shift``: neighbouring columns of numbers.
    ``second``: a column of times that another one says, too. ``odd``: an id's column and a number's. ``neighbours``: names of
    similar files of the publisher. ``sheets``: those of a workbook, instead of ``text``. ``untouched``: beginning of lines that
    hold no rows.
    """

    datasets: tuple[str, ...]
    name: str
    text: str = ""
    neutral: bool = True
    stamps: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    exchange: tuple[str, str] | None = None
    total: tuple[str, str] | None = None
    energy: tuple[str, str] | None = None
    shift: tuple[str, ...] = ()
    second: str = ""
    odd: tuple[str, str] | None = None
    neighbours: tuple[str, ...] = ()
    header_line: int = 1
    sheets: Mapping[str, Sequence[Sequence[Cell]]] = field(default_factory=dict[str, Sequence[Sequence[Cell]]])
    untouched: str = "\0"

    @property
    def content(self) -> bytes:
        return workbook(self.sheets) if self.sheets else self.text.encode()

    @property
    def label(self) -> str:
        return f"{self.datasets[0]} {self.name.rsplit('.', 1)[-1]}"


def csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return "\n".join(",".join(str(cell) for cell in row) for row in [header, *rows]) + "\n"


CONGESTION_AND_LOSS = ((1.0, 0.25), (2.5, -0.5), (-1.75, 0.125))
"""Components of the prices of three invented locations."""
DAY = datetime(2025, 7, 4)  # noqa: DTZ001 - files have local times
HOURS = [timedelta(hours=n) for n in range(6)]
FIVES = [timedelta(minutes=5 * n) for n in range(6)]
QUARTERS = [timedelta(minutes=15 * n) for n in range(6)]
DAYS = [timedelta(days=n) for n in range(5)]


def steps(minutes: int) -> list[timedelta]:
    return [timedelta(minutes=minutes * n) for n in range(6)]
