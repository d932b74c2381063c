"""The recordings of tenants: the journal of each, and its first entry."""

from __future__ import annotations

from aurum.storage.postgres.recordings.writer import Journal

PRIVATE_JOURNAL = Journal("hashtextextended('aurum.private ' || current_setting('aurum.tenant'), 0)", is_announced=False)
"""The recordings of one tenant: tenants do not wait for each other, and the shared change feed is not told."""

# Reads as loaded by an instant are refused before the first recording. A tenant has no series before its first declaration.
BEGIN_RECORDING = """
INSERT INTO recording (recorded_at, action) SELECT '2000-01-01Z', 'begin' WHERE NOT EXISTS (SELECT FROM recording)
"""
"""The first recording of a tenant, before everything that it stores."""
