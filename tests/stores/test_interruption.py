"""Ctrl-C amid a statement: it stays what it is, and the next one finds a connection that works."""

import pytest
from psycopg.errors import UndefinedColumn
from sqlalchemy import Engine

from subscribers.db.transaction import autocommit, driver, scalar, transaction

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("begin", [transaction, autocommit])
def test_an_interruption_between_a_statement_and_its_result_is_no_error(engine: Engine, begin):
    def interrupted() -> None:
        with begin(engine) as where:
            driver(where).pgconn.send_query(b"SELECT 1")  # its result is not read any more
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with begin(engine) as where:
        assert scalar(where, "SELECT 2") == 2


@pytest.mark.parametrize("begin", [transaction, autocommit])
def test_an_error_after_an_interruption_was_handled_is_an_error(engine: Engine, begin):
    def interrupt() -> None:
        raise KeyboardInterrupt

    def clean_up() -> None:
        try:
            interrupt()
        except KeyboardInterrupt:
            with begin(engine) as where:
                driver(where).execute("SELECT no_such_column")

    with pytest.raises(UndefinedColumn):
        clean_up()


def test_contexts_in_a_ring_end(engine: Engine):
    one, other = UndefinedColumn("one"), UndefinedColumn("other")

    def fail() -> None:
        with transaction(engine):
            one.__context__, other.__context__ = other, one
            raise one

    with pytest.raises(UndefinedColumn, match="one"):
        fail()
