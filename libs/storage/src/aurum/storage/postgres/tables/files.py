"""Tables of the files that were offered to the store."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

ingest_file = Table(
    "ingest_file",
    metadata,
    Column("file_id", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("known_at", INSTANT),
    Column("known_at_basis", Text, nullable=False),
    Column("rows_read", BigInteger, nullable=False, server_default=text("0")),
    Column("new", BigInteger, nullable=False, server_default=text("0")),
    Column("revised", BigInteger, nullable=False, server_default=text("0")),
    Column("unchanged", BigInteger, nullable=False, server_default=text("0")),
    Column("quarantined", BigInteger, nullable=False, server_default=text("0")),
    Column("seconds", NUMBER, nullable=False, server_default=text("0")),
    Column("loaded_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("suspect_series", Integer, nullable=False, server_default=text("0")),
    Column("unit_jumps", JSONB, nullable=False, server_default=text("'[]'")),
    Column("flagged_curves", Integer, nullable=False, server_default=text("0")),
    Column("quote_flags", JSONB, nullable=False, server_default=text("'[]'")),
    # How the file was read, and where it came from. Null where that was not recorded.
    Column("format", Text),
    Column("parser_version", Text),
    Column("release", Text),
    Column("archive", Text),
    Column("sent_by", Text),
    CheckConstraint("status IN ('applied', 'refused')", name="status"),
    Index("ix_ingest_file_digest", "digest"),
    Index("ix_ingest_file_source_dataset", "source", "dataset"),
)

file_series = Table(
    "file_series",
    metadata,
    # No foreign key, which would be checked for each row: the transaction that writes the rows writes their file, too.
    Column("file_id", BigInteger, nullable=False),
    Column("series_id", Integer, nullable=False),
    Column("first_ts", INSTANT, nullable=False),
    Column("last_ts", INSTANT, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    Column("new", Integer, nullable=False),
    Column("revised", Integer, nullable=False),
    # The series had no point from new_first_ts to new_last_ts before this file, so all of them are the file's. Null, or the
    # first after the last, when that is not so of its new points.
    Column("new_first_ts", INSTANT),
    Column("new_last_ts", INSTANT),
    # Every publication of the series that is known at known_at is the file's.
    Column("is_sole", Boolean, nullable=False, server_default=text("false")),
    # known_at is from the dataset's rule; else its basis is that of the file.
    Column("is_scheduled", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("file_id", "series_id"),
    Index("ix_file_series_series_id_known_at", "series_id", "known_at"),
    comment="What each file said of each series: from which to which interval start, how many points it added and revised.",
)
