"""The database's password is changed by a second role, beside the first one's processes."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from newsletter.stores.database import make_engine, migrate
from tests.container import open_container

pytestmark = pytest.mark.postgres


@pytest.fixture
def owned(postgres: str) -> Iterator[URL]:
    """A database whose owner is the first role, which has a second one as its member."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE first_role LOGIN")
        connection.execute("CREATE ROLE second_role LOGIN IN ROLE first_role")
        connection.execute("CREATE DATABASE owned OWNER first_role")
    yield make_url(postgres).set(database="owned")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE owned WITH (FORCE)")
        connection.execute("DROP ROLE second_role")
        connection.execute("DROP ROLE first_role")


def as_role(url: URL, role: str) -> URL:
    """Return the URL of a session with this role's rights; the tests' server lets in one user."""
    return url.update_query_dict({"options": f"-c role={role}"})


def test_a_second_role_goes_on_where_the_first_one_ends(owned: URL, postgres: str, tmp_path: Path):
    first = make_engine(as_role(owned, "first_role"))
    migrate(first)
    second = make_engine(as_role(owned, "second_role"))
    migrate(second)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("ALTER ROLE first_role NOLOGIN")

    container = open_container(second)
    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": ""})
    assert container.send_issue()
    assert len(container.mailer.asked) == 1
    with second.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE brief ADD COLUMN by_a_migration text")
    for engine in (first, second):
        engine.dispose()
