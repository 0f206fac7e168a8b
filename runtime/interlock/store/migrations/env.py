"""Runs migrations on the connection that `interlock.store.migrate` hands over."""

from alembic import context

from interlock.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
