"""Prices drawn from one day of many nodes: as many as a table needs, distributed as those that were published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from bench.invented import isone_day
from bench.scale import Scale


@dataclass(frozen=True, slots=True)
class PriceDay:
    """A day taken apart: each price is the sum of what its hour costs, what its node adds, and a rest.

    ``hours``: medians over the nodes. ``nodes``: medians over the day of what is left. ``rests``: what is left of that, a row
    an hour.
    """

    hours: NDArray[np.float64]
    nodes: NDArray[np.float64]
    rests: NDArray[np.float64]

    def draw(self, count: int, seed: int, *, per_hour: int = 1) -> NDArray[np.float64]:
        """One series, from the day's first hour on: each hour costs what it did, one node's share is drawn for the whole
        series and a rest of the same hour for each price; two decimals.
        """
        random = np.random.default_rng(seed)
        hour = np.arange(count) // per_hour % len(self.hours)
        rests = self.rests[hour, random.integers(len(self.nodes), size=count)]
        return np.round(self.hours[hour] + random.choice(self.nodes) + rests, 2)


def price_day(shared: Path, scale: Scale) -> PriceDay:
    """The ISO-NE day among real files, which may be absent: then, or where none are wanted, the invented one."""
    file = shared / "isone" / "WW_DALMP_ISO_20260604.csv"
    if scale.real and file.is_file():
        return taken_apart(SourceFile(file.name, file.read_bytes()))
    return taken_apart(isone_day(scale.nodes))


def taken_apart(document: SourceFile) -> PriceDay:
    """The day of a file that has a price of every node in every hour."""
    _, file_format = default_registry().recognise(document)
    (parsed,) = file_format.parse(document)
    lmp = parsed.rows.filter(pl.col("measure") == "lmp").sort("ts", "location")
    prices = lmp["value"].to_numpy().reshape(lmp["ts"].n_unique(), -1)
    hours = np.median(prices, axis=1)
    rests = prices - hours[:, np.newaxis]
    nodes = np.median(rests, axis=0)
    return PriceDay(hours, nodes, rests - nodes)
