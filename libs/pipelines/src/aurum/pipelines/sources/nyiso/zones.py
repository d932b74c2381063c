"""NYISO's zones: eleven load zones and the proxies of four neighbours, each with its PTID."""

from __future__ import annotations

import polars as pl

LOAD_ZONES = {
    "WEST": "61752",
    "GENESE": "61753",
    "CENTRL": "61754",
    "NORTH": "61755",
    "MHK VL": "61756",
    "CAPITL": "61757",
    "HUD VL": "61758",
    "MILLWD": "61759",
    "DUNWOD": "61760",
    "N.Y.C.": "61761",
    "LONGIL": "61762",
}
"""PTID by published name."""

NEIGHBOURS = {"H Q": "61844", "NPX": "61845", "O H": "61846", "PJM": "61847"}
"""PTID of a neighbouring control area's proxy bus, by published name."""

IDS = {**LOAD_ZONES, **NEIGHBOURS}
"""PTID of every zone by its published name; a row with another pair has an exchanged id or name."""

PTIDS = frozenset(IDS.values())


def zone_type(location: pl.Expr) -> pl.Expr:
    """``EXTERNAL`` for a neighbour's PTID, else ``ZONE``."""
    return pl.when(location.is_in(list(NEIGHBOURS.values()))).then(pl.lit("EXTERNAL")).otherwise(pl.lit("ZONE"))
