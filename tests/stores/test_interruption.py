"""Ctrl-C amid a statement: it stays what it is, and the next one finds a connection that works."""

import pytest
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
