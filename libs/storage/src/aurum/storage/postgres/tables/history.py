"""Tables of the archive log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Identity, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

archive_run = Table(
    "archive_run",
    metadata,
    Column("archive_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("begun_at", INSTANT, nullable=False, server_default=text("now()")),
    # Null until the log names parts of this id. After a crash it stays null, and the rows of the id are dropped from history.
    Column("named_at", INSTANT),
    Column("unnamed_at", INSTANT),
    comment="Every id under which rows were ever written to history; unnamed_at: when a part last lost its name.",
)

archived_part = Table(
    "archived_part",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("archive_id", BigInteger, ForeignKey("archive_run.archive_id"), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "month"),
    Index("ix_archived_part_archive_id", "archive_id"),
    comment="Where the rows of a series and month (UTC) stand in history. What is not named here does not exist there.",
)

removed_series = Table(
    "removed_series",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("removed_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("erased_at", INSTANT),
    comment="Series that an operator removed; erased_at: when history held none of their rows any more.",
)

archived_quotes = Table(
    "archived_quotes",
    metadata,
    Column("curve_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("archive_id", BigInteger, ForeignKey("archive_run.archive_id"), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    PrimaryKeyConstraint("curve_id", "month"),
    Index("ix_archived_quotes_archive_id", "archive_id"),
    comment="Where publications of a product and month of trade dates stand in history. Its rows in force stay in quote.",
)
