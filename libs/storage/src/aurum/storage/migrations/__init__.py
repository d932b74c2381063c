"""Migrations: Alembic, run from code (``run``), so that every command and test uses the same path.

Nothing is imported here: ``head`` is asked by services that must start fast, and Alembic takes half a second.
"""
