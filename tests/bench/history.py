"""What an issue costs after others: bytes of write-ahead log for each letter and each event.

Run it by `python -m tests.bench.history`. The log is what grows with history, and hardly depends on
how busy the machine is.
"""

import argparse
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import URL, Engine, text

from newsletter.adapters.embedded import running
from newsletter.stores.database import make_engine, migrate
from newsletter.stores.partitions import PartitionStore
from tests.container import TestContainer, open_container
from tests.fast_folder import fast_folder

_PER_POST = 1000

_READERS = """
    INSERT INTO topic_set (slugs) VALUES ('{{*}}') ON CONFLICT DO NOTHING;
    INSERT INTO subscriber (email, email_key, created_at)
    SELECT 'r' || n || '@example.com', 'r' || n || '@example.com', now()
      FROM generate_series(1, {letters}) AS n;
    INSERT INTO subscription (subscriber_id, newsletter, topic_set_id, zone, status, created_at)
    SELECT subscriber.id, 'technology', topic_set.id, 'UTC', 'active', now()
      FROM subscriber CROSS JOIN topic_set;
    ANALYZE subscriber; ANALYZE subscription
"""
_LETTERS = """
    INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id, state)
    SELECT :issue, row_number() OVER (ORDER BY id), id, id, 30 FROM subscriber
"""
_EVENTS = """
    INSERT INTO delivery_event (issue_id, place, event_key, kind, at, received_at, raw, origin)
    SELECT issue_id, place, gen_random_uuid(), 'delivered', now(), now(),
           jsonb_build_object('sg_message_id', repeat('x', 400)), 'own'
      FROM delivery WHERE issue_id = :issue
"""
_ISSUE = """
    INSERT INTO issue (newsletter, date, state, assembled_at, planned_at)
    VALUES ('history', date '2020-01-01' + CAST(:number AS integer), 'sent', now(), now())
    RETURNING id
"""
_REQUESTED = """
    INSERT INTO attempt (id, batch_id, number, recipients, started_at, outcome)
    SELECT 'of-' || id, id, 1, size, now(), 'accepted' FROM batch WHERE issue_id = :issue
"""
_ASKED = """
    SELECT 'of-' || batch.id AS attempt, place
      FROM batch JOIN delivery ON delivery.issue_id = batch.issue_id
                              AND place BETWEEN first_place AND last_place
     WHERE batch.issue_id = :issue ORDER BY random()
"""


@dataclass(frozen=True)
class IssueCost:
    """Bytes of write-ahead log."""

    letter: float
    event: float


def add_history(engine: Engine, issues: int) -> None:
    """Store earlier issues to all subscribers: a delivery and an event of each."""
    for number in range(issues):
        with engine.begin() as connection:
            issue = connection.execute(text(_ISSUE), {"number": number}).scalar_one()
        PartitionStore(engine).prepare_for(issue)
        with engine.begin() as connection:
            connection.execute(text(_LETTERS), {"issue": issue})
            connection.execute(text(_EVENTS), {"issue": issue})
    # As autovacuum has done long before: whoever reads a row first marks its page, which is logged.
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("VACUUM"))


@contextmanager
def written_log(engine: Engine) -> Generator[list[int]]:
    """Yield what will hold the bytes of log written meanwhile, counted after a checkpoint."""
    found: list[int] = []
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("CHECKPOINT"))
        began = connection.execute(text("SELECT pg_current_wal_insert_lsn()")).scalar_one()
        yield found
        moved = text("SELECT CAST(pg_current_wal_insert_lsn() - CAST(:began AS pg_lsn) AS bigint)")
        found.append(connection.execute(moved, {"began": began}).scalar_one())


def measure(container: TestContainer) -> IssueCost:
    """Plan today's issue, and receive one event of each of its letters, in no order."""
    engine = container.engine
    container.receive("chips")
    with written_log(engine) as planned:
        issue = container.plan_issue().id
    with engine.begin() as connection:
        connection.execute(text(_REQUESTED), {"issue": issue})
        asked = connection.execute(text(_ASKED), {"issue": issue}).all()
    events = [_event(container, issue, *row) for row in asked]
    with written_log(engine) as received:
        for first in range(0, len(events), _PER_POST):
            container.receive_events(*events[first : first + _PER_POST])
    return IssueCost(planned[0] / len(asked), received[0] / len(asked))


def _event(container: TestContainer, issue: int, attempt: str, place: int) -> dict[str, Any]:
    return {
        "email": f"r{place}@example.com",
        "event": "delivered",
        "timestamp": 1_795_000_000,
        "response": "250 2.0.0 OK",
        "sg_event_id": uuid4().hex,  # SendGrid's are random, too
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "nl_installation": container.installation_id,
        "nl_issue": str(issue),
        "nl_delivery": str(place),
        "nl_attempt": attempt,
    }


def after_history(server: URL, issues: int, letters: int) -> IssueCost:
    """Measure an issue in a new database, after so many others."""
    name = f"after_{issues}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    engine = make_engine(server.set(database=name))
    try:
        migrate(engine)
        with engine.begin() as connection:
            connection.execute(text(_READERS.format(letters=letters)))
        add_history(engine, issues)
        return measure(open_container(engine, batch_size=500))
    finally:
        engine.dispose()


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.history", description=__doc__)
    asked.add_argument("--issues", type=int, default=60, metavar="N")
    asked.add_argument("--letters", type=int, default=20_000, metavar="N", help="of each issue")
    options = asked.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="newsletter-bench-", dir=fast_folder()) as folder,
        running(Path(folder) / "pg") as url,
    ):
        server = url.set(drivername="postgresql")
        for issues in (0, options.issues):
            cost = after_history(server, issues, options.letters)
            print(f"after {issues:3} issues: {cost.letter:6,.0f} bytes a letter, ", end="")
            print(f"{cost.event:6,.0f} bytes an event")


if __name__ == "__main__":
    main()
