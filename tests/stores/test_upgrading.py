"""A next version with a migration of its own: who migrates, who waits, and who refuses."""

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from newsletter.errors import DatabaseMismatch
from newsletter.stores import database
from newsletter.stores.database import make_engine, migrate, newest_version, tables_version
from tests.cli.conftest import CommandLine, cli  # noqa: F401  # a fixture
from tests.waiting import until_somebody_waits

pytestmark = pytest.mark.postgres

SECOND = """
from alembic import op

revision = "9002"
down_revision = "{before}"


def upgrade():
    op.execute("ALTER TABLE brief ADD COLUMN read_by text NOT NULL DEFAULT 'nobody'")
    op.execute("CREATE TABLE upgraded AS SELECT count(*) AS times FROM brief")
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program as its next version, whose migration adds a column and a table."""
    folder = tmp_path / "migrations"
    shutil.copytree(database._MIGRATIONS, folder)
    text = SECOND.format(before=newest_version())
    (folder / "versions" / "9002_second.py").write_text(text)
    monkeypatch.setattr(database, "_MIGRATIONS", folder)
    database._versions.cache_clear()
    yield
    database._versions.cache_clear()


def fill_every_table(url: str) -> dict[str, int]:
    """Give each table a row, without its constraints, and return how many rows there are."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for (table,) in connection.execute(_TABLES).fetchall():
            found = connection.execute(_COLUMNS, [table]).fetchall()
            values = ", ".join(_CHECKED.get(name) or _literal(kind) for name, kind in found)
            names = ", ".join(f'"{name}"' for name, _ in found)
            connection.execute(
                f'INSERT INTO "{table}" ({names}) VALUES ({values}) ON CONFLICT DO NOTHING'  # type: ignore[arg-type]
            )
    return rows(url)


_TABLES = """
    SELECT tablename FROM pg_tables WHERE schemaname = 'public'
       AND tablename <> 'alembic_version' AND tablename NOT LIKE 'procrastinate%'
       AND tablename <> 'installation'
       AND tablename NOT IN (SELECT relname FROM pg_class WHERE relispartition)
"""
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name = %s AND column_default IS NULL
       AND is_nullable = 'NO' AND is_generated = 'NEVER'
"""
_LITERALS = {
    "text": "'x'", "jsonb": "'{}'", "json": "'{}'", "bytea": "'x'", "date": "'2026-11-27'",
    "boolean": "true", "ARRAY": "'{}'", "timestamp with time zone": "now()",
    "time without time zone": "'10:00'", "interval": "'1 h'",
    "uuid": "gen_random_uuid()",
}  # fmt: skip


_CHECKED = {"status": "'active'", "reason": "'bounce'"}  #: columns that take certain words only


def _literal(kind: str) -> str:
    return _LITERALS.get(kind, "1")


def rows(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        tables = [table for (table,) in connection.execute(_TABLES).fetchall()]
        counted = {
            table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # type: ignore[arg-type]
            for table in tables
        }
    return {table: found[0] for table, found in counted.items() if found}


def test_a_full_database_is_upgraded_and_loses_nothing(
    database_url: str, engine: Engine, next_version: None
):
    before = fill_every_table(database_url)
    assert {table for table, count in before.items() if not count} == set()

    migrate(engine)

    assert tables_version(engine) == "9002"
    after = rows(database_url)
    assert after.pop("upgraded") == 1
    assert after == before


def test_processes_that_start_together_migrate_once_and_the_others_wait(
    engine: Engine, database_url: str, next_version: None, caplog: pytest.LogCaptureFixture
):
    ended: list[str | None] = []
    other = make_engine(database_url)

    def start() -> None:
        migrate(other)
        ended.append(tables_version(other))

    with psycopg.connect(database_url, autocommit=True) as first, caplog.at_level(logging.WARNING):
        first.execute("SELECT pg_advisory_lock(%(key)s)", database._LOCK)
        second = threading.Thread(target=start)
        second.start()
        until_somebody_waits(engine)
        first.execute("SELECT pg_advisory_unlock(%(key)s)", database._LOCK)
        second.join(60)
    other.dispose()

    assert ended == ["9002"]
    assert "another process migrates" in caplog.text
    migrate(engine)  # it would fail on the column that is there
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"


def test_who_waits_in_vain_says_so(
    engine: Engine, database_url: str, next_version: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "_OTHERS_SECONDS", 0.1)
    with psycopg.connect(database_url, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%(key)s)", database._LOCK)
        with pytest.raises(DatabaseMismatch, match="another process has been migrating"):
            migrate(engine)


def test_a_table_in_use_stops_the_migration_and_nobody_behind_it(
    engine: Engine, database_url: str, next_version: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "_TABLE_SECONDS", 0.1)
    before = tables_version(engine)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM brief")
        with pytest.raises(DatabaseMismatch, match="nothing was changed"):
            migrate(engine)
    assert tables_version(engine) == before
    migrate(engine)


@pytest.mark.parametrize("command", ["worker", "scheduler", "serve", "check"])
def test_the_next_version_refuses_the_older_tables_and_names_the_command(
    cli: CommandLine,  # noqa: F811
    next_version: None,
    command: str,
):
    said = cli.run(command)
    assert said.code in {1, 2}
    assert "stop its processes, make a backup, and run `newsletter migrate`" in said.out + said.err


def test_migrate_waits_for_no_worker_but_refuses_while_one_runs(
    cli: CommandLine,  # noqa: F811
    engine: Engine,
    next_version: None,
):
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "1 of its workers run" in cli.refused("migrate")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM procrastinate_workers")

    before = tables_version(engine)
    assert cli.done("migrate") == {"before": before, "now": "9002"}
    assert cli.done("migrate") == {"before": "9002", "now": "9002"}
    assert cli.done("installation", "show")["tables"] == "9002"
    assert "on tables of version 9002" in cli.run("--version").out


def test_the_former_version_refuses_the_newer_tables(
    cli: CommandLine,  # noqa: F811
    engine: Engine,
):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9002'")
    for command in ("worker", "scheduler", "serve", "migrate"):
        assert "made by a newer version of this program" in cli.refused(command)


def test_an_empty_database_gets_its_tables_from_any_process(
    cli: CommandLine,  # noqa: F811
    postgres: str,
):
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE unused")
    url = make_url(postgres).set(database="unused").render_as_string(False)
    cli.environment(NEWSLETTER_DATABASE_URL=url)
    try:
        assert cli.done("installation", "show")["tables"] == newest_version()
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("DROP DATABASE unused WITH (FORCE)")
