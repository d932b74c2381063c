"""The three sizes of the bench: quick, default and full."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of a bench run. ``seconds``: length of a round of load.

    Numbers of observations: ``bulk`` in a measured download, ``streamed`` while memory is watched, ``short`` and ``long`` in
    the two tables whose slices are compared, ``archived`` in sparse series that move to history. ``nodes``: locations of the
    generated ISO-NE day. ``series``: read in one request. ``real``: use real files if they are present.
    """

    rounds: int
    seconds: float
    bulk: int
    streamed: int
    short: int
    long: int
    archived: int
    nodes: int
    series: int
    real: bool


QUICK = Scale(
    rounds=1,
    seconds=0.3,
    bulk=100_000,
    streamed=200_000,
    short=100_000,
    long=300_000,
    archived=100_000,
    nodes=100,
    series=200,
    real=False,
)
DEFAULT = Scale(
    rounds=5,
    seconds=2.0,
    bulk=1_000_000,
    streamed=5_000_000,
    short=1_000_000,
    long=10_000_000,
    archived=2_300_000,
    nodes=1_209,
    series=5_000,
    real=True,
)
FULL = replace(DEFAULT, streamed=20_000_000, long=100_000_000)
