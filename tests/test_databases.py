"""The database that tests hand on to one another: none finds what another left."""

import pytest
from sqlalchemy import text

from tests.databases import Reused

pytestmark = pytest.mark.postgres


@pytest.fixture
def reused(postgres: str, template_database: str):
    made = Reused(postgres, template_database)
    yield made
    made.drop()


def ask(reused: Reused, *statements: str) -> tuple[str, list]:
    with reused.lent() as copy, copy.engine.begin() as connection:
        found = [connection.execute(text(one)) for one in statements]
        return copy.url, [tuple(one) for one in found[-1]] if found[-1].returns_rows else []


ISSUE = """INSERT INTO issue (newsletter, date, state, assembled_at)
           VALUES ('technology', '2026-11-23', 'draft', now()) RETURNING id"""


def test_rows_sequences_and_what_the_migration_wrote_are_as_they_were(reused: Reused) -> None:
    _, before = ask(reused, "SELECT id, since FROM installation")
    first, made = ask(reused, "UPDATE installation SET id = 'other'", ISSUE)
    second, again = ask(reused, ISSUE)

    assert first == second
    assert made == again == [(1,)]
    assert ask(reused, "SELECT id, since FROM installation")[1] == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE issue RENAME TO elsewhere",
        "ALTER TABLE issue ADD CONSTRAINT one CHECK (id < 9)",
        "DROP INDEX batch_open",
    ],
)
def test_after_a_change_of_the_tables_the_next_test_gets_another_copy(
    reused: Reused, change: str
) -> None:
    first, _ = ask(reused, change)
    second, made = ask(reused, ISSUE)

    assert first != second
    assert made == [(1,)]


def test_a_table_of_a_test_s_own_is_dropped(reused: Reused) -> None:
    first, _ = ask(reused, "CREATE TABLE own AS SELECT 1")
    second, found = ask(reused, "SELECT to_regclass('own')")

    assert (first, found) == (second, [(None,)])


def test_a_connection_that_is_still_in_use_is_left_to_its_database(reused: Reused) -> None:
    with reused.lent() as copy:
        held = copy.engine.connect()
    with reused.lent() as other:
        assert other.url != copy.url
    held.invalidate()  # its server ended it
    held.close()
