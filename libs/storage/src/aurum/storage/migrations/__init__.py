"""Schema migrations with Alembic, run from code (``run``), so that every command and test uses the same path.

This module imports nothing: services that must start fast import ``head``, and the import of Alembic takes half a second.
"""
