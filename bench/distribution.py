"""Random prices with the distribution of one published day of many nodes, in any number."""

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
    """A day of prices, decomposed: each price is the sum of an hour's part, a node's part and a residual.

    ``hours``: medians over the nodes. ``nodes``: medians of the remainder over the day. ``rests``: the residuals, one row for
    each hour.
    """

    hours: NDArray[np.float64]
    nodes: NDArray[np.float64]
    rests: NDArray[np.float64]

    def draw(self, count: int, seed: int, *, per_hour: int = 1) -> NDArray[np.float64]:
        """Return prices of one series from the first hour of the day on, with two decimals.

        Each is the part of its hour, plus one node's part that is drawn for the whole series, plus a residual that is drawn
        from the same hour.
        """
        random = np.random.default_rng(seed)
        hour = np.arange(count) // per_hour % len(self.hours)
        rests = self.rests[hour, random.integers(len(self.nodes), size=count)]
        return np.round(self.hours[hour] + random.choice(self.nodes) + rests, 2)


def price_day(shared: Path, scale: Scale) -> PriceDay:
    """Return the ISO-NE day of the real files; the generated one if the file is absent or ``scale`` uses no real files."""
    file = shared / "isone" / "WW_DALMP_ISO_20260604.csv"
    if scale.real and file.is_file():
        return decomposed(SourceFile(file.name, file.read_bytes()))
    return decomposed(isone_day(scale.nodes))


def decomposed(document: SourceFile) -> PriceDay:
    """Decompose the day of a file that has a price of every node in every hour."""
    _, file_format = default_registry().recognise(document)
    (parsed,) = file_format.parse(document)
    lmp = parsed.rows.filter(pl.col("measure") == "lmp").sort("ts", "location")
    prices = lmp["value"].to_numpy().reshape(lmp["ts"].n_unique(), -1)
    hours = np.median(prices, axis=1)
    rests = prices - hours[:, np.newaxis]
    nodes = np.median(rests, axis=0)
    return PriceDay(hours, nodes, rests - nodes)
