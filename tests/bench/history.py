"""A history in bulk: issues of the past that went to everybody, and an event of each letter.

It is made by a few statements, and its indexes are made as years of single rows leave them: pages
three quarters full, in the order of their keys, while ids of events are random as SendGrid's are.
"""

from typing import Any

import psycopg
from sqlalchemy import text

from newsletter.container import Container
from tests.bench.installation import SLUG, Installation

_PER_BATCH = 500
#: Tables that grow by a row for each letter, and their partitions if they have any.
_GROWING = "('delivery', 'delivery_event')"
_INDEXES = f"""
SELECT index.oid, index.oid::regclass::text
  FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
  JOIN pg_am ON pg_am.oid = relam AND amname = 'btree'
 WHERE indrelid IN (SELECT oid FROM pg_class WHERE relname IN {_GROWING})
"""  # our own text
_NOT_READY = """
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = ANY (%s)
"""
_ISSUE = """
INSERT INTO issue (newsletter, date, state, assembled_at, planned_at, audience)
SELECT %(slug)s, current_date - %(ago)s::integer, 'sent',
       now() - %(ago)s::integer * interval '1 day',
       now() - %(ago)s::integer * interval '1 day', count(*)
  FROM subscription RETURNING id
"""
_EDITION = (
    "INSERT INTO edition (issue_id, key, brief_ids) VALUES (%(issue)s, '', '{}') RETURNING id"
)
_BATCHES = """
INSERT INTO batch (issue_id, edition_id, ordinal, size, state, attempts)
SELECT %(issue)s, %(edition)s, n,
       least(%(size)s::integer, %(readers)s::integer - n * %(size)s::integer), 'accepted', 1
  FROM generate_series(0, (%(readers)s::integer - 1) / %(size)s::integer) AS n
"""
_ATTEMPTS = """
INSERT INTO attempt (id, batch_id, number, recipients, started_at, finished_at, outcome)
SELECT md5('past ' || id), id, 1, size, now() - %(ago)s::integer * interval '1 day',
       now() - %(ago)s::integer * interval '1 day', 'accepted'
  FROM batch WHERE issue_id = %(issue)s
"""
_LETTERS_AND_EVENTS = """
WITH letter AS (
    INSERT INTO delivery (issue_id, subscriber_id, subscription_id, batch_id, state)
    SELECT %(issue)s, reader.subscriber_id, reader.id, batch.id, 30
      FROM (SELECT id, subscriber_id, row_number() OVER (ORDER BY subscriber_id) - 1 AS place
              FROM subscription) AS reader
      JOIN batch ON issue_id = %(issue)s AND ordinal = reader.place / %(size)s::integer
     ORDER BY reader.place
    RETURNING id, batch_id
)
INSERT INTO delivery_event
       (event_id, delivery_id, attempt_id, kind, at, received_at, raw, origin)
SELECT encode(sha256(concat(random(), id)::bytea), 'base64'), id, md5('past ' || batch_id),
       'delivered', now() - %(ago)s::integer * interval '1 day',
       now() - %(ago)s::integer * interval '1 day',
       jsonb_build_object(
           'event', 'delivered', 'timestamp', 1795000000, 'response', '250 2.0.0 OK',
           'email', 'reader-' || id || '@example.com', 'filler', repeat('x', 250)),
       'own'
  FROM letter
"""
_OLDEST = "SELECT min(planned_at) + interval '12 hours' FROM issue"
_ANALYZE = b"VACUUM ANALYZE issue, edition, batch, attempt, delivery, delivery_event"


def make_history(installation: Installation, database: str, issues: int, readers: int) -> None:
    """Give a database so many sent issues, the oldest first."""
    with psycopg.connect(installation.url(database), autocommit=True) as connection:
        indexes = connection.execute(_INDEXES.encode()).fetchall()
        # An index that does not follow each row is made anew, which is far quicker.
        connection.execute(_NOT_READY.encode(), [[oid for oid, _ in indexes]])
        for ago in range(issues, 0, -1):
            _make_issue(connection, {"ago": ago, "readers": readers, "size": _PER_BATCH})
        for _, index in indexes:
            connection.execute(f"ALTER INDEX {index} SET (fillfactor = 75)".encode())
            connection.execute(f"REINDEX INDEX {index}".encode())
            connection.execute(f"ALTER INDEX {index} RESET (fillfactor)".encode())
        connection.execute(_ANALYZE)


def _make_issue(connection: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    with connection.transaction():
        values["issue"] = _id(connection, _ISSUE, values | {"slug": SLUG})
        values["edition"] = _id(connection, _EDITION, values)
        for statement in (_BATCHES, _ATTEMPTS, _LETTERS_AND_EVENTS):
            connection.execute(statement.encode(), values)


def _id(connection: psycopg.Connection[Any], statement: str, values: dict[str, Any]) -> int:
    [made] = connection.execute(statement.encode(), values).fetchone() or (0,)
    return made


def let_go_of_oldest(container: Container) -> int:
    """Delete the events of the oldest issue as `retention` does; return how many there were."""
    with container.engine.begin() as connection:
        before, gone = connection.execute(text(_OLDEST)).scalar_one(), 0
    while portion := container.person_history.expire_events(before, portion=10_000):
        gone += portion
    return gone
