"""A password may hold anything: it is handed on in parts, never in a URL that is parsed anew."""

from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine, text

from newsletter.adapters.jobs import JobQueue
from newsletter.errors import DatabaseUnreachable
from newsletter.stores.database import make_engine, migrate, reachable

pytestmark = pytest.mark.postgres

_PRINTABLE = [chr(code) for code in range(32, 127)]
_PASSWORDS = {
    **{f"U+{ord(one):04X}": f"a{one}b" for one in _PRINTABLE},
    "all": "".join(_PRINTABLE),
    "blanks at the ends": "  b  ",
    "escapes": "%20+%25%zz",
    "letters of other scripts": "zürich–Ελλάδα–東京",
}


@pytest.fixture(scope="module")
def database(own_server: URL) -> Iterator[URL]:
    """A migrated database whose owner has no privileges besides."""
    with _admin(own_server) as connection:
        connection.execute("CREATE ROLE odd LOGIN PASSWORD 'first'")
        connection.execute("CREATE DATABASE odd OWNER odd")
    url = own_server.set(username="odd", password="first", database="odd")
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    yield url
    with _admin(own_server) as connection:
        connection.execute("DROP DATABASE odd WITH (FORCE)")
        connection.execute("DROP ROLE odd")


def _admin(url: URL) -> psycopg.Connection:
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def _written(url: URL, password: str) -> str:
    """Return the URL as it stands in the environment."""
    return f"postgresql://odd:{quote(password, safe='')}@{url.host}:{url.port}/odd"


@pytest.mark.parametrize("password", _PASSWORDS.values(), ids=_PASSWORDS)
def test_engine_and_queue_come_in_with_it(own_server: URL, database: URL, password: str):
    with _admin(own_server) as connection:
        change = sql.SQL("ALTER ROLE odd PASSWORD {}").format(sql.Literal(password))
        connection.execute(change)
    engine = make_engine(_written(database, password))
    queue = JobQueue(engine, concurrency=1)

    queue.enqueue([1])
    queue.work(until_empty=True)

    assert _jobs(engine) == 0
    queue.close()
    engine.dispose()


def _jobs(engine: Engine) -> int:
    with engine.begin() as connection:
        left = "DELETE FROM procrastinate_jobs WHERE status IN ('todo', 'doing') RETURNING 1"
        return len(connection.execute(text(left)).all())


def test_a_wrong_password_is_shown_to_nobody(own_server: URL, database: URL):
    engine = make_engine(f"{_written(database, 'sesame open')}?password=sesame")

    with pytest.raises(DatabaseUnreachable) as failed, reachable(engine):
        pass

    assert "sesame" not in str(failed.value)
    assert "password authentication failed" in str(failed.value)
