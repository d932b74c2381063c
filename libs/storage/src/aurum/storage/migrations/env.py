"""Entry point of Alembic: migrates on the connection that ``run`` passes, in a transaction that ``operations`` may leave."""

from alembic import context

from aurum.storage.postgres.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
