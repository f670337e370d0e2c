"""The migration makes just the tables and the views that the code speaks of."""

import re
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from newsletter.errors import DatabaseMismatch
from newsletter.stores.database import _MIGRATIONS, migrate, newest_version
from newsletter.stores.healthcheck import check_health
from newsletter.stores.reader_views import ISSUE_LEFT_VIEW, ISSUE_READER_VIEW, STORY_READER_VIEW
from newsletter.stores.tables import api, events, staff, webhooks
from subscribers.db import record_tables
from subscribers.db.columns import Row
from subscribers.db.tables import ADDRESSEE_VIEW, AUDIENCE_VIEW

pytestmark = pytest.mark.postgres
assert all([api, events, staff, webhooks, record_tables])  # registers them

_OTHERS = re.compile(r"procrastinate|^(delivery|delivery_event|story_click)_[0-9]+")  #: partitions


@pytest.fixture
def run(engine: Engine) -> Callable[[str], list]:
    def run(statement: str) -> list:
        with engine.begin() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    return run


def test_the_migration_makes_the_tables_of_the_code(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, *_: not _OTHERS.search(name or "")}
        )
        assert compare_metadata(context, Row.metadata) == []


def test_the_migration_makes_the_constraints_and_defaults_of_the_code(engine: Engine, run):
    # Alembic compares neither checks nor primary keys, and server defaults only when asked to.
    migrated = described(run, "public")
    run("CREATE SCHEMA coded")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = coded"))
        Row.metadata.create_all(connection)
    ours = {table.name for table in Row.metadata.tables.values()}
    assert {row for row in migrated if row[0] in ours} == described(run, "coded")


def described(run: Callable[[str], list], schema: str) -> set:
    columns = f"""
        SELECT table_name, column_name, data_type, collation_name, column_default, is_nullable,
               is_identity FROM information_schema.columns WHERE table_schema = '{schema}'
           AND table_name NOT IN (SELECT viewname FROM pg_views)
    """
    constraints = f"""
        SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = '{schema}'::regnamespace
    """
    found = [*run(columns), *run(constraints)]
    return {tuple(str(part).replace(f"{schema}.", "") for part in row) for row in found}


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("audience", AUDIENCE_VIEW),
        ("addressee", ADDRESSEE_VIEW),
        ("issue_left", ISSUE_LEFT_VIEW),
        ("issue_reader", ISSUE_READER_VIEW),
        ("story_reader", STORY_READER_VIEW),
    ],
)
def test_the_migration_makes_the_views_of_the_code(run, name: str, view: str):
    definition = f"SELECT pg_get_viewdef('{name}')"
    migrated = run(definition)
    run(f"DROP VIEW {name}")
    run(view)
    assert run(definition) == migrated


def test_migrating_twice_is_migrating_once(engine: Engine, run):
    migrate(engine)
    assert run("SELECT version_num FROM alembic_version") == [(newest_version(),)]
    assert newest_version() == ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def test_tables_from_before_the_first_release_are_refused_in_a_sentence(engine: Engine, run):
    run("CREATE TABLE post_office (id integer PRIMARY KEY)")
    for version in ("0001", "0014"):
        run(f"UPDATE alembic_version SET version_num = '{version}'")
        with pytest.raises(DatabaseMismatch, match="before the first release"):
            migrate(engine)


def test_tables_of_a_newer_version_are_refused_in_a_sentence(engine: Engine, run):
    run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseMismatch, match=r"newer version of this program .*9999"):
        migrate(engine)
    assert run("SELECT version_num FROM alembic_version") == [("9999",)]
    assert check_health(engine) == {"database": True, "migrations": False, "worker": False}
