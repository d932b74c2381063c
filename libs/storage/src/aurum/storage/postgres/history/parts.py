"""SQL for archived parts: the columns and joins that all queries of the archive log share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asyncpg import Record

from aurum.storage.ports.history import ArchivedPart

PART = "p.series_id, p.month, p.archive_id, s.source, p.rows, p.checksum"
PARTS = "archived_part AS p JOIN series AS s USING (series_id)"

BESIDE_SLICE = f"""
(SELECT array_agg(ROW({PART}) ORDER BY p.month) FROM {PARTS}
 WHERE p.series_id = $1 AND p.month >= date_trunc('month', $2::timestamptz) AND p.month < $3::timestamptz) AS parts
"""  # noqa: S608 - constants
"""Column with the archived parts, for the statement that reads a slice ($1: series, $2 and $3: span).

One statement reads both, so that they come from one snapshot; it costs one index look-up.
"""

BESIDE_MANY = f"""
(SELECT array_agg(ROW({PART}) ORDER BY p.series_id, p.month) FROM {PARTS}
 WHERE p.series_id = ANY($1) AND p.month >= date_trunc('month', $2::timestamptz) AND p.month < $3::timestamptz) AS parts
"""  # noqa: S608 - constants
"""Column with the archived parts of several series, for the statement that adds up their rows ($1: series, $2, $3: span)."""

PARTS_OF_MANY = f"""
SELECT {PART} FROM {PARTS}
WHERE p.series_id = ANY($1) AND p.month >= date_trunc('month', $2::timestamptz) AND p.month < $3::timestamptz
ORDER BY p.series_id, p.month
"""  # noqa: S608 - constants


def parts_beside(row: Record | None) -> Sequence[ArchivedPart]:
    """Return the parts in the one record of a statement with ``BESIDE_SLICE`` or ``BESIDE_MANY``."""
    return parts_of(row["parts"]) if row is not None and row["parts"] is not None else ()


def parts_of(rows: Iterable[Record]) -> Sequence[ArchivedPart]:
    """Return the parts in records with the columns of ``PART``."""
    return [ArchivedPart(*row) for row in rows]
