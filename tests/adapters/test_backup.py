"""A backup is whole or none, and so is what is made of it."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from newsletter.adapters.backup import check, dump, load
from newsletter.adapters.backup.tools import BackupFailed
from newsletter.errors import DatabaseUnreachable
from newsletter.stores.database import connection_parts, make_engine, migrate
from newsletter.stores.database import database_url as parts_of

pytestmark = pytest.mark.postgres


def _open(url: URL) -> psycopg.Connection:
    return psycopg.connect(**connection_parts(url), autocommit=True)


def _rows(url: URL) -> dict[str, list[str]]:
    """Return every row of every table, as text."""
    with _open(url) as connection:
        names = (
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
        )
        tables = [name for (name,) in connection.execute(names)]
        return {
            table: sorted(row for (row,) in connection.execute(f'SELECT t::text FROM "{table}" t'))
            for table in tables
        }


@pytest.fixture
def full(database_url: str) -> URL:
    """A database with a row in it."""
    url = parts_of(database_url)
    with _open(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text, id bigserial)")
        connection.execute("INSERT INTO kept (word) VALUES (%s)", ['Zoë \\. "\t" \n$$'])
    return url


@pytest.fixture
def empty(own_server: URL) -> Iterator[URL]:
    """An empty database on another server, which asks for a password."""
    with _open(own_server) as connection:
        connection.execute("CREATE ROLE keeper LOGIN PASSWORD 'open, sesame'")
        connection.execute("CREATE DATABASE keeper OWNER keeper")
    yield parts_of(own_server.set(username="keeper", password="open, sesame", database="keeper"))
    with _open(own_server) as connection:
        connection.execute("DROP DATABASE keeper WITH (FORCE)")
        connection.execute("DROP ROLE keeper")


def test_a_backup_is_private_and_restores_into_any_server(full: URL, empty: URL, tmp_path: Path):
    file = tmp_path / "zürich & co + 100%.dump"

    done = dump(full, file)
    load(empty, file, replace=False)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert done.bytes == file.stat().st_size
    assert _rows(empty) == _rows(full)
    assert {*done.tables} == {*_rows(full)}
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_what_was_restored_can_be_backed_up_and_restored_again(
    full: URL, empty: URL, tmp_path: Path
):
    dump(full, tmp_path / "one")
    load(empty, tmp_path / "one", replace=False)
    dump(empty, tmp_path / "two")
    load(full, tmp_path / "two", replace=True)

    assert _rows(full) == _rows(empty)
    with _open(full) as connection:  # what numbers the rows goes on from there
        assert connection.execute("INSERT INTO kept DEFAULT VALUES RETURNING id").fetchone() == (2,)


def test_tables_without_rows_are_no_obstacle(full: URL, empty: URL, tmp_path: Path):
    dump(full, tmp_path / "one")
    engine = make_engine(empty)
    migrate(engine)
    engine.dispose()

    load(empty, tmp_path / "one", replace=False)

    assert _rows(empty) == _rows(full)


@pytest.mark.parametrize("table", ["kept", "of_somebody_else"])
def test_a_database_that_holds_something_is_left_as_it_is_unless_asked(
    full: URL, empty: URL, tmp_path: Path, table: str
):
    dump(full, tmp_path / "one")
    with _open(empty) as connection:
        connection.execute(f"CREATE TABLE {table} (word text)")
        if table == "kept":
            connection.execute(f"INSERT INTO {table} VALUES ('mine')")
    before = _rows(empty)

    with pytest.raises(BackupFailed, match=rf"not empty \({table}\): nothing was changed"):
        load(empty, tmp_path / "one", replace=False)

    assert _rows(empty) == before
    load(empty, tmp_path / "one", replace=True)
    assert _rows(empty) == _rows(full)


def test_a_restore_that_fails_changes_nothing(full: URL, empty: URL, tmp_path: Path):
    with _open(full) as connection:  # a row that only a superuser's function would take
        connection.execute("CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'int4pl'")
        connection.execute("UPDATE kept SET word = repeat('x', 3000000)")
    dump(full, tmp_path / "one")
    with _open(empty) as connection:
        connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('mine')")
    before = _rows(empty)

    with pytest.raises(BackupFailed, match=r"nothing was restored: psql: .*permission denied"):
        load(empty, tmp_path / "one", replace=True)

    assert _rows(empty) == before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_that_was_cut_off_is_refused(full: URL, empty: URL, tmp_path: Path, share: float):
    with _open(full) as connection:
        connection.execute(
            "INSERT INTO kept (word) SELECT md5(n::text) FROM generate_series(1, 20000) n"
        )
    file = tmp_path / "one"
    dump(full, file)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])

    with pytest.raises(BackupFailed, match="is no whole backup"):
        load(empty, file, replace=False)

    assert _rows(empty) == {}


def test_another_program_s_backup_is_refused(empty: URL, own_server: URL, tmp_path: Path):
    with _open(empty) as connection:
        connection.execute("CREATE TABLE letters (word text)")

    with pytest.raises(BackupFailed, match="no table alembic_version"):
        dump(empty, tmp_path / "one")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_overwritten(full: URL, tmp_path: Path):
    file = tmp_path / "one"
    file.write_text("mine")

    with pytest.raises(BackupFailed, match="exists already"):
        dump(full, file)

    assert file.read_text() == "mine"


def test_a_disk_or_folder_that_is_not_there_is_named(full: URL, tmp_path: Path):
    with pytest.raises(BackupFailed, match=r"nowhere/one cannot be written: No such file"):
        dump(full, tmp_path / "nowhere" / "one")
    with pytest.raises(FileNotFoundError, match="missing"):
        check(tmp_path / "missing")


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path):
    nowhere = make_url("postgresql+psycopg://nobody:sesame@127.0.0.1:9/none")

    with pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1:9") as failed:
        dump(nowhere, tmp_path / "one")

    assert "sesame" not in str(failed.value)
