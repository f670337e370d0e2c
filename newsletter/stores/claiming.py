"""The turn of a batch: the answer to the last one is recorded, and the next one is claimed.

A large issue takes a few thousand of these turns, one after another, and each is a short
transaction. So they speak to the driver itself, in few statements, which it prepares once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row, tuple_row
from sqlalchemy import Connection, text

from newsletter.core.delivery import Accepted, Claim, NotYet, Recipient
from newsletter.core.sending_limits import RateLimit, SendWindow, next_turn, wait_for_turn
from newsletter.stores import delivery_sql

#: An event may have proved it accepted before its answer is recorded.
_ACCEPT = """
    WITH ended AS (
        UPDATE attempt SET finished_at = %(now)s, message_id = %(message_id)s, outcome = 'accepted'
         WHERE id = %(attempt)s AND (outcome IS NULL OR outcome = 'accepted')
        RETURNING batch_id)
    UPDATE batch SET state = 'accepted', reason = NULL, not_before = NULL, lease_until = NULL
      FROM ended
     WHERE batch.id = ended.batch_id AND batch.attempts = %(number)s
       AND batch.state IN ('claimed', 'unknown', 'planned')
    RETURNING batch.id
"""

#: A batch that is just being settled or claimed by somebody else is left to them: whoever records
#: an answer holds a batch already, and must not wait for another.
_CLAIM = """
    WITH next AS (
        SELECT batch.id, batch.issue_id, edition.brief_ids, issue.frequency,
               greatest(batch.not_before, (SELECT closed_until FROM post_office)) AS until
          FROM batch
          JOIN issue ON issue.id = batch.issue_id
          JOIN edition ON edition.id = batch.edition_id
         WHERE batch.id = %(batch)s AND batch.state = 'planned' AND issue.state = 'sending'
           AND (issue.send_by IS NULL OR issue.send_by > %(now)s)
           FOR NO KEY UPDATE OF batch SKIP LOCKED),
    claimed AS (
        UPDATE batch SET state = 'claimed', attempts = attempts + 1, lease_until = %(lease)s
          FROM next
         WHERE batch.id = next.id AND (next.until IS NULL OR next.until <= %(now)s)
        RETURNING batch.attempts)
    SELECT next.*, claimed.attempts FROM next LEFT JOIN claimed ON true
"""

#: Consent is asked again, and the attempt is written down. A goodbye said since the plan is heard
#: here; an erased subscription is one, too. A batch's thousand readers are looked up one by one, by
#: key (hence the OFFSET): joining whole lists, as the planner likes to, takes ten times as long.
_BEGIN = """
    WITH asked AS MATERIALIZED (
        SELECT delivery.id, reader.email, reader.subscription_id, reader.link_key,
               CASE WHEN reader.subscription_id IS NULL THEN 'ended'
                    WHEN reader.exclusion IS NOT NULL THEN reader.exclusion
                    WHEN reader.frequency <> %(frequency)s THEN 'other_frequency' END
               AS exclusion
          FROM delivery
          LEFT JOIN LATERAL (SELECT * FROM audience
                              WHERE audience.subscription_id = delivery.subscription_id
                             OFFSET 0) AS reader ON true
         WHERE delivery.batch_id = %(batch)s
           AND delivery.skipped IS NULL AND delivery.refused IS NULL),
    begun AS (
        INSERT INTO attempt (id, batch_id, number, recipients, started_at)
        SELECT %(attempt)s, %(batch)s, %(number)s, count(*), %(now)s
          FROM asked WHERE exclusion IS NULL HAVING count(*) > 0)
    SELECT id, email, subscription_id, link_key, exclusion FROM asked ORDER BY id
"""

_SKIP = """
    UPDATE delivery SET skipped = left_out.reason
      FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS left_out (id, reason)
     WHERE delivery.id = left_out.id
"""

_VOID = """
    UPDATE batch SET state = 'void', lease_until = NULL, reason = 'nobody left to write to'
     WHERE id = %(batch)s
"""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a worker asks for: this batch, under this attempt, until its lease runs out."""

    batch_id: int
    attempt_id: str
    lease: datetime
    now: datetime


def accept(connection: Connection, claim: Claim, accepted: Accepted, now: datetime) -> bool:
    """Record an acceptance; False if the batch is not this attempt's any more."""
    values = {
        "attempt": claim.attempt_id,
        "number": claim.attempt,
        "message_id": accepted.message_id,
        "now": now,
    }
    return _cursor(connection).execute(_ACCEPT, values).rowcount > 0


def claim(connection: Connection, turn: Turn, pace: RateLimit | None) -> Claim | NotYet | None:
    """Claim a batch and begin its attempt; None if it is somebody else's, or nobody is left."""
    if pace and (held := _hold(connection, turn, pace)):
        return held
    values = {"batch": turn.batch_id, "lease": turn.lease, "now": turn.now}
    batch = _cursor(connection, dict_row).execute(_CLAIM, values).fetchone()
    if batch is None:
        return None
    if not batch["attempts"]:
        return NotYet(batch["until"])
    return _begin(connection, turn, batch, pace)


def _begin(
    connection: Connection, turn: Turn, batch: dict[str, Any], pace: RateLimit | None
) -> Claim | None:
    values = {
        "batch": turn.batch_id,
        "attempt": turn.attempt_id,
        "number": batch["attempts"],
        "frequency": batch["frequency"],
        "now": turn.now,
    }
    asked = _cursor(connection).execute(_BEGIN, values, binary=True).fetchall()
    recipients = tuple(Recipient(*row[:4]) for row in asked if row[4] is None)
    if len(recipients) < len(asked):
        _skip(connection, [(row[0], row[4]) for row in asked if row[4]])
    if not recipients:
        _cursor(connection).execute(_VOID, values)
        return None
    if pace:
        _take_turn(connection, turn.now, len(recipients), pace)
    return Claim(
        attempt_id=turn.attempt_id,
        attempt=batch["attempts"],
        batch_id=turn.batch_id,
        issue_id=batch["issue_id"],
        brief_ids=tuple(batch["brief_ids"]),
        recipients=recipients,
    )


def _skip(connection: Connection, gone: list[tuple[int, str]]) -> None:
    values = {"ids": [one for one, _ in gone], "reasons": [reason for _, reason in gone]}
    _cursor(connection).execute(_SKIP, values)


def _hold(connection: Connection, turn: Turn, pace: RateLimit) -> NotYet | None:
    """Ask the pace whether the batch may leave now; nobody else may ask until it is decided."""
    connection.execute(text(delivery_sql.OPEN_POST_OFFICE))
    office = SendWindow(**connection.execute(text(delivery_sql.ASK_FOR_TURN)).mappings().one())
    size = text("SELECT size FROM batch WHERE id = :batch")
    waiting = connection.execute(size, {"batch": turn.batch_id}).scalar()
    until = wait_for_turn(pace, office, waiting or 0, turn.now)
    return NotYet(until) if until else None


def _take_turn(connection: Connection, now: datetime, size: int, pace: RateLimit) -> None:
    office = SendWindow(**connection.execute(text(delivery_sql.ASK_FOR_TURN)).mappings().one())
    values = {
        "free_at": next_turn(pace, office.free_at, size, now),
        "day": now.astimezone(UTC).date(),
        "size": size,
    }
    connection.execute(text(delivery_sql.TAKE_TURN), values)


def _cursor(connection: Connection, rows: Any = tuple_row) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor(row_factory=rows)
