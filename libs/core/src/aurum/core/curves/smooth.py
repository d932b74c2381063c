"""The smoothest curve that reprices quotes, in the dual form, and the curve of levels.

``smooth``: a curve x of n equal steps has the form x = a + b*t + S*w, where w are its n - 2 second differences and S sums them
twice. Minimising |w|^2 subject to A x = p (A: a row of weights that sum to 1 for each quote) gives w = (A S)' l, and a dense
system in l, a and b: as many unknowns as quotes, and two more. This is the discrete form of the maximum smoothness curve
(Benth, Koekebakker, Ollmar 2007, Extracting and applying smooth forward curves from average-based commodity contracts), with
natural ends: outside the quotes the curve would go on as a line.

``levels``: a level for each cell between the boundaries of quotes. Nested quotes determine them; what they leave open (a week
over a month end) is settled by the least sum of squared jumps between neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 4
_GOAL = 1e-13


@dataclass(frozen=True, slots=True)
class Linear:
    """A curve as a linear function of prices: made by ``smooth`` and ``levels``.

    ``values``: (steps,). ``response``: (steps, quotes), d(value)/d(price), or None where it was not requested.
    """

    values: Floats
    response: Floats | None


def smooth(weights: Floats, prices: Floats, *, with_response: bool = False) -> Linear:
    """Return the curve with the least sum of squared second differences whose weighted means are the prices.

    ``weights``: (quotes, steps), each row sums to 1; the rows are linearly independent (``overlaps.rank_quotes``). ``prices``:
    (quotes,). Steps are equally long in time. With one quote, or several of one centre, the slope is free and is 0.
    """
    quotes, steps = weights.shape
    half = max(steps / 2, 1.0)
    time: Floats = (np.arange(steps, dtype=np.float64) - (steps - 1) / 2) / half
    centres = weights @ time
    # (A S) with time reversed: near quotes are short, and their rows stay small when sums begin at the far end.
    twice = _rows_summed_twice(weights[:, ::-1])[:, :-2]
    gram = twice @ twice.T
    scale = float(np.trace(gram)) / quotes or 1.0
    has_slope = float(np.ptp(centres)) * half > 1e-6
    line = np.stack([np.ones(quotes), centres], 1)[:, : 1 + has_slope]
    free = line.shape[1]
    system = np.zeros((quotes + free, quotes + free))
    system[:quotes, :quotes] = gram / scale
    system[:quotes, quotes:] = line
    system[quotes:, :quotes] = line.T
    inverse = np.linalg.inv(system)[:, :quotes]
    basis = np.stack([np.ones(steps), time])[:free]

    def curve(right: Floats) -> Floats:
        solution = inverse @ right
        bends = np.zeros((*solution.shape[1:], steps))
        bends[..., 2:] = _sum_twice(((solution[:quotes] / scale).T @ twice)[..., ::-1])
        return bends + solution[quotes:].T @ basis

    values = curve(prices)
    size = max(1.0, float(np.abs(prices).max()))
    for _ in range(_ROUNDS):
        error = prices - weights @ values
        if float(np.abs(error).max()) <= _GOAL * size:
            break
        values = values + curve(error)
    if not with_response:
        return Linear(values, None)
    unit = np.eye(quotes)
    response = curve(unit)
    response = response + np.tensordot((unit - (response @ weights.T)), response, (1, 0))
    return Linear(values, np.ascontiguousarray(response.T))


def levels(weights: Floats, prices: Floats, *, with_response: bool = False) -> Linear:
    """Return the levels whose weighted means are the prices, with the least sum of squared jumps where these leave a choice.

    ``weights``: (quotes, cells), each row sums to 1, rows linearly independent. ``prices``: (quotes,).
    """
    quotes, cells = weights.shape
    jumps = np.diff(np.eye(cells), axis=0)
    system = np.zeros((quotes + cells, quotes + cells))
    system[:cells, :cells] = jumps.T @ jumps
    system[:cells, cells:] = weights.T
    system[cells:, :cells] = weights
    response = np.asarray(np.linalg.inv(system)[:cells, cells:], np.float64)
    values = response @ prices
    values = values + response @ (prices - weights @ values)
    return Linear(values, response if with_response else None)


def roughness(values: Floats) -> float:
    """Return the sum of squared second differences: the objective that ``smooth`` minimises, in price squared per step^4."""
    bends = np.diff(values, 2)
    return float(bends @ bends)


def _sum_twice(rows: Floats) -> Floats:
    sums = np.cumsum(rows, axis=-1)
    return np.cumsum(sums, axis=-1, out=sums)


def _rows_summed_twice(rows: Floats) -> Floats:
    """Return the running sums of the running sums of rows; after its last weight a row goes on as a line."""
    sums = np.zeros(rows.shape)
    ahead = np.arange(1, rows.shape[1] + 1, dtype=np.float64)
    for row, out in zip(rows, sums, strict=True):
        is_used = row != 0
        first, end = int(is_used.argmax()), len(row) - int(is_used[::-1].argmax())
        once = np.cumsum(row[first:end])
        np.cumsum(once, out=out[first:end])
        np.multiply(ahead[: len(out) - end], once[-1], out=out[end:])
        out[end:] += out[end - 1]
    return sums
