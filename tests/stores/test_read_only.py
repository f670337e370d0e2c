"""What may only read: PostgreSQL refuses its writes, and nobody else's afterwards."""

import pytest
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy import Engine

from subscribers.db.read_only import read_only
from subscribers.db.transaction import autocommit, execute, scalar, transaction

pytestmark = pytest.mark.postgres

WRITE = "INSERT INTO send_window (id) VALUES (1)"


def write(engine: Engine) -> None:
    with transaction(engine) as session:
        execute(session, WRITE)


def write_alone(engine: Engine) -> None:
    with autocommit(engine) as connection:
        execute(connection, WRITE)


@pytest.mark.parametrize("act", [write, write_alone])
def test_a_write_is_refused_and_a_read_is_not(engine, act):
    with read_only():
        with pytest.raises(ReadOnlySqlTransaction):
            act(engine)
        with transaction(engine) as session:
            assert scalar(session, "SELECT 1") == 1
        with autocommit(engine) as connection:
            assert scalar(connection, "SELECT 1") == 1
    act(engine)


@pytest.mark.parametrize("act", [write, write_alone])
def test_a_part_of_it_may_be_let_write(engine, act):
    with read_only(), read_only(False):
        act(engine)
