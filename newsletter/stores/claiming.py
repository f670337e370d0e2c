"""The acceptance of one batch is recorded, and the next batch is claimed.

A large issue takes a few thousand of these short transactions, one after another. So they run few
statements, which the driver prepares once. See docs/decisions/one-transaction-per-batch.md.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import Accepted, Claim, NotYet, Recipient
from newsletter.core.sending_limits import RateLimit
from newsletter.stores.send_window import count_in_window, wait_in_window
from subscribers.db.transaction import driver, execute, rows

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

#: A batch that somebody else is reconciling or claiming is left to them: whoever records an answer
#: has locked a batch already, and must not wait for another.
_CLAIM = """
    WITH next AS (
        SELECT batch.id, batch.issue_id, batch.first_place, batch.last_place, edition.brief_ids,
               issue.frequency,
               greatest(batch.not_before, issue.held_until,
                        (SELECT closed_until FROM send_window)) AS until, issue.resumed_at
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
    SELECT next.*, claimed.attempts, (SELECT id FROM installation) AS installation_id
      FROM next LEFT JOIN claimed ON true
"""

#: Consent is checked again, and the attempt is recorded. An unsubscribe since the plan counts here;
#: an erased subscription does, too. A batch's thousand readers are looked up one by one, by key
#: (hence the OFFSET): joining whole lists, as the planner likes to, takes ten times as long.
_BEGIN = """
    WITH asked AS MATERIALIZED (
        SELECT delivery.place, reader.email, reader.subscription_id, reader.link_key,
               CASE WHEN reader.subscription_id IS NULL THEN 'ended'
                    WHEN reader.exclusion IS NOT NULL THEN reader.exclusion
                    WHEN reader.frequency <> %(frequency)s THEN 'other_frequency' END
               AS exclusion
          FROM delivery
          LEFT JOIN LATERAL (SELECT * FROM audience
                              WHERE audience.subscription_id = delivery.subscription_id
                             OFFSET 0) AS reader ON true
         WHERE delivery.issue_id = %(issue)s
           AND delivery.place BETWEEN %(first)s AND %(last)s
           AND delivery.skipped IS NULL AND delivery.refused IS NULL),
    begun AS (
        INSERT INTO attempt (id, batch_id, number, recipients, started_at)
        SELECT %(attempt)s, %(batch)s, %(number)s, count(*), %(now)s
          FROM asked WHERE exclusion IS NULL HAVING count(*) > 0)
    SELECT place, email, subscription_id, link_key, exclusion FROM asked ORDER BY place
"""

#: None of these was skipped or refused before, and its batch is locked: the counter rises by each.
_SKIP = """
    WITH left_out AS (
        UPDATE delivery
           SET skipped = asked.reason,
               left_after = (SELECT COALESCE(max(serial), 0)
                               FROM batch_attempt JOIN attempt ON attempt.id = attempt_id
                              WHERE batch_attempt.batch_id = %(batch)s
                                AND attempt.id <> %(attempt)s)
          FROM unnest(%(places)s::integer[], %(reasons)s::text[]) AS asked (place, reason)
         WHERE delivery.issue_id = %(issue)s AND delivery.place = asked.place
           AND delivery.place BETWEEN %(first)s AND %(last)s
        RETURNING delivery.place)
    UPDATE batch SET skipped_count = skipped_count + (SELECT count(*) FROM left_out)
     WHERE id = %(batch)s
"""

_VOID = """
    UPDATE batch SET state = 'void', lease_until = NULL, reason = 'nobody left to write to'
     WHERE id = %(batch)s
"""


def record_acceptance(session: Session, claim: Claim, accepted: Accepted, now: datetime) -> bool:
    """Record an acceptance; False if the batch is not this attempt's any more."""
    values = {
        "attempt": claim.attempt_id,
        "number": claim.attempt,
        "message_id": accepted.message_id,
        "now": now,
    }
    return execute(session, _ACCEPT, values) > 0


def claim_batch(
    session: Session, wanted: dict[str, Any], limit: RateLimit | None
) -> Claim | NotYet | None:
    """Claim a batch and begin its attempt; None if it is somebody else's, or nobody is left.

    `wanted` are the values of a `batch`, an `attempt`, the end of its `lease`, and `now`.
    """
    if limit and (until := wait_in_window(session, wanted["batch"], limit, wanted["now"])):
        return NotYet(until)
    found = rows(session, _CLAIM, wanted)
    if not found:
        return None
    if not found[0]["attempts"]:
        return NotYet(found[0]["until"])
    return _begin(session, wanted, found[0], limit)


def _begin(
    session: Session, wanted: dict[str, Any], batch: dict[str, Any], limit: RateLimit | None
) -> Claim | None:
    values = wanted | {
        "number": batch["attempts"],
        "frequency": batch["frequency"],
        "issue": batch["issue_id"],
        "first": batch["first_place"],
        "last": batch["last_place"],
    }
    asked = driver(session).execute(_BEGIN, values, binary=True).fetchall()
    recipients = tuple(Recipient(*row[:4]) for row in asked if row[4] is None)
    if len(recipients) < len(asked):
        skipped = {row[0]: row[4] for row in asked if row[4]}
        who = {"places": list(skipped), "reasons": list(skipped.values())}
        execute(session, _SKIP, values | who)
    if not recipients:
        execute(session, _VOID, values)
        return None
    if limit:
        count_in_window(session, len(recipients), limit, wanted["now"])
    return Claim(
        installation_id=batch["installation_id"],
        attempt_id=wanted["attempt"],
        attempt=batch["attempts"],
        batch_id=wanted["batch"],
        issue_id=batch["issue_id"],
        brief_ids=tuple(batch["brief_ids"]),
        recipients=recipients,
        resumed_at=batch["resumed_at"],
    )
