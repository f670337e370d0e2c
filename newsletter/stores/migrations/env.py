"""Alembic's entry: runs migrations on the connection it is handed."""

from alembic import context

from newsletter.stores import tables  # registers the tables
from subscribers.db import record_tables
from subscribers.db import tables as subscribers_tables

METADATA = tables.Row.metadata
assert subscribers_tables
assert record_tables

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
