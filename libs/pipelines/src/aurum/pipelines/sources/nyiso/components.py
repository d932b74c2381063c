"""The components of an LBMP, in the convention used here: ``lmp = energy + congestion + loss``.

NYISO publishes congestion with the opposite sign and no energy: LBMP = energy + losses - congestion. Here congestion is
the negative of what is published and energy is what remains, rounded to the cents the files are printed in.
"""

from __future__ import annotations

import json

import polars as pl

MEASURES = ("lmp", "energy", "congestion", "loss")

_LABELS = {
    "energy": json.dumps({"derived": "lmp - congestion - loss"}),
    "congestion": json.dumps({"published_congestion_sign": "negative"}),
}


def with_components(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table (``lmp``, ``loss``, ``published_congestion``) with ``congestion`` and ``energy``, null if a part is."""
    published = pl.col("published_congestion")
    # Adding zero turns the negative zero that rounding may leave into zero.
    energy = (pl.col("lmp") - pl.col("loss") + published).round(2) + 0.0
    return table.with_columns(congestion=0.0 - published, energy=energy)


def with_sign_labels(series: pl.DataFrame) -> pl.DataFrame:
    """Return the ``SERIES`` frame with labels on the measures that differ from the published ones."""
    return series.with_columns(labels=pl.col("measure").replace_strict(_LABELS, default="{}", return_dtype=pl.String))
