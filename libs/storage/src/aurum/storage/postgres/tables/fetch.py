"""The table of the last successful fetches."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

fetch_state = Table(
    "fetch_state",
    metadata,
    # The C collation, in which the list is sorted.
    Column("source", Text(collation="C"), nullable=False),
    Column("dataset", Text(collation="C"), nullable=False),
    Column("fetched_at", INSTANT, nullable=False),
    Column("url", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("modified", Text, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("source", "dataset"),
    comment="The last fetch of each dataset whose files were loaded. Addresses are without keys.",
)
