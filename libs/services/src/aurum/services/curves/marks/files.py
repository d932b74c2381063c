"""Files of marks, with the columns and the instants of the API's answers."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from aurum.core.errors import InvalidParameters

MARK_PRICES = ("quoted", "quoted_bid", "quoted_ask", "override", "value", "bid", "ask")
"""Columns of marks that are prices, in the order of files."""
_SUFFIXES = (".csv", ".parquet", ".arrow")


def check_suffix(path: Path) -> None:
    """Refuse a path that no format of marks has. Raises ``InvalidParameters``."""
    if path.suffix not in _SUFFIXES:
        raise InvalidParameters(("path", f"must end in {', '.join(_SUFFIXES)}", str(path)))


def write_marks(frame: pl.DataFrame, path: Path) -> None:
    """Write marks to a file, as ``/v2/curves/sets/{set_id}/values`` has them. Instants of CSV are in UTC, ``...Z``.

    ``frame``: schema ``NAMED_MARKS``. Raises ``InvalidParameters`` for a path that ends in another format than CSV, Parquet or
    Arrow.
    """
    check_suffix(path)
    shown = frame.select(
        "curve",
        period="label",
        kind="kind",
        start="starts_at",
        end="ends_at",
        hours="hours",
        **{name: name for name in (*MARK_PRICES, "unit", "currency", "source", "flags", "known_at")},
    )
    if path.suffix == ".csv":
        shown.with_columns(map(_rfc3339, shown.select("start", "end", "known_at"))).write_csv(path)
    elif path.suffix == ".parquet":
        shown.write_parquet(path)
    else:
        shown.write_ipc_stream(path)


def _rfc3339(instants: pl.Series) -> pl.Series:
    """Return instants as texts in UTC, all with microseconds if one has any."""
    has_fraction = bool((instants.dt.microsecond() != 0).any())
    return instants.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ" if has_fraction else "%Y-%m-%dT%H:%M:%SZ")
