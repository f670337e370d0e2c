"""A history in bulk: issues of the past that went to everybody, and an event of each letter.

It is made by a few statements, and its indexes are made as years of single rows leave them: pages
three quarters full, in the order of their keys, while ids of events are random as SendGrid's are.
"""

from typing import Any

import psycopg
from sqlalchemy import text

from newsletter.container import Container
from newsletter.core.publication import day_of
from newsletter.stores.partitions import range_of
from tests.bench.installation import SLUG, Installation
from tests.bench.measure import stopwatch

#: Partitions of the tables that grow by a row for each letter.
_GROWING = "^delivery(_event)?_[0-9]+$"
_INDEXES = f"""
SELECT index.oid, index.oid::regclass::text
  FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
  JOIN pg_am ON pg_am.oid = relam AND amname = 'btree'
 WHERE indrelid IN (SELECT oid FROM pg_class WHERE relname ~ '{_GROWING}')
"""  # our own text
_NOT_READY = """
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = ANY (%s)
"""
_ISSUE = """
INSERT INTO issue (newsletter, date, state, assembled_at, planned_at, audience)
SELECT %(slug)s, %(today)s::date - %(ago)s::integer, 'sent',
       now() - %(ago)s::integer * interval '1 day',
       now() - %(ago)s::integer * interval '1 day', count(*)
  FROM subscription RETURNING id
"""
_EDITION = (
    "INSERT INTO edition (issue_id, key, brief_ids) VALUES (%(issue)s, '', '{}') RETURNING id"
)
_BATCHES = """
INSERT INTO batch
       (issue_id, edition_id, ordinal, first_place, last_place, size, state, attempts)
SELECT %(issue)s, %(edition)s, n, n * %(size)s::integer + 1,
       least((n + 1) * %(size)s::integer, %(readers)s::integer),
       least(%(size)s::integer, %(readers)s::integer - n * %(size)s::integer), 'accepted', 1
  FROM generate_series(0, (%(readers)s::integer - 1) / %(size)s::integer) AS n
"""
#: They sort by time, as those of the product do.
_ATTEMPT_ID = """
lpad(to_hex((CAST(extract(epoch FROM now()) AS bigint) - %(ago)s * 86400) * 1000 + ordinal),
     12, '0') || left(md5('past ' || batch.id), 20)
"""
_ATTEMPTS = f"""
INSERT INTO attempt (id, batch_id, number, recipients, started_at, finished_at, outcome)
SELECT {_ATTEMPT_ID}, id, 1, size, now() - %(ago)s::integer * interval '1 day',
       now() - %(ago)s::integer * interval '1 day', 'accepted'
  FROM batch WHERE issue_id = %(issue)s ORDER BY 1
"""  # our own text
_LETTERS_AND_EVENTS = f"""
WITH letter AS (
    INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id, state)
    SELECT %(issue)s, row_number() OVER (ORDER BY subscriber_id), subscriber_id, id, 30
      FROM subscription ORDER BY subscriber_id
    RETURNING place
)
INSERT INTO delivery_event
       (issue_id, place, event_key, attempt_id, kind, at, received_at, raw, origin)
SELECT %(issue)s, place, gen_random_uuid(), {_ATTEMPT_ID}, 'delivered',
       now() - %(ago)s::integer * interval '1 day', now() - %(ago)s::integer * interval '1 day',
       jsonb_build_object(
           'event', 'delivered', 'timestamp', 1795000000, 'response', '250 2.0.0 OK',
           'email', 'reader-' || place || '@example.com', 'filler', repeat('x', 250)),
       'own'
  FROM letter JOIN batch ON batch.issue_id = %(issue)s
                        AND ordinal = (place - 1) / %(size)s::integer
"""  # our own text
_COUNT = text("SELECT count(*) FROM delivery WHERE issue_id >= :first AND issue_id < :end")
_PLANNED = text("SELECT id FROM issue WHERE id >= :first AND id < :end AND planned_at IS NOT NULL")
_ANALYZE = b"VACUUM ANALYZE issue, edition, batch, attempt, delivery, delivery_event"


def make_history(installation: Installation, database: str, issues: int, readers: int) -> None:
    """Give a database so many sent issues, the oldest first."""
    size = _batch_size(installation, readers)
    with installation.container(database) as container:
        for issue_id in range(1, issues + 1):
            container.partitions.prepare_for(issue_id)
        today = day_of(installation.newsletter.timetable, container.clock.now())
    with psycopg.connect(installation.url(database), autocommit=True) as connection:
        indexes = connection.execute(_INDEXES.encode()).fetchall()
        # An index that does not follow each row is made anew, which is far quicker.
        connection.execute(_NOT_READY.encode(), [[oid for oid, _ in indexes]])
        for ago in range(issues, 0, -1):
            _make_issue(connection, {"today": today, "ago": ago, "readers": readers, "size": size})
        for _, index in indexes:
            connection.execute(f"ALTER INDEX {index} SET (fillfactor = 75)".encode())
            connection.execute(f"REINDEX INDEX {index}".encode())
            connection.execute(f"ALTER INDEX {index} RESET (fillfactor)".encode())
        connection.execute(_ANALYZE)


def _batch_size(installation: Installation, readers: int) -> int:
    """Return how many readers are in a batch where each set of topics has an edition of its own."""
    return max(1, min(1000, readers // (2 ** len(installation.newsletter.topic_slugs) - 1)))


def _make_issue(connection: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    with connection.transaction():
        values["issue"] = _id(connection, _ISSUE, values | {"slug": SLUG})
        values["edition"] = _id(connection, _EDITION, values)
        for statement in (_BATCHES, _ATTEMPTS, _LETTERS_AND_EVENTS):
            connection.execute(statement.encode(), values)


def _id(connection: psycopg.Connection[Any], statement: str, values: dict[str, Any]) -> int:
    [made] = connection.execute(statement.encode(), values).fetchone() or (0,)
    return made


def let_go_of_oldest(container: Container) -> tuple[int, float, float]:
    """Let go of the oldest partition as `retention` does.

    Return its letters, the seconds, and those of them that went into keeping the issues' sums.
    """
    oldest = range_of(1)
    with container.engine.begin() as connection:
        letters: int = connection.execute(_COUNT, oldest._asdict()).scalar_one()
        issues = list(connection.execute(_PLANNED, oldest._asdict()).scalars())
    with stopwatch() as letting_go:
        with stopwatch() as keeping:
            still_open = container.letter_releases.summarize(issues)
        container.partitions.drop(oldest)
    assert not still_open, still_open
    return letters, letting_go.seconds, keeping.seconds
