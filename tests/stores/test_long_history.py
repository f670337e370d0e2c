"""A day costs no more after hundreds of issues: nothing that is done for one reads the others'.

What counts is how many rows each piece of work reads of tables that hold thousands.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Unknown
from newsletter.core.stored import StoredIssue
from tests.container import TODAY, TestContainer, ids_of, open_container

pytestmark = pytest.mark.postgres

READERS = [f"r{n}@example.com" for n in range(60)]  #: twenty batches of three: a post is of many
LOST = Unknown(reason="the line went dead")
ISSUES, BATCHES = 200, 40  #: of each, which all have editions of their own
MOST = 400  #: rows that a piece of work may read of a table; the history has 8,000

_HISTORY = f"""
    INSERT INTO issue (id, newsletter, date, state, assembled_at, planned_at)
    SELECT n, 'technology', date '2020-01-01' + n, 'sent', now(), now()
      FROM generate_series(1000, {999 + ISSUES}) AS n;
    INSERT INTO edition (id, issue_id, key, brief_ids)
    SELECT id * 1000 + part, id, part::text, '{{}}'
      FROM issue, generate_series(1, {BATCHES}) AS part;
    INSERT INTO batch (id, issue_id, edition_id, ordinal, size, state, first_place, last_place)
    SELECT id, issue_id, id, 0, 1, 'accepted', id % 1000, id % 1000 FROM edition;
    INSERT INTO attempt (id, batch_id, number, recipients, started_at, finished_at, outcome)
    SELECT 'past-' || id, id, 1, 1, moment, moment, 'accepted'
      FROM batch, LATERAL (SELECT timestamptz '2020-01-01' + issue_id * interval '1 day')
                      AS day (moment);
"""
_READ = """
    SELECT relname, seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables
     WHERE relname IN ('edition', 'batch', 'attempt', 'split_from')
"""
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def read_too_much(container: TestContainer, work: Callable[[], object]) -> dict[str, int]:
    """Do some work, and return of which tables it read more rows than it may."""
    url = container.engine.url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as asking:
        before = rows_read(container, asking)
        work()
        after = rows_read(container, asking)
    read = {table: count - before[table] for table, count in after.items()}
    return {table: count for table, count in read.items() if count > MOST}


def rows_read(container: TestContainer, asking: psycopg.Connection[Any]) -> dict[str, int]:
    """Return what was read so far: what a connection read is told in full once it has ended."""
    container.engine.dispose()
    until = time.monotonic() + 60
    while asking.execute(_OTHERS).fetchone() != (0,):
        assert time.monotonic() < until, "a connection did not end"
        time.sleep(0.01)
    return dict(asking.execute(_READ).fetchall())


@pytest.fixture
def container(shared_engine: Engine, tmp_path: Path) -> TestContainer:
    """A container that has sent two hundred issues, and has another to send."""
    container = open_container(shared_engine)
    container.query(_HISTORY)
    with shared_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE issue, edition, batch, attempt")
    container.receive("chips")
    container.subscribe(tmp_path, dict.fromkeys(READERS, ""))
    return container


def test_a_day_reads_nothing_of_the_issues_before_it(container: TestContainer):
    container.mailer.answers = [LOST]
    at_times = {
        "the timetable": lambda: container.schedule_runner.run_due(container.newsletter),
        "recovery": container.recovery.recover,  # while a batch is unknown, and after that
        "alerts": container.alerting.check,
        "by hand": container.sending_by_hand.run_due,
        "retention": container.retention.expire,
    }
    for name, work in (
        ("plan", container.plan_issue),
        ("send", lambda: container.queue.work(until_empty=True)),
        *at_times.items(),
        ("events", lambda: receive(container, "delivered")),
        *at_times.items(),
        ("opens", lambda: receive(container, "open")),
        ("totals", lambda: container.deliveries.totals(todays(container).id)),
        ("results", lambda: container.results.of(todays(container))),
        ("today", lambda: container.today.of(container.newsletter)),
        ("why", lambda: container.explaining.why(container.newsletter, READERS[0], TODAY)),
    ):
        assert not read_too_much(container, work), name


def todays(container: TestContainer) -> StoredIssue:
    return container.publishing.issue(container.newsletter, TODAY)


def receive(container: TestContainer, word: str) -> None:
    """Receive an event of each letter."""
    stored = container.receive_events(
        *(
            {"email": one.email, "event": word, "timestamp": 1795000000}
            | {"sg_event_id": f"{word}-{one.place}"}
            | ids_of(claim, place)
            for _, _, claim in container.mailer.asked
            for place, one in enumerate(claim.recipients)
        )
    )
    assert len(stored.new) == len(READERS)
