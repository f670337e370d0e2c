"""The migrations make just the tables and the views that the code speaks of."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from newsletter.stores.database import _MIGRATIONS, migrate
from newsletter.stores.tables import Row
from subscribers.db import record_tables
from subscribers.db.tables import ADDRESSEE_VIEW, AUDIENCE_VIEW

pytestmark = pytest.mark.postgres
assert record_tables  # registers them


def test_the_migrations_make_the_tables_of_the_code(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, *_: "procrastinate" not in (name or "")}
        )
        assert compare_metadata(context, Row.metadata) == []


@pytest.mark.parametrize(
    ("name", "view"), [("audience", AUDIENCE_VIEW), ("addressee", ADDRESSEE_VIEW)]
)
def test_the_migrations_make_the_views_of_the_code(engine: Engine, name: str, view: str):
    definition = text(f"SELECT pg_get_viewdef('{name}')")
    with engine.begin() as connection:
        migrated = connection.execute(definition).scalar()
        connection.execute(text(f"DROP VIEW {name}"))
        connection.execute(text(view))
        assert connection.execute(definition).scalar() == migrated


def test_migrating_twice_is_migrating_once(engine: Engine):
    migrate(engine)
    with engine.begin() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert version == ScriptDirectory(str(_MIGRATIONS)).get_current_head()
