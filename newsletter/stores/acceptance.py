"""Proof that SendGrid took a request: everyone it covered is accepted, whatever came before.

See docs/decisions/split-batch-remembers-requests.md.
"""

import logging
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter.stores.batch_counts import recount
from subscribers.db.transaction import execute, rows, transaction

_log = logging.getLogger(__name__)

#: Whoever locks attempts and batches locks the attempts first, and each in the order of their ids.
_ACCEPT_ATTEMPTS = """
    UPDATE attempt SET outcome = 'accepted', finished_at = COALESCE(finished_at, %(now)s),
           reason = concat_ws('; ', reason, %(evidence)s::text || ' that it was accepted')
     WHERE id IN (SELECT id FROM attempt WHERE id = ANY(%(attempts)s)
                     AND outcome IS DISTINCT FROM 'accepted' ORDER BY id FOR NO KEY UPDATE)
    RETURNING id
"""

#: A request is accepted or refused whole: one delivery of it proves it for every recipient. They
#: may be in several batches by now, if a later request was too large. A batch that was refused
#: later, given up by a person, or cancelled, was accepted all the same.
_ACCEPT_BATCHES = """
    UPDATE batch SET state = 'accepted', reason = %(evidence)s::text || ' it', lease_until = NULL
     WHERE id IN (SELECT id FROM batch
                   WHERE state IN ('unknown', 'claimed', 'planned', 'refused', 'void')
                     AND id IN (SELECT batch_id FROM batch_attempt
                                 WHERE attempt_id = ANY(%(attempts)s))
                   ORDER BY id FOR NO KEY UPDATE)
    RETURNING id
"""

#: A statement before the next ones, which then see what whoever held the lock has recorded: of two
#: proofs at once, the later one counts both.
_LOCK_BATCHES = """
    SELECT issue_id FROM batch
     WHERE id IN (SELECT batch_id FROM batch_attempt WHERE attempt_id = ANY(%(attempts)s))
     ORDER BY id FOR NO KEY UPDATE
"""

#: So was everybody whom the request held, although a later one was made without them.
_REINSTATE = """
    UPDATE delivery SET skipped = NULL, refused = NULL
      FROM batch_attempt JOIN attempt ON attempt.id = attempt_id
                         JOIN batch ON batch.id = batch_attempt.batch_id
     WHERE batch.issue_id = %(issue)s AND attempt.id = ANY(%(attempts)s)
       AND delivery.issue_id = %(issue)s
       AND delivery.place BETWEEN batch.first_place AND batch.last_place
       AND (skipped IS NOT NULL OR refused IS NOT NULL) AND attempt.serial <= left_after
    RETURNING batch.id
"""

_COUNT_DOUBLED = """
    WITH accepted AS (
        SELECT batch_attempt.batch_id, serial
          FROM batch_attempt JOIN attempt ON attempt.id = attempt_id
         WHERE outcome = 'accepted'
           AND batch_attempt.batch_id IN (SELECT batch_id FROM batch_attempt
                                           WHERE attempt_id = ANY(%(attempts)s))),
    twice AS (SELECT batch_id FROM accepted GROUP BY batch_id HAVING count(*) > 1)
    UPDATE batch
       SET doubled = (SELECT count(*) FROM delivery
                       WHERE delivery.issue_id = batch.issue_id
                         AND delivery.place BETWEEN batch.first_place AND batch.last_place
                         AND 1 < (SELECT count(*) FROM accepted
                                   WHERE accepted.batch_id = batch.id
                                     AND serial <= COALESCE(left_after, serial)))
      FROM twice WHERE batch.id = twice.batch_id
    RETURNING batch.id, doubled
"""

_FINISH = """
    UPDATE issue SET state = 'sent'
     WHERE state = 'sending'
       AND NOT EXISTS (SELECT 1 FROM batch
                        WHERE issue_id = issue.id
                          AND batch.state IN ('planned', 'claimed', 'unknown'))
"""


def accept_attempts(
    session: Session, attempts: Collection[str], now: datetime, *, evidence: str
) -> tuple[int, ...]:
    """Accept the batches of these attempts; return those that were not accepted before.

    `evidence` is a subject and a verb: "an event proved". Call `finish` after the transaction.
    """
    values = {"attempts": sorted(attempts), "now": now, "evidence": evidence}
    accepted = [row["id"] for row in rows(session, _ACCEPT_ATTEMPTS, values)]
    return accept_batches(session, accepted, evidence=evidence) if accepted else ()


def accept_batches(
    session: Session, attempts: Collection[str], *, evidence: str
) -> tuple[int, ...]:
    """Accept the batches of attempts that are recorded as accepted; return which that changed.

    It is a statement of its own: it sees what a split wrote while the attempts were waited for.
    Whoever got a letter twice by that is counted.
    """
    values = {"attempts": list(attempts), "evidence": evidence}
    changed = tuple(row["id"] for row in rows(session, _ACCEPT_BATCHES, values))
    issues = {row["issue_id"] for row in rows(session, _LOCK_BATCHES, values)}
    reinstated = {
        row["id"]
        for issue_id in sorted(issues)
        for row in rows(session, _REINSTATE, values | {"issue": issue_id})
    }
    recount(session, reinstated)
    for row in rows(session, _COUNT_DOUBLED, values):
        extra = {"action": "batch.doubled", "batch": row["id"], "recipients": row["doubled"]}
        _log.error("accepted in two requests: its readers got the letter twice", extra=extra)
    return changed


def finish(engine: Engine) -> None:
    """End the issues whose batches all have a known outcome.

    One whose answer was lost may be sent again, so its issue is not at its end.
    Run in a transaction of its own, after a batch's: of two workers that record the last two
    batches at once, at least the later one sees both.
    """
    with transaction(engine) as session:
        execute(session, _FINISH)
