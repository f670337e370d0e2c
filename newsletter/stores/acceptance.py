"""Proof that SendGrid took a request: everyone it covered is accepted, whatever came before.

See docs/decisions/split-batch-remembers-requests.md.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from subscribers.db.transaction import execute, rows, transaction

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
#: later, or given up by a person, was accepted all the same.
_ACCEPT_BATCHES = """
    UPDATE batch SET state = 'accepted', reason = %(evidence)s::text || ' it', lease_until = NULL
     WHERE id IN (SELECT id FROM batch
                   WHERE state IN ('unknown', 'claimed', 'planned', 'refused')
                     AND id IN (SELECT batch_id FROM batch_attempt
                                 WHERE attempt_id = ANY(%(attempts)s))
                   ORDER BY id FOR NO KEY UPDATE)
    RETURNING id
"""

_FINISH = """
    UPDATE issue SET state = 'sent'
     WHERE state = 'sending'
       AND NOT EXISTS (SELECT 1 FROM batch
                        WHERE issue_id = issue.id AND batch.state IN ('planned', 'claimed'))
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
    """
    values = {"attempts": list(attempts), "evidence": evidence}
    return tuple(row["id"] for row in rows(session, _ACCEPT_BATCHES, values))


def finish(engine: Engine) -> None:
    """End the issues whose batches all have an outcome.

    Run in a transaction of its own, after a batch's: of two workers that record the last two
    batches at once, at least the later one sees both.
    """
    with transaction(engine) as session:
        execute(session, _FINISH)
