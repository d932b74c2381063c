"""Alembic's entry: runs on the connection that ``run`` hands over, inside its transaction."""

from alembic import context

from aurum.storage.postgres.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
