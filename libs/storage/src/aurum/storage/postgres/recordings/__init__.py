"""Recordings on PostgreSQL: writes, and reads of the store as it stood."""
