"""Loads of new days of stored series."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.builders import file_load, together
from bench.harness import Run, timed
from bench.stage import DAY, HOUR, Draw, Stage


@dataclass(frozen=True, slots=True)
class NewDays:
    """Files of ``days`` days of ``series`` series, which are drawn at random from those that ``add_series`` made.

    The first file starts ``first`` days after ``START``, and each one after the end of the file before it. ``files``: files
    loaded in a round.
    """

    days: int
    series: int
    first: int
    draw: Draw
    frequency: str = "1h"
    step: timedelta = HOUR
    files: int = 3

    def into(self, stage: Stage, keys: Sequence[str]) -> Run:
        """Return a measurement of the loader, rows a second, without building the files. ``keys``: the stored series."""
        choice, starts = random.Random(len(keys)), itertools.count(self.first, self.days)

        async def run() -> float:
            files = [self._file(choice.sample(keys, self.series), next(starts)) for _ in range(self.files)]
            rows = sum(part.rows.height for file in files for part in file.parts)
            watch = timed()
            outcomes = [await stage.store.loader.load(file) for file in files]
            took = watch()
            assert sum(outcome.new for outcome in outcomes) == rows
            return rows / took

        return run

    def _file(self, keys: Sequence[str], start: int) -> FileLoad:
        return together(*(self._series(key, start, seed) for seed, key in enumerate(keys, start)))

    def _series(self, key: str, start: int, seed: int) -> FileLoad:
        prices = self.draw(self.days * DAY // self.step, seed).tolist()
        return file_load(
            [(start * 24 + number * (self.step / HOUR), 0, price) for number, price in enumerate(prices)],
            key=key,
            frequency=self.frequency,
            unit="USD/MWh",
            currency="USD",
            market="NYISO",
            zone="America/New_York",
        )
