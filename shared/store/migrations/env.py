"""Run by Alembic for every service: on the connection, and in the transaction, that `shared.store.migrate` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
